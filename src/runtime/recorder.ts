import { PUSHED } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { sharedAt } from './clock.ts';
import type { Execution } from './execution.ts';
import type { PartyHost } from './party-host.ts';

/** Of calls, runs and waits each: what comes after them is counted and not kept. */
const MOST = 100_000;

/** Numbers of a call that was sent to a worker: its name, sequence, attempt, worker, when it was made and sent, its bytes. */
export const CALL_FIELDS = 7;
/** Numbers of a run: its name, caller, sequence, attempt, when it began and ended (-1: not yet), whether it failed. */
export const RUN_FIELDS = 7;
/** Numbers of a wait of a run: caller, sequence, when it began and ended. */
export const WAIT_FIELDS = 4;

/**
 * What one party has seen while it recorded. Times are milliseconds of the clock that all parties share. A call that was
 * under way before has no time of being sent (-1).
 */
export interface Recording {
  readonly names: readonly string[];
  readonly calls: Float64Array;
  readonly runs: Float64Array;
  readonly waits: Float64Array;
  readonly leftOut: number;
}

/** Notes down what this party calls and runs. There is one only while somebody records: a party without it pays a comparison. */
export class Recorder {
  readonly #host: PartyHost;
  readonly #names = new Map<string, number>();
  readonly #calls: number[] = [];
  readonly #runs: number[] = [];
  readonly #waits: number[] = [];
  readonly #waiting = new Map<Execution, number>();
  #leftOut = 0;

  constructor(host: PartyHost) {
    this.#host = host;
    for (const call of host.pendingCalls()) {
      if (call.state === PUSHED && call.lease !== null) this.#call(call, call.lease.worker, 0, -1);
    }
  }

  #name(name: string): number {
    let at = this.#names.get(name);
    if (at === undefined) {
      at = this.#names.size;
      this.#names.set(name, at);
    }
    return at;
  }

  #call(call: Call, worker: number, bytes: number, at: number): void {
    if (this.#calls.length === MOST * CALL_FIELDS) {
      this.#leftOut++;
      return;
    }
    const { sequence, attempt } = call.runName;
    this.#calls.push(this.#name(call.name), sequence, attempt, worker, sharedAt(call.submittedAt), at, bytes);
  }

  /** A call goes to a worker, with so many bytes of arguments. */
  pushed(call: Call, worker: number, bytes: number): void {
    this.#call(call, worker, bytes, sharedAt(performance.now()));
  }

  /** A run waits for others. */
  suspended(run: Execution): void {
    this.#waiting.set(run, performance.now());
  }

  resumed(run: Execution): void {
    const began = this.#waiting.get(run);
    if (began === undefined) return;
    this.#waiting.delete(run);
    if (this.#waits.length === MOST * WAIT_FIELDS) this.#leftOut++;
    else this.#waits.push(run.caller, run.sequence, sharedAt(began), sharedAt(performance.now()));
  }

  ended(run: Execution, failed: boolean): void {
    if (run.suspended > 0) this.resumed(run);
    this.#run(run, failed, sharedAt(performance.now()));
  }

  #run(run: Execution, failed: boolean, ended: number): void {
    if (this.#runs.length === MOST * RUN_FIELDS) {
      this.#leftOut++;
      return;
    }
    const { name, caller, sequence, attempt, begun } = run;
    this.#runs.push(this.#name(name), caller, sequence, attempt, sharedAt(begun), ended, failed ? 1 : 0);
  }

  /** All of it, with what is not over. */
  report(): Recording {
    for (const run of [...this.#waiting.keys()]) this.resumed(run);
    for (const run of this.#host.executions?.runs ?? []) this.#run(run, false, -1);
    return {
      names: [...this.#names.keys()],
      calls: Float64Array.from(this.#calls),
      runs: Float64Array.from(this.#runs),
      waits: Float64Array.from(this.#waits),
      leftOut: this.#leftOut,
    };
  }
}
