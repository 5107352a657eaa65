import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Silence } from './silence.rules.ts';

describe('when a wait explains itself', () => {
  it('is once, when nothing has come in for as long as was said', () => {
    const silence = new Silence(10_000);
    assert.equal(silence.pause, 2500);
    silence.begin(0, 7);
    for (const now of [2500, 5000, 7500, 9999]) assert.equal(silence.look(now, 7), undefined, `${now}`);
    assert.equal(silence.look(10_000, 7), 10_000);
    assert.equal(silence.look(99_000, 7), undefined, 'it has been told');
    assert.equal(silence.look(100_000, 8), undefined, 'something has come');
    assert.equal(silence.look(109_000, 8), undefined);
    assert.equal(silence.look(111_000, 8), 11_000);
  });

  it('counts from when somebody began to wait', () => {
    const silence = new Silence(10_000);
    silence.begin(0, 7);
    silence.begin(60_000, 7);
    assert.equal(silence.look(62_500, 7), undefined);
    assert.equal(silence.look(70_000, 7), 10_000);
  });

  it('is never, when it is switched off', () => {
    const silence = new Silence(0);
    silence.begin(0, 1);
    assert.equal(silence.pause, undefined);
    for (const now of [0, 1, 1e9]) assert.equal(silence.look(now, 1), undefined);
  });

  it('never tells of a silence that was not, and of each that lasts, whenever things come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4000), { maxLength: 30 }), fc.integer({ min: 1, max: 5000 }), (gaps, after) => {
        const silence = new Silence(after);
        const pause = silence.pause as number;
        silence.begin(0, 0);
        let at = 0;
        const arrivals = gaps.map((gap) => (at += gap));
        const end = at + 3 * after;
        const told: number[] = [];
        for (let now = 0; now <= end; now += pause) {
          const come = arrivals.filter((time) => time <= now);
          const silent = silence.look(now, come.length);
          if (silent === undefined) continue;
          told.push(now);
          const last = come.at(-1) ?? 0;
          assert.ok(now - last >= silent && silent >= after, 'it was not silent for so long');
        }
        const lasting = [0, ...arrivals].filter((time, i, all) => (all[i + 1] ?? end) - time >= after + 2 * pause);
        for (const time of lasting) {
          assert.ok(
            told.some((now) => now > time && now <= time + after + 2 * pause),
            `of the silence from ${time}`,
          );
        }
      }),
    );
  });
});
