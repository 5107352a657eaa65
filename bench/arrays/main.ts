/** The benchmark of arrays; see bench/run.mjs for its options. */
import { runSuite } from '../suite.ts';
import { chains } from './chains.ts';

await runSuite({ groups: [chains], peers: ['numpy'] });
