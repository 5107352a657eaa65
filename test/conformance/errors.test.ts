import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CaptureError,
  CodecError,
  connect,
  current,
  get,
  put,
  type Ref,
  type Session,
  SheafError,
  TaskError,
  task,
} from 'sheaf';
import { failure, hostOptions, type Isolation, mark, marks, onHostsAndInline, program, scratch } from './support.ts';

class StockError extends Error {
  readonly sku: string;
  readonly left: number;
  constructor(sku: string, left: number) {
    super(`${sku}: ${left} left`);
    this.name = 'StockError';
    this.sku = sku;
    this.left = left;
  }
}

const echo = task((x: unknown) => x);
const add = task((a: number, b: number) => a + b);
const outOfStock = task((sku: string) => {
  throw new StockError(sku, 2);
});
const throwsType = task((n: number): number => {
  if (n >= 0) throw new TypeError(`bad ${n}`, { cause: new RangeError('deeper') });
  return n;
});
const throwsLater = task(async (): Promise<number> => {
  await Promise.resolve();
  throw new SyntaxError('later');
});
const marked = task((_x: number, folder: string, name: string) => {
  mark(folder, name);
  return 1;
});
const caller = task(async (n: number) => (await throwsType(n).value) + 1);
const throwsWhat = task((which: string): number => {
  const odd: Record<string, unknown> = {
    text: 'just text',
    number: 17,
    undefined: undefined,
    null: null,
    object: { code: 5 },
    function: () => 1,
  };
  throw odd[which];
});
const withFunctionField = task((): number => {
  const cause = new TypeError('why');
  throw Object.assign(new RangeError('carries a function', { cause }), { retry: () => 1, code: 'E_CARRY' });
});
const returnsFunction = task(() => ({ deep: [{ callback: () => 1 }] }));
const whoRuns = task(() => [current().worker, process.pid]);
const returnsSymbol = task(() => Symbol('s'));
const rejectsOdd = task(() => Promise.reject('a string'));
const frozen = task(() => {
  throw Object.freeze(new Error('frozen'));
});
const aggregate = task(() => {
  throw new AggregateError([new TypeError('one'), new RangeError('two')], 'several');
});
const noStack = task(() => {
  const error = new Error('no stack');
  delete error.stack;
  throw error;
});

test('a local variable captured by mistake is an error that names it, at the definition', () => {
  const factor = 3;
  assert.throws(
    () => task((x: number) => x * factor),
    (error: Error) => {
      assert.ok(error instanceof CaptureError);
      assert.match(error.message, /factor/);
      assert.match(error.message, /captures/);
      return true;
    },
  );
});

test('a captured value that cannot travel is an error that names it, at the definition', () => {
  const log = { level: 1, sinks: [() => 1] };
  assert.throws(
    () => task((x: number) => x + log.level, { captures: { log } }),
    (error: Error) => {
      assert.ok(error instanceof CaptureError, String(error));
      assert.match(
        error.message,
        /uses "log" at .*errors\.test\S*:\d+:\d+, a captured value that can't travel \(log\.sinks\[0\]/,
      );
      assert.deepEqual([error.details?.name, error.details?.reason], ['log', 'value']);
      return true;
    },
  );
});

onHostsAndInline('errors', { cpus: 2, memory: '64MiB' }, (_session: () => Session, isolation: Isolation) => {
  test('what is captured on purpose travels by value', { timeout: 10_000 }, async () => {
    const factor = 3;
    const times = task((x: number) => x * factor, { captures: { factor } });
    assert.equal(await times(5).value, 15);
  });

  test('a Ref is captured by nobody: the error says to pass it', { timeout: 10_000 }, async () => {
    const model = put(5);
    const config = { models: [model] };
    for (const define of [
      () => task((x: number) => [x, model], { captures: { model } }),
      () => task((x: number) => [x, config], { captures: { config } }),
    ]) {
      assert.throws(define, (error: Error) => {
        assert.ok(error instanceof CaptureError, String(error));
        assert.match(error.message, /uses "(?:model|config)" at \S+, a captured .*Ref.*\. Pass it as an argument/);
        assert.equal(error.details?.reason, 'value');
        return true;
      });
    }
    assert.deepEqual(await add(model, 1).value, 6);
  });

  // The program names the kind of its workers.
  const own = { timeout: 30_000, skip: isolation === 'inline' };
  test('what is captured may be of a class that only the function knows there', own, async () => {
    const { stdout, stderr, code } = await program('captured.mjs', [isolation]);
    assert.deepEqual([code, stderr], [0, '']);
    const row = 'row 88 0.5 1152921504606846976 aaaa word-8, 3 buffers';
    assert.deepEqual(stdout.trim().split('\n'), [row.replace('88', '81').replace('word-8', 'word-1'), row, row]);
  });

  test("a task's error arrives with its class, message, fields, stack and tasks (line 4)", {
    timeout: 10_000,
  }, async () => {
    const error = (await failure(throwsType(4).value)) as TypeError;
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, 'bad 4');
    assert.ok(error.cause instanceof RangeError);
    assert.match(error.stack ?? '', /errors\.test/, 'the remote stack names the file of the task');
    assert.match(error.stack ?? '', /in task throwsType \(attempt 1, worker \d+\)/);
    const own = (await failure(outOfStock('a-1').value)) as StockError;
    assert.equal(own.name, 'StockError');
    assert.equal(own.message, 'a-1: 2 left');
    assert.equal(own.sku, 'a-1');
    assert.equal(own.left, 2);
    assert.ok((await failure(throwsLater().value)) instanceof SyntaxError);
  });

  test('an error says which tasks it has passed through', { timeout: 10_000 }, async () => {
    const error = await failure(caller(1).value);
    assert.ok(error instanceof TypeError);
    const tasks = (error.stack ?? '').match(/in task \w+/g);
    assert.deepEqual(tasks, ['in task throwsType', 'in task caller']);
  });

  test('dependents fail with the same cause and do not run (line 4)', { timeout: 10_000 }, async () => {
    const folder = scratch();
    const bad = throwsType(1);
    const first = marked(bad, folder, 'first');
    const second = marked(first, folder, 'second');
    const error = await failure(second.value);
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, 'bad 1');
    assert.equal((await failure(first.value)).message, 'bad 1');
    assert.equal((await failure(get([add(1, 1), bad]))).message, 'bad 1');
    // One that is called when the failure is known fails the same way.
    assert.equal((await failure(marked(bad, folder, 'third').value)).message, 'bad 1');
    assert.deepEqual(marks(folder), []);
  });

  test('each reader of a failure gets an error of its own', { timeout: 10_000 }, async () => {
    const bad = throwsType(1);
    const a = await failure(get(bad));
    (a as { note?: string }).note = 'mine';
    const b = await failure(get(bad));
    assert.equal((b as { note?: string }).note, undefined);
    assert.equal(b.message, 'bad 1');
  });

  test('what is thrown and is no Error becomes one that shows it', { timeout: 10_000 }, async () => {
    const shown: Record<string, RegExp> = {
      text: /"just text"/,
      number: /17/,
      undefined: /undefined/,
      null: /null/,
      object: /Object/,
      function: /function|Function|=>/,
    };
    for (const [which, pattern] of Object.entries(shown)) {
      const error = await failure(throwsWhat(which).value);
      assert.ok(error instanceof TaskError, which);
      assert.match(error.message, pattern);
      assert.match(error.message, /throwsWhat/);
    }
    assert.equal((await failure(throwsWhat('number').value)).cause, 17);
    assert.deepEqual((await failure(throwsWhat('object').value)).cause, { code: 5 });
    assert.ok((await failure(throwsWhat('function').value)).cause instanceof CodecError);
    assert.match((await failure(rejectsOdd().value)).message, /"a string"/);
  });

  test('an error whose own fields cannot travel keeps its class and all the rest', { timeout: 10_000 }, async () => {
    const error = (await failure(withFunctionField().value)) as RangeError & { code: string; retry: unknown };
    assert.ok(error instanceof RangeError && !(error instanceof SheafError), error.constructor.name);
    assert.deepEqual([error.name, error.message, error.code], ['RangeError', 'carries a function', 'E_CARRY']);
    assert.deepEqual(Object.keys(error).sort(), ['code', 'retry']);
    assert.ok(error.cause instanceof TypeError && error.cause.message === 'why');
    assert.match(
      error.stack ?? '',
      /^RangeError: carries a function\n[\s\S]*errors\.test[\s\S]*in task withFunctionField/,
    );
    assert.ok(error.retry instanceof CodecError, String(error.retry));
    assert.match(error.retry.message, /^error\.retry: function retry can't be sent as a value/);
    assert.deepEqual(error.retry.details, { path: 'error.retry' });
    // Those that depend on it fail with the same.
    const dependent = (await failure(add(withFunctionField(), 1).value)) as typeof error;
    assert.ok(dependent instanceof RangeError && dependent.retry instanceof CodecError);
    assert.deepEqual([dependent.message, dependent.code], ['carries a function', 'E_CARRY']);
  });

  test('odd errors arrive as they are', { timeout: 10_000 }, async () => {
    assert.equal((await failure(frozen().value)).message, 'frozen');
    assert.equal((await failure(noStack().value)).message, 'no stack');
    const several = (await failure(aggregate().value)) as AggregateError;
    assert.ok(several instanceof AggregateError);
    assert.equal(several.message, 'several');
    assert.deepEqual(
      several.errors.map((each: Error) => [each.name, each.message]),
      [
        ['TypeError', 'one'],
        ['RangeError', 'two'],
      ],
    );
  });

  test('an argument that cannot travel is named with its path, at the call (line 5)', { timeout: 10_000 }, async () => {
    assert.throws(
      () => echo({ callbacks: { onDone: () => 1 } }),
      (error: Error) => error instanceof CodecError && /args\[0\]\.callbacks\.onDone: function/.test(error.message),
    );
    assert.throws(() => add(Symbol('x') as unknown as number, 1), /args\[0\]: Symbol\(x\)/);
    assert.throws(() => echo(new WeakMap()), CodecError);
    assert.throws(() => echo(Promise.resolve(1)), CodecError);
    assert.throws(() => put({ f: () => 1 }), /value\.f: function/);
    assert.equal(await add(1, 2).value, 3);
  });

  test('a result that cannot travel is named with its path (line 5)', { timeout: 10_000 }, async () => {
    const error = await failure(returnsFunction().value);
    assert.ok(error instanceof CodecError, String(error));
    assert.match(error.message, /result\.deep\[0\]\.callback: function/);
    assert.ok((await failure(returnsSymbol().value)) instanceof CodecError);
  });

  test('a worker lives on after failures of all kinds (line 5)', { timeout: 20_000 }, async () => {
    // One worker, so that there is no doubt which one it was; another one in its place would have another name.
    await using one = await connect({ cpus: 1, memory: '16MiB', ...hostOptions(isolation) });
    await one.run(async () => {
      const before = await whoRuns().value;
      for (const bad of [returnsFunction, returnsSymbol, rejectsOdd, frozen, noStack, withFunctionField, aggregate]) {
        await failure((bad as () => Ref<unknown>)().value);
        assert.deepEqual(await whoRuns().value, before, bad.name);
      }
      for (const which of ['text', 'undefined', 'object', 'function']) await failure(throwsWhat(which).value);
      assert.throws(() => echo(() => 1), CodecError);
      assert.deepEqual(await whoRuns().value, before);
    });
    const { retried, resubmitted } = one.stats().tasks;
    assert.deepEqual([retried, resubmitted], [0, 0], 'nothing had to run again');
  });

  test('errors of Sheaf keep their class and code when they pass through tasks', { timeout: 10_000 }, async () => {
    const passing = task(async (ref: Ref<unknown>[]) => (ref[0] as Ref<unknown>).value);
    const error = await failure(passing([returnsFunction() as Ref<unknown>]).value);
    assert.ok(error instanceof CodecError && error instanceof SheafError);
    assert.equal(error.code, 'ERR_SHEAF_CODEC');
    assert.equal((error.toJSON() as { name: string }).name, 'CodecError');
  });
});
