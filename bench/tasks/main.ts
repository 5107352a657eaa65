/** The benchmark of tasks; see bench/run.mjs for its options. */
import { HOW_TO_GET_RAY, rayRates } from '../peers/ray.ts';
import { runSuite } from '../suite.ts';
import { actors, restarting } from './actors.ts';
import { bulk } from './bulk.ts';
import { calls } from './calls.ts';
import { memory, retryOfProcess, retryOfThread, size, starting } from './lifecycle.ts';
import { scale } from './scale.ts';
import { spilling } from './spilling.ts';
import { streams } from './streams.ts';

await runSuite({
  groups: [
    calls,
    actors,
    streams,
    bulk,
    spilling,
    scale,
    starting,
    memory,
    retryOfProcess,
    retryOfThread,
    restarting,
    size,
  ],
  /** Ray runs before the others, by itself. */
  recorded({ cpus, quick }, only, wanted): Record<string, Record<string, number>> {
    if (![calls, actors, bulk, restarting].some(({ names }) => names.some(wanted))) return {};
    const ray = rayRates(cpus, only, quick);
    if (ray === undefined) console.log(`no Ray to compare with; to have it: ${HOW_TO_GET_RAY}`);
    return ray === undefined ? {} : { ray };
  },
  peers: ['ray'],
});
