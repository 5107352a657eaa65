/** The benchmark of DaphneDSL; see bench/run.mjs for its options. */
import { runSuite } from '../suite.ts';
import { programs } from './programs.ts';
import { short } from './short.ts';

await runSuite({ groups: [short, programs], peers: ['numpy', 'scipy', 'pandas'] });
