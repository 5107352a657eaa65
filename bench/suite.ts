/** What all benchmarks have in common: options, groups of rows one after the other, gates, a file of results. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus as cores, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type Experiment, failed, measure, type Recorded, type Row } from './harness.ts';
import { formatted, heading } from './print.ts';

export interface Settings {
  /** Cores that ours and the peers may use. */
  readonly cpus: number;
  /** Fewer and shorter runs. */
  readonly quick: boolean;
}

/** Rows that share what is expensive to set up; `open` runs only when one of them is wanted. */
export interface Group {
  readonly names: readonly string[];
  open(settings: Settings): Promise<{ experiments: readonly Experiment[]; close(): Promise<void> }>;
}

export interface Suite {
  readonly groups: readonly Group[];
  /** Rates of peers that run before the others, by themselves. */
  recorded?(settings: Settings, only: string, wanted: (name: string) => boolean): Recorded;
  /** Peers without which their gates are not measured, and so not met. */
  readonly peers: readonly string[];
}

/** Runs a suite by the options of the command line (see bench/run.mjs), and ends the process. */
export async function runSuite(suite: Suite): Promise<never> {
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
    for (const name of suite.groups.flatMap((group) => group.names).filter(wanted)) console.log(name);
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
  const recorded = suite.recorded?.(settings, options.only, wanted) ?? {};

  console.log(`\n${heading()}`);
  const rows: Row[] = [];
  /** Gates beside a peer that is not there. */
  let unmeasured = 0;
  const add = (row: Row) => {
    rows.push(row);
    console.log(formatted(row));
  };

  async function runGroup(group: Group): Promise<void> {
    if (!group.names.some(wanted)) return;
    const { experiments, close } = await group.open(settings);
    try {
      for (const experiment of experiments.filter(({ name }) => wanted(name))) {
        const { peers, requires } = experiment;
        const absent = suite.peers.some(
          (peer) =>
            recorded[peer] === undefined && peers?.[peer] === undefined && requires?.ratios?.[peer] !== undefined,
        );
        if (absent && requires?.tier === 'gate') unmeasured++;
        try {
          for (const row of await measure(experiment, recorded, settings.quick ? 3 : 5)) add(row);
        } catch (error) {
          add(failed(experiment, error));
        }
      }
    } finally {
      await close();
    }
  }

  for (const group of suite.groups) {
    try {
      await runGroup(group);
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
  if (unmeasured > 0)
    console.log(`not measured, and so not met: ${unmeasured} gates beside ${suite.peers.join(' or ')}`);
  for (const { name, peerName } of missed) console.log(`missed: ${name}${peerName === null ? '' : `, ${peerName}`}`);
  process.exit(options.gate && missed.length + unmeasured > 0 ? 1 : 0);
}
