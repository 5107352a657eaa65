import { attachSegment, createSegment, type Segment, type SegmentHandle, segmentBytes } from '../native/index.ts';
import { RingReader, RingWriter, resetRing, ringBytes, Views } from './ring.ts';

/**
 * The memory through which the parties of one node talk: a word or two about each party, and two rings for each ordered
 * pair. Laid out for all pairs at once and sparse: only rings in use cost memory.
 *
 * The *task* ring carries calls, and waits while the worker is busy; the *message* ring carries everything else and is
 * read at once, so that a cancellation overtakes the calls before it.
 */
export interface BlockShape {
  readonly parties: number;
  readonly ring: number;
}

const PARTY_WORDS = 64;
const CANCEL_CELLS = 8192;

const PARKED = 0;
const EPOCH = 1;
const SPINNING = 2;
const CURRENT = 3;
const INCARNATION = 4;
const DEADLINE = 6;
/** One bit for each party: 16 words. */
const OPENED = 8;
const RELIEVED = 24;
/** Whose deadline it is: place, sequence and attempt. */
const DEADLINE_PLACE = 25;
const DEADLINE_SEQUENCE = 26;
const DEADLINE_ATTEMPT = 27;

/** One run of a task: its caller and the slot there, the caller's number of the call, and which attempt it is. */
export interface RunName {
  readonly caller: number;
  readonly slot: number;
  readonly sequence: number;
  readonly attempt: number;
}
const GUARDED = 28;

export const TASKS = 0;
export const MESSAGES = 1;
export type Channel = typeof TASKS | typeof MESSAGES;

/** Parties and ring size for a machine: the whole block stays within one segment. */
export function blockShape(cpus: number): BlockShape {
  let parties = 32;
  while (parties < cpus * 2 + 8 && parties < 512) parties *= 2;
  let ring = 512 * 1024;
  while (parties * parties * 2 * (ring + 128) > 2 ** 31) ring /= 2;
  return { parties, ring };
}

export class ControlBlock {
  readonly shape: BlockShape;
  readonly segment: Segment;
  readonly views: Views;
  readonly #partyBase: number;
  readonly #cancelBase: number;
  readonly #ringBase: number;

  private constructor(segment: Segment, shape: BlockShape) {
    this.segment = segment;
    this.shape = shape;
    this.views = new Views(segment.buffer);
    this.#partyBase = 16;
    this.#cancelBase = this.#partyBase + shape.parties * PARTY_WORDS;
    this.#ringBase = (this.#cancelBase + shape.parties * CANCEL_CELLS) * 4;
  }

  static create(shape: BlockShape, between: 'processes' | 'threads'): ControlBlock {
    const words = 16 + shape.parties * (PARTY_WORDS + CANCEL_CELLS);
    const bytes = words * 4 + shape.parties * shape.parties * 2 * ringBytes(shape.ring);
    return new ControlBlock(createSegment('sheaf-control', segmentBytes(bytes), between), shape);
  }

  static attach(handle: SegmentHandle, shape: BlockShape): ControlBlock {
    return new ControlBlock(attachSegment(handle), shape);
  }

  #word(party: number, which: number): number {
    return this.#partyBase + party * PARTY_WORDS + which;
  }

  #ring(from: number, to: number, channel: Channel): number {
    return this.#ringBase + ((from * this.shape.parties + to) * 2 + channel) * ringBytes(this.shape.ring);
  }

  writer(from: number, to: number, channel: Channel): RingWriter {
    const writer = new RingWriter(this.views, this.#ring(from, to, channel), this.shape.ring);
    // Tells the receiver to look at this ring from now on.
    const word = this.#word(to, OPENED + (from >> 5));
    Atomics.or(this.views.words, word, 1 << (from & 31));
    Atomics.add(this.views.words, this.#word(to, EPOCH), 1);
    return writer;
  }

  reader(from: number, to: number, channel: Channel): RingReader {
    return new RingReader(this.views, this.#ring(from, to, channel), this.shape.ring);
  }

  /** Grows whenever somebody opens a ring to `party`. */
  epoch(party: number): number {
    return Atomics.load(this.views.words, this.#word(party, EPOCH));
  }

  /** Who has opened a ring to `party`. */
  openers(party: number): number[] {
    const from: number[] = [];
    for (let i = 0; i < this.shape.parties; i++) {
      if (this.#hasOpened(i, party)) from.push(i);
    }
    return from;
  }

  /** Whether one of the two has ever opened a ring to the other. */
  connected(a: number, b: number): boolean {
    return this.#hasOpened(a, b) || this.#hasOpened(b, a);
  }

  #hasOpened(from: number, to: number): boolean {
    return (Atomics.load(this.views.words, this.#word(to, OPENED + (from >> 5))) & (1 << (from & 31))) !== 0;
  }

  /** Marks a party as asleep: whoever sends to it must ring its bell. Look for messages once more after this. */
  park(party: number): void {
    Atomics.store(this.views.words, this.#word(party, PARKED), 1);
  }

  unpark(party: number): void {
    Atomics.store(this.views.words, this.#word(party, PARKED), 0);
  }

  /** True for the one sender that has to ring. */
  mustRing(party: number): boolean {
    const word = this.#word(party, PARKED);
    return Atomics.load(this.views.words, word) === 1 && Atomics.compareExchange(this.views.words, word, 1, 0) === 1;
  }

  /** Asks for leave to spin; at most `most` parties of the machine's session do at a time. */
  beginSpin(party: number, most: number): boolean {
    if (Atomics.add(this.views.words, 0, 1) >= most) {
      Atomics.sub(this.views.words, 0, 1);
      return false;
    }
    this.views.words[this.#word(party, SPINNING)] = 1;
    return true;
  }

  endSpin(party: number): void {
    this.views.words[this.#word(party, SPINNING)] = 0;
    Atomics.sub(this.views.words, 0, 1);
  }

  /** Says which task is on the stack of `party`: caller and slot, so that a crash is charged to the right one. */
  setCurrent(party: number, caller: number, slot: number): void {
    this.views.words[this.#word(party, CURRENT)] = (caller << 20) | (slot + 1);
  }

  clearCurrent(party: number): void {
    this.views.words[this.#word(party, CURRENT)] = 0;
  }

  /** The slot of `caller`'s task on the stack of `party`, or -1. */
  currentSlot(party: number, caller: number): number {
    const word = this.views.words[this.#word(party, CURRENT)] as number;
    return word !== 0 && word >>> 20 === caller ? (word & 0xfffff) - 1 : -1;
  }

  #cancelCell(owner: number, slot: number): number {
    return slot < CANCEL_CELLS ? this.#cancelBase + owner * CANCEL_CELLS + slot : -1;
  }

  /** The flag that a running task can see at once, even in a synchronous loop. */
  setCancelled(owner: number, slot: number, value: boolean): void {
    const cell = this.#cancelCell(owner, slot);
    if (cell >= 0) Atomics.store(this.views.words, cell, value ? 1 : 0);
  }

  cancelled(owner: number, slot: number): boolean {
    const cell = this.#cancelCell(owner, slot);
    return cell >= 0 && Atomics.load(this.views.words, cell) === 1;
  }

  /** Which holder of its number a party is. */
  incarnation(party: number): number {
    return Atomics.load(this.views.words, this.#word(party, INCARNATION));
  }

  /**
   * Says which run has to be over first of those that may be on the stack of `party`, and when, on the clock that all
   * parties share. The deadline is taken away before the name changes, and comes after it: whoever finds the same one before
   * and after reading the name has the name that belongs to it.
   */
  setDeadline(party: number, at: number, { caller, slot, sequence, attempt }: RunName): void {
    const { words, floats } = this.views;
    const deadline = this.#word(party, DEADLINE) >> 1;
    floats[deadline] = 0;
    Atomics.store(words, this.#word(party, DEADLINE_PLACE), (caller << 20) | slot);
    Atomics.store(words, this.#word(party, DEADLINE_SEQUENCE), sequence);
    Atomics.store(words, this.#word(party, DEADLINE_ATTEMPT), attempt);
    floats[deadline] = at;
  }

  clearDeadline(party: number): void {
    this.views.floats[this.#word(party, DEADLINE) >> 1] = 0;
  }

  /** 0: no limit. */
  deadline(party: number): number {
    return this.views.floats[this.#word(party, DEADLINE) >> 1] as number;
  }

  /** The run whose deadline has passed at `now`; undefined when there is none, or when it is just ending. */
  overdue(party: number, now: number): RunName | undefined {
    const at = this.deadline(party);
    if (at === 0 || at > now) return undefined;
    const { words } = this.views;
    const place = Atomics.load(words, this.#word(party, DEADLINE_PLACE));
    const sequence = Atomics.load(words, this.#word(party, DEADLINE_SEQUENCE));
    const attempt = Atomics.load(words, this.#word(party, DEADLINE_ATTEMPT));
    if (this.deadline(party) !== at) return undefined;
    return { caller: place >>> 20, slot: place & 0xfffff, sequence, attempt };
  }

  /** Up to which shortage of shared memory a party has let go of what is garbage there. */
  relieved(party: number): number {
    return Atomics.load(this.views.words, this.#word(party, RELIEVED));
  }

  setRelieved(party: number, pressure: number): void {
    Atomics.store(this.views.words, this.#word(party, RELIEVED), pressure);
  }

  /** For which signals the program relies on this session to end it: one bit for each, the first being signal 1. */
  setGuarded(party: number, signals: number): void {
    Atomics.store(this.views.words, this.#word(party, GUARDED), signals);
  }

  guarded(party: number): number {
    return Atomics.load(this.views.words, this.#word(party, GUARDED));
  }

  /**
   * Prepares a number for its next holder: nobody uses any of its rings now. Others may look at it at any moment, though, so
   * the order is the point: it opens nothing any more, then its rings are empty, and only then it is somebody new. At no
   * moment does it look like a third one with rings to read.
   */
  reset(party: number, incarnation: number): void {
    const { words } = this.views;
    this.forgetSpin(party);
    for (let other = 0; other < this.shape.parties; other++) {
      Atomics.and(words, this.#word(other, OPENED + (party >> 5)), ~(1 << (party & 31)));
    }
    for (let other = 0; other < this.shape.parties; other++) {
      for (const channel of [TASKS, MESSAGES] as const) {
        resetRing(this.views, this.#ring(party, other, channel));
        resetRing(this.views, this.#ring(other, party, channel));
      }
    }
    for (let i = 0; i < PARTY_WORDS; i++) if (i !== INCARNATION) Atomics.store(words, this.#word(party, i), 0);
    Atomics.store(words, this.#word(party, INCARNATION), incarnation);
    for (let other = 0; other < this.shape.parties; other++) Atomics.add(words, this.#word(other, EPOCH), 1);
  }

  /** A spinner that died can't take itself off the count. */
  forgetSpin(party: number): void {
    if (this.views.words[this.#word(party, SPINNING)] === 1) this.endSpin(party);
  }
}
