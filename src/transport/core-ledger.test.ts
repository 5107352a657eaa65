import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreLedger } from './core-ledger.rules.ts';

/** How many chances pass until the next one is taken. */
function skipped(ledger: CoreLedger): number {
  let n = 0;
  while (!ledger.affordable()) n++;
  return n;
}

const yes = (): boolean => true;
const never = (): never => assert.fail('asked for no slice');

test('a party stays awake from the start, and as long as it loses nothing', () => {
  const ledger = new CoreLedger();
  for (let i = 0; i < 1000; i++) {
    assert.ok(ledger.affordable());
    assert.equal(ledger.gaveAway(0.002, never), false);
  }
});

test('a lost slice costs chances in proportion, of which a longer one costs more, within a bound', () => {
  const after = (ms: number): number => {
    const ledger = new CoreLedger();
    assert.equal(ledger.gaveAway(ms, yes), true);
    return skipped(ledger);
  };
  assert.ok(after(3) >= 290 && after(3) <= 310, `${after(3)}`);
  assert.ok(after(6) > after(3));
  assert.ok(after(10_000) <= 5001, `${after(10_000)}`);
});

test('who is answered while awake can afford a slice now and then', () => {
  const ledger = new CoreLedger();
  for (let i = 0; i < 1000; i++) ledger.answered();
  assert.equal(ledger.gaveAway(3, yes), true);
  assert.equal(skipped(ledger), 0);
  // But what was saved long ago does not make up for one slice after another.
  for (let i = 0; i < 10; i++) ledger.gaveAway(3, yes);
  assert.ok(skipped(ledger) > 1000);
});

test('where the event loop has nothing else to do, a slice of others is no loss', () => {
  const ledger = new CoreLedger();
  for (let i = 0; i < 100; i++)
    assert.equal(
      ledger.gaveAway(3, () => false),
      false,
    );
  assert.equal(skipped(ledger), 0);
});
