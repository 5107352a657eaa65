/** The benchmark of tasks; see bench/run.mjs for its options. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus as cores, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { failed, measure, type Recorded, type Row } from '../harness.ts';
import { HOW_TO_GET_RAY, rayRates } from '../peers/ray.ts';
import { formatted, heading } from '../print.ts';
import { actors, restarting } from './actors.ts';
import { bulk } from './bulk.ts';
import { calls } from './calls.ts';
import { memory, retryOfProcess, retryOfThread, size, starting } from './lifecycle.ts';
import { scale } from './scale.ts';
import { spilling } from './spilling.ts';
import { streams } from './streams.ts';
import type { Group, Settings } from './suite.ts';

const GROUPS: readonly Group[] = [
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
];

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string', default: '' },
    cpus: { type: 'string', default: String(availableParallelism()) },
    quick: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});
const settings: Settings = { cpus: Number(options.cpus), quick: options.quick };
const wanted = (name: string) => name.includes(options.only);

if (options.list) {
  for (const name of GROUPS.flatMap((group) => group.names).filter(wanted)) console.log(name);
  process.exit(0);
}

const environment = {
  node: process.version,
  cpu: cores()[0]?.model.trim() ?? 'unknown',
  cpus: settings.cpus,
  memoryGB: Math.round(totalmem() / 1e9),
  date: new Date().toISOString(),
  quick: settings.quick,
};
console.log(`${environment.cpu}, ${environment.cpus} cores, ${environment.memoryGB} GB, Node ${environment.node}`);
if (settings.quick) console.log('quick: these figures are for a look only');

const recorded: Record<string, Record<string, number>> = {};
if ([calls, actors, bulk, restarting].some(({ names }) => names.some(wanted))) {
  const ray = rayRates(settings.cpus, options.only, settings.quick);
  if (ray === undefined) console.log(`no Ray to compare with; to have it: ${HOW_TO_GET_RAY}`);
  else recorded.ray = ray;
}

console.log(`\n${heading()}`);
const rows: Row[] = [];
/** Gates beside Ray, where there is none. */
let unmeasured = 0;
const add = (row: Row) => {
  rows.push(row);
  console.log(formatted(row));
};

async function runGroup(group: Group, peers: Recorded): Promise<void> {
  if (!group.names.some(wanted)) return;
  const { experiments, close } = await group.open(settings);
  try {
    for (const experiment of experiments.filter(({ name }) => wanted(name))) {
      if (
        peers.ray === undefined &&
        experiment.requires?.tier === 'gate' &&
        experiment.requires.ratios?.ray !== undefined
      )
        unmeasured++;
      try {
        for (const row of await measure(experiment, peers, settings.quick ? 3 : 5)) add(row);
      } catch (error) {
        add(failed(experiment, error));
      }
    }
  } finally {
    await close();
  }
}

for (const group of GROUPS) {
  try {
    await runGroup(group, recorded);
  } catch (error) {
    for (const name of group.names.filter(wanted)) {
      const gate = { name, unit: '', better: 'more', ours: () => 0, requires: { tier: 'gate' } } as const;
      add(failed(gate, error));
    }
  }
}

if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ environment, rows }, null, 2)}\n`);
const missed = rows.filter(({ tier, passed }) => tier === 'gate' && passed === false);
const gates = rows.filter(({ tier, passed }) => tier === 'gate' && passed !== null);
console.log(`\n${gates.length - missed.length} of ${gates.length} gates met`);
if (unmeasured > 0) console.log(`not measured, and so not met: ${unmeasured} gates beside Ray`);
for (const { name, peerName } of missed) console.log(`missed: ${name}${peerName === null ? '' : `, ${peerName}`}`);
process.exit(options.gate && missed.length + unmeasured > 0 ? 1 : 0);
