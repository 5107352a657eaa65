import {
  type Cell,
  Cell as CellClass,
  type Lease,
  makeId,
  NO_CELLS,
  OWNER_LIMITS,
  type OwnerLimits,
  Party,
  type PartyPort,
  type ReferenceMessage,
  type SettledValue,
  type Shape,
  type TaskMessage,
  TaskRecord,
  Timing,
} from './index.ts';

export const NODE = '00000000000000aa';
export const SHAPE: Shape = { cpus: 1, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: false };

/** The id of the reference that a party has promoted as number `sequence`. */
export const idOf = (party: number, sequence: number): string =>
  makeId({ node: NODE, party, incarnation: 1 }, sequence);

export interface FakeTask {
  readonly shape?: Shape;
  readonly uses?: Cell[];
  readonly retries?: number;
  readonly depth?: number;
  readonly timing?: Timing;
}

export type Sent = TaskMessage | ReferenceMessage<unknown>;

/** A party whose surroundings are lists: what it says to others, and what it pushes. Values travel as they are. */
export class FakeHost implements PartyPort<unknown> {
  readonly party: Party<unknown>;
  readonly limits: OwnerLimits;
  readonly said: Sent[] = [];
  readonly pushed: { task: TaskRecord; lease: Lease; ticket: number; begun: boolean; kept: boolean }[] = [];
  readonly acknowledged: { worker: number; receipt: number }[] = [];
  readonly freed: Cell[] = [];
  readonly killed: TaskRecord[] = [];
  readonly forgottenTasks: TaskRecord[] = [];
  readonly discarded: unknown[] = [];
  /** How many of the pushes a test has seen. */
  looked = 0;
  guilty = -1;
  room = 1000;
  /** Values that stand for ones in shared memory, and those of them that are gone. */
  readonly shared = new Set<unknown>();
  readonly gone = new Set<unknown>();
  #tickets = 0;

  constructor(number: number, limits: OwnerLimits = OWNER_LIMITS) {
    this.limits = limits;
    this.party = new Party<unknown>({ node: NODE, party: number, incarnation: 1 }, this, limits);
  }

  /** What was said since the last look, as short texts: `type` and what matters of it. */
  take(): string[] {
    return this.said.splice(0).map((m) => {
      switch (m.type) {
        case 'add':
          return `add ${m.party.slice(17)} by ${m.by?.slice(17) ?? null}`;
        case 'remove':
          return `remove ${m.count} by ${m.by?.slice(17) ?? null}`;
        case 'demand':
          return `demand ${m.total}`;
        case 'return':
          return `return ${m.lease}`;
        default:
          return m.type;
      }
    });
  }

  put(value: unknown, inner: readonly Cell[] = NO_CELLS): Cell {
    const cell = new CellClass();
    for (const each of inner) this.party.references.hold(each);
    this.party.references.settle(cell, false, value, false, inner);
    return cell;
  }

  failed(error: unknown): Cell {
    const cell = new CellClass();
    this.party.references.settle(cell, true, error, false, NO_CELLS);
    return cell;
  }

  /** A task that has not been submitted. */
  record(options: FakeTask = {}): TaskRecord {
    const key = this.party.owner.queue(options.shape ?? SHAPE);
    const cell = new CellClass();
    const task = new TaskRecord(key, options.timing ?? new Timing(), cell, options.retries ?? 3, options.depth ?? 1);
    cell.task = task;
    task.uses = options.uses ?? [];
    task.dependencies = task.uses;
    return task;
  }

  task(options: FakeTask = {}): TaskRecord {
    const { owner } = this.party;
    const task = this.record(options);
    owner.submit(task);
    owner.settleUp();
    return task;
  }

  /** The worker answers the task with a plain value. */
  answer(task: TaskRecord, value: unknown = 1, micros = 10): void {
    this.party.completed((task.lease as Lease).worker, task.slot, micros, value);
    this.party.owner.settleUp();
  }

  push(task: TaskRecord, lease: Lease): number {
    if (this.room === 0) return -1;
    this.room--;
    this.pushed.push({ task, lease, ticket: ++this.#tickets, begun: false, kept: false });
    return this.#tickets;
  }

  /** The worker begins the task; from now on it can't be taken back. */
  begin(task: TaskRecord): void {
    for (const each of this.pushed) if (each.ticket === task.ticket) each.begun = true;
  }

  /** The worker takes the task out of its ring for later: it can't be taken back, and has not begun. */
  keep(task: TaskRecord): void {
    for (const each of this.pushed) if (each.ticket === task.ticket) each.kept = true;
  }

  recall(task: TaskRecord): boolean {
    const pushed = this.pushed.find((each) => each.ticket === task.ticket);
    return pushed?.begun === false && !pushed.kept;
  }

  cancelRunning(task: TaskRecord, _lease: Lease, force: boolean): void {
    if (force) this.killed.push(task);
  }

  control(message: Sent): void {
    this.said.push(message);
  }

  fail(task: TaskRecord, error: unknown, inner: readonly Cell[]): void {
    const { references } = this.party;
    task.eachResult((cell) => {
      for (const each of inner) references.hold(each);
      references.settle(cell, true, error, false, inner);
    });
  }

  workerDied(_task: TaskRecord, reason: string): unknown {
    return `worker died: ${reason}`;
  }

  unschedulable(_shape: Shape, reason: string): unknown {
    return `unschedulable: ${reason}`;
  }

  retrying(): void {}

  encode(cell: Cell): unknown {
    return cell.value;
  }

  decode(cell: Cell, payload: unknown): void {
    cell.value = payload;
    cell.pinned = this.shared.has(payload);
  }

  free(cell: Cell): void {
    this.freed.push(cell);
  }

  lostError(_id: string, reason: string): unknown {
    return `lost: ${reason}`;
  }

  addressOf(party: number) {
    return { node: NODE, party, incarnation: 1 };
  }

  acknowledge(worker: number, receipt: number): void {
    this.acknowledged.push({ worker, receipt });
  }

  abandoned(): unknown {
    return 'nobody reads it';
  }

  wantsRetry(_task: TaskRecord, _failure: Cell): boolean {
    return false;
  }

  drain(): void {}

  autopsy(): { guilty: number; started(task: TaskRecord): boolean } {
    return {
      guilty: this.guilty,
      started: (task) => this.pushed.some((each) => each.ticket === task.ticket && each.begun),
    };
  }

  discard(payload: unknown): void {
    this.discarded.push(payload);
  }

  recordSize(): number {
    return 100;
  }

  isLost(cell: Cell): boolean {
    return this.gone.has(cell.value);
  }

  forgotten(task: TaskRecord): void {
    this.forgottenTasks.push(task);
  }
}

export const settled = (payload: unknown, inner: string[] = []): SettledValue<unknown> => ({
  failed: false,
  payload,
  inner,
});
