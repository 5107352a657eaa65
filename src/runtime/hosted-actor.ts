import { ActorDiedError, UsageError } from '../base/index.ts';
import { type ActorMessage, type Concurrency, Mailbox } from '../protocol/index.ts';
import { type BatchingMethod, batchingMethod } from './batching.ts';
import type { Execution } from './execution.ts';
import type { AnyFunction, Loaded } from './loaded.ts';
import type { Wire } from './values.ts';

/** The method that is awaited before the first call. */
const INIT = Symbol.for('sheaf.init');

/** An actor that does not come to its end by itself is ended after so long. */
const LAST_MS = 30_000;

/** A call that was taken out of its ring before it may begin. */
export interface KeptCall {
  readonly caller: number;
  readonly loaded: Loaded;
  readonly frame: Uint8Array;
}

/** Calls that have begun and are to be handled together. */
export interface KeptBatch {
  readonly group: number;
  readonly begin: () => Promise<void>;
}

/** What an actor needs of those who host it. */
export interface ActorHost<C> {
  control(message: ActorMessage<Wire>): void;
  readonly log: (line: string) => void;
  readonly reactor: { kick(): void };
  readonly executions: {
    /** Calls `fn` as code of the actor's run. */
    inContext<T>(run: Execution, fn: () => T): T;
    current(): Execution | undefined;
    /** Nothing is done yet of a call that has begun, or something is from now on. */
    gathers(run: Execution, value: boolean): void;
    /** Its calls that have begun are told to stop, and those that were kept are refused. */
    stopCalls?(actor: HostedActor<C>, kept: readonly C[]): void;
  } | null;
}

/** The instance of a class that is hosted here. Its run lasts as long as it does. `C`: a call that came before it may begin. */
export class HostedActor<C = KeptCall> {
  readonly #host: ActorHost<C>;
  readonly run: Execution;
  readonly mailbox: Mailbox<C | KeptBatch>;
  readonly #groups: Concurrency['groups'];
  readonly #end: (failed: boolean, result: unknown) => void;
  #instance: Record<PropertyKey, unknown> | undefined;
  /** It has been made, its `[init]` included. */
  made = false;
  #retiring = false;
  #alone = false;
  #over = false;
  /** Why calls that come now do not begin any more. */
  refusal: Error | undefined;
  #disposal: Promise<void> | undefined;
  /** Told when the last call is over. */
  #calmed: (() => void) | undefined;

  constructor(
    host: ActorHost<C>,
    run: Execution,
    concurrency: Concurrency,
    end: (failed: boolean, result: unknown) => void,
  ) {
    this.#host = host;
    this.run = run;
    this.mailbox = new Mailbox(concurrency);
    this.#groups = concurrency.groups;
    this.#end = end;
  }

  get id(): string {
    return this.run.actorId as string;
  }

  /** Makes it. Called as code of its run. `packed` as in `Hosting`. */
  async begin(type: AnyFunction, given: unknown[], packed: readonly number[] | null): Promise<void> {
    const { id } = this;
    this.#host.control({ type: 'hosting', id, ready: false });
    try {
      const args = packed === null ? given : unpacked(given[0] as unknown[], packed);
      const Class = type as unknown as new (...args: unknown[]) => Record<PropertyKey, unknown>;
      const instance = new Class(...args);
      this.#instance = instance;
      for (const [name, value] of Object.entries(instance)) {
        const batching = batchingMethod(value);
        if (batching !== undefined) this.#gather(name, batching);
      }
      this.#checkGroups(instance);
      const init = instance[INIT];
      if (typeof init === 'function') await init.call(instance);
    } catch (error) {
      this.#end(true, error);
      return;
    }
    if (this.#over || this.refusal !== undefined) return;
    this.made = true;
    this.mailbox.ready = true;
    const disposes = this.#disposer() === undefined ? {} : { disposes: this.run.lent.map((cell) => cell.id as string) };
    this.#host.control({ type: 'hosting', id, ready: true, ...disposes });
    this.#host.reactor.kick();
  }

  /** Calls of a batching field begin, as many as are of use: those of the batch that runs, and of the next one. */
  #gather(name: string, method: BatchingMethod): void {
    const { mailbox } = this;
    const group = mailbox.gathers(name, 2 * method.max);
    method.name = `${this.run.name}.${name}`;
    method.gate = (begin) => {
      // At the end of the session all that wait for it are cancelled, and leave it when it begins.
      if (this.refusal !== undefined) this.batch({ group, begin });
      else mailbox.keep(group, { group, begin });
      this.#host.reactor.kick();
    };
    method.joins = () => {
      const run = this.#host.executions?.current();
      // Another method that calls it has begun to do something.
      if (run === undefined || run.loaded.method !== name) return undefined;
      this.#host.executions?.gathers(run, true);
      return () => this.#host.executions?.gathers(run, false);
    };
  }

  /** Begins a batch whose turn has come. */
  batch({ group, begin }: KeptBatch): void {
    const { mailbox } = this;
    mailbox.began(group);
    void begin().finally(() => {
      mailbox.ended(group);
      this.ended();
      this.#host.reactor.kick();
    });
  }

  /** Fields that are functions, such as batches, are known only now. */
  #checkGroups(instance: object): void {
    const known = methodsOf(instance);
    for (const { methods } of this.#groups) {
      const missing = methods.find((name) => !known.includes(name));
      if (missing === undefined) continue;
      throw new UsageError(
        `a group has the method ${JSON.stringify(missing)}, which the actor ${this.run.name} does not; it has ${known.join(', ')}`,
        { details: { method: missing, methods: known } },
      );
    }
  }

  /** The function that a call of a method is. */
  method({ method, name }: Loaded): AnyFunction {
    const instance = this.#instance as Record<PropertyKey, unknown>;
    const key = method as string;
    // What every object has is a method of the actor only where its class says so.
    const inherited = key === 'constructor' || instance[key] === (Object.prototype as Record<string, unknown>)[key];
    const fn = inherited ? undefined : instance[key];
    if (typeof fn !== 'function') {
      const known = methodsOf(instance);
      throw new UsageError(
        `${name} is no method of the actor; it has ${known.length === 0 ? 'none' : known.join(', ')}`,
        { details: { method: key, methods: known } },
      );
    }
    return (...args) => fn.apply(instance, args);
  }

  /** All calls are over: it ends. `alone`: nobody hears whether that goes well. */
  retire(alone: boolean): void {
    if (this.#retiring) return;
    this.#retiring = true;
    this.#alone = alone;
    this.ended();
  }

  /** A call is over. */
  ended(): void {
    if (!this.mailbox.quiet) return;
    this.#calmed?.();
    if (!this.#retiring || this.#over) return;
    this.#over = true;
    void this.#retire();
  }

  async #retire(): Promise<void> {
    const late = setTimeout(() => this.#end(false, undefined), LAST_MS);
    try {
      await (this.#alone ? this.#disposeAlone() : this.#dispose());
      this.#end(false, undefined);
    } catch (error) {
      this.#end(true, error);
    }
    clearTimeout(late);
    this.#host.reactor.kick();
  }

  #disposer(): ((this: unknown) => unknown) | undefined {
    for (const symbol of [Symbol.asyncDispose, Symbol.dispose] as const) {
      const dispose = symbol === undefined ? undefined : this.#instance?.[symbol];
      if (typeof dispose === 'function') return dispose as () => unknown;
    }
    return undefined;
  }

  /** Has it let go of what it has, once. */
  #dispose(): Promise<void> {
    this.#disposal ??= (async () => {
      const dispose = this.#disposer();
      if (dispose !== undefined) await this.#host.executions?.inContext(this.run, () => dispose.call(this.#instance));
    })();
    return this.#disposal;
  }

  /** The same where there is nobody to be told of a failure of that. */
  async #disposeAlone(): Promise<void> {
    try {
      await this.#dispose();
    } catch (error) {
      this.#host.log(disposalFailed(this.run.name, error));
    }
  }

  /** Its run was ended from outside, or its worker ends: it is left to itself, but for the chance to let go of what it has. */
  async leave(): Promise<void> {
    // What is in the rings is for the next one, if there is any.
    this.mailbox.ready = false;
    this.mailbox.shares = false;
    if (this.#over) return;
    this.#over = true;
    await this.#disposeAlone();
  }

  /**
   * Its session ends: calls that go on are told to stop, and when they have, or half of the time is up, it is
   * disposed of. Resolves when that is over.
   */
  async close(ms: number): Promise<void> {
    if (this.refusal === undefined) {
      this.refusal = new ActorDiedError(`the actor ${this.run.name} can't be called: its session ends`);
      this.mailbox.ready = false;
      // What waits for a batch is cancelled, and leaves it when that begins.
      const kept = this.mailbox.remove(() => true);
      const calls = kept.filter((each): each is C => !isBatch(each));
      this.#host.executions?.stopCalls?.(this, calls);
      for (const each of kept) if (isBatch(each)) this.batch(each);
    }
    if (!this.made) return;
    if (!this.mailbox.quiet) await this.#calm(ms / 2);
    this.#over = true;
    await this.#disposeAlone();
  }

  #calm(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, ms);
      this.#calmed = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}

/** Takes references out of what keeps them from being resolved with the rest. */
function unpacked(args: readonly unknown[], packed: readonly number[]): unknown[] {
  return args.map((arg, i) => (packed.includes(i) ? (arg as readonly unknown[])[0] : arg));
}

export const isBatch = (kept: unknown): kept is KeptBatch =>
  typeof kept === 'object' && kept !== null && 'begin' in kept;

/** For those who look at the output. */
export function disposalFailed(name: string, error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `sheaf: the disposal of the actor ${name} failed: ${text}`;
}

/** The names of the methods of an object, of the classes that it is of, and of fields that are functions. */
function methodsOf(instance: object): string[] {
  const names = new Set<string>();
  for (let each = instance; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return [...names].sort();
}
