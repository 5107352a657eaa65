import { alloc, all, current, get, put, type Ref, task } from 'sheaf';
import { type Digits, PIXELS, readDigits } from './mnist.ts';
import { backward, best, forward, initialWeights, newPass, WEIGHTS } from './network.ts';

const BATCH = 256;
const SHARDS = 4;
const MOMENTUM = 0.9;

const read = task(readDigits, { name: 'read' });
