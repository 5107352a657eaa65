import {
  attachSegment,
  createSegment,
  libc,
  type Segment,
  type SegmentHandle,
  type SharedMemory,
  segmentBytes,
} from '../native/index.ts';
import { RingReader, RingWriter, resetRing, ringBytes, Views } from './ring.ts';

/**
 * The memory through which the parties of one node talk: a word or two about each party, and two rings for each ordered
 * pair. Every ring has its place from the beginning, so nobody has to agree with anybody on where one is; laid out
 * sparsely, so only rings in use cost memory.
 *
 * The *task* ring carries calls, and waits while the worker is busy; the *message* ring carries everything else and is
 * read at once, so that a cancellation overtakes the calls before it.
 */
export interface BlockShape {
  readonly parties: number;
  /** Bytes of a ring for records: a power of two. */
  readonly ring: number;
}

/** What another participant needs to attach to a block. */
export type BlockHandle =
  | { readonly kind: 'memfd'; readonly fd: number }
  | { readonly kind: 'memory'; readonly memories: readonly SharedMemory[] };

/** Words before those of the first party; the first one counts spinners. */
const HEAD_WORDS = 16;
const PARTY_WORDS = 64;
const CALL_CELLS = 8192;
/** In the cell of a call: what its caller says, and what its worker does. */
const CANCELLED = 1;
const KEPT = 2;

const PARKED = 0;
const EPOCH = 1;
const SPINNING = 2;
const CURRENT = 3;
const INCARNATION = 4;
/** Two words: a double. */
const DEADLINE = 6;
/** For each channel a bit for each party that has opened its ring: 34 words for as many as there may be. */
const OPENED = 8;
const RELIEVED = 56;
/** Whose deadline it is: place, sequence and attempt. */
const DEADLINE_PLACE = 57;
const DEADLINE_SEQUENCE = 58;
const DEADLINE_ATTEMPT = 59;

/** One run of a task: its caller and the slot there, the caller's number of the call, and which attempt it is. */
export interface RunName {
  readonly caller: number;
  readonly slot: number;
  readonly sequence: number;
  readonly attempt: number;
}
const GUARDED = 60;
const CURRENT_SEQUENCE = 61;
const CURRENT_BEGAN = 62;

export const TASKS = 0;
export const MESSAGES = 1;
export type Channel = typeof TASKS | typeof MESSAGES;
const CHANNELS: readonly Channel[] = [TASKS, MESSAGES];

/** The most cores of a session: what the layout is tested for, with room for twice as many workers. */
export const MOST_CPUS = 256;

const RING = 512 * 1024;
/** Rings of one mapping. Offsets in it have to be small integers in JavaScript's eyes, below 2 GiB. */
const MAPPING = 1024 ** 3;
/** Threads map all of it at once, and not every system promises memory for nothing. */
const MOST_FOR_THREADS = 8 * 1024 ** 3;

/**
 * Parties and ring size for a machine. There are numbers for twice as many workers as there are cores, since tasks that wait
 * and share with nobody keep theirs, and dead ones theirs for a while.
 */
export function blockShape(cpus: number, between: 'processes' | 'threads'): BlockShape {
  const parties = Math.ceil(Math.max(32, Math.min(cpus, MOST_CPUS) * 2 + 8) / 32) * 32;
  let ring = RING;
  if (between === 'threads') while (parties * parties * 2 * ring > MOST_FOR_THREADS) ring /= 2;
  return { parties, ring };
}

/** Where the parts of a block are. An *inbox* is all rings to one party; a *piece* is so much as one mapping holds. */
class BlockLayout {
  readonly shape: BlockShape;
  /** Bytes before the first inbox. */
  readonly head: number;
  readonly inbox: number;
  readonly inboxesPerPiece: number;
  readonly pieces: number;

  constructor(shape: BlockShape) {
    const { parties, ring } = shape;
    this.shape = shape;
    this.head = segmentBytes((HEAD_WORDS + parties * (PARTY_WORDS + CALL_CELLS)) * 4);
    this.inbox = segmentBytes(parties * 2 * ringBytes(ring));
    this.inboxesPerPiece = Math.min(parties, Math.max(1, Math.floor(MAPPING / (parties * 2 * ring))));
    this.pieces = Math.ceil(parties / this.inboxesPerPiece);
  }

  /** The piece with the rings to a party. */
  pieceOf(to: number): number {
    return Math.floor(to / this.inboxesPerPiece);
  }

  /** Of a ring, within its piece. */
  offset(from: number, to: number, channel: Channel): number {
    const first = this.pieceOf(to) * this.inboxesPerPiece;
    const at = (to - first) * this.inbox + (from * 2 + channel) * ringBytes(this.shape.ring);
    return first === 0 ? this.head + at : at;
  }

  pieceBytes(piece: number): number {
    const inboxes = Math.min(this.inboxesPerPiece, this.shape.parties - piece * this.inboxesPerPiece);
    return (piece === 0 ? this.head : 0) + inboxes * this.inbox;
  }

  /** Of a piece, within the file. */
  pieceAt(piece: number): number {
    return piece === 0 ? 0 : this.head + piece * this.inboxesPerPiece * this.inbox;
  }

  get bytes(): number {
    return this.head + this.shape.parties * this.inbox;
  }
}

export class ControlBlock {
  readonly shape: BlockShape;
  readonly handle: BlockHandle;
  /** The first piece, which has the words about parties. */
  readonly segment: Segment;
  readonly views: Views;
  readonly #layout: BlockLayout;
  readonly #pieces: { readonly segment: Segment; readonly views: Views }[] = [];
  readonly #partyBase: number;
  readonly #callBase: number;
  readonly #openedWords: number;

  private constructor(handle: BlockHandle, shape: BlockShape, mapped: SharedMemory | undefined) {
    this.handle = handle;
    this.shape = shape;
    this.#layout = new BlockLayout(shape);
    this.#partyBase = HEAD_WORDS;
    this.#callBase = this.#partyBase + shape.parties * PARTY_WORDS;
    this.#openedWords = Math.ceil(shape.parties / 32);
    const { segment, views } = this.#piece(0, mapped);
    this.segment = segment;
    this.views = views;
  }

  static create(shape: BlockShape, between: 'processes' | 'threads'): ControlBlock {
    const layout = new BlockLayout(shape);
    if (between === 'threads') {
      const memories = Array.from(
        { length: layout.pieces },
        (_, piece) => createSegment('sheaf-control', layout.pieceBytes(piece), between).memory,
      );
      return new ControlBlock({ kind: 'memory', memories }, shape, undefined);
    }
    const c = libc();
    if (c === undefined) throw new Error('memory can be shared between processes only on Linux, with koffi installed');
    const fd = c.memfdCreate('sheaf-control');
    c.ftruncate(fd, layout.bytes);
    return new ControlBlock({ kind: 'memfd', fd }, shape, undefined);
  }

  /** `mapped`: the `segment.memory` of a block attached in another thread of this process, which saves mapping it again. */
  static attach(handle: BlockHandle, shape: BlockShape, mapped?: SharedMemory): ControlBlock {
    return new ControlBlock(handle, shape, mapped);
  }

  /** For the creator, when nobody uses the block any more. */
  close(): void {
    if (this.handle.kind !== 'memfd') return;
    const { fd } = this.handle;
    // Its mappings may stay until garbage is collected.
    libc()?.punchHole(fd, 0, this.#layout.bytes);
    libc()?.close(fd);
  }

  /** Mapped on first use: most parties talk to few others. */
  #piece(piece: number, mapped?: SharedMemory): { readonly segment: Segment; readonly views: Views } {
    const known = this.#pieces[piece];
    if (known !== undefined) return known;
    const { handle } = this;
    let source: SegmentHandle;
    if (mapped !== undefined) source = { kind: 'memory', memory: mapped };
    else if (handle.kind === 'memory') source = { kind: 'memory', memory: handle.memories[piece] as SharedMemory };
    else {
      const layout = this.#layout;
      source = {
        kind: 'memfd',
        fd: handle.fd,
        byteLength: layout.pieceBytes(piece),
        offset: layout.pieceAt(piece),
      };
    }
    const segment = attachSegment(source);
    const made = { segment, views: new Views(segment.buffer) };
    this.#pieces[piece] = made;
    return made;
  }

  #word(party: number, which: number): number {
    return this.#partyBase + party * PARTY_WORDS + which;
  }

  #openedWord(to: number, from: number, channel: Channel): number {
    return this.#word(to, OPENED + channel * this.#openedWords + (from >> 5));
  }

  #isOpened(from: number, to: number, channel: Channel): boolean {
    return (Atomics.load(this.views.words, this.#openedWord(to, from, channel)) & (1 << (from & 31))) !== 0;
  }

  writer(from: number, to: number, channel: Channel): RingWriter {
    const { views } = this.#piece(this.#layout.pieceOf(to));
    const writer = new RingWriter(views, this.#layout.offset(from, to, channel), this.shape.ring);
    // Tells the receiver to look at this ring from now on.
    Atomics.or(this.views.words, this.#openedWord(to, from, channel), 1 << (from & 31));
    Atomics.add(this.views.words, this.#word(to, EPOCH), 1);
    return writer;
  }

  reader(from: number, to: number, channel: Channel): RingReader {
    const { views } = this.#piece(this.#layout.pieceOf(to));
    return new RingReader(views, this.#layout.offset(from, to, channel), this.shape.ring);
  }

  /** Grows whenever somebody opens a ring to `party`. */
  epoch(party: number): number {
    return Atomics.load(this.views.words, this.#word(party, EPOCH));
  }

  /** Who has opened a ring to `party`. */
  openers(party: number, channel: Channel): number[] {
    const from: number[] = [];
    for (let i = 0; i < this.shape.parties; i++) if (this.#isOpened(i, party, channel)) from.push(i);
    return from;
  }

  /** Whether one of the two has ever opened a ring to the other. */
  connected(a: number, b: number): boolean {
    return CHANNELS.some((channel) => this.#isOpened(a, b, channel) || this.#isOpened(b, a, channel));
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

  /**
   * Says which run is on the stack of `party`: caller and slot, so that a crash is charged to the right one. `began`: since when,
   * in whole milliseconds of the clock that all parties share, modulo 2^32.
   */
  setCurrent(party: number, caller: number, slot: number, sequence: number, began = 0): void {
    this.views.words[this.#word(party, CURRENT)] = 0;
    this.views.words[this.#word(party, CURRENT_SEQUENCE)] = sequence;
    this.views.words[this.#word(party, CURRENT_BEGAN)] = began;
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

  /** When the run on the stack of `party` began, as `setCurrent` has it. */
  currentBegan(party: number): number {
    return this.views.words[this.#word(party, CURRENT_BEGAN)] as number;
  }

  /** The run on the stack of `party`, at about this moment. */
  current(party: number): { caller: number; slot: number; sequence: number } | undefined {
    const word = this.views.words[this.#word(party, CURRENT)] as number;
    const sequence = this.views.words[this.#word(party, CURRENT_SEQUENCE)] as number;
    return word === 0 ? undefined : { caller: word >>> 20, slot: (word & 0xfffff) - 1, sequence };
  }

  /** Whether that very run is on the stack of `party`. Certain only while the party stands still. */
  isCurrent(party: number, caller: number, { slot, sequence }: { slot: number; sequence: number }): boolean {
    return (
      this.currentSlot(party, caller) === slot && this.views.words[this.#word(party, CURRENT_SEQUENCE)] === sequence
    );
  }

  #callCell(owner: number, slot: number): number {
    return slot < CALL_CELLS ? this.#callBase + owner * CALL_CELLS + slot : -1;
  }

  /** A call is about to be sent from a slot: nothing is known of it. */
  clearCall(owner: number, slot: number): void {
    const cell = this.#callCell(owner, slot);
    if (cell >= 0) Atomics.store(this.views.words, cell, 0);
  }

  /** The flag that a running task can see at once, even in a synchronous loop. */
  setCancelled(owner: number, slot: number): void {
    const cell = this.#callCell(owner, slot);
    if (cell >= 0) Atomics.or(this.views.words, cell, CANCELLED);
  }

  cancelled(owner: number, slot: number): boolean {
    const cell = this.#callCell(owner, slot);
    return cell >= 0 && (Atomics.load(this.views.words, cell) & CANCELLED) !== 0;
  }

  /**
   * Said by a worker: it has taken the call out of its ring, and has not begun it. Only what has been claimed may be marked, because
   * the slot of a call that its caller takes back is another one's at once; and the mark is taken away before anything
   * is done of the call. Whoever dies in between leaves a call that counts as begun.
   */
  setKept(owner: number, slot: number, value: boolean): void {
    const cell = this.#callCell(owner, slot);
    if (cell < 0) return;
    if (value) Atomics.or(this.views.words, cell, KEPT);
    else Atomics.and(this.views.words, cell, ~KEPT);
  }

  /** Whether a call that its worker has claimed is known not to have begun. For the calls of a dead worker. */
  kept(owner: number, slot: number): boolean {
    const cell = this.#callCell(owner, slot);
    return cell >= 0 && (Atomics.load(this.views.words, cell) & KEPT) !== 0;
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
    const used: [from: number, to: number, channel: Channel][] = [];
    for (const channel of CHANNELS) {
      for (let other = 0; other < this.shape.parties; other++) {
        if (this.#isOpened(other, party, channel)) used.push([other, party, channel]);
        if (!this.#isOpened(party, other, channel)) continue;
        used.push([party, other, channel]);
        Atomics.and(words, this.#openedWord(other, party, channel), ~(1 << (party & 31)));
      }
    }
    // The others have never been used since they were last emptied, and even to look at one costs a page.
    for (const [from, to, channel] of used) {
      resetRing(this.#piece(this.#layout.pieceOf(to)).views, this.#layout.offset(from, to, channel));
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
