import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ARRAY_QUEUES, ARRAY_VICTIMS } from '../../base/index.ts';
import { Random } from '../../testing/simulator/random.ts';
import { type Crew, chunkAt, lengthOf, orderOf, queuesOf } from './queues.rules.ts';

const crews = fc.record({ workers: fc.integer({ min: 1, max: 40 }), groups: fc.integer({ min: 1, max: 8 }) });

test('every chunk is at one place of one queue, for every layout', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ARRAY_QUEUES), crews, fc.nat(500), (layout, crew, chunks) => {
      const queues = queuesOf(layout, crew, chunks);
      const found: number[] = [];
      for (let queue = 0; queue < queues.count; queue++)
        for (let place = 0; place < lengthOf(queues, queue); place++) found.push(chunkAt(queues, queue, place));
      assert.deepEqual(
        found.sort((a, b) => a - b),
        Array.from({ length: chunks }, (_, i) => i),
      );
    }),
  );
});

test('a worker looks at every queue once, at its own first', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ARRAY_QUEUES),
      fc.constantFrom(...ARRAY_VICTIMS),
      crews,
      fc.nat(),
      (layout, victims, crew, seed) => {
        const random = new Random(seed);
        const { count } = queuesOf(layout, crew, 0);
        for (let worker = 0; worker < crew.workers; worker++) {
          const order = orderOf(layout, victims, crew, worker, () => random.next());
          assert.deepEqual(
            [...order].sort((a, b) => a - b),
            Array.from({ length: count }, (_, i) => i),
          );
          if (layout === 'PERCPU') assert.equal(order[0], worker);
          if (layout === 'PERGROUP') assert.equal(order[0], (worker % crew.groups) % count);
        }
      },
    ),
  );
});

test('SEQ goes on behind itself, PRI begins with its own group', () => {
  const crew: Crew = { workers: 6, groups: 2 };
  const none = (): number => assert.fail('no chance in it');
  assert.deepEqual(orderOf('PERCPU', 'SEQ', crew, 4, none), [4, 5, 0, 1, 2, 3]);
  assert.deepEqual(orderOf('PERCPU', 'SEQPRI', crew, 3, none), [3, 5, 1, 4, 0, 2]);
  assert.deepEqual(orderOf('PERGROUP', 'SEQPRI', { workers: 6, groups: 3 }, 4, none), [1, 2, 0]);
  assert.deepEqual(orderOf('CENTRALIZED', 'RANDOM', crew, 3, none), [0]);
});

test('with chance in it, over seeds, every victim comes first sometime, and of one group before the others', () => {
  const crew: Crew = { workers: 6, groups: 2 };
  const first = { RANDOM: new Set<number>(), RANDOMPRI: new Set<number>() };
  for (let seed = 0; seed < 200; seed++) {
    const random = new Random(seed);
    for (const victims of ['RANDOM', 'RANDOMPRI'] as const) {
      const order = orderOf('PERCPU', victims, crew, 0, () => random.next());
      first[victims].add(order[1] as number);
      if (victims === 'RANDOMPRI') assert.deepEqual(new Set(order.slice(0, 3)), new Set([0, 2, 4]));
    }
  }
  assert.deepEqual([...first.RANDOM].sort(), [1, 2, 3, 4, 5]);
  assert.deepEqual([...first.RANDOMPRI].sort(), [2, 4]);
});
