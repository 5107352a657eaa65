import { type ActorSimulation, simulateActors } from './simulator/actors/index.ts';
import { simulate } from './simulator/index.ts';

const USAGE = `usage: simulate --seeds N [--first K]   runs N seeds, from K (default 1)
       simulate --seed S [--trace]       runs one, and prints its log
       simulate --actors ...             the lives of actors only, of which there is no log`;

const MOST_FAILED = 20;

function option(name: string): number | undefined {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return undefined;
  const value = Number(process.argv[at + 1]);
  if (!Number.isSafeInteger(value)) {
    console.error(`--${name} wants a whole number\n${USAGE}`);
    process.exit(2);
  }
  return value;
}

type ActorTotals = { -readonly [name in Exclude<keyof ActorSimulation, 'seed' | 'problem'>]: number };

/** False when it fails. */
function actors(seed: number, totals: ActorTotals): boolean {
  const { seed: _, problem, ...counts } = simulateActors(seed);
  for (const name of Object.keys(counts) as (keyof ActorTotals)[]) totals[name] += counts[name];
  if (problem !== undefined) console.error(`seed ${seed} of actors: ${problem}`);
  return problem === undefined;
}

const noActors = (): ActorTotals => ({
  calls: 0,
  onWorkers: 0,
  begun: 0,
  deaths: 0,
  restarts: 0,
  joins: 0,
  ends: 0,
});

function describe(totals: ActorTotals): string {
  const { calls, onWorkers, begun, deaths, restarts, joins, ends } = totals;
  return (
    `actors: ${calls} calls, ${onWorkers} of them from workers, ${begun} begun, ${deaths} deaths, ${restarts} restarts, ` +
    `${joins} got by name, ${ends} ended with their session`
  );
}

function manyActors(first: number, count: number): void {
  const started = performance.now();
  const totals = noActors();
  let failed = 0;
  for (let seed = first; seed < first + count && failed < MOST_FAILED; seed++) if (!actors(seed, totals)) failed++;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${count} seeds, ${failed} failed, in ${seconds} s\n${describe(totals)}`);
  if (failed > 0) process.exitCode = 1;
}

function one(seed: number): void {
  const trace = process.argv.includes('--trace') ? (line: string) => console.log(line) : undefined;
  const result = simulate(seed, trace);
  console.log(JSON.stringify({ ...result, problem: undefined }));
  if (result.problem === undefined) return;
  console.error(`seed ${seed}: ${result.problem}`);
  process.exitCode = 1;
}

function many(first: number, count: number): void {
  const started = performance.now();
  let tasks = 0;
  let events = 0;
  let deaths = 0;
  let failed = 0;
  const totals = noActors();
  const counts = {
    cancelledEarly: 0,
    cancelledRunning: 0,
    bystanders: 0,
    charged: 0,
    unread: 0,
    missing: 0,
    remade: 0,
  };
  for (let seed = first; seed < first + count; seed++) {
    if (!actors(seed, totals)) failed++;
    const result = simulate(seed);
    tasks += result.tasks;
    events += result.events;
    deaths += result.deaths;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += result.counts[name];
    if (result.problem === undefined) continue;
    failed++;
    console.error(`seed ${seed}: ${result.problem}`);
    if (failed >= MOST_FAILED) {
      console.error(`enough; stopping at ${MOST_FAILED} failed seeds`);
      break;
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${count} seeds, ${tasks} tasks, ${events} events, ${deaths} dead workers, ${failed} failed, in ${seconds} s
cancelled: ${counts.cancelledEarly} before they began, ${counts.cancelledRunning} while they ran
begun on a worker that died: ${counts.charged} charged, ${counts.bystanders} bystanders
losses: ${counts.unread} found by a worker, ${counts.missing} by the directory; ${counts.remade} tasks ran again
${describe(totals)}`,
  );
  if (failed > 0) process.exitCode = 1;
}

const seed = option('seed');
const seeds = option('seeds');
const ofActors = process.argv.includes('--actors');
if (seed !== undefined && ofActors) manyActors(seed, 1);
else if (seeds !== undefined && ofActors) manyActors(option('first') ?? 1, seeds);
else if (seed !== undefined) one(seed);
else if (seeds !== undefined) many(option('first') ?? 1, seeds);
else {
  console.error(USAGE);
  process.exitCode = 2;
}
