import { Deque } from '../base/index.ts';
import type { TaskRecord, Timing } from './task-record.ts';

/** The queued tasks of one function. */
class Kind {
  readonly timing: Timing;
  readonly tasks = new Deque<TaskRecord>();
  /** Work of this kind that has left the queue, on a clock that all kinds share; microseconds. The least is next. */
  served = 0;
  /** Breaks ties: who has begun to wait first. */
  since = 0;
  /** What each of its tasks counts in `work`. */
  cost = 0;

  constructor(timing: Timing) {
    this.timing = timing;
  }
}

/** A call that takes no time at all takes its worker's all the same. */
const LEAST_MICROS = 1;

/** Kinds without tasks are forgotten when there are so many, and again at twice as many as are left. */
const REMEMBERED = 64;

/**
 * The tasks that wait for workers of one shape. Each function's are served in their order; the functions take turns, by the
 * work that has been done for each (start-time fair queueing): next is the one that has been served least, a task counting
 * as much as its function is known to take. So a few calls never wait for all the many that another function has
 * queued before them, and of functions that always have some waiting each gets an equal share of the time of the workers.
 *
 * Who comes anew, or comes back, begins where those are that wait, and not with a credit for the time in which it wanted
 * nothing; one that was served ahead of others, and comes back soon, still is ahead of them.
 */
export class FairQueue {
  #size = 0;
  #work = 0;
  /** Of the task that is next, or left last: `served` of its kind before it. */
  #clock = 0;
  #arrivals = 0;
  readonly #kinds = new Map<Timing, Kind>();
  /** Of those that have tasks, a heap: the one served least in front. */
  readonly #waiting: Kind[] = [];
  #last: Kind | undefined;
  #forgetAt = REMEMBERED;

  get size(): number {
    return this.#size;
  }

  /** What all tasks in it are expected to take together, in microseconds. */
  get work(): number {
    return this.#work;
  }

  push(task: TaskRecord): void {
    const kind = this.#kindOf(task);
    kind.tasks.push(task);
    this.#arrived(kind);
  }

  /** Puts a task back that has left: it is the next one of its kind. */
  unshift(task: TaskRecord): void {
    const kind = this.#kindOf(task);
    kind.tasks.unshift(task);
    this.#arrived(kind);
  }

  /** The task that is next; it stays so whatever is pushed. */
  peek(): TaskRecord | undefined {
    const first = this.#waiting[0];
    if (first === undefined) return undefined;
    // Whoever comes from now on comes after it.
    this.#clock = first.served;
    return first.tasks.peek();
  }

  shift(): TaskRecord | undefined {
    const kind = this.#waiting[0];
    if (kind === undefined) return undefined;
    const task = kind.tasks.shift();
    this.#size--;
    this.#work -= kind.cost;
    this.#price(kind);
    this.#clock = kind.served;
    kind.served += Math.max(LEAST_MICROS, kind.cost);
    if (kind.tasks.size === 0) this.#removeFirst();
    else if (this.#waiting.length > 1) this.#sink(0);
    if (this.#size === 0) this.#reset();
    return task;
  }

  /** Those of one function in their order; the functions in no particular one. */
  forEach(visit: (task: TaskRecord) => void): void {
    for (const kind of this.#waiting) kind.tasks.forEach(visit);
  }

  /** Removes and returns the tasks for which `drop` says true. */
  remove(drop: (task: TaskRecord) => boolean): TaskRecord[] {
    const dropped: TaskRecord[] = [];
    const kinds = this.#waiting.splice(0);
    for (const kind of kinds) {
      const gone = kind.tasks.remove(drop);
      for (const task of gone) dropped.push(task);
      this.#size -= gone.length;
      this.#work -= gone.length * kind.cost;
      if (kind.tasks.size > 0) this.#rise(this.#waiting.push(kind) - 1);
    }
    if (this.#size === 0) this.#reset();
    return dropped;
  }

  // ---- kinds

  #kindOf({ timing }: TaskRecord): Kind {
    let kind = this.#last;
    if (kind !== undefined && kind.timing === timing) return kind;
    kind = this.#kinds.get(timing);
    if (kind === undefined) {
      if (this.#kinds.size >= this.#forgetAt) this.#forget();
      kind = new Kind(timing);
      this.#kinds.set(timing, kind);
    }
    this.#last = kind;
    return kind;
  }

  #arrived(kind: Kind): void {
    this.#size++;
    if (kind.tasks.size === 1) {
      kind.served = Math.max(kind.served, this.#clock);
      kind.since = this.#arrivals++;
      kind.cost = kind.timing.expected;
      this.#rise(this.#waiting.push(kind) - 1);
    }
    this.#work += kind.cost;
  }

  /** What is known of its function may have changed. */
  #price(kind: Kind): void {
    const cost = kind.timing.expected;
    this.#work += (cost - kind.cost) * kind.tasks.size;
    kind.cost = cost;
  }

  /** Nobody waits: all are even. */
  #reset(): void {
    this.#work = 0;
    this.#clock = 0;
    if (this.#kinds.size === 1 && this.#last !== undefined) {
      this.#last.served = 0;
      return;
    }
    this.#kinds.clear();
    this.#last = undefined;
    this.#forgetAt = REMEMBERED;
  }

  /** Kinds that are not ahead would begin at the clock anyway. */
  #forget(): void {
    for (const [timing, kind] of this.#kinds) {
      if (kind.tasks.size === 0 && kind.served <= this.#clock) this.#kinds.delete(timing);
    }
    this.#last = undefined;
    this.#forgetAt = Math.max(REMEMBERED, this.#kinds.size * 2);
  }

  // ---- the heap

  #removeFirst(): void {
    const last = this.#waiting.pop() as Kind;
    if (this.#waiting.length === 0) return;
    this.#waiting[0] = last;
    this.#sink(0);
  }

  #rise(at: number): void {
    const heap = this.#waiting;
    const kind = heap[at] as Kind;
    let i = at;
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as Kind;
      if (!before(kind, parent)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = kind;
  }

  #sink(at: number): void {
    const heap = this.#waiting;
    const kind = heap[at] as Kind;
    let i = at;
    for (let child = 2 * i + 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && before(heap[child + 1] as Kind, heap[child] as Kind)) child++;
      if (!before(heap[child] as Kind, kind)) break;
      heap[i] = heap[child] as Kind;
      i = child;
    }
    heap[i] = kind;
  }
}

function before(a: Kind, b: Kind): boolean {
  return a.served < b.served || (a.served === b.served && a.since < b.since);
}
