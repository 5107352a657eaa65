import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../testing/simulator/random.ts';
import { FairQueue } from './fair-queue.ts';
import { FakeHost } from './fake-ports.fixture.ts';
import { type TaskRecord, Timing } from './index.ts';

const host = new FakeHost(1);
const timed = (micros: number): Timing => {
  const timing = new Timing();
  timing.observe(micros);
  return timing;
};

describe('a fair queue', () => {
  it('has what was put into it, each kind in its order, under random use', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const queue = new FairQueue();
      const timings = Array.from({ length: random.between(1, 100) }, () => timed(random.int(5) * 10 ** random.int(5)));
      const lines = new Map<Timing, TaskRecord[]>(timings.map((timing) => [timing, []]));
      const taken: TaskRecord[] = [];
      const lineOf = (task: TaskRecord) => lines.get(task.timing) as TaskRecord[];
      for (let step = 0; step < 300; step++) {
        const what = random.next();
        if (what < 0.5) {
          const task = host.record({ timing: random.pick(timings) });
          queue.push(task);
          lineOf(task).push(task);
        } else if (what < 0.9) {
          const next = queue.peek();
          if (random.chance(0.3)) {
            const other = host.record({ timing: random.pick(timings) });
            queue.push(other);
            lineOf(other).push(other);
            if (next !== undefined) assert.equal(queue.peek(), next, `seed ${seed}: who is next stays so`);
          }
          const task = queue.shift();
          if (next !== undefined) assert.equal(task, next);
          if (task === undefined) continue;
          assert.equal(task, lineOf(task).shift(), `seed ${seed}: the order of its kind`);
          taken.push(task);
        } else if (what < 0.97) {
          const task = taken.pop();
          if (task === undefined) continue;
          queue.unshift(task);
          lineOf(task).unshift(task);
        } else {
          const timing = random.pick(timings);
          const gone = queue.remove((task) => task.timing === timing);
          assert.deepEqual(gone, lines.get(timing));
          lines.set(timing, []);
        }
        if (step % 5 > 0) continue;
        const left = [...lines.values()].flat();
        assert.equal(queue.size, left.length, `seed ${seed}`);
        const seen = new Set<TaskRecord>();
        queue.forEach((task) => {
          seen.add(task);
        });
        assert.deepEqual(seen, new Set(left));
        const work = left.reduce((sum, { timing }) => sum + timing.expected, 0);
        assert.ok(Math.abs(queue.work - work) < 1e-3, `seed ${seed}: ${queue.work} µs of work, not ${work}`);
      }
    }
  });

  it('never has two kinds that wait differ by more than a task of each', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const queue = new FairQueue();
      const timings = Array.from({ length: random.between(2, 20) }, () =>
        timed(10 ** random.int(5) * random.between(1, 9)),
      );
      const waiting = timings.map(() => 0);
      const put = (kind: number, count: number): void => {
        for (let i = 0; i < count; i++) queue.push(host.record({ timing: timings[kind] as Timing }));
        waiting[kind] = (waiting[kind] as number) + count;
      };
      for (let kind = 0; kind < timings.length; kind++) if (random.chance(0.6)) put(kind, random.between(1, 200));
      // For each pair that has waited together since some moment: what each has been given since.
      const since = new Map<string, [number, number]>();
      for (let step = 0; step < 1000; step++) {
        if (random.chance(0.1)) put(random.int(timings.length), random.between(1, 50));
        const task = queue.shift();
        if (task === undefined) continue;
        const of = timings.indexOf(task.timing);
        for (let a = 0; a < timings.length; a++) {
          for (let b = a + 1; b < timings.length; b++) {
            const pair = `${a}/${b}`;
            // One of them had nothing: what they are given is compared from now on.
            if (waiting[a] === 0 || waiting[b] === 0) {
              since.delete(pair);
              continue;
            }
            const given = since.get(pair) ?? [0, 0];
            if (of === a) given[0] += task.timing.expected;
            if (of === b) given[1] += task.timing.expected;
            since.set(pair, given);
            const bound = (timings[a] as Timing).expected + (timings[b] as Timing).expected;
            assert.ok(
              Math.abs(given[0] - given[1]) <= bound,
              `seed ${seed}: ${given.join(' and ')} µs, bound ${bound}`,
            );
          }
        }
        waiting[of] = (waiting[of] as number) - 1;
      }
    }
  });

  it('serves all, however many kinds there are, and forgets them', () => {
    const queue = new FairQueue();
    const kinds = 20_000;
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < kinds; i++) queue.push(host.record({ timing: timed(i) }));
      // One that always has some: the queue is never empty, and the others come and go.
      const steady = timed(1);
      for (let i = 0; i < kinds; i++) queue.push(host.record({ timing: steady }));
      for (let i = 0; i < 2 * kinds; i++) assert.ok(queue.shift() !== undefined);
      assert.deepEqual([queue.size, queue.work], [0, 0]);
    }
  });

  it('counts a call that takes no time at all, too', () => {
    const queue = new FairQueue();
    const [none, some] = [timed(0), timed(5)];
    for (let i = 0; i < 100; i++) queue.push(host.record({ timing: none }));
    queue.push(host.record({ timing: some }));
    queue.push(host.record({ timing: some }));
    let before = 0;
    for (let seen = 0; seen < 2; before++) if (queue.shift()?.timing === some) seen++;
    assert.ok(before < 10, `${before} calls until both have had their turn`);
  });
});
