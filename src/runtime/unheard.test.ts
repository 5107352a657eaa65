import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Unheard, uncaught } from './unheard.rules.ts';

const SIGINT = 1 << 1;
const SIGTERM = 1 << 14;
const status = (caught: string): string =>
  `Name:\tnode\nSigBlk:\t0000000000000000\nSigIgn:\t0000000001001000\nSigCgt:\t${caught}\nCapInh:\t0000000000000000\n`;

test('a signal is waiting when it is guarded and its handler is gone', () => {
  assert.equal(uncaught(SIGINT | SIGTERM, status('0000000188004403')), 0);
  assert.equal(uncaught(SIGINT | SIGTERM, status('0000000188004401')), SIGINT);
  assert.equal(uncaught(SIGINT | SIGTERM, status('0000000188000402')), SIGTERM);
  assert.equal(uncaught(SIGTERM, status('0000000188004401')), 0, 'not guarded');
  assert.equal(uncaught(0, status('0000000000000000')), 0);
  assert.equal(uncaught(SIGINT, status('0002')), 0, 'short');
  assert.equal(uncaught(SIGINT, ''), 0, 'a system that says nothing');
});

test('a program is told of a signal, and ended when it was seen waiting three times in a row', () => {
  const unheard = new Unheard();
  assert.deepEqual(
    [false, true, true, false, true, true, true].map((waiting) => unheard.look(waiting)),
    [undefined, 'tell', undefined, undefined, 'tell', undefined, 'end'],
  );
});
