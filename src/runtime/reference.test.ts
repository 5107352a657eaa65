import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { ReleasedError, UsageError } from '../base/index.ts';
import { Cell, READY } from '../protocol/index.ts';
import type { Engine } from './engine.ts';
import { cellOf, type HandleHost, isReference, Reference } from './reference.ts';

class Host implements HandleHost {
  readonly dropped: Cell[] = [];
  asked = 0;
  closed = false;
  readonly engine = {} as Engine;

  promiseOf(): Promise<unknown> {
    this.asked++;
    return Promise.resolve(5);
  }

  read(): unknown {
    return 5;
  }

  need(): void {}

  drop(cell: Cell): void {
    this.dropped.push(cell);
  }

  promote(cell: Cell): string {
    cell.id = 'a'.repeat(40);
    return cell.id;
  }
}

function make(): { host: Host; cell: Cell; ref: Reference<number> } {
  const host = new Host();
  const cell = new Cell();
  return { host, cell, ref: new Reference<number>(host, cell) };
}

describe('a reference', () => {
  test('asks for its value once, and gets the same promise each time', async () => {
    const { host, ref } = make();
    assert.equal(ref.value, ref.value);
    assert.equal(await ref.value, 5);
    assert.equal(host.asked, 1);
  });

  test('is not thenable, so that it passes through async functions and Promise.all unchanged', async () => {
    const { ref } = make();
    assert.equal('then' in ref, false);
    assert.equal(await (async () => ref)(), ref);
    assert.deepEqual(await Promise.all([ref]), [ref]);
  });

  test('says why it can be neither cloned nor written as JSON', () => {
    const { ref } = make();
    assert.throws(() => structuredClone(ref), /aReferenceCannotBeClonedPassItToATaskOrUseItsValue/);
    assert.throws(() => structuredClone({ deep: [ref] }), /CannotBeCloned/);
    assert.throws(
      () => JSON.stringify({ ref }),
      (error) => error instanceof UsageError && /await ref\.value/.test(error.message),
    );
  });

  test('lets go once, however often it is released, and says afterwards where that was', () => {
    const { host, cell, ref } = make();
    ref.release();
    ref.release();
    ref[Symbol.dispose]();
    assert.deepEqual(host.dropped, [cell]);
    for (const use of [() => ref.id, () => ref.value, () => cellOf(ref)]) {
      assert.throws(use, (error) => error instanceof ReleasedError && /was released/.test(error.message));
    }
    assert.equal(Reference.isReleased(ref), true);
    // What is allowed of a released one.
    ref.ignore();
    assert.equal(Reference.peek(ref), cell);
  });

  test('of a session that is closed lets go of nothing', () => {
    const { host, ref } = make();
    host.closed = true;
    ref.release();
    assert.deepEqual(host.dropped, []);
  });

  test('that is watched and then released lets go once', () => {
    const { host, cell, ref } = make();
    Reference.watch(ref);
    Reference.watch(ref);
    ref.release();
    assert.deepEqual(host.dropped, [cell]);
  });

  test('ends with the task that it belonged to', () => {
    const { host, ref } = make();
    Reference.expire(ref, 'f');
    Reference.expire(ref, 'f');
    assert.equal(host.dropped.length, 1);
    assert.throws(() => ref.value, ReleasedError);
  });

  test('prints what it is, without being asked for its value', () => {
    const { host, cell, ref } = make();
    assert.equal(inspect(ref), 'Ref { private, pending }');
    cell.state = READY;
    assert.equal(ref.id, 'a'.repeat(40));
    assert.equal(inspect(ref), `Ref { ${'a'.repeat(40)}, settled }`);
    ref.release();
    assert.equal(inspect(ref), 'Ref { released }');
    assert.equal(host.asked, 0);
  });

  test('is told from everything else', () => {
    const { ref } = make();
    assert.equal(isReference(ref), true);
    for (const other of [
      null,
      undefined,
      1,
      'ref',
      {},
      { id: 'x', value: 1 },
      Object.create(ref),
      new Proxy(ref, {}),
      Reference,
      () => {},
    ]) {
      assert.equal(isReference(other), false);
    }
  });
});
