import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { types } from 'node:util';
import { errorTypes, SheafError, WorkerDiedError } from '../base/index.ts';
import { roundTrip } from './round-trip.ts';

describe('an error arrives', () => {
  for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    it(`as ${type.name}, with message, stack and cause`, () => {
      const error = new type('what happened', { cause: { deep: [1] } });
      const copy = roundTrip(error) as Error;
      assert.equal(Object.getPrototypeOf(copy), type.prototype);
      assert.ok(types.isNativeError(copy));
      assert.deepStrictEqual(Object.getOwnPropertyNames(copy).sort(), ['cause', 'message', 'stack']);
      assert.deepEqual(Object.keys(copy), []);
      assert.equal(copy.stack, error.stack);
      assert.equal(copy.message, 'what happened');
      assert.deepStrictEqual(copy.cause, { deep: [1] });
      assert.equal(String(copy), String(error));
    });
  }

  it('with the errors it gathers', () => {
    const copy = roundTrip(new AggregateError([new TypeError('a'), 5], 'both')) as AggregateError;
    assert.ok(copy instanceof AggregateError);
    assert.ok(copy.errors[0] instanceof TypeError);
    assert.equal(copy.errors[1], 5);
    assert.deepEqual(Object.keys(copy), []);
  });

  it('with no more than it had', () => {
    const error = new Error();
    assert.ok(!Object.hasOwn(roundTrip(error) as Error, 'message'));
    assert.ok(!('cause' in (roundTrip(error) as Error)));
    assert.ok('cause' in (roundTrip(new Error('x', { cause: undefined })) as Error));
  });

  it('with the fields of a system error', () => {
    const error = Object.assign(new Error('ENOENT: no such file'), {
      code: 'ENOENT',
      errno: -2,
      path: '/x',
      __proto__x: 1,
    });
    const copy = roundTrip(error) as Error;
    assert.deepStrictEqual({ ...copy }, { ...error });
  });

  it('of an unknown class as its nearest built-in one, with its name and fields', () => {
    class HttpError extends TypeError {
      readonly status: number;
      constructor(status: number) {
        super(`status ${status}`);
        this.name = 'HttpError';
        this.status = status;
      }
    }
    const copy = roundTrip(new HttpError(404)) as HttpError;
    assert.equal(Object.getPrototypeOf(copy), TypeError.prototype);
    assert.equal(copy.name, 'HttpError');
    assert.equal(copy.status, 404);
    class Named extends Error {
      override get name() {
        return 'FromPrototype';
      }
    }
    assert.equal((roundTrip(new Named('x')) as Error).name, 'FromPrototype');
  });

  for (const [name, type] of Object.entries(errorTypes)) {
    it(`as our ${name}, with code, details and cause`, () => {
      const error = new type('what', { code: 'ERR_X', details: { node: 3 }, cause: new RangeError('why') });
      const copy = roundTrip(error) as SheafError;
      assert.equal(Object.getPrototypeOf(copy), type.prototype);
      assert.ok(copy instanceof type && copy instanceof SheafError && types.isNativeError(copy));
      assert.deepStrictEqual(copy.toJSON(), error.toJSON());
      assert.equal(copy.stack, error.stack);
      assert.deepEqual(Object.keys(copy), Object.keys(error));
    });
  }

  it('of a class below ours without running a constructor', () => {
    let constructed = 0;
    class Special extends WorkerDiedError {
      constructor() {
        super('special');
        constructed++;
      }
    }
    const copy = roundTrip(new Special()) as SheafError;
    assert.equal(Object.getPrototypeOf(copy), WorkerDiedError.prototype);
    assert.equal(constructed, 1);
  });

  it('as the abort of a signal', () => {
    const { reason } = AbortSignal.abort() as { reason: DOMException };
    const copy = roundTrip(reason) as DOMException;
    assert.ok(copy instanceof DOMException);
    assert.deepEqual([copy.name, copy.message, copy.code], [reason.name, reason.message, 20]);
    assert.equal(copy.stack, reason.stack);
  });

  it('whatever the program has set to format stacks', () => {
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = (_, sites) => sites;
    try {
      const copy = roundTrip(new Error('x')) as Error;
      assert.equal(copy.message, 'x');
    } finally {
      Error.prepareStackTrace = before;
    }
  });
});
