import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { residenceChanges } from '../src/memory/residence.rules.ts';
import { FakeHost, NODE } from '../src/protocol/fake-ports.fixture.ts';
import * as protocol from '../src/protocol/index.ts';
import * as lives from './lives.ts';
import { blocksOf } from './programs.ts';

const { Cell, TaskRecord, Timing } = protocol;
const root = process.env.SHEAF_ROOT ?? resolve('.');
const page = readFileSync(join(root, 'docs/protocol.md'), 'utf8');

/** The arrows of the diagram that says what it shows in a comment, without those from and to the outside. */
function arrowsOf(title: string): Set<string> {
  const diagram = blocksOf(page).find(({ language, text }) => language === 'mermaid' && text.includes(`%% ${title}`));
  assert.ok(diagram, `there is no diagram of the ${title}`);
  return new Set([...diagram.text.matchAll(/^ *(\w+) --> (\w+):/gm)].map(([, from, to]) => `${from} --> ${to}`));
}

const { WAITING, QUEUED, PUSHED, DONE, PENDING, READY, FAILED, FREED } = protocol;
const TASK_STATES: Readonly<Record<string, number>> = { WAITING, QUEUED, PUSHED, DONE };
const CELL_STATES: Readonly<Record<string, number>> = { PENDING, READY, FAILED, FREED };

function namesByValue(states: Readonly<Record<string, number>>): string[] {
  const byValue: string[] = [];
  for (const [name, value] of Object.entries(states)) byValue[value] = name;
  return byValue;
}

/** Writes down every change of `state`. */
function watch<T extends { state: number }>(object: T, names: readonly string[], seen: Set<string>): T {
  let state = object.state;
  Object.defineProperty(object, 'state', {
    get: () => state,
    set: (next: number) => {
      if (next !== state) seen.add(`${names[state]} --> ${names[next]}`);
      state = next;
    },
  });
  return object;
}

class Host extends FakeHost {
  retries = false;
  override wantsRetry(): boolean {
    return this.retries;
  }
}

/** One party in an arbitrary world: whatever may happen to it, in any order. */
function live(seed: number, tasksSeen: Set<string>, cellsSeen: Set<string>): void {
  const below = lives.chance(seed);
  const host = new Host(2);
  const { party } = host;
  const { owner, references } = party;
  const taskNames = namesByValue(TASK_STATES);
  const cellNames = namesByValue(CELL_STATES);
  const newCell = () => watch(new Cell(), cellNames, cellsSeen);
  const tasks: protocol.TaskRecord[] = [];
  const held: protocol.Cell[] = [];
  const sources: protocol.Cell[] = [];
  let lease = 0;
  let id = 0;
  const pick = <T>(list: readonly T[]): T | undefined => list[below(Math.max(1, list.length))];
  const address = (worker: number) => ({ node: NODE, party: worker, incarnation: 1 });

  const steps: (() => void)[] = [
    () => {
      const source = newCell();
      sources.push(source);
      held.push(source);
    },
    () => {
      const source = sources.splice(below(Math.max(1, sources.length)), 1)[0];
      if (source !== undefined) references.settle(source, below(4) === 0, 1, false, []);
    },
    () => {
      const results = newCell();
      const task = new TaskRecord(owner.queue({ ...SHAPE, cpus: 1 + below(2) }), new Timing(), results, below(3), 1);
      watch(task, taskNames, tasksSeen);
      results.task = task;
      const uses = Array.from({ length: below(3) }, () => pick(held)).filter((cell) => cell !== undefined);
      task.uses = [...new Set(uses)];
      task.dependencies = task.uses;
      tasks.push(task);
      held.push(results);
      owner.submit(task);
    },
    () => {
      const queue = pick(owner.queues);
      if (queue !== undefined) owner.granted(queue.id, ++lease, 10 + below(3), 1, []);
    },
    () => {
      const task = pick(tasks.filter((each) => each.state === protocol.PUSHED));
      if (task === undefined) return;
      host.begin(task);
      host.retries = below(3) === 0;
      const failed = below(4) === 0;
      const value = { shared: true };
      host.shared.add(value);
      let delegate: string | null = null;
      if (!failed && below(4) === 0) {
        delegate = protocol.makeId(address(20), ++id);
        const borrowed = references.adopt(delegate);
        watch(borrowed, cellNames, cellsSeen);
        sources.push(borrowed);
      }
      const results = [{ payload: value, inner: [], delegate }];
      const worker = (task.lease as protocol.Lease).worker;
      party.replied(address(worker), { slot: task.slot, micros: 10, failed, results, kept: [], receipt: 0 });
    },
    () => {
      const task = pick(tasks.filter((each) => each.state !== protocol.DONE));
      if (task === undefined) return;
      if (below(2) === 0 && task.state === protocol.PUSHED) host.begin(task);
      owner.cancel(task, 'cancelled', false);
    },
    () => {
      const started = pick(tasks.filter((each) => each.state === protocol.PUSHED));
      if (started === undefined) return;
      const { worker } = started.lease as protocol.Lease;
      if (below(2) === 0) host.begin(started);
      host.guilty = below(2) === 0 ? started.slot : -1;
      party.fromControl({ type: 'died', party: worker, incarnation: 1, reason: 'by chance' });
    },
    () => {
      const task = pick(tasks.filter((each) => each.lease !== null));
      if (task?.lease) owner.reclaim(task.lease.id);
    },
    () => {
      const queue = pick(owner.queues);
      if (queue !== undefined && below(10) === 0) owner.infeasible(queue.id, 'too large');
    },
    () => {
      const cell = held.splice(below(Math.max(1, held.length)), 1)[0];
      if (cell !== undefined) references.drop(cell);
    },
    () => {
      // Only what lies in shared memory can be lost.
      const cell = pick(held.filter((each) => each.settled && each.pinned));
      if (cell !== undefined) party.lost(cell);
    },
  ];
  for (let i = 0; i < 300; i++) {
    pick(steps)!();
    owner.now += below(20);
    if (below(3) > 0) owner.settleUp();
  }
}

const SHAPE: protocol.Shape = { cpus: 1, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: false };

describe('the page on the protocol', () => {
  it('has all states, and no others', () => {
    for (const [title, states] of [
      ['states of a task', TASK_STATES],
      ['states of a cell', CELL_STATES],
    ] as const) {
      const shown = new Set([...arrowsOf(title)].flatMap((arrow) => arrow.split(' --> ')));
      assert.deepEqual([...shown].sort(), Object.keys(states).sort());
    }
  });

  it('has all changes of state that happen, and no others', () => {
    const tasks = new Set<string>();
    const cells = new Set<string>();
    for (let seed = 1; seed <= 300; seed++) live(seed, tasks, cells);
    assert.deepEqual([...tasks].sort(), [...arrowsOf('states of a task')].sort());
    assert.deepEqual([...cells].sort(), [...arrowsOf('states of a cell')].sort());
  });

  for (const [title, life] of [
    ['states of a lease', lives.leaseLife],
    ['states of a worker', lives.workerLife],
    ['states of a run', lives.runLife],
    ['states of an entry', lives.entryLife],
    ['states of an actor', lives.actorLife],
    ['states of a producer', lives.producerLife],
    ['states of a consumer', lives.consumerLife],
    ['states of spilling', lives.spillLife],
  ] as const) {
    it(`has all changes in the ${title}, and no others`, () => {
      assert.deepEqual([...lives.changesIn(life)].sort(), [...arrowsOf(title)].sort());
    });
  }

  it('has no diagram of states that is not compared', () => {
    const titles = [...page.matchAll(/%% (states of [\w ]+)/g)].map(([, title]) => title!);
    const source = readFileSync(join(root, 'docs/protocol.test.ts'), 'utf8');
    assert.ok(titles.length >= 10);
    assert.deepEqual(
      titles.filter((title) => !source.includes(`'${title}'`) && !source.includes(`%% ${title}`)),
      [],
    );
  });

  it('has all changes of where an object is, by what happens', () => {
    const diagram = blocksOf(page).find(({ text }) => text.includes('%% states of an object'));
    const shown = [...(diagram?.text ?? '').matchAll(/^ *(\w+) --> (\w+): (\w+)$/gm)].map(([, ...arrow]) =>
      arrow.join(' '),
    );
    assert.deepEqual(
      shown.sort(),
      residenceChanges()
        .map((change) => change.join(' '))
        .sort(),
    );
  });

  it('has all messages, in their direction', () => {
    const source = readFileSync(join(root, 'src/protocol/messages.ts'), 'utf8');
    const [to = '', from = ''] = source.split('export type FromControl');
    const typesIn = (text: string) => [...text.matchAll(/readonly type: '([\w-]+)'/g)].map(([, name]) => name).sort();
    const tables = page.slice(page.indexOf('## Messages')).split('From the control thread:');
    const rowsIn = (text: string) => [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name).sort();
    assert.deepEqual(rowsIn(tables[0]!), typesIn(to));
    assert.deepEqual(rowsIn(tables[1]!), typesIn(from));
  });
});
