import { freemem } from 'node:os';
import { describe } from 'node:test';
import { sizes } from './sizes.ts';
import { lazySession, MiB } from './support.ts';

/** What the processes of 64 workers take, and half as much again. */
const NEEDED = 64 * 70 * MiB;

describe('a session of 64 cores (process)', {
  skip: freemem() < NEEDED ? `this needs ${NEEDED / MiB} MiB of free memory` : false,
}, () => {
  sizes(lazySession({ cpus: 64, memory: '64MiB', isolation: 'process' }), 64, true);
});
