import type { Bell } from './bell.ts';
import { type Channel, type ControlBlock, MESSAGES, TASKS } from './control-block.ts';
import { CoreLedger } from './core-ledger.rules.ts';
import { ForeignEvents } from './foreign-events.ts';
import type { RingReader, RingWriter } from './ring.ts';
import { SpinLuck } from './spin-luck.ts';

export interface Inbox {
  readonly from: number;
  readonly incarnation: number;
  readonly reader: RingReader;
}

/** What a party does with its links; called by the reactor. */
export interface ReactorHost {
  /** The current record of `reader` is a message of `from`; it is gone afterwards. */
  message(from: number, reader: RingReader): void;
  /** Starts what may start; true if anything did. `idle`: otherwise the party goes to sleep. */
  runTasks(idle: boolean): boolean;
  /** A batch of messages has been taken in. */
  settleUp(): void;
  /** Something has been asked of others, so that the process must stay alive for the answer. */
  expecting(): boolean;
  /** Asynchronous work of this thread is under way, which a synchronous spin would hold up. */
  busy(): boolean;
  /** Nothing to do: about to sleep. */
  parking(): void;
  /** Milliseconds until the host wants `tick`, if at all. */
  nextTick(): number | undefined;
  tick(): void;
}

export interface ReactorOptions {
  /** Spin for so long before sleeping, in milliseconds. 0: never. */
  readonly spin: number;
  /** Give the event loop a turn after so long, in milliseconds. */
  readonly slice: number;
  /** Parties that may spin at once. */
  readonly spinners: number;
  /** Lets others on this core go first; undefined where that takes a foreign call that must not be made. */
  readonly yieldCore: (() => void) | undefined;
}

interface Peer {
  tasks: RingWriter | null;
  messages: RingWriter | null;
  /** Messages that found the ring full, oldest first. */
  backlog: Uint8Array[];
}

const BELL_TICK = 1;
/** For so long after the last progress a full ring is looked at in every turn, then so often. Milliseconds. */
const EAGER_MS = 1;
const LOOK_AGAIN_MS = 2;
/** A sleeper that was rung for answers within this time, most of the time: worth spinning for. Milliseconds. */
const WAKING_MS = 0.25;
/**
 * A spin that has lasted so long goes on by turns with others on the same core, in milliseconds: the one that is waited for
 * may have been put there, and could not answer before the spin is over.
 */
const YIELDING_MS = 0.003;

/**
 * Drives one party: looks at the rings of others, runs what may run, sleeps when there is nothing, and wakes others
 * when it sends to sleepers.
 *
 * Waiting is a policy: a parked thread costs about 70 µs to wake, a spinning one 2 µs. So a party spins for a while
 * before it parks, within a budget for the whole session; and never so long that timers and sockets of user code on
 * the same thread starve.
 */
export class Reactor {
  readonly block: ControlBlock;
  readonly party: number;
  readonly #bell: Bell;
  readonly #host: ReactorHost;
  readonly #options: ReactorOptions;
  readonly #peers: (Peer | undefined)[] = [];
  #epoch = -1;
  #messages: Inbox[] = [];
  #tasks: Inbox[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #parked = true;
  #held = false;
  #closed = false;
  #backlogged = 0;
  /** When the current stretch of synchronous polling began; -1 outside of one. */
  #stretch = -1;
  /** Counts deliveries to user code; a spin ends when one happens, so that the code goes on. */
  deliveries = 0;

  constructor(block: ControlBlock, party: number, bell: Bell, host: ReactorHost, options: ReactorOptions) {
    this.block = block;
    this.party = party;
    this.#bell = bell;
    this.#host = host;
    this.#options = options;
    bell.listen(() => {
      this.#foreign.bell();
      this.#wake();
    });
    bell.hold(false);
    block.park(party);
  }

  // ---- sending

  #peer(to: number): Peer {
    let peer = this.#peers[to];
    if (peer === undefined) {
      peer = { tasks: null, messages: null, backlog: [] };
      this.#peers[to] = peer;
    }
    return peer;
  }

  /** The ring for calls to `to`. */
  taskWriter(to: number): RingWriter {
    const peer = this.#peer(to);
    peer.tasks ??= this.block.writer(this.party, to, TASKS);
    return peer.tasks;
  }

  /** The ring for messages to `to`; undefined while older messages wait for room, which `post` keeps in order. */
  messageWriter(to: number): RingWriter | undefined {
    const peer = this.#peer(to);
    peer.messages ??= this.block.writer(this.party, to, MESSAGES);
    return peer.backlog.length === 0 ? peer.messages : undefined;
  }

  /** The most bytes that one message or call may have. */
  get largest(): number {
    return this.block.shape.ring >> 2;
  }

  /** Whether messages wait for room in their rings. */
  get unsent(): boolean {
    return this.#backlogged > 0;
  }

  /** To be called after something was committed to a ring of `to`. */
  notify(to: number): void {
    if (!this.block.mustRing(to)) return;
    // The woken one may answer before this party's code has come to its end, and need not ring for what will be looked at then.
    if (this.#parked) this.#schedule();
    this.#bell.ring(to);
    this.#rangAt = performance.now();
  }

  /** When a sleeper was last woken: its answer takes longer than that of one who is awake. */
  #rangAt = Number.NEGATIVE_INFINITY;

  /** Sends a message, now or as soon as there is room; never out of order. */
  post(to: number, bytes: Uint8Array, length: number): void {
    const writer = this.messageWriter(to);
    if (writer !== undefined) {
      const at = writer.reserve(length);
      if (at >= 0) {
        copyBytes(writer.views.bytes, at, bytes, 0, length);
        writer.commit(length);
        this.notify(to);
        return;
      }
    }
    this.#peer(to).backlog.push(bytes.slice(0, length));
    if (this.#backlogged++ === 0) this.#progressAt = performance.now();
    this.#schedule();
  }

  #flushBacklog(): void {
    for (let to = 0; to < this.#peers.length && this.#backlogged > 0; to++) {
      const peer = this.#peers[to];
      if (peer === undefined || peer.backlog.length === 0) continue;
      const writer = peer.messages as RingWriter;
      let sent = 0;
      for (const bytes of peer.backlog) {
        const at = writer.reserve(bytes.length);
        if (at < 0) break;
        writer.views.bytes.set(bytes, at);
        writer.commit(bytes.length);
        sent++;
      }
      if (sent === 0) continue;
      peer.backlog.splice(0, sent);
      this.#backlogged -= sent;
      this.#progressAt = performance.now();
      this.notify(to);
    }
  }

  /** When messages last began to wait for room, or some of them found it. */
  #progressAt = 0;
  #lookAgain: NodeJS.Timeout | undefined;

  /**
   * Nobody rings when there is room again. A receiver that reads makes some within moments; one with a long task on its
   * stack does not for as long as that takes, and is looked at now and then. True: look in the next turn.
   */
  #awaitRoom(): boolean {
    if (this.#backlogged === 0) return false;
    if (performance.now() - this.#progressAt < EAGER_MS) return true;
    this.#lookAgain ??= setTimeout(() => {
      this.#lookAgain = undefined;
      this.#schedule();
    }, LOOK_AGAIN_MS);
    return false;
  }

  /**
   * Forgets the links to and from a party that is gone, after its last messages have been taken in. Its number may have
   * a new holder already.
   */
  forget(party: number, incarnation: number): void {
    const peer = this.#peers[party];
    if (peer !== undefined) this.#backlogged -= peer.backlog.length;
    this.#peers[party] = undefined;
    const others = (inbox: Inbox): boolean => inbox.from !== party || inbox.incarnation !== incarnation;
    this.#messages = this.#messages.filter(others);
    this.#tasks = this.#tasks.filter(others);
    this.#forgotten.set(party, incarnation);
    // A new holder may have opened its rings while the old ones were still known.
    this.#epoch = -1;
  }

  /** Party numbers to the incarnation that is gone: its rings are not looked at again. */
  readonly #forgotten = new Map<number, number>();

  // ---- receiving

  get taskInboxes(): readonly Inbox[] {
    return this.#tasks;
  }

  #refresh(): void {
    const epoch = this.block.epoch(this.party);
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#open(MESSAGES, this.#messages);
    this.#open(TASKS, this.#tasks);
  }

  #open(channel: Channel, inboxes: Inbox[]): void {
    for (const from of this.block.openers(this.party, channel)) {
      const incarnation = this.block.incarnation(from);
      if (this.#forgotten.get(from) === incarnation) continue;
      if (inboxes.some((inbox) => inbox.from === from)) continue;
      inboxes.push({ from, incarnation, reader: this.block.reader(from, this.party, channel) });
    }
  }

  /** Takes in the messages that are there; true if there were any. */
  poll(): boolean {
    // What a message leads to may itself look for messages, when shared memory is short.
    if (this.#polling) return false;
    this.#refresh();
    let any = false;
    this.#polling = true;
    try {
      for (let i = 0; i < this.#messages.length; i++) {
        const inbox = this.#messages[i] as Inbox;
        // A bound, so that one busy sender does not shut out the others.
        for (let n = 0; n < 512 && inbox.reader.next(); n++) {
          this.#host.message(inbox.from, inbox.reader);
          inbox.reader.advance();
          any = true;
        }
      }
    } finally {
      this.#polling = false;
    }
    if (any) this.#host.settleUp();
    if (this.#backlogged > 0) this.#flushBacklog();
    return any;
  }

  #polling = false;

  /** Takes in everything that `party` has sent. */
  drain(party: number): void {
    this.#refresh();
    const inbox = this.#messages.find((each) => each.from === party);
    if (inbox === undefined) return;
    while (inbox.reader.next()) {
      this.#host.message(party, inbox.reader);
      inbox.reader.advance();
    }
  }

  // ---- turns

  /** Something may have to be done soon: called by the host after sending, or when user code begins to wait. */
  kick(): void {
    if (this.#closed) return;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#immediate !== undefined || this.#closed) return;
    if (this.#parked) {
      this.#parked = false;
      this.block.unpark(this.party);
    }
    this.#immediate = setImmediate(this.#turn);
  }

  /** The bell has rung: works right away, since another turn of the event loop would cost as much as the ring. */
  #wake(): void {
    if (this.#closed) return;
    if (this.#parked) {
      this.#parked = false;
      this.block.unpark(this.party);
    }
    if (this.#immediate === undefined) this.#turn();
  }

  readonly #turn = (): void => {
    this.#immediate = undefined;
    this.#stretch = -1;
    if (this.#closed) return;
    this.#work();
    if (this.#closed || this.#immediate !== undefined) return;
    this.#sleep();
  };

  /**
   * Polls, runs and spins within a slice. Leaves with a turn scheduled when there is more to do.
   */
  #work(): void {
    const host = this.#host;
    const begun = performance.now();
    let idleSince = begun;
    let spinning = false;
    let yielded = true;
    try {
      for (;;) {
        const heard = this.poll();
        const ran = host.runTasks(false);
        if (heard || ran) {
          yielded = false;
          if (spinning) {
            spinning = false;
            this.block.endSpin(this.party);
            this.#luck.record(true);
            this.#ledger.answered();
          }
          const now = performance.now();
          idleSince = now;
          if (host.busy() || now - begun >= this.#options.slice || this.#pendingDelivery()) {
            this.#schedule();
            return;
          }
          continue;
        }
        if (this.#closed || !this.#maySpin()) return;
        const now = performance.now();
        if (now - idleSince >= this.#options.spin) {
          if (spinning) this.#luck.record(false);
          return;
        }
        if (!spinning) {
          if (!this.#ledger.affordable()) return;
          if (!this.#luck.worthTrying() || !this.block.beginSpin(this.party, this.#options.spinners)) {
            if (yielded) return;
            // Who waits for what was done here may be spinning on this core, and goes first: all that is left is to sleep.
            yielded = true;
            if (!this.#yield(now)) this.#ledger.helped();
            continue;
          }
          spinning = true;
        }
        if (now - idleSince >= YIELDING_MS) this.#yield(now);
      }
    } finally {
      if (spinning) this.block.endSpin(this.party);
    }
  }

  #maySpin(): boolean {
    return this.#options.spin > 0 && !this.#host.busy();
  }

  /** Lets others on this core go first; true when one of them had work for it that took a slice. */
  #yield(now: number): boolean {
    const { yieldCore } = this.#options;
    if (yieldCore === undefined) return false;
    yieldCore();
    return this.#ledger.gaveAway(performance.now() - now, () => this.#foreign.any());
  }

  readonly #ledger = new CoreLedger();
  readonly #foreign = new ForeignEvents();
  readonly #luck = new SpinLuck();
  #seen = 0;

  /** User code has been handed something since the last look: let it run. */
  #pendingDelivery(): boolean {
    if (this.deliveries === this.#seen) return false;
    this.#seen = this.deliveries;
    return true;
  }

  /**
   * For user threads: spins right here, within the microtask in which user code began to wait, until something has
   * been delivered. A chain of such waits gives the event loop a turn after each slice.
   */
  spinNow(): void {
    if (this.#closed) return;
    const host = this.#host;
    const begun = performance.now();
    if (this.#stretch < 0) this.#stretch = begun;
    // The turn that gives timers and sockets their chance, and goes on polling.
    this.#schedule();
    if (begun - this.#stretch >= this.#options.slice || host.busy()) return;
    if (!this.#ledger.affordable() || !this.#luck.worthTrying()) return;
    if (!this.block.beginSpin(this.party, this.#options.spinners)) return;
    const before = this.deliveries;
    const patience = begun - this.#rangAt < WAKING_MS ? WAKING_MS : this.#options.spin;
    let idleSince = begun;
    try {
      for (;;) {
        const heard = this.poll();
        const now = performance.now();
        if (heard) idleSince = now;
        if (this.deliveries !== before || this.#closed) break;
        if (now - idleSince >= patience || now - begun >= this.#options.slice) break;
        // The event loop, and what waits there, has been kept waiting long enough.
        if (now - idleSince >= YIELDING_MS && this.#yield(now)) break;
      }
    } finally {
      this.block.endSpin(this.party);
    }
    const answered = this.deliveries !== before;
    this.#luck.record(answered);
    if (answered) this.#ledger.answered();
    this.#seen = this.deliveries;
  }

  #sleep(): void {
    this.#host.parking();
    if (this.#immediate !== undefined || this.#closed) return;
    this.#parked = true;
    this.block.park(this.party);
    // Whoever sent before that word was seen did not ring.
    if (this.poll() || this.#host.runTasks(true) || this.#awaitRoom()) {
      if (!this.#closed) this.#schedule();
      return;
    }
    if (this.#immediate !== undefined) return;
    this.#setTimer();
    this.keepAlive();
  }

  /** Brings up to date whether the process stays alive for this party. */
  keepAlive(): void {
    const expecting = this.#host.expecting();
    if (expecting === this.#held) return;
    this.#held = expecting;
    this.#bell.hold(expecting);
  }

  #setTimer(): void {
    const wait = this.#host.nextTick();
    if (wait === undefined) return;
    const due = performance.now() + wait;
    if (this.#timer !== undefined) {
      if (this.#timerDue <= due + BELL_TICK) return;
      clearTimeout(this.#timer);
    }
    this.#timerDue = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#closed) return;
      this.#host.tick();
      this.#setTimer();
      this.#schedule();
    }, Math.ceil(wait));
    this.#timer.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#lookAgain);
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#bell.close();
  }
}

/** Copies a few bytes without the cost of a call. */
export function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  if (length > 64) {
    to.set(start === 0 && length === from.length ? from : from.subarray(start, start + length), at);
    return;
  }
  for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
}
