import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, get, type Ref, task } from 'sheaf';
import { hosts, LIMIT, within } from './support.ts';

const PATIENCE_MS = 60_000;
const MANY = 4000;
const FEW = 5;

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const many = task((ms: number) => spin(ms));
const few = task((ms: number) => {
  spin(ms);
  return 1;
});
const elsewhere = task(
  async (count: number, ms: number) => (await get(Array.from({ length: count }, () => few(ms)))).length,
  { cpus: 0 },
);

/** Queues what takes at least ten seconds, and then asks for a few calls: how many of the many were over before those? */
async function passed(isolation: 'process' | 'thread', ms: number, ask: () => Promise<unknown>): Promise<number> {
  const session = await connect({ cpus: 2, isolation });
  try {
    let over = 0;
    const refs: Ref<void>[] = [];
    for (let i = 0; i < MANY; i++) {
      const ref = many(ms);
      ref.ignore();
      refs.push(ref);
    }
    // Their cost is known by then, and each worker has several of them before it.
    await within(PATIENCE_MS, get(refs.slice(0, 20)));
    for (const ref of refs.slice(20)) {
      ref.value.then(
        () => over++,
        () => {},
      );
    }
    await within(PATIENCE_MS, ask());
    return over;
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

for (const isolation of hosts) {
  test(`a few calls of one function do not wait for the many of another (${isolation})`, LIMIT, async () => {
    const over = await passed(isolation, 5, () => get(Array.from({ length: FEW }, () => few(5))));
    assert.ok(over < MANY / 8, `${over} of ${MANY} went before them`);
  });

  test(`nor do short ones wait for long ones, or long ones for short ones (${isolation})`, LIMIT, async () => {
    const behindLong = await passed(isolation, 20, () => get(Array.from({ length: 50 }, () => few(0))));
    assert.ok(behindLong < MANY / 8, `${behindLong} long ones of ${MANY} went before the short ones`);
    const behindShort = await passed(isolation, 5, () => get(Array.from({ length: FEW }, () => few(50))));
    assert.ok(behindShort < MANY / 8, `${behindShort} short ones of ${MANY} went before the long ones`);
  });

  test(`nor do those of another caller, or with other resources (${isolation})`, LIMIT, async () => {
    const otherCaller = await passed(isolation, 5, () => elsewhere(FEW, 5).value);
    assert.ok(otherCaller < MANY / 8, `${otherCaller} of ${MANY} went before those of another caller`);
    const half = few.with({ cpus: 0.5 });
    const otherShape = await passed(isolation, 5, () => get(Array.from({ length: FEW }, () => half(5))));
    assert.ok(otherShape < MANY / 8, `${otherShape} of ${MANY} went before those with other resources`);
  });
}
