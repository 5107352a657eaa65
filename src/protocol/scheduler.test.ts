import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SHAPE } from './fake-ports.fixture.ts';
import { type Capacity, SCHEDULER_LIMITS, Scheduler, type SchedulerLimits, type Shape } from './index.ts';

interface Grant {
  owner: string;
  key: number;
  lease: number;
  worker: number;
  incarnation: number;
  gpus: readonly number[];
}

class Node {
  readonly scheduler: Scheduler;
  readonly grants: Grant[] = [];
  readonly reclaimed: { owner: string; lease: number }[] = [];
  readonly wanted: { owner: string; lease: number }[] = [];
  readonly infeasible: string[] = [];
  readonly refused: string[] = [];
  readonly retired: number[] = [];
  /** Workers that own something. */
  readonly owning = new Set<number>();
  readonly spawned: { worker: number; incarnation: number; isolation: string }[] = [];

  constructor(capacity: Partial<Capacity> = {}, limits: Partial<SchedulerLimits> = {}) {
    this.scheduler = new Scheduler(
      {
        spawn: (worker, incarnation, isolation) => this.spawned.push({ worker, incarnation, isolation }),
        grant: (owner, key, lease, worker, incarnation, gpus) =>
          this.grants.push({ owner, key, lease, worker, incarnation, gpus }),
        reclaim: (owner, lease) => this.reclaimed.push({ owner, lease }),
        wanted: (owner, lease) => this.wanted.push({ owner, lease }),
        infeasible: (owner, _key, reason) => {
          this.refused.push(owner);
          this.infeasible.push(reason);
        },
        retire: (worker) => {
          if (this.owning.has(worker)) return false;
          this.retired.push(worker);
          return true;
        },
      },
      { cpus: 2, gpus: 0, memory: 1000, custom: {}, ...capacity },
      { ...SCHEDULER_LIMITS, ...limits },
    );
    this.scheduler.reserve(0);
    this.scheduler.reserve(1);
  }

  /** All that were asked for have started. */
  start(): void {
    for (const { worker, incarnation } of this.spawned.splice(0)) this.scheduler.workerStarted(worker, incarnation);
  }

  take(): Grant[] {
    return this.grants.splice(0);
  }

  /** Demands, and starts what that needs until no more comes. */
  demand(owner: string, key: number, total: number, shape: Partial<Shape> = {}): Grant[] {
    this.scheduler.demand(owner, key, { ...SHAPE, ...shape }, total);
    for (let i = 0; i < 100 && this.spawned.length > 0; i++) this.start();
    return this.take();
  }

  /** The tasks under a lease all wait; returns who they are as an owner. */
  wait(grant: Grant | undefined): string {
    assert.ok(grant, 'it was not granted');
    this.scheduler.blocked(grant.worker, grant.incarnation, true);
    return `n.${grant.worker}.${grant.incarnation}`;
  }

  at(ms: number): void {
    this.scheduler.now = ms;
    this.scheduler.tick();
  }
}

describe('the scheduler', () => {
  it('starts as many workers as the demand can use, at once', () => {
    const node = new Node({ cpus: 4 });
    node.scheduler.demand('a', 0, SHAPE, 10);
    assert.equal(node.spawned.length, 4);
    node.scheduler.demand('b', 0, SHAPE, 10);
    assert.equal(node.spawned.length, 4, 'those that are on their way are counted');
    node.start();
    assert.equal(node.take().length, 4);
  });

  it('shares out what is free in rounds', () => {
    const node = new Node({ cpus: 4 });
    node.scheduler.demand('a', 0, SHAPE, 10);
    node.scheduler.demand('b', 0, SHAPE, 10);
    for (const { worker, incarnation } of node.spawned.splice(0)) node.scheduler.workerStarted(worker, incarnation);
    const owners = node.take().map((grant) => grant.owner);
    assert.ok(owners.includes('a') && owners.includes('b'), owners.join());
  });

  it('lends out the idle worker used last', () => {
    const node = new Node();
    const [first, second] = node.demand('a', 0, 2) as [Grant, Grant];
    node.scheduler.returned('a', second.lease);
    node.scheduler.returned('a', first.lease);
    assert.equal((node.demand('a', 0, 1)[0] as Grant).worker, first.worker);
  });

  it('adds shares of cores up without a rest', () => {
    const node = new Node({ cpus: 1 });
    const grants = node.demand('a', 0, 11, { cpus: 0.1 });
    assert.equal(grants.length, 10);
    assert.equal(node.scheduler.free.cpus, 0);
    for (const grant of grants) node.scheduler.returned('a', grant.lease);
    assert.equal(node.scheduler.free.cpus, 1);
    assert.equal(node.demand('b', 0, 1, { cpus: 1 }).length, 1);
  });

  it('counts only the cores of what runs, where something runs on a worker on which others wait', () => {
    const node = new Node({ cpus: 1 });
    const parent = node.demand('a', 0, 1)[0] as Grant;
    const worker = node.wait(parent);
    assert.equal(node.scheduler.free.cpus, 1);
    const child = node.demand(worker, 3, 1, { cpus: 0 })[0] as Grant;
    assert.equal(child.worker, parent.worker, 'stacked');
    node.scheduler.blocked(parent.worker, parent.incarnation, false, { owner: worker, key: 3 });
    assert.equal(node.scheduler.free.cpus, 1, 'it takes none');
    assert.equal(node.demand('b', 0, 1).length, 1, 'so somebody else may have it');
    node.scheduler.blocked(parent.worker, parent.incarnation, false, { owner: 'a', key: 0 });
    assert.equal(node.scheduler.free.cpus, -1, 'the parent goes on without asking');
    node.scheduler.blocked(parent.worker, parent.incarnation, false);
    assert.equal(node.scheduler.free.cpus, -1, 'of several the one that takes most counts');
    node.scheduler.blocked(parent.worker, parent.incarnation, false, { owner: worker, key: 9 });
    assert.equal(node.scheduler.free.cpus, -1, 'so it does for a lease that is not known');
  });

  it('calls no lease back whose tasks all wait: they give nothing back that others could use', () => {
    const node = new Node({ cpus: 1 });
    const waiting = node.demand('a', 0, 1)[0] as Grant;
    const child = node.demand(node.wait(waiting), 0, 1)[0] as Grant;
    assert.equal(child.worker, waiting.worker);
    node.scheduler.blocked(waiting.worker, waiting.incarnation, false, { owner: `n.${waiting.worker}.1`, key: 0 });
    node.demand('b', 0, 1);
    node.at(SCHEDULER_LIMITS.quantum + 1);
    assert.deepEqual(
      node.reclaimed.map((each) => each.lease),
      [child.lease],
    );
  });

  it('runs tasks that need no core while all cores are taken, without starting a crowd', () => {
    const node = new Node({ cpus: 1 });
    node.demand('a', 0, 1);
    node.scheduler.demand('b', 0, { ...SHAPE, cpus: 0 }, 1000);
    assert.equal(node.spawned.length, 1, 'one at a time for one core');
    let started = 0;
    for (let i = 0; i < 200 && node.spawned.length > 0; i++) {
      started += node.spawned.length;
      node.start();
    }
    assert.equal(
      started,
      61,
      'never more workers than a node may have: 64 numbers, less control, driver and the busy one',
    );
  });

  it('gives out whole devices by number, and shares of the fullest one', () => {
    const node = new Node({ cpus: 8, gpus: 3 });
    const [half] = node.demand('a', 0, 1, { gpus: 0.5 }) as [Grant];
    assert.deepEqual(half.gpus, [0]);
    assert.deepEqual((node.demand('b', 0, 1, { gpus: 2 })[0] as Grant).gpus, [1, 2]);
    assert.deepEqual((node.demand('c', 0, 1, { gpus: 0.5 })[0] as Grant).gpus, [0]);
    assert.equal(node.demand('d', 0, 1, { gpus: 0.5 }).length, 0);
    assert.match((node.scheduler.explain()[0] as { why: string }).why, /0.5 gpus wanted/);
    node.scheduler.returned('a', half.lease);
    assert.deepEqual((node.take()[0] as Grant).gpus, [0]);
  });

  it('counts custom resources and memory', () => {
    const node = new Node({ custom: { db: 1 } });
    const [one] = node.demand('a', 0, 2, { custom: { db: 0.6 } }) as [Grant];
    assert.equal(node.take().length, 0);
    assert.match((node.scheduler.explain()[0] as { why: string }).why, /db: 0.6 wanted, 0.4 free/);
    node.scheduler.returned('a', one.lease);
    assert.equal(node.demand('a', 0, 1, { custom: { db: 0.6 } }).length, 1);
    assert.equal(node.demand('b', 0, 3, { cpus: 0, memory: 400 }).length, 2);
  });

  it('says at once what can never be had', () => {
    const node = new Node();
    node.demand('a', 0, 1, { cpus: 3, custom: { licence: 1 } });
    assert.deepEqual(node.infeasible, ['cpus: 3 wanted, 2 here; licence: 1 wanted, 0 here']);
    assert.equal(node.scheduler.waiting, false);
  });

  it('calls back the oldest lease of another for a demand that has waited for a quantum', () => {
    const node = new Node({ cpus: 2 });
    const [oldest] = node.demand('a', 0, 1) as [Grant];
    node.at(5);
    node.demand('b', 0, 1);
    node.at(6);
    node.demand('c', 0, 1);
    node.at(10);
    assert.deepEqual(node.reclaimed, []);
    node.at(17);
    assert.deepEqual(node.reclaimed, [{ owner: 'a', lease: oldest.lease }]);
    node.at(28);
    assert.equal(node.reclaimed.length, 1, 'one is enough');
    node.scheduler.returned('a', oldest.lease);
    assert.deepEqual(
      node.take().map((grant) => grant.owner),
      ['c'],
    );
  });

  it('does not call back one’s own for more of the same', () => {
    const node = new Node({ cpus: 2 });
    node.demand('a', 0, 5);
    node.at(100);
    assert.deepEqual(node.reclaimed, []);
  });

  // Each had one of two: nothing is called back from an equal, so an idle lease was kept from a long queue for half a second.
  it('tells an owner that has no more than its share that its lease is wanted, once', () => {
    const node = new Node({ cpus: 2 });
    const [idle] = node.demand('a', 0, 1) as [Grant];
    const [busy] = node.demand('b', 0, 200) as [Grant];
    node.at(9);
    assert.deepEqual(node.wanted, []);
    node.at(20);
    node.at(40);
    assert.deepEqual(node.reclaimed, []);
    assert.deepEqual(node.wanted, [{ owner: 'a', lease: idle.lease }]);
    node.scheduler.returned('a', idle.lease);
    assert.deepEqual(
      node.take().map((grant) => grant.owner),
      ['b'],
    );
    assert.notEqual(busy.worker, idle.worker);
  });

  it('says so only of leases with something that the demand is short of', () => {
    const node = new Node({ cpus: 4, custom: { disk: 1 } });
    node.demand('a', 0, 1);
    const [disk] = node.demand('b', 0, 1, { custom: { disk: 1 } }) as [Grant];
    node.demand('c', 0, 1, { custom: { disk: 1 } });
    node.demand('d', 0, 1);
    node.at(5);
    node.at(20);
    assert.deepEqual([...node.wanted, ...node.reclaimed], [{ owner: 'b', lease: disk.lease }]);
  });

  it('evens out between one who has many and one who has few', () => {
    const node = new Node({ cpus: 4 });
    const first = node.demand('a', 0, 10);
    assert.equal(first.length, 4);
    node.at(20);
    node.demand('b', 0, 10);
    for (let ms = 40; ms < 400; ms += 20) {
      node.at(ms);
      for (const { owner, lease } of node.reclaimed.splice(0)) node.scheduler.returned(owner, lease);
    }
    const held = { a: 4, b: 0 } as Record<string, number>;
    for (const grant of node.take()) held[grant.owner] = (held[grant.owner] as number) + 1;
    assert.ok((held.b as number) >= 1 && (held.b as number) <= 3, JSON.stringify(held));
  });

  // Whatever was given back went to the small ones, one core at a time.
  it('keeps what becomes free for a large demand that has waited', () => {
    const node = new Node({ cpus: 4 });
    const small = node.demand('a', 0, 4);
    node.demand('large', 0, 1, { cpus: 4 });
    node.at(20);
    assert.equal(node.reclaimed.length, 4, 'it needs them all');
    for (const grant of small) {
      node.scheduler.returned('a', grant.lease);
      node.scheduler.demand('a', 0, SHAPE, 4);
    }
    assert.deepEqual(
      node.take().map((grant) => grant.owner),
      ['large'],
    );
  });

  it('does not keep what suspended tasks hold, because they may wait for those who want it', () => {
    const node = new Node({ cpus: 4, custom: { db: 2 } });
    const [parent] = node.demand('a', 0, 1, { custom: { db: 1 } }) as [Grant];
    node.scheduler.blocked(parent.worker, parent.incarnation, true);
    node.demand('greedy', 0, 1, { custom: { db: 2 } });
    node.at(50);
    assert.equal(node.demand('child', 0, 1, { custom: { db: 1 } }).length, 1);
  });

  it('frees the cores of a worker whose tasks all wait, and takes them back when one goes on', () => {
    const node = new Node({ cpus: 1 });
    const [parent] = node.demand('a', 0, 1) as [Grant];
    const { worker, incarnation } = parent;
    const owner = `n.${worker}.${incarnation}`;
    assert.equal(node.scheduler.free.cpus, 0);
    node.scheduler.blocked(worker, incarnation, true);
    assert.equal(node.scheduler.free.cpus, 1);
    const [child] = node.demand(owner, 0, 1) as [Grant];
    assert.equal(child.worker, worker, 'children run where their parent waits');
    assert.equal(node.scheduler.free.cpus, 0);
    node.scheduler.blocked(worker, incarnation, false);
    assert.equal(node.scheduler.free.cpus, 0, 'a worker runs one task at a time');
    node.scheduler.blocked(worker, incarnation, true);
    node.scheduler.returned(owner, child.lease);
    assert.equal(node.scheduler.free.cpus, 1);
    node.scheduler.blocked(worker, incarnation, false);
    assert.equal(node.scheduler.free.cpus, 0);
    node.scheduler.returned('a', parent.lease);
    assert.equal(node.scheduler.free.cpus, 1);
  });

  // The worker was taken for a running one ever after, and its core for a used one.
  it('takes a lease stacked on a waiting worker and returned unused for nothing', () => {
    const node = new Node({ cpus: 1 });
    const [parent] = node.demand('a', 0, 1) as [Grant];
    node.scheduler.blocked(parent.worker, parent.incarnation, true);
    const owner = `n.${parent.worker}.${parent.incarnation}`;
    const [child] = node.demand(owner, 0, 1) as [Grant];
    node.scheduler.returned(owner, child.lease);
    assert.equal(node.scheduler.free.cpus, 1);
    assert.equal(node.demand(owner, 0, 1).length, 1);
  });

  it('stacks nothing on the worker of an exclusive task, and no exclusive one on others', () => {
    const node = new Node({ cpus: 1 });
    const [alone] = node.demand('a', 0, 1, { exclusive: true }) as [Grant];
    node.scheduler.blocked(alone.worker, alone.incarnation, true);
    const [child] = node.demand('b', 0, 1) as [Grant];
    assert.notEqual(child.worker, alone.worker);
    node.scheduler.blocked(child.worker, child.incarnation, true);
    const [other] = node.demand('c', 0, 1, { exclusive: true }) as [Grant];
    assert.ok(other.worker !== alone.worker && other.worker !== child.worker);
  });

  it('prefers waiting workers to new ones once there are as many as cores', () => {
    const node = new Node({ cpus: 2 });
    for (const grant of node.demand('a', 0, 2)) node.scheduler.blocked(grant.worker, grant.incarnation, true);
    node.scheduler.demand('b', 0, SHAPE, 2);
    assert.equal(node.spawned.length, 0);
    assert.equal(node.take().length, 2);
  });

  it('frees all that a dead worker had, and gives its number away only when nobody remembers it', () => {
    const node = new Node({ cpus: 1 }, { parties: 3 });
    const [grant] = node.demand('a', 0, 1) as [Grant];
    node.scheduler.workerDied(grant.worker, grant.incarnation);
    assert.equal(node.scheduler.free.cpus, 1);
    assert.equal(node.scheduler.waiting, false, 'its owner hears of the death and asks again');
    node.scheduler.demand('a', 0, SHAPE, 1);
    assert.equal(node.spawned.length, 0);
    node.scheduler.unreserve(grant.worker);
    assert.deepEqual(node.spawned, [{ worker: grant.worker, incarnation: 2, isolation: 'process' }]);
  });

  it('starts another for one that dies before it has started', () => {
    const node = new Node({ cpus: 1 });
    node.scheduler.demand('a', 0, SHAPE, 1);
    const [first] = node.spawned.splice(0) as [Node['spawned'][0]];
    node.scheduler.workerDied(first.worker, first.incarnation);
    assert.equal(node.spawned.length, 1);
  });

  it('forgets a dead owner', () => {
    const node = new Node({ cpus: 1 });
    const [grant] = node.demand('a', 0, 3) as [Grant];
    assert.deepEqual(node.scheduler.ownerDied('a'), [{ worker: grant.worker, incarnation: grant.incarnation }]);
    assert.equal(node.scheduler.free.cpus, 1);
    assert.equal(node.scheduler.waiting, false);
  });
});

describe('when there are no more workers', () => {
  const alone = { exclusive: true };

  // Every task of a chain had a worker to itself, and the one after the last waited for ever.
  it('refuses the deepest call of a chain of exclusive tasks, once nothing has moved for long', () => {
    const node = new Node({ cpus: 1 }, { parties: 5, standstill: 1000 });
    let owner = 'driver';
    for (let depth = 0; depth < 3; depth++) owner = node.wait(node.demand(owner, 0, 1, alone)[0]);
    assert.equal(node.demand(owner, 0, 1, alone).length, 0);
    node.at(999);
    assert.deepEqual(node.refused, []);
    node.at(1000);
    assert.deepEqual(node.refused, [owner]);
    assert.match(node.infeasible[0] as string, /of the 3 workers there may be 3 run tasks with `retries: 0` that wait/);
    assert.equal(node.scheduler.waiting, false);
  });

  it('refuses one at a time, and that of a waiting task before that of the driver', () => {
    const node = new Node({ cpus: 1 }, { parties: 3, standstill: 1000 });
    const owner = node.wait(node.demand('driver', 0, 1, alone)[0]);
    node.demand(owner, 0, 1);
    node.demand('driver', 1, 1);
    node.at(1000);
    assert.deepEqual(node.refused, [owner]);
    node.at(1500);
    assert.equal(node.refused.length, 1, 'its failure has not had its effect yet');
    node.at(2000);
    assert.deepEqual(node.refused, [owner, 'driver']);
  });

  it('refuses nothing while a task runs, a worker is missing, or the resources are', () => {
    const running = new Node({ cpus: 2 }, { parties: 4, standstill: 1000 });
    const owner = running.wait(running.demand('driver', 0, 1, alone)[0]);
    running.demand('driver', 1, 1);
    running.demand(owner, 0, 1, alone);
    running.at(100_000);
    assert.deepEqual(running.refused, []);

    const dying = new Node({ cpus: 2 }, { parties: 4, standstill: 1000 });
    const parent = dying.wait(dying.demand('driver', 0, 1, alone)[0]);
    const [other] = dying.demand('driver', 1, 1) as [Grant];
    dying.demand(parent, 0, 1, alone);
    dying.scheduler.workerDied(other.worker, other.incarnation);
    dying.at(100_000);
    assert.deepEqual(dying.refused, [], 'its number will be free');

    const short = new Node({ cpus: 1 }, { parties: 3, standstill: 1000 });
    const holder = short.wait(short.demand('driver', 0, 1, { memory: 1000 })[0]);
    short.demand(holder, 0, 1, { memory: 1000 });
    short.at(100_000);
    assert.deepEqual(short.refused, [], 'that is said by `explain`');
  });

  // Many exclusive parents, each of which calls one task, took all workers before any child had one.
  it('keeps the last worker for those who are waited for', () => {
    const node = new Node({ cpus: 4 }, { parties: 6 });
    const parents = node.demand('driver', 0, 100, alone);
    assert.equal(parents.length, 3, 'of four workers');
    const owners = parents.map((grant) => node.wait(grant));
    assert.equal(node.take().length, 0);
    const [child] = node.demand(owners[0] as string, 0, 1, alone) as [Grant];
    assert.ok(child);
    node.scheduler.returned(owners[0] as string, child.lease);
    assert.match((node.scheduler.explain()[0] as { why: string }).why, /last worker is kept/);
    assert.equal(node.demand(owners[1] as string, 0, 1).length, 1);
  });

  it('lends the last one to anybody when nothing goes on without that', () => {
    const node = new Node({ cpus: 2 }, { parties: 4 });
    node.wait(node.demand('driver', 0, 1, alone)[0]);
    assert.equal(node.demand('driver', 1, 1, alone).length, 0);
    node.at(10);
    node.start();
    node.at(20);
    assert.equal(node.take().length, 1);
  });

  it('ends an idle worker that has the wrong isolation, unless it is still of use', () => {
    const node = new Node({ cpus: 2 }, { parties: 4 });
    const grants = node.demand('driver', 0, 2) as [Grant, Grant];
    for (const { lease } of grants) node.scheduler.returned('driver', lease);
    node.owning.add(grants[0].worker);
    const caller = `n.${grants[1].worker}.1`;
    assert.equal(node.demand(caller, 0, 1, { isolation: 'thread' }).length, 0);
    node.at(20);
    assert.deepEqual(node.retired, [], 'one owns something, one has called something');
    node.owning.clear();
    node.at(30);
    assert.deepEqual(node.retired, [grants[0].worker]);
    node.at(40);
    assert.equal(node.retired.length, 1, 'one is enough');
    assert.equal(node.demand('driver', 1, 2).length, 1, 'it is not lent any more');
    node.scheduler.workerDied(grants[0].worker, 1);
    node.scheduler.unreserve(grants[0].worker);
    assert.deepEqual(
      node.spawned.map(({ isolation }) => isolation),
      ['thread'],
    );
  });

  it('refuses what only another isolation has workers for, when none of them can go', () => {
    const node = new Node({ cpus: 2 }, { parties: 4, standstill: 1000 });
    for (const grant of node.demand('driver', 0, 2)) {
      node.scheduler.returned('driver', grant.lease);
      node.owning.add(grant.worker);
    }
    node.demand('driver', 1, 1, { isolation: 'thread' });
    node.at(1000);
    assert.match(node.infeasible[0] as string, /2 can't be used for isolation 'thread'/);
  });
});

describe('a lease for an actor', () => {
  const RESIDENT: Shape = { ...SHAPE, exclusive: true, resident: true };

  it('is never called back, and nothing is kept for those who wait for what it has', () => {
    const node = new Node({ cpus: 2 });
    node.scheduler.demand('actor:a', 0, { ...RESIDENT, cpus: 1 }, 1);
    node.start();
    assert.equal(node.take().length, 1);
    node.scheduler.demand('x', 0, { ...SHAPE, cpus: 2 }, 1);
    node.scheduler.demand('y', 0, SHAPE, 1);
    node.scheduler.now += 100;
    node.scheduler.tick();
    node.start();
    assert.deepEqual(node.reclaimed, []);
    assert.deepEqual(node.wanted, []);
    // The large demand can't be met as long as the actor is there: it does not stand in the way of others.
    assert.deepEqual(
      node.take().map((grant) => grant.owner),
      ['y'],
    );
    node.scheduler.ownerDied('actor:a');
    node.scheduler.returned('y', 2);
    assert.deepEqual(
      node.take().map((grant) => grant.owner),
      ['x'],
    );
  });

  it('takes no core by itself, and its worker is nobody else\u2019s', () => {
    const node = new Node({ cpus: 1 });
    node.scheduler.demand('actor:a', 0, { ...RESIDENT, cpus: 0 }, 1);
    node.start();
    const [actor] = node.take();
    node.scheduler.demand('x', 0, SHAPE, 1);
    node.start();
    const [task] = node.take();
    assert.ok(actor !== undefined && task !== undefined && task.worker !== actor.worker);
    node.scheduler.blocked(actor.worker, 1, true);
    node.scheduler.demand('y', 0, { ...SHAPE, cpus: 0 }, 1);
    node.start();
    assert.ok(node.take().every((grant) => grant.worker !== actor.worker));
  });

  it('is refused in the end when there are as many as there can be, and tasks go on', () => {
    const node = new Node({ cpus: 4 }, { parties: 5, standstill: 1000 });
    for (const name of ['a', 'b', 'c']) node.scheduler.demand(`actor:${name}`, 0, { ...RESIDENT, cpus: 0 }, 1);
    node.start();
    assert.deepEqual(
      node.take().map((grant) => grant.owner),
      ['actor:a', 'actor:b'],
    );
    node.scheduler.now += 900;
    node.scheduler.tick();
    assert.deepEqual(node.refused, []);
    node.scheduler.now += 200;
    node.scheduler.tick();
    assert.deepEqual(node.refused, ['actor:c']);
    assert.match(node.infeasible[0] ?? '', /one that is kept for tasks/);
    node.scheduler.demand('x', 0, SHAPE, 1);
    node.start();
    assert.deepEqual(
      node.take().map((grant) => grant.owner),
      ['x'],
    );
  });

  describe('that may share its worker', () => {
    const SHARED: Shape = { ...RESIDENT, cpus: 0, shared: true };
    const on = (node: Node): string[] => node.take().map(({ owner, worker }) => `${owner} ${worker}`);

    it('is on one worker with the others, whoever owns them, until that is full', () => {
      const node = new Node({ cpus: 4 }, { stacked: 3 });
      node.scheduler.demand('x', 0, SHARED, 2);
      assert.equal(node.spawned.length, 1);
      node.start();
      node.scheduler.demand('y', 0, SHARED, 2);
      node.start();
      assert.deepEqual(on(node), ['x 2', 'x 2', 'y 2', 'y 3']);
      node.scheduler.returned('x', 1);
      node.scheduler.demand('z', 0, SHARED, 1);
      assert.deepEqual(on(node), ['z 2']);
    });

    it('keeps away from those that do not, and from tasks', () => {
      const node = new Node({ cpus: 4 });
      node.scheduler.demand('x', 0, { ...RESIDENT, cpus: 0 }, 1);
      node.start();
      node.scheduler.demand('y', 0, SHARED, 1);
      node.start();
      node.scheduler.demand('z', 0, { ...RESIDENT, cpus: 0 }, 1);
      node.start();
      node.scheduler.demand('t', 0, { ...SHAPE, cpus: 0 }, 1);
      node.start();
      assert.deepEqual(on(node), ['x 2', 'y 3', 'z 4', 't 5']);
    });

    it('needs no worker that is kept for tasks', () => {
      const node = new Node({ cpus: 4 }, { parties: 4, standstill: 1000 });
      node.scheduler.demand('x', 0, SHARED, 1);
      node.start();
      node.scheduler.demand('y', 0, SHARED, 5);
      node.scheduler.demand('z', 0, { ...RESIDENT, cpus: 0 }, 1);
      node.start();
      assert.deepEqual(on(node), ['x 2', 'y 2', 'y 2', 'y 2', 'y 2', 'y 2']);
      node.scheduler.now += 1100;
      node.scheduler.tick();
      assert.deepEqual(node.refused, ['z']);
    });

    it('takes as many cores as the one that asks for the most', () => {
      const node = new Node({ cpus: 3 });
      node.scheduler.demand('x', 0, { ...SHARED, cpus: 1 }, 1);
      node.start();
      node.scheduler.demand('y', 0, { ...SHARED, cpus: 2 }, 1);
      assert.deepEqual(on(node), ['x 2', 'y 2']);
      assert.equal(node.scheduler.free.cpus, 1);
      node.scheduler.returned('y', 2);
      assert.equal(node.scheduler.free.cpus, 2);
    });
  });
});
