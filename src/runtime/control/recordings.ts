import { UsageError } from '../../base/index.ts';
import type { ControlBlock } from '../../transport/index.ts';
import { sharedNow, sinceTicks } from '../clock.ts';
import type { ControlConfig } from '../config.ts';
import type { Recording } from '../recorder.ts';
import type { Members } from './members.ts';
import type { NodeName } from './observer.ts';
import type { Reporter } from './reporter.ts';

/** A recording as it is written for others: plain arrays. */
export interface PartyRecording {
  readonly party: number;
  readonly pid: number | null;
  readonly names: readonly string[];
  readonly calls: readonly number[];
  readonly runs: readonly number[];
  readonly waits: readonly number[];
}

/** What all parties of a node have seen. Times are milliseconds of the clock that they share. */
export interface NodeRecording extends NodeName {
  /** The time of day at `began`, in milliseconds. */
  readonly startedAt: number;
  readonly began: number;
  readonly ended: number;
  readonly parties: readonly PartyRecording[];
  /** Runs at the end on workers that were too busy to tell: where, whose, and since when. */
  readonly busy: readonly { worker: number; caller: number; sequence: number; began: number }[];
  readonly deaths: readonly { worker: number; reason: string; at: number }[];
  /** Calls, runs and waits for which there was no room. */
  readonly leftOut: number;
}

interface Sources {
  readonly config: ControlConfig;
  readonly members: Members;
  readonly block: ControlBlock;
  readonly reporter: Reporter;
  readonly deaths: readonly { worker: number; reason: string; at: number }[];
}

/** Has all parties note down what they call and run, for a while. */
export class Recordings {
  readonly #from: Sources;
  #active = false;

  constructor(from: Sources) {
    this.#from = from;
  }

  /** A worker has started: whether it is to record as well. */
  get active(): boolean {
    return this.#active;
  }

  #ready(): number[] {
    return [...this.#from.members].filter((member) => member.ready).map((member) => member.party);
  }

  async record(ms: number): Promise<NodeRecording> {
    const { config, members, block, reporter } = this.#from;
    if (this.#active) throw new UsageError('the session is being recorded already; wait until that is over');
    this.#active = true;
    try {
      await reporter.gather(this.#ready(), 'record');
      const began = sharedNow();
      const startedAt = Date.now();
      await new Promise((resolve) => setTimeout(resolve, ms).unref());
      const ended = sharedNow();
      this.#active = false;
      const answers = await reporter.gather<Recording>(this.#ready(), 'recorded');
      const silent = answers.filter(({ report }) => report === null).map(({ party }) => party);
      const busy = silent.flatMap((worker) => {
        const run = block.current(worker);
        if (run === undefined) return [];
        const { caller, sequence } = run;
        return [{ worker, caller, sequence, began: sharedNow() - sinceTicks(block.currentBegan(worker)) }];
      });
      return {
        node: config.node,
        name: config.name,
        pid: process.pid,
        silent,
        startedAt,
        began,
        ended,
        parties: answers.flatMap(({ party, report }) =>
          report === null ? [] : [plain(party, members.get(party)?.process?.pid ?? null, report)],
        ),
        busy,
        deaths: this.#from.deaths
          .filter(({ at }) => at >= startedAt)
          .map((death) => ({ ...death, at: began + death.at - startedAt })),
        leftOut: answers.reduce((n, { report }) => n + (report?.leftOut ?? 0), 0),
      };
    } finally {
      this.#active = false;
    }
  }
}

function plain(party: number, pid: number | null, { names, calls, runs, waits }: Recording): PartyRecording {
  return { party, pid, names, calls: [...calls], runs: [...runs], waits: [...waits] };
}
