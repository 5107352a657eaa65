import {
  type Address,
  type Cell,
  FAILED,
  type Intake,
  type Lease,
  type PartyPort,
  PUSHED,
  type ReferenceMessage,
  type RunId,
  type Shape,
  type TaskMessage,
  type TaskRecord,
  type ToControl,
} from '../../protocol/index.ts';
import { checkMayRun, checkWorkerDied, DeathCheck } from './checks.ts';
import type { Control } from './control.ts';
import type { Host } from './host.ts';
import { CLAIMED, DELIVERED, describe, type Push, type PushedArgument, RECALLED, SENT } from './messages.ts';
import { Outgoing } from './outgoing.ts';
import { UNSCHEDULABLE } from './program.ts';
import type { SimTask } from './task.ts';
import { Failure, failureOf, isStandstill, type Payload, STANDSTILL, Violation } from './values.ts';

/** What the rules of a party ask of its host: tasks and messages leave through it, values are encoded and pinned. */
export class Port implements PartyPort<Payload> {
  readonly #host: Host;
  readonly #controlThread: Control;
  readonly outgoing: Outgoing;
  /** Runs that workers were told to stop, and workers that were to be ended. */
  told = 0;
  kills = 0;
  /** Tasks that have been cancelled while they ran, by seed. */
  readonly cancelled = new Set<number>();
  #tickets = 0;
  #deathCheck: DeathCheck | undefined;

  constructor(host: Host, controlThread: Control) {
    this.#host = host;
    this.#controlThread = controlThread;
    this.outgoing = new Outgoing(host);
  }

  push(task: TaskRecord, lease: Lease): number {
    const { spec, args } = task as SimTask;
    checkMayRun(task as SimTask);
    const target = this.#controlThread.hosts.get(lease.worker);
    if (target === undefined || target.address.incarnation !== lease.incarnation) {
      throw new Violation(
        `${this.#host.name} pushes to worker ${lease.worker}.${lease.incarnation}, which is forgotten`,
      );
    }
    const way = this.outgoing.to(target);
    if (way.unclaimed >= this.#host.world.config.room) {
      way.refused = true;
      return -1;
    }
    const { references } = this.#host.party;
    const pushed = args.map((arg): PushedArgument => {
      if ('wire' in arg) {
        const payload: Payload = { wire: arg.wire, object: null, failure: null };
        return { payload, inner: arg.cells.map((cell) => references.promote(cell)) };
      }
      const { dependency } = arg;
      if (!dependency.settled || dependency.state === FAILED)
        throw new Violation('a task is pushed before its arguments');
      return { payload: this.encode(dependency), inner: dependency.inner.map((cell) => references.promote(cell)) };
    });
    const push: Push = {
      slot: task.slot,
      ticket: ++this.#tickets,
      spec,
      attempt: task.attempt,
      depth: task.depth,
      exclusive: task.key.shape.exclusive,
      key: task.key.id,
      args: pushed,
      stream: task.stream?.start() ?? null,
      state: SENT,
      task,
    };
    this.#host.world.log(() => `${this.#host.name} pushes ${spec.seed} to ${target.name} under lease ${lease.id}`);
    way.unclaimed++;
    way.pushes.set(push.ticket, push);
    way.link.send({ to: 'worker', push });
    return push.ticket;
  }

  recall(task: TaskRecord, lease: Lease): boolean {
    const target = this.#controlThread.hosts.get(lease.worker) as Host;
    const { pushes } = this.outgoing.to(target);
    const push = pushes.get(task.ticket);
    if (push === undefined) throw new Violation('a task is recalled that was not pushed');
    if (push.state > DELIVERED) return false;
    push.state = RECALLED;
    this.#host.world.log(() => `${this.#host.name} recalls ${push.spec.seed}`);
    pushes.delete(task.ticket);
    this.outgoing.left(target);
    return true;
  }

  cancelRunning(task: TaskRecord, { worker, incarnation }: Lease, force: boolean, reason: string): void {
    const target = this.#controlThread.hosts.get(worker) as Host;
    const run: RunId = { slot: task.slot, sequence: (task as SimTask).spec.seed };
    this.cancelled.add(run.sequence);
    // Its ring may be full for a while.
    const { cancels } = this.outgoing.to(target);
    this.#host.world.after(this.#host.world.random.chance(0.5) ? this.#host.world.random.int(3000) : 0, () => {
      if (this.#host.alive) cancels.send({ to: 'cancel', ...run });
    });
    this.told++;
    if (force) this.control({ type: 'kill', worker, incarnation, run, reason });
  }

  /** Says to the worker of a stream how far its consumer is. */
  more(task: SimTask): void {
    if (task.state !== PUSHED) return;
    const target = this.#controlThread.hosts.get((task.lease as Lease).worker) as Host;
    const { taken } = task.stream as Intake;
    // The way that overtakes calls.
    this.outgoing.to(target).cancels.send({ to: 'more', slot: task.slot, sequence: task.ticket, taken });
  }

  abandoned(task: TaskRecord): unknown {
    (task as SimTask).stopped = true;
    return new Failure('cancelled', String((task as SimTask).spec.seed));
  }

  control(message: TaskMessage | ReferenceMessage<Payload>): void {
    if (message.type === 'kill') this.kills++;
    this.#host.world.log(() => `${this.#host.name} -> control: ${describe({ to: 'control', message })}`);
    this.#host.toControl.send({ to: 'control', message: message as ToControl<Payload> });
  }

  fail(task: TaskRecord, error: unknown, inner: readonly Cell[]): void {
    const { references } = this.#host.party;
    const object = error instanceof Failure ? null : (error as Payload).object;
    const failure = error instanceof Failure ? error : (error as Payload).failure;
    this.#host.world.log(() => `${this.#host.name} fails ${(task as SimTask).spec.seed} with ${failure}`);
    task.eachResult((cell) => {
      object?.use('passed on to a dependent');
      object?.pin(this.#host);
      for (const each of inner) references.hold(each);
      references.settle(cell, true, error, object !== null, inner);
    });
  }

  workerDied(task: TaskRecord, reason: string): unknown {
    if (this.#controlThread.deaths === 0)
      throw new Violation(`a task fails by the death of a worker, and none has died`);
    checkWorkerDied(task as SimTask);
    return new Failure('worker-died', `${(task as SimTask).spec.seed}: ${reason}`);
  }

  unschedulable(_shape: Shape, reason: string): unknown {
    return new Failure('unschedulable', isStandstill(reason) ? STANDSTILL : UNSCHEDULABLE);
  }

  retrying(task: TaskRecord, charged: boolean, reason: string): void {
    this.#host.world.log(
      () => `${this.#host.name} retries ${(task as SimTask).spec.seed} charged ${charged}: ${reason}`,
    );
  }

  encode(cell: Cell): Payload {
    if (!cell.settled) throw new Violation('a value is sent that is not there');
    if (cell.value instanceof Failure) return { wire: 0, object: null, failure: cell.value };
    const payload = cell.value as Payload;
    payload.object?.use('sent');
    return payload;
  }

  decode(cell: Cell, payload: Payload): void {
    cell.value = payload;
    if (payload.object === null) return;
    payload.object.use('received');
    payload.object.pin(this.#host);
    cell.pinned = true;
  }

  free(cell: Cell): void {
    if (cell.pinned) (cell.value as Payload).object?.unpin(this.#host);
  }

  lostError(id: string, reason: string): unknown {
    this.#controlThread.checkLost(id, reason, this.#host);
    return new Failure('lost', `${id}: ${reason}`);
  }

  addressOf(party: number): Address {
    return (this.#controlThread.hosts.get(party) as Host).address;
  }

  isLost(cell: Cell): boolean {
    return !(cell.value instanceof Failure) && (cell.value as Payload).object?.lost === true;
  }

  remaking(): boolean {
    this.#host.world.counts.remade++;
    return false;
  }

  recordSize(): number {
    return 100;
  }

  acknowledge(worker: number, receipt: number): void {
    const target = this.#controlThread.hosts.get(worker) as Host;
    this.outgoing.to(target).link.send({ to: 'acknowledge', receipt });
  }

  wantsRetry(task: TaskRecord, failure: Cell): boolean {
    return (task as SimTask).spec.retryErrors && failureOf(failure).kind === 'program';
  }

  drain(party: number): void {
    const dead = this.#controlThread.hosts.get(party) as Host;
    if (dead.alive) throw new Violation('a living party is drained');
    dead.port.outgoing.find(this.#host)?.link.drain();
  }

  autopsy(worker: number): { guilty: number; started(task: TaskRecord): boolean } {
    const dead = this.#controlThread.hosts.get(worker) as Host;
    const { onStack } = dead.executions;
    const pushes = this.outgoing.find(dead)?.pushes;
    const guilty = !dead.killed && onStack !== null && onStack.from === this.#host ? onStack.slot : -1;
    const started = (task: TaskRecord): boolean => pushes?.get(task.ticket)?.state === CLAIMED;
    const { inFlight } = this.#host.party.owner;
    const there = inFlight.filter((task) => task?.lease?.worker === worker) as SimTask[];
    this.#deathCheck = new DeathCheck(there, guilty, started, this.#host.world.config.owner, this.#host.world.counts);
    return { guilty, started };
  }

  discard(payload: unknown): void {
    this.#host.heap.unpin(payload);
  }

  /** The rules have dealt with the death that `autopsy` was asked about. */
  deathDone(): void {
    this.#deathCheck?.done();
    this.#deathCheck = undefined;
  }

  /** Whether a worker has claimed the task. */
  hasBegun(task: SimTask): boolean {
    if (task.state !== PUSHED) return false;
    const target = this.#controlThread.hosts.get((task.lease as Lease).worker) as Host;
    return this.outgoing.find(target)?.pushes.get(task.ticket)?.state === CLAIMED;
  }
}
