#!/usr/bin/env node
import './heap.js';
import '../dist/src/main.js';
