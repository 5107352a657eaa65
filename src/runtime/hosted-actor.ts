import { UsageError } from '../base/index.ts';
import { type ActorMessage, type Concurrency, Mailbox } from '../protocol/index.ts';
import type { Execution } from './execution.ts';
import type { AnyFunction, Loaded } from './loaded.ts';
import type { Wire } from './values.ts';

/** The method that is awaited before the first call. */
const INIT = Symbol.for('sheaf.init');
/** What `batch` made has it. */
const BATCH = Symbol.for('sheaf.batch');

/** An actor that does not come to its end by itself is ended after so long. */
const LAST_MS = 30_000;

/** A call that was taken out of its ring before it may begin. */
export interface KeptCall {
  readonly caller: number;
  readonly loaded: Loaded;
  readonly frame: Uint8Array;
}

/** What an actor needs of those who host it. */
export interface ActorHost {
  control(message: ActorMessage<Wire>): void;
  readonly reactor: { kick(): void };
  /** Calls `fn` as code of the actor's run. */
  readonly executions: { inContext<T>(run: Execution, fn: () => T): T } | null;
}

/** The instance of a class that is hosted here. Its run lasts as long as it does. `C`: a call that came before it may begin. */
export class HostedActor<C = KeptCall> {
  readonly #host: ActorHost;
  readonly run: Execution;
  readonly mailbox: Mailbox<C>;
  readonly #groups: Concurrency['groups'];
  readonly #end: (failed: boolean, result: unknown) => void;
  #instance: Record<PropertyKey, unknown> | undefined;
  #retiring = false;
  #over = false;

  constructor(
    host: ActorHost,
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

  /** Makes it. Called as code of its run. */
  async begin(type: AnyFunction, args: unknown[]): Promise<void> {
    const id = this.run.actorId as string;
    this.#host.control({ type: 'hosting', id, ready: false });
    try {
      const Class = type as unknown as new (...args: unknown[]) => Record<PropertyKey, unknown>;
      const instance = new Class(...args);
      this.#instance = instance;
      for (const [name, value] of Object.entries(instance)) {
        if (typeof value === 'function' && BATCH in value) this.mailbox.unlimited(name);
      }
      this.#checkGroups(instance);
      const init = instance[INIT];
      if (typeof init === 'function') await init.call(instance);
    } catch (error) {
      this.#end(true, error);
      return;
    }
    if (this.#over) return;
    this.mailbox.ready = true;
    this.#host.control({ type: 'hosting', id, ready: true });
    this.#host.reactor.kick();
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

  /** All calls are over: it ends. */
  retire(id: string): void {
    if (id !== this.run.actorId || this.#retiring) return;
    this.#retiring = true;
    this.ended();
  }

  /** A call is over. */
  ended(): void {
    if (!this.#retiring || this.#over || !this.mailbox.quiet) return;
    this.#over = true;
    void this.#dispose();
  }

  async #dispose(): Promise<void> {
    const late = setTimeout(() => this.#end(false, undefined), LAST_MS);
    try {
      await this.#host.executions?.inContext(this.run, () => this.#disposed());
      this.#end(false, undefined);
    } catch (error) {
      this.#end(true, error);
    }
    clearTimeout(late);
    this.#host.reactor.kick();
  }

  async #disposed(): Promise<void> {
    const instance = this.#instance;
    for (const symbol of [Symbol.asyncDispose, Symbol.dispose] as const) {
      const dispose = symbol === undefined ? undefined : instance?.[symbol];
      if (typeof dispose !== 'function') continue;
      await dispose.call(instance);
      return;
    }
  }

  /** Its run was ended from outside: it is left to itself, but for the chance to let go of what it has. */
  left(): void {
    if (this.#over) return;
    this.#over = true;
    this.mailbox.ready = false;
    void this.#host.executions?.inContext(this.run, () => this.#disposed()).catch(() => {});
  }
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
