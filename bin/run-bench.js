#!/usr/bin/env node
import './heap.js';
import '../dist/bench/main.js';
