import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { callSiteOf, describeSite, releaseSite, userFrame } from './sites.ts';

const none = (): void => {};
const here = /sites\.test\.(?:ts|mjs|js):\d+:\d+$/;

function release(): ReturnType<typeof releaseSite> {
  return releaseSite(release, 1);
}

test("calls and releases do not take each other's places", async () => {
  await turn();
  const calls = Array.from({ length: 100 }, () => callSiteOf(none));
  const releases = Array.from({ length: 100 }, () => release());
  const taken = (sites: readonly unknown[]): number => sites.filter((site) => site !== undefined).length;
  assert.equal(taken(calls), 8);
  assert.equal(taken(releases), 64);
  await turn();
  assert.notEqual(callSiteOf(none), undefined);
  assert.notEqual(release(), undefined);
});

test('the place is that of the caller, and what is not known says so', async () => {
  await turn();
  assert.match(userFrame(release()) ?? '', here);
  assert.match(describeSite(release()), /^at .*sites\.test/);
  assert.match(describeSite(undefined), /too much happened at once/);
  assert.equal(describeSite({ stack: 'Error\n    at node:internal/x:1:1' }), '(where is not known)');
});

test("a compiler's helper for `using` is not the place", () => {
  for (const helper of ['__callDispose', '__disposeResources', 'Object.__sheafEnd']) {
    const stack = `Error
    at next (file:///home/ada/main.js:36:48)
    at ${helper} (file:///home/ada/main.js:48:16)
    at f (file:///home/ada/main.js:66:5)`;
    assert.equal(userFrame({ stack }), '/home/ada/main.js:66:5');
  }
});
