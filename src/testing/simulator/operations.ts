import { Cell, DONE, FAILED, Intake, type Shape, Timing } from '../../protocol/index.ts';
import { checkCancel, checkOver } from './checks.ts';
import type { Host } from './host.ts';
import { type Operation, Reference, type TaskSpec, type Value } from './program.ts';
import type { SimRun } from './run.ts';
import { type Argument, SimTask } from './task.ts';
import { Failure, failureOf, fromWire, Handle, type Payload, Raised, toWire, Violation } from './values.ts';

/** Longer than anything takes where no link is slow, in microseconds. */
const LONG = 10_000_000;

/** What user code does on a host besides working and waiting: it calls, cancels, puts and reads, and lets go. */
export class Operations {
  readonly #host: Host;
  readonly #timings: Timing[];

  constructor(host: Host) {
    this.#host = host;
    this.#timings = host.world.config.shapes.map(() => new Timing());
  }

  /** The user's view of a settled cell's value, with handles of its own for what is inside. */
  read(run: SimRun, cell: Cell): Value<Handle> {
    if (!cell.settled) throw new Violation(`${this.#host.name} reads a value that is not there (state ${cell.state})`);
    const payload = cell.value as Payload;
    if (payload.object?.lost) throw new Violation(`${this.#host.name} reads a value that is lost`);
    payload.object?.use(`read by ${run.spec.seed}`);
    return fromWire(payload.wire, (i) => this.handle(run, cell.inner[i] as Cell, true));
  }

  readFailure(run: SimRun, cell: Cell): Raised {
    const failure = failureOf(cell);
    if (cell.value instanceof Failure) return new Raised(failure, 0, false);
    return new Raised(failure, this.read(run, cell), (cell.value as Payload).object !== null);
  }

  handle(run: SimRun, cell: Cell, hold: boolean): Reference<Handle> {
    if (hold) this.#host.party.references.hold(cell);
    this.#host.party.executor.own(run, cell);
    return new Reference(new Handle(cell));
  }

  do(run: SimRun, op: Operation<Handle>): unknown {
    const { references } = this.#host.party;
    switch (op.type) {
      case 'put': {
        const inner: Cell[] = [];
        const wire = toWire(op.value, inner);
        for (const cell of inner) references.hold(cell);
        const object = op.large ? this.#host.heap.allocate(`put of ${run.spec.seed}`) : null;
        const cell = new Cell();
        references.settle(cell, false, { wire, object, failure: null }, object !== null, inner);
        this.#host.heap.watch(cell);
        return this.handle(run, cell, false);
      }
      case 'call':
        return this.#call(run, op.spec, op.args);
      case 'open':
        return this.#call(run, op.spec, op.args)[0];
      case 'release': {
        const { it } = op.ref;
        if (it.released) throw new Violation('released twice');
        it.released = true;
        const scope = run.scope as Cell[];
        scope.splice(scope.indexOf(it.cell), 1);
        references.drop(it.cell);
        return undefined;
      }
      case 'stash':
        this.#stash(op.ref.it.cell);
        return undefined;
      case 'cancel': {
        const task = op.ref.it.cell.task as SimTask | null;
        if (task !== null) this.#cancel(task, op.force);
        return undefined;
      }
      default:
        throw new Violation(`${op.type} is done elsewhere`);
    }
  }

  #cancel(task: SimTask, force: boolean): void {
    const { world, port } = this.#host;
    world.log(() => `${this.#host.name} cancels ${task.spec.seed}${force ? ' by force' : ''}`);
    const error = new Failure('cancelled', String(task.spec.seed));
    const begun = port.hasBegun(task);
    checkCancel(task, error, world.counts, begun, () => {
      const told = port.told;
      const kills = port.kills;
      this.#host.party.owner.cancel(task, error, force);
      return { told: port.told > told && (!force || port.kills > kills) };
    });
    // Where no message takes as long as that.
    const { slowLinks, stall } = world.config;
    if (task.state === DONE || slowLinks > 0 || stall > 0) return;
    world.after(LONG, () => {
      if (this.#host.alive) checkOver(task);
    });
  }

  /** User code puts a reference where it outlives its task; later somebody looks at it, or not, and lets it go. */
  #stash(cell: Cell): void {
    const { references } = this.#host.party;
    const { random } = this.#host.world;
    references.hold(cell);
    this.#host.later(random.int(random.pick([100, 10_000, 200_000])), () => {
      if (cell.settled || random.chance(0.3)) {
        if (cell.settled && cell.state !== FAILED) (cell.value as Payload).object?.use('stashed');
        references.drop(cell);
        return;
      }
      cell.addWaiter({ cellSettled: () => this.#host.later(0, () => references.drop(cell)) });
      references.need(cell);
    });
  }

  #call(run: SimRun, spec: TaskSpec, values: readonly Value<Handle>[]): Reference<Handle>[] {
    const { owner } = this.#host.party;
    const uses: Cell[] = [];
    const dependencies: Cell[] = [];
    const args = values.map((value): Argument => {
      if (value instanceof Reference) {
        if (value.it.released) throw new Violation('the program passes a handle that it has released');
        uses.push(value.it.cell);
        dependencies.push(value.it.cell);
        return { dependency: value.it.cell };
      }
      const cells: Cell[] = [];
      const wire = toWire(value, cells);
      uses.push(...cells);
      return { wire, cells };
    });
    const shape = this.#host.world.config.shapes[spec.shape] as Shape;
    const key = owner.queue(spec.retries === 0 ? { ...shape, exclusive: true } : shape);
    const cells = Array.from({ length: spec.results }, () => new Cell());
    const results = spec.results === 1 ? (cells[0] as Cell) : cells;
    const task = new SimTask(spec, args, key, this.#timings[spec.shape] as Timing, results, run.depth + 1);
    task.uses = uses;
    task.dependencies = dependencies;
    if (spec.ahead > 0) task.stream = new Intake(spec.ahead);
    const refs = cells.map((cell) => {
      cell.task = task;
      this.#host.heap.watch(cell);
      return this.handle(run, cell, false);
    });
    this.#host.world.log(() => `${this.#host.name} submits ${spec.seed} retries ${spec.retries} shape ${spec.shape}`);
    owner.submit(task);
    return refs;
  }
}
