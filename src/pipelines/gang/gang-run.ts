import { CancelledError, OutOfMemoryError, WorkerDiedError } from '../../base/index.ts';
import type { SharedStore, SlotRef } from '../../memory/index.ts';
import { libc } from '../../native/index.ts';
import { expectMessages, oversee, type Reference, takeMessages } from '../../runtime/index.ts';
import { type BoardPlace, type BoardShape, SharedBoard } from './board.ts';
import { addedBy } from './calling.rules.ts';
import {
  type Board,
  firstOpen,
  firstTaken,
  hasBegun,
  isStopped,
  listen,
  markBegun,
  NONE,
  release,
  setCore,
  stop,
  type Taker,
} from './chunks.rules.ts';
import type { Gang } from './gang.ts';
import { call, isWaiting } from './standby.rules.ts';
import type { TileWork } from './work.ts';

/** So long after they were last heard of others may be asleep; and so long after one run another one is no longer the next round of a loop. */
const AWAKE_MS = 2;
/** The event loop gets a turn after so long. */
const SLICE_MS = 4;
/** What this thread computes in one go; in between it looks at the clock, and for messages: a worker may have been granted. */
const PIECE_MS = 0.2;
/** Less time together says little of what others add. */
const TOGETHER_MS = 0.3;
/** Shorter pieces say little of what rows cost. */
const TELLING_MS = 0.02;
/** What is known of costs grows at most so much from run to run. */
const GROWTH = 1.1;
/** For the end of chunks that others compute it spins so long, before it leaves the rest to the event loop. */
const SPIN_MS = { least: 0.1, most: 2 };
/**
 * Where it computes whole chunks, others are waited for so long before, as a part of all the work and at most: meanwhile it hears of nothing that they
 * need to begin. After a second's sleep they take some milliseconds.
 */
const COMING = { part: 1 / 40, most: 8 };

/** A worker that was called. It may go from run to run. */
export interface Member {
  readonly ref: Reference<unknown>;
  run: GangRun;
  participant: number;
  /** It was waiting when this run called it, and is on its way: it can't be called off. */
  taken: boolean;
  /** It has returned, failed, or was cancelled; or its worker has died. */
  over: boolean;
  failed: boolean;
  error: unknown;
  /** What it had taken was given back. */
  buried: boolean;
}

/** The computing of one piece of work by this thread, and by members that come when they come. */
export class GangRun {
  readonly #gang: Gang;
  readonly #work: TileWork;
  readonly #store: SharedStore;
  /** This thread's place: in a chunk, from a row on. */
  #chunk = 0;
  #row = 0;
  /** What a row costs, by the latest piece: the first ones are short, of code that is cold. */
  #cost = 0;
  /** Rows of pieces that were long enough to tell, and how long they took: by this thread alone, and with all others beside it. */
  readonly #told = { alone: { rows: 0, ms: 0 }, together: { rows: 0, ms: 0 } };
  #piece: number;
  #board: SharedBoard | undefined;
  #slot: SlotRef | undefined;
  #taker: Taker | undefined;
  #members: Member[] = [];
  /** Those who may look at the board: this thread, and members that are not over. */
  #looking = 0;
  #awake = false;
  /** All who were called have begun. */
  #allHere = false;
  #open = 0;
  #wake: (() => void) | undefined;

  constructor(gang: Gang, work: TileWork) {
    this.#gang = gang;
    this.#work = work;
    this.#store = gang.engine.store;
    this.#piece = work.expected === undefined ? work.tile : Number.POSITIVE_INFINITY;
  }

  get #count(): number {
    return this.#work.chunks.length - 1;
  }

  run(): Promise<void> | undefined {
    const begun = performance.now();
    // Where one run follows the other, who is woken now is there for the next ones.
    this.#awake = begun - Math.max(this.#gang.usedAt, this.#gang.askedAt) < AWAKE_MS;
    const going = this.#begin(begun);
    this.#gang.askedAt = performance.now();
    return going;
  }

  #begin(begun: number): Promise<void> | undefined {
    const known = this.#work.estimate?.perRow;
    if (known !== undefined) {
      this.#cost = known;
      if (this.#calls(Number.POSITIVE_INFINITY)) return this.#together();
    }
    let now = begun;
    while (this.#chunk < this.#count) {
      now = this.#compute(now);
      if (this.#row === this.#work.chunks[this.#chunk + 1]) {
        this.#chunk++;
        if (this.#chunk === this.#count) break;
      }
      if (this.#calls(now - begun)) return this.#together();
      if (now - begun >= SLICE_MS) return this.#alone();
    }
    this.#learn();
    return undefined;
  }

  /** Calls others if it is worth it, as far as is known after so many milliseconds of computing. */
  #calls(measured: number): boolean {
    const { settings } = this.#gang;
    const { chunks, estimate } = this.#work;
    const most = Math.min(settings.cpus, this.#count - this.#chunk) - 1;
    if (most <= 0) return false;
    const rows = (chunks[this.#count] as number) - this.#row;
    // One piece may have been held up by whatever else runs on this machine.
    const cost = Math.min(this.#cost, GROWTH * (estimate?.perRow ?? Number.POSITIVE_INFINITY));
    const members = this.#gang.called({
      ms: rows * cost,
      bytes: rows * (estimate?.bytes ?? 0),
      most,
      waiting: this.#gang.waiting,
      awake: this.#awake,
      measured,
    });
    if (members > 0) this.#call(members);
    return members > 0;
  }

  /**
   * For the next run. With others beside it, which want the same memory, a thread is slower than it would be alone; and a machine that is busy for a
   * moment says little of the next one, so what is known grows slowly.
   */
  #learn(): void {
    const { estimate, chunks } = this.#work;
    if (estimate === undefined) return;
    const { alone, together } = this.#told;
    const known = estimate.perRow ?? Number.POSITIVE_INFINITY;
    if (alone.rows > 0) {
      estimate.perRow = Math.min(alone.ms / alone.rows, GROWTH * known);
      estimate.alone = true;
    } else if (together.rows > 0) estimate.perRow = Math.min(together.ms / together.rows, known);
    if (together.ms < TOGETHER_MS || estimate.alone !== true || estimate.perRow === undefined) return;
    const rows = chunks[this.#count] as number;
    const added = addedBy(this.#members.length + 1, {
      ms: rows * estimate.perRow,
      bytes: rows * estimate.bytes,
      alone: estimate.perRow,
      together: together.ms / together.rows,
    });
    if (added !== undefined) this.#gang.learn(added);
  }

  /** Computes the next piece of the chunk that this thread is at. Answers what time it is then. */
  #compute(now: number): number {
    const { chunks, runner, tile } = this.#work;
    const end = chunks[this.#chunk + 1] as number;
    const to = Math.min(end, this.#row + this.#piece);
    const whole = to - this.#row === this.#piece;
    runner(this.#chunk, this.#row, to);
    const then = performance.now();
    const took = then - now;
    this.#cost = took / (to - this.#row);
    if (took >= TELLING_MS && (this.#board === undefined || this.#allHere)) {
      const told = this.#board === undefined ? this.#told.alone : this.#told.together;
      told.rows += to - this.#row;
      told.ms += took;
    }
    this.#row = to;
    if (whole && took < PIECE_MS / 2) this.#piece *= 2;
    else if (took > 2 * PIECE_MS) this.#piece = Math.max(tile, Math.floor(this.#piece / (2 * tile)) * tile);
    return then;
  }

  /** Nobody can help: only that the event loop has its turns. */
  async #alone(): Promise<void> {
    while (this.#chunk < this.#count) {
      await turn();
      this.#check();
      const begun = performance.now();
      for (let now = begun; this.#chunk < this.#count && now - begun < SLICE_MS; ) {
        now = this.#compute(now);
        if (this.#row === this.#work.chunks[this.#chunk + 1]) this.#chunk++;
      }
    }
    this.#learn();
  }

  #check(): void {
    if (!this.#store.usable) throw new CancelledError('the session was closed while an array was being computed');
  }

  #call(members: number): void {
    const { engine, settings, groups, member } = this.#gang;
    const { module, plan, common, region, objects, chunks } = this.#work;
    const { layout, victims } = settings;
    // A member of the last run may be over, and its worker has the kernels.
    takeMessages(engine);
    const shape: BoardShape = { chunks: this.#count, workers: members + 1, groups, layout, victims };
    const shared = this.#gang.common(common);
    const brief = this.#gang.encoded({ shape, module, plan, region, objects: objects() });
    const { at, slot, board } = SharedBoard.create(this.#store, shape, chunks, brief, shared);
    markBegun(board.words, board.board, this.#chunk);
    const c = libc();
    if (c !== undefined) setCore(board.words, c.currentCore());
    this.#board = board;
    this.#slot = slot;
    this.#looking = 1;
    this.#taker = board.taker(0, Math.random);
    try {
      for (const waiting of this.#gang.members) if (this.#members.length < members) this.#takeOver(waiting, at);
      while (this.#members.length < members) {
        const participant = this.#members.length + 1;
        this.#enter(engine.submit(member, [participant, ...at]) as Reference<unknown>, participant);
      }
    } catch (error) {
      stop(board.words);
      this.#leave();
      throw error;
    }
    // One of them may be on this core, and goes to another one as soon as it may.
    c?.yieldCore();
  }

  #enter(ref: Reference<unknown>, participant: number): void {
    const begun = { over: false, failed: false, error: undefined, buried: false };
    const member: Member = { ref, run: this, participant, taken: false, ...begun };
    const { members } = this.#gang;
    members.add(member);
    this.#members.push(member);
    this.#looking++;
    oversee(ref, (failed, error) => {
      members.delete(member);
      member.over = true;
      this.#gang.usedAt = performance.now();
      member.failed = failed;
      member.error = error;
      member.run.#leave();
      member.run.#wake?.();
    });
  }

  /** Whether a member of this run has nothing to do, and waits for the next one. */
  isWaiting({ participant }: Member): boolean {
    const { words, board } = this.#board as SharedBoard;
    return isWaiting(words, board, participant);
  }

  /** Calls a member of another run, if it waits there. */
  #takeOver(member: Member, at: BoardPlace): void {
    const { run } = member;
    const { words, board } = run.#board as SharedBoard;
    const participant = this.#members.length + 1;
    if (!call(words, board, member.participant, [participant, ...at])) return;
    run.#members = run.#members.filter((each) => each !== member);
    Object.assign(member, { run: this, participant, taken: true });
    this.#members.push(member);
    this.#looking++;
    run.#leave();
    // It is over for that run.
    run.#wake?.();
  }

  /** The board is kept as long as anybody may look at it. */
  #leave(): void {
    if (--this.#looking > 0) return;
    const slot = this.#slot as SlotRef;
    if (!this.#store.usable) return;
    this.#store.unuse(slot);
    this.#store.unpin(slot);
  }

  async #together(): Promise<void> {
    try {
      await this.#computeAll();
      this.#learn();
    } catch (error) {
      stop((this.#board as SharedBoard).words);
      await this.#others();
      throw error;
    } finally {
      this.#dismiss();
      this.#leave();
    }
  }

  async #computeAll(): Promise<void> {
    const taker = this.#taker as Taker;
    const { chunks } = this.#work;
    const { engine } = this.#gang;
    this.#awaitOthers();
    let begun = performance.now();
    let now = begun;
    for (;;) {
      takeMessages(engine);
      this.#allHere ||= this.#members.every((member) => this.#isHere(member));
      now = this.#compute(now);
      if (this.#row === chunks[this.#chunk + 1]) {
        taker.done(this.#chunk);
        if (!(await this.#next(taker))) return;
        now = performance.now();
      }
      if (now - begun < SLICE_MS) continue;
      await turn();
      this.#check();
      this.#bury();
      begun = performance.now();
      now = begun;
    }
  }

  /** Those who were called before anything was computed begin at once, or this thread begins without them. */
  #awaitOthers(): void {
    const { expected } = this.#work;
    if (expected === undefined) return;
    for (const end = performance.now() + Math.min(COMING.most, expected * COMING.part); performance.now() < end; ) {
      takeMessages(this.#gang.engine);
      if (this.#members.every((member) => this.#isHere(member))) return;
    }
  }

  #isHere({ over, participant }: Member): boolean {
    const { words, board } = this.#board as SharedBoard;
    return over || hasBegun(words, board, participant);
  }

  /** Takes the next chunk; false when all are done. */
  async #next(taker: Taker): Promise<boolean> {
    const { words, board } = this.#board as SharedBoard;
    for (;;) {
      const chunk = taker.take();
      if (chunk !== NONE) {
        this.#chunk = chunk;
        this.#row = this.#work.chunks[chunk] as number;
        return true;
      }
      const isDone = (): boolean => {
        this.#open = firstOpen(words, board, this.#open);
        return this.#open === this.#count;
      };
      // What others are at should not take much longer than it would here.
      const spin = Math.min(SPIN_MS.most, Math.max(SPIN_MS.least, 2 * this.#cost * this.#largest(board)));
      for (const end = performance.now() + spin; performance.now() < end; ) {
        if (isDone()) return false;
        takeMessages(this.#gang.engine);
      }
      // Members that have nothing more to do end now, and do not wait for the next run.
      listen(words);
      if (isDone()) return false;
      // Whoever has a chunk comes to its end, or dies: then this thread hears of it.
      await this.#settling();
      this.#check();
      this.#bury();
    }
  }

  /** Rows of the largest chunk that somebody is computing. */
  #largest(board: Board): number {
    const { words } = this.#board as SharedBoard;
    const { chunks } = this.#work;
    let rows = 0;
    for (let chunk = this.#open; ; chunk++) {
      chunk = firstTaken(words, board, chunk);
      if (chunk >= this.#count) return rows;
      rows = Math.max(rows, (chunks[chunk + 1] as number) - (chunks[chunk] as number));
    }
  }

  /** Resolves when a member is over that was not buried yet. */
  #settling(): Promise<void> | undefined {
    if (this.#members.some(({ over, buried }) => over && !buried)) return undefined;
    expectMessages(this.#gang.engine);
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** What members have left behind that are over is there for others. Throws what one of them has thrown. */
  #bury(): void {
    const { words, board } = this.#board as SharedBoard;
    for (const member of this.#members) {
      if (!member.over || member.buried) continue;
      member.buried = true;
      if (!member.failed) continue;
      for (let chunk = this.#open; chunk < this.#count; chunk++) release(words, board, member.participant, chunk);
      // One that throws has stopped everybody; one that has died has not.
      if (isStopped(words) || !isOver(member.error)) throw member.error;
    }
  }

  /** Those who have not come need not. */
  #dismiss(): void {
    const { words, board } = this.#board as SharedBoard;
    const { engine } = this.#gang;
    for (const { ref, participant, over, taken } of this.#members) {
      if (over || taken || hasBegun(words, board, participant)) continue;
      engine.cancel(ref, new CancelledError('there is nothing left to compute'), false, false);
    }
  }

  /** Waits until nobody is computing any more; whoever waits for this thread's own error waits a little longer. */
  async #others(): Promise<void> {
    const { words, board } = this.#board as SharedBoard;
    for (;;) {
      if (!this.#store.usable) return;
      for (const member of this.#members) {
        if (!member.over || member.buried) continue;
        member.buried = true;
        for (let chunk = 0; chunk < this.#count; chunk++) release(words, board, member.participant, chunk);
      }
      // The own one is not given back, and is of no more interest.
      for (let chunk = 0; chunk < this.#count; chunk++) release(words, board, 0, chunk);
      if (firstTaken(words, board, 0) === this.#count) return;
      await this.#settling();
    }
  }
}

/** Whether an error says that a member is over, and nothing about what it computed. */
const isOver = (error: unknown): boolean =>
  error instanceof WorkerDiedError || error instanceof OutOfMemoryError || error instanceof CancelledError;

/** A turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
