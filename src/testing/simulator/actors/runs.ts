import { type Cell, Run } from '../../../protocol/index.ts';
import type { Call, Pushed } from './call.ts';
import type { Line } from './line.ts';
import type { Node } from './node.ts';

/** One run of a task, of an actor, or of a method of one. */
export class SimRun extends Run {
  readonly pushed: Pushed;
  /** What it was given, and what it has made. */
  readonly lines: Line[] = [];
  /** It has been answered. */
  over = false;

  constructor(pushed: Pushed) {
    super(pushed.from.address.party, pushed.slot, 1, pushed.call.key.shape.exclusive);
    this.pushed = pushed;
  }

  get call(): Call {
    return this.pushed.call;
  }
}

/** What runs on one worker, from the push that begins it to the reply: it calls the actors that it was given, and may keep them. */
export class Runs {
  readonly #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  begin(pushed: Pushed): SimRun {
    const { executor, references } = this.#node.party;
    pushed.state = 'begun';
    pushed.call.runs++;
    const run = new SimRun(pushed);
    executor.started(run);
    run.lent = pushed.handles.map((id) => {
      const cell = references.adopt(id);
      references.hold(cell);
      executor.own(run, cell);
      run.lines.push(this.#node.line(cell));
      return cell;
    });
    return run;
  }

  /** Has it do some things, one after the other, and then end. */
  act(run: SimRun, end: () => void): void {
    const { sim } = this.#node;
    // Now and then for long: whatever was to come after it may come before its end.
    const most = sim.random.chance(0.05) ? 15 : 4;
    let left = run.lines.length === 0 ? sim.random.int(most >> 1) : sim.random.between(1, most);
    const go = (): void => {
      if (left-- > 0) {
        // One that has been answered does nothing any more, and takes its time for it.
        if (!run.over) this.#step(run);
        sim.later(() => this.#node.turn(go));
      } else end();
    };
    sim.later(() => this.#node.turn(go));
  }

  #step(run: SimRun): void {
    const { sim, party } = this.#node;
    const { random } = sim;
    const what = random.next();
    if (run.lines.length > 0 && what < 0.7) sim.call(random.pick(run.lines));
    else if (run.lines.length > 0 && what < 0.85) sim.take(this.#node, random.pick(run.lines).cell);
    else if (sim.roomForMore) {
      const line = sim.create(this.#node);
      party.executor.own(run, line.cell);
      run.lines.push(line);
    }
  }

  /** Answers: perhaps with one of its handles. */
  finish(run: SimRun): void {
    if (run.over) return;
    run.over = true;
    const { executor, references } = this.#node.party;
    const { sim } = this.#node;
    const { pushed, call } = run;
    const granted: Cell[] = [];
    if (call.hosts === null && run.lines.length > 0 && sim.random.chance(0.2)) {
      granted.push(sim.random.pick(run.lines).cell);
    }
    const { kept, receipt } = executor.finish(run, granted, undefined);
    if (run.orphaned) return;
    const results = [{ payload: call.serial, inner: granted.map((cell) => references.promote(cell)), delegate: null }];
    const reply = { slot: pushed.slot, micros: 1, failed: false, results, kept, receipt };
    sim.links.send(this.#node, pushed.from, { to: 'reply', reply });
  }

  /** Answers for one that is not to begin any more. */
  refuse({ from, slot }: Pushed): void {
    const results = [{ payload: 'refused', inner: [], delegate: null }];
    const reply = { slot, micros: -1, failed: true, results, kept: [], receipt: 0 };
    this.#node.sim.links.send(this.#node, from, { to: 'reply', reply });
  }
}
