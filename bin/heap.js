// Lets the heap grow in smaller steps than V8 does by itself: work on a stream keeps little, and memory that only waits to be
// collected would make a worker look twice its size. Imported first, before anything is allocated.
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--heap-growing-percent=60');
setFlagsFromString('--semi-space-growth-factor=1');
