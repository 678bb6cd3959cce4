#!/usr/bin/env node
import '../dist/dev/kafka.js';
