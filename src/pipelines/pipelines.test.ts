import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { DTYPES, type DType } from '../nd/index.ts';
import { type Buffer, LocalBuffers, Node, Pipelines } from './index.ts';
import { Programs } from './programs.fixture.ts';

/** Counts what is there. */
class Counted extends LocalBuffers {
  live = 0;
  most = 0;
  readonly #sizes = new Map<Buffer, number>();

  override allocate(dtype: DType, length: number): Buffer {
    const buffer = super.allocate(dtype, length);
    this.#sizes.set(buffer, length * DTYPES[dtype].bytes);
    this.live += length * DTYPES[dtype].bytes;
    this.most = Math.max(this.most, this.live);
    return buffer;
  }

  override release(buffer: Buffer): void {
    this.live -= this.#sizes.get(buffer) ?? 0;
    this.#sizes.delete(buffer);
    super.release(buffer);
  }
}

const N = 200_000;
const BYTES = 8 * N;

test('no more memory is taken than for what goes in and what comes out, and some cache', async () => {
  const buffers = new Counted();
  const pipelines = new Pipelines(buffers);
  const p = new Programs(buffers);
  const x = p.array([N / 100, 100]);
  let chain = x;
  for (let i = 0; i < 10; i++) chain = p.element(i % 2 === 0 ? 'add' : 'sqrt', ...(i % 2 === 0 ? [chain, i] : [chain]));
  for (const root of [chain, p.softmax(x), p.normalized(x), p.reduce('sum', [0, 1], p.element('square', x))]) {
    const before = buffers.live;
    buffers.most = before;
    await pipelines.compute([root]);
    assert.ok(buffers.most - before < BYTES + (1 << 20), `${buffers.most - before} more bytes`);
  }
});

test('an error leaves nothing behind', async () => {
  const buffers = new Counted();
  const pipelines = new Pipelines(buffers);
  const p = new Programs(buffers);
  const x = p.array([1000]);
  const indices = p.array([3], (at) => BigInt(at * 900) as never, 'i64');
  const taken = new Node({ kind: 'take', axis: 0 }, [3], 'f64', [p.element('sqrt', x), indices]);
  const root = p.element('add', taken, 1);
  // The room for scratch stays.
  const warm = p.softmax(x);
  await pipelines.compute([warm]);
  const before = buffers.live;
  await assert.rejects(pipelines.compute([root]), { code: 'ERR_SHEAF_INDEX' });
  assert.equal(buffers.live, before);
  assert.equal(root.op.kind, 'element', 'it is as it was');
});

test('what is computed together is computed once, and settled', async () => {
  const buffers = new Counted();
  const pipelines = new Pipelines(buffers);
  const p = new Programs(buffers);
  const x = p.array([4], (at) => at + 1);
  const square = p.element('square', x);
  const sum = p.reduce('sum', [0], square);
  await pipelines.compute([square, sum, sum, x]);
  assert.deepEqual([...(pipelines.read(square) as Float64Array)], [1, 4, 9, 16]);
  assert.deepEqual([...(pipelines.read(sum) as Float64Array)], [30]);
  assert.equal(square.args.length, 0);
  await pipelines.compute([]);
});

test('graphs are explained, and drawn', () => {
  const buffers = new LocalBuffers(1024);
  const pipelines = new Pipelines(buffers, { cache: 64 << 10 });
  const p = new Programs(buffers);
  const root = p.softmax(p.array([500, 40]));
  assert.equal(
    pipelines.explain([root]),
    `graph: 8 nodes
  %0 = source [40, 1]: f64 500 x 40
  %1 = max over 1(%0): f64 500
  %2 = reshape(%1): f64 500 x 1
  %3 = subtract(%0, %2): f64 500 x 40
  %4 = exp(%3): f64 500 x 40
  %5 = sum over 1(%4): f64 500
  %6 = reshape(%5): f64 500 x 1
  %7 = divide(%4, %6): f64 500 x 40  <- asked for

plan: 1 step, 1 source, 156 KiB of new arrays
  1. pipeline of 3 kernels over 500 rows, tiles of 64, scratch 21 KiB
     kernel 1 over rows x 40
       v0 = source0 [40, 1]: f64
       max v0 -> scratch+0 [1, 0]
     kernel 2 over rows x 40
       v0 = source0 [40, 1]: f64
       v1 = scratch+0 [1, 0]: f64
       v2 = subtract(v0, v1): f64
       v3 = exp(v2): f64
       store v3 -> scratch+512 [40, 1]
       sum v3 -> scratch+20992 [1, 0]
     kernel 3 over rows x 40
       v0 = scratch+512 [40, 1]: f64
       v1 = scratch+20992 [1, 0]: f64
       v2 = divide(v0, v1): f64
       store v2 -> array0 [40, 1]
     makes array0
  asked for: array0 [40, 1] (500 x 40)`,
  );
  assert.equal(root.op.kind, 'element', 'it is not computed');
  const svg = pipelines.explain([root], 'svg');
  const open: string[] = [];
  for (const [, closing, name, rest] of svg.matchAll(/<(\/?)(\w+)([^>]*)>/g)) {
    if (closing === '/') assert.equal(open.pop(), name);
    else if (!rest?.endsWith('/')) open.push(name as string);
  }
  assert.deepEqual(open, []);
  for (const text of ['exp', 'max over 1', 'pipeline of 3 kernels', 'sum v3 -&gt; scratch'])
    assert.ok(svg.includes(text), text);
});

test('the drawing in the pages is the one that is made', () => {
  const pipelines = new Pipelines(new LocalBuffers(1024), { cache: 512 << 10 });
  const root = new Programs(pipelines.buffers).softmax(new Programs(pipelines.buffers).array([10_000, 100]));
  const page = readFileSync(join(process.env.SHEAF_ROOT ?? resolve('.'), 'docs/pipelines-softmax.svg'), 'utf8');
  assert.equal(
    pipelines.explain([root], 'svg'),
    page,
    'write what explain({ svg: true }) gives of the program in docs/pipelines.md',
  );
});

test('sums are the same to the last bit, whatever cache a machine has', () => {
  const buffers = new LocalBuffers(1024);
  const sums = (cache: number): number[][] => {
    const p = new Programs(buffers);
    const pipelines = new Pipelines(buffers, { cache });
    const x = p.array([300, 300], (i) => Math.sin(i * i) * 10 ** (i % 9));
    const roots = [p.softmax(x), ...[[0], [1], [0, 1]].map((axes) => p.reduce('sum', axes, p.element('sin', x)))];
    pipelines.computeNow(roots);
    return roots.map((root) => [...(pipelines.read(root) as Float64Array)]);
  };
  assert.deepEqual(sums(16 << 10), sums(2 << 20));
});

test('what is small is computed where that is said, and what is large is not', async () => {
  const local = new LocalBuffers(1024);
  const small = new Pipelines(local);
  let runs = 0;
  const crew = (): undefined => {
    runs++;
    return undefined;
  };
  const pipelines = new Pipelines(new LocalBuffers(4096), { crew, small });
  const p = new Programs(pipelines.buffers);
  const few = p.element('square', p.array([100]));
  const many = p.element('square', p.array([10_000]));
  // A small part of something large is no reason to copy that.
  const part = p.element('square', p.rows(p.array([10_000]), 9000, 3));
  for (const [node, isSmall] of [
    [few, true],
    [many, false],
    [part, false],
  ] as const) {
    const before = runs;
    await pipelines.compute([node]);
    assert.equal(runs > before, !isSmall);
    assert.equal(node.op.kind === 'source' && node.op.buffer.home === local, isSmall);
  }
  const both = p.element('add', p.reduce('sum', [0], many), few);
  await pipelines.compute([both]);
  assert.equal(
    pipelines.read(both)[3],
    (pipelines.read(few)[3] as number) + [...(pipelines.read(many) as Float64Array)].reduce((a, b) => a + b),
  );
});

test('what fits neither into the memory nor onto the disk is not begun', async () => {
  const buffers = new Counted();
  const memory = { limit: 1 << 20, largest: 0, spills: true, disk: () => 2 ** 20 };
  const pipelines = new Pipelines(buffers, { memory });
  const huge = new Node({ kind: 'constant', value: 1 }, [1e6, 1e9], 'f64');
  await assert.rejects(pipelines.compute([huge]), {
    code: 'ERR_SHEAF_OUT_OF_MEMORY',
    message:
      /^the array has 7276.0 TiB, the shared memory of this session 1 MiB, and the disk that it goes to has 1 MiB left;/,
  });
  assert.equal(buffers.most, 0);
  assert.throws(() => buffers.allocate('f64', 1e15), { code: 'ERR_SHEAF_OUT_OF_MEMORY', message: /7276.0 TiB for/ });
});
