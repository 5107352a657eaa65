import type { RingReader } from '../transport/index.ts';
import type { Executions } from './executions.ts';
import * as F from './frames.ts';
import { isBatch } from './hosted-actor.ts';
import { type Definition, Loaded } from './loaded.ts';
import { IncomingParcels } from './parcels.ts';
import type { PartyHost } from './party-host.ts';

/** A call whose arguments have no room beside those of others is looked at again after so long, in milliseconds. */
const ADMIT_AGAIN_MS = 2;
/** So often, that is, while nothing goes on. */
const STANDSTILL_LOOKS = 25;

/** Bytes of shared memory among the arguments of the call that a reader stands at. */
function sharedBytes({ views: { words }, at }: RingReader): number {
  const w = at >> 2;
  const inRecord =
    (((words[w + 2] as number) >> 16) & F.CALL_PARCEL) === 0
      ? (words[w + 4] as number) + (words[w + 5] as number)
      : F.PARCEL_NUMBER;
  return (words[(at + F.sharedSizeAt(F.CALL_HEADER + inRecord)) >> 2] as number) * 1024;
}

/**
 * Which call a worker begins next: the deepest that may start, of those whose function and arguments are here. What has not come yet
 * stays in its ring.
 */
export class CallInboxes {
  readonly #host: PartyHost;
  readonly #executions: Executions;
  readonly #functions: (Loaded | undefined)[][] = [];
  readonly #methods: Map<number, Loaded>[] = [];
  readonly parcels = new IncomingParcels();
  /** Whose call an actor takes next, where several callers have some. */
  #turn = 0;
  #askAgain: NodeJS.Timeout | undefined;
  #looks = 0;

  constructor(host: PartyHost, executions: Executions) {
    this.#host = host;
    this.#executions = executions;
  }

  define(caller: number, number: number, definition: () => unknown): void {
    const loaded = new Loaded(definition() as Definition, this.#host.self.party);
    const { actors } = this.#executions;
    if (loaded.method === null) {
      this.#functions[caller] ??= [];
      (this.#functions[caller] as (Loaded | undefined)[])[number] = loaded;
    } else if (!actors.shared || actors.of(loaded) !== undefined) {
      this.#methods[caller] ??= new Map();
      (this.#methods[caller] as Map<number, Loaded>).set(number, loaded);
    }
    // Otherwise its actor has ended here: who calls it hears of that, and takes back what it has sent.
  }

  /** What the call that a reader stands at is a call of. */
  #calledAt(caller: number, { views: { words }, at }: RingReader): Loaded | undefined {
    const w = at >> 2;
    const isMethod = (((words[w + 2] as number) >> 16) & F.CALL_METHOD) !== 0;
    const number = words[w + 1] as number;
    return isMethod ? this.#methods[caller]?.get(number) : this.#functions[caller]?.[number];
  }

  callerDied(caller: number): void {
    this.#functions[caller] = [];
    delete this.#methods[caller];
    this.parcels.callerDied(caller);
  }

  /** An actor is over, and its worker goes on: nobody calls its methods here any more. */
  forget(target: string): void {
    for (const methods of this.#methods) {
      for (const [number, loaded] of methods ?? []) if (loaded.target === target) methods.delete(number);
    }
  }

  /**
   * Starts one call, the deepest that may; true if there was one. A call whose function is not defined yet stays where it is:
   * a large definition comes in many messages, and is looked for again with each of them. `looked`: messages were looked at
   * just now.
   */
  runNext(idle: boolean, looked = false): boolean {
    if (this.#executions.goOn()) return true;
    const { executor } = this.#host.party;
    if (this.#executions.actors.size > 0) return this.#nextOfActors(looked);
    if (executor.running > 0) return false;
    const inboxes = this.#host.reactor.taskInboxes;
    let best: RingReader | undefined;
    let from = -1;
    let deepest = -1;
    let shared = 0;
    for (let i = 0; i < inboxes.length; i++) {
      const { reader, from: sender } = inboxes[i]!;
      if (!reader.next()) continue;
      const word = reader.views.words[(reader.at >> 2) + 2] as number;
      const depth = word & 0xffff;
      if (depth <= deepest) continue;
      if (!executor.mayStart(depth, ((word >> 16) & F.CALL_EXCLUSIVE) !== 0, idle)) continue;
      if (!this.#hasAll(sender, reader)) {
        // It may have come after messages were last looked at, and with it who knows what else.
        if (!looked && this.#host.reactor.poll()) return this.runNext(idle, true);
        looked = true;
        continue;
      }
      best = reader;
      from = sender;
      deepest = depth;
      shared = ((word >> 16) & F.CALL_SHARED) === 0 ? 0 : sharedBytes(reader);
    }
    if (best === undefined) return false;
    if (shared > 0 && !this.#admit(shared, deepest)) return false;
    this.#host.relief.relieve();
    const { store, values, reactor } = this.#host;
    if (!best.claim()) {
      if (shared > 0) store.admission.dismiss(shared);
      return true;
    }
    const viewed = values.bytesViewed;
    this.#executions.start(from, this.#calledAt(from, best) as Loaded, best.views, best.at, best, shared, null, -1);
    // What a task has looked at can be found to be garbage in another turn of the event loop only.
    if (values.bytesViewed !== viewed && store.room.tight) reactor.deliveries++;
    return true;
  }

  /** Begins a call of an actor that is here, or takes one out of its ring that others may overtake; true if there was one. */
  #nextOfActors(looked: boolean): boolean {
    const next = this.#executions.actors.next();
    if (next !== undefined) {
      const { actor, kept } = next;
      if (isBatch(kept)) actor.batch(kept);
      else this.#executions.startKept(kept, actor, actor.mailbox.groupOf(kept.loaded.method as string));
      return true;
    }
    const inboxes = this.#host.reactor.taskInboxes;
    const count = inboxes.length;
    for (let i = 0; i < count; i++) {
      const at = (this.#turn + i) % count;
      const { reader, from } = inboxes[at]!;
      if (!reader.next()) continue;
      if (!this.#hasAll(from, reader)) {
        if (!looked && this.#host.reactor.poll()) return this.#nextOfActors(true);
        looked = true;
        continue;
      }
      if (!this.#take(from, reader, this.#calledAt(from, reader) as Loaded)) continue;
      this.#turn = at + 1;
      return true;
    }
    return false;
  }

  /** Takes the call that a reader stands at, if it may begin or be kept. */
  #take(from: number, reader: RingReader, loaded: Loaded): boolean {
    const executions = this.#executions;
    const { actors } = executions;
    const actor = loaded.method === null ? undefined : actors.of(loaded);
    // A call that is none of theirs: of one more that shares the worker, or of one that has ended.
    if (loaded.method === null && !(actors.shared && loaded.actor?.shared)) return false;
    const mailbox = actor?.mailbox;
    const group = mailbox?.groupOf(loaded.method as string) ?? -1;
    const begins = mailbox === undefined || mailbox.mayBegin(group) || actor?.refusal !== undefined;
    if (!begins && !mailbox.keeps) return false;
    if (!reader.claim()) return true;
    this.#host.relief.relieve();
    const { views, at } = reader;
    if (!begins) {
      const frame = views.bytes.slice(at, reader.end);
      this.#host.block.setKept(from, views.words[at >> 2] as number, true);
      mailbox.keep(group, { caller: from, loaded, frame });
      reader.advance();
    } else if (actor?.refusal === undefined) {
      executions.start(from, loaded, views, at, reader, 0, actor ?? null, group);
    } else executions.start(from, loaded, views, at, reader, 0, actor, -1, () => actor.refusal as Error);
    return true;
  }

  /**
   * Whether the arguments may be in use besides those of all that runs. If not, it is asked again soon. A call that no task has
   * made is looked at more strictly, because more of the same kind may wait already and keep theirs; but when nothing goes on for a
   * while, what they wait for may be this call.
   */
  #admit(bytes: number, depth: number): boolean {
    const { store } = this.#host;
    this.#looks = store.admission.standsStill ? this.#looks + 1 : 0;
    if (store.admission.admit(bytes, depth === 0 && this.#looks < STANDSTILL_LOOKS)) {
      this.#looks = 0;
      return true;
    }
    this.#askAgain ??= setTimeout(() => {
      this.#askAgain = undefined;
      this.#host.reactor.kick();
    }, ADMIT_AGAIN_MS);
    return false;
  }

  /** Whether everything has come that the call needs beside its record: its function, and a large body. */
  #hasAll(caller: number, reader: RingReader): boolean {
    if (this.#calledAt(caller, reader) === undefined) return false;
    const { at, views } = reader;
    const { words } = views;
    const w = at >> 2;
    if ((((words[w + 2] as number) >> 16) & F.CALL_PARCEL) === 0) return true;
    return this.parcels.has(caller, words[(at + F.CALL_HEADER) >> 2] as number);
  }
}
