import type { FunctionSpec } from '../../code/index.ts';
import type { FunctionEntry } from '../call.ts';
import type { ActorPlan, ResolvedOptions } from '../engine.ts';
import type { AnyClass, AnyFunction } from '../loaded.ts';
import { OwnedEngine, type OwnedPlan } from '../owned-engine.ts';
import type { InlineHost } from './inline-host.ts';

/** The owned engine over a host without workers. */
export class InlineEngine extends OwnedEngine {
  readonly #inline: InlineHost;

  constructor(host: InlineHost, isolation: 'process' | 'thread') {
    super(host, isolation);
    this.#inline = host;
  }

  /**
   * The program's own function runs where nobody could tell it from one that was loaded: it has captured nothing, and all that
   * it reaches at the top level of its file is code and immutable values. Breakpoints hit it, and it is what a debugger steps into.
   */
  override prepare(spec: FunctionSpec, o: ResolvedOptions, original?: AnyFunction): OwnedPlan {
    const plan = super.prepare(spec, o);
    if (original !== undefined && spec.ownState !== true) this.#inline.executions.original(plan.fn, original);
    return plan;
  }

  /** The same for a class. */
  protected override classEntry(spec: FunctionSpec, o: ActorPlan, original?: AnyClass): FunctionEntry {
    const entry = super.classEntry(spec, o, original);
    if (original !== undefined && spec.ownState !== true)
      this.#inline.executions.original(entry, original as unknown as AnyFunction);
    return entry;
  }
}
