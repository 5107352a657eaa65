import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statsOf } from './accounts.ts';
import { audit } from './audit.ts';
import { H_DIRTY, H_FREE, H_FREE_SLOT, H_LOW, H_SPILLED, H_WARM, PAGE, S_STATE } from './layout.ts';
import { USE } from './pins.ts';
import { isPresent, RESIDENCE_NAMES, residenceAfter, SPILLED } from './residence.rules.ts';
import { type Copy, type FileRef, pagesOf, Residence } from './residence.ts';
import { statesDuring, tables } from './table.fixture.ts';
import { type SlotRef, Table } from './table.ts';

const stateOf = (table: Table, ref: SlotRef) => table.words[table.live(ref) + S_STATE]!;

function sealed(table: Table, pages: number): SlotRef {
  const ref = table.allocate(pages, pages * PAGE)!;
  table.seal(ref);
  return ref;
}

/** As the spiller does it, without a disk. */
function copyOut(residence: Residence, table: Table, refs: readonly SlotRef[]): FileRef {
  const file = residence.newFile()!;
  for (const ref of refs) assert.ok(residence.keep(ref));
  residence.copied(
    file,
    refs.map((ref, i) => ({ ref, at: i * 100, sum: i + 7 })),
  );
  for (const ref of refs) table.unpin(ref, USE);
  return file;
}

test('an object leaves memory with its copy, and comes back to other pages', () => {
  const { table, words, layout } = tables(8, 3);
  const [control, a, b] = [0, 1, 2].map(table) as [Table, Table, Table];
  const residence = new Residence(control);
  const ref = sealed(a, 3);
  const file = copyOut(residence, control, [ref]);
  assert.ok(residence.evict(ref));
  assert.equal(stateOf(control, ref), SPILLED);
  assert.equal(statsOf(control).free, 8 * PAGE);
  assert.equal(statsOf(control).spilled, 3 * PAGE);
  const squatter = b.allocate(2, 1)!;
  assert.equal(b.use(ref), false);
  const reader = new Residence(b);
  assert.deepEqual(reader.arrive(ref), { file, at: 0, length: 3 * PAGE, sum: 7 });
  assert.equal(new Residence(a).arrive(ref), 'coming');
  reader.arrived(ref, true);
  assert.ok(isPresent(stateOf(b, ref)));
  assert.equal(b.firstPage(ref), 2);
  assert.equal(residence.evict(ref), false, 'somebody uses it');
  b.unpin(ref, USE);
  assert.ok(residence.evict(ref), 'its copy is as good as ever');
  assert.deepEqual(residence.emptyFiles(), []);
  a.unpin(ref);
  assert.deepEqual(residence.emptyFiles(), [file]);
  residence.forgetFile(file);
  assert.deepEqual(residence.emptyFiles(), []);
  b.unpin(squatter);
  assert.deepEqual(audit(words, layout), []);
  assert.equal(statsOf(control).spilled, 0);
});

test('a file is empty when the last of the objects in it is gone, and files have names of their own', () => {
  const { table } = tables(8, 2);
  const [control, a] = [0, 1].map(table) as [Table, Table];
  const residence = new Residence(control);
  const refs = [sealed(a, 1), sealed(a, 1), sealed(a, 1)];
  const first = copyOut(residence, control, refs.slice(0, 2));
  const second = copyOut(residence, control, refs.slice(2));
  assert.notEqual(first.serial, second.serial);
  const before = residence.emptied;
  a.unpin(refs[0]!);
  assert.equal(residence.emptied, before);
  a.unpin(refs[1]!);
  assert.notEqual(residence.emptied, before);
  assert.deepEqual(residence.emptyFiles(), [first]);
  residence.forgetFile(first);
  const third = residence.newFile()!;
  assert.equal(third.index, first.index);
  assert.ok(third.serial > second.serial);
});

test('there is a place for many more objects on disk than fit into memory, and then no more room', () => {
  const { table } = tables(4, 2);
  const [control, a] = [0, 1].map(table) as [Table, Table];
  const residence = new Residence(control);
  const refs: SlotRef[] = [];
  for (let round = 0; round < 16; round++) {
    const some = [1, 2, 3, 4].map(() => sealed(a, 1));
    copyOut(residence, control, some);
    for (const ref of some) assert.ok(residence.evict(ref));
    refs.push(...some);
  }
  assert.equal(statsOf(control).objects, 64);
  let more = 0;
  for (;;) {
    const ref = a.allocate(1, 1);
    if (ref === undefined) break;
    a.seal(ref);
    copyOut(residence, control, [ref]);
    residence.evict(ref);
    refs.push(ref);
    more++;
  }
  assert.ok(more >= 4, `${more}`);
  for (const ref of refs) a.unpin(ref);
  assert.equal(statsOf(control).objects, 0);
  assert.ok(a.allocate(4, 1), 'all is as it was');
});

test('what is not meant to happen is an error that says so', () => {
  assert.throws(() => residenceAfter(SPILLED, 'evicted'), {
    code: 'ERR_SHEAF_INTERNAL',
    message: /an object that is SPILLED can't be evicted/,
  });
  const { table } = tables(4, 1);
  const me = table(0);
  const residence = new Residence(me);
  const ref = sealed(me, 1);
  copyOut(residence, me, [ref]);
  residence.evict(ref);
  assert.throws(() => me.firstPage(ref), { message: /is looked at while it is not in memory/ });
});

test('a death at any step of leaving or coming back loses no object, no page and no count', () => {
  const { layout, words, table } = tables(40, 34);
  const control = table(0);
  const other = table(5);
  const spiller = new Residence(control);
  const kept = [sealed(other, 3), sealed(other, 4), sealed(other, 5)] as const;
  copyOut(spiller, control, kept);
  for (const ref of kept.slice(0, 2)) assert.ok(spiller.evict(ref));
  const victim = table(33);
  const its = new Residence(victim);
  const states = statesDuring(words, () => {
    victim.use(kept[0]);
    assert.equal(typeof its.arrive(kept[0]), 'object');
    its.arrived(kept[0], true);
    victim.use(kept[1]);
    assert.equal(typeof its.arrive(kept[1]), 'object');
    its.arrived(kept[1], false);
    victim.use(kept[2]);
    victim.unpin(kept[2], USE);
    its.evict(kept[2]);
    victim.unpin(kept[0], USE);
    its.evict(kept[0]);
    const own = sealed(victim, 6);
    const file = its.newFile()!;
    its.keep(own);
    its.copied(file, [{ ref: own, at: 0, sum: 1 }]);
    victim.unpin(own, USE);
    its.evict(own);
    victim.unpin(own);
  });
  assert.ok(states.length > 100);
  for (const state of states) {
    if (state[H_DIRTY] === 1) {
      for (const at of [H_FREE, H_WARM, H_FREE_SLOT, H_LOW, H_SPILLED]) state[at] = 12345;
      state.fill(0x5a5a5a5a, layout.freeAt, layout.touchedAt);
    }
    state[layout.partyAt + 1] = 0; // The control thread attaches anew.
    const reclaimer = new Table(state, layout, 0);
    reclaimer.reclaimUnsealed(33);
    assert.deepEqual(audit(state, layout), []);
    // One that was about to leave stays: whoever takes the lock next sees to that.
    statsOf(reclaimer);
    const residence = new Residence(reclaimer);
    for (const ref of kept) {
      const now = stateOf(reclaimer, ref);
      assert.ok(isPresent(now) || now === SPILLED, RESIDENCE_NAMES[now as 0]);
      // Whatever it was in the middle of, others get it, and are not told that somebody else is reading.
      if (reclaimer.use(ref)) continue;
      const arrival = residence.arrive(ref) as Copy;
      assert.equal(arrival.length, reclaimer.byteLength(ref));
      residence.arrived(ref, true);
    }
    reclaimer.reclaim(33);
    assert.deepEqual(audit(state, layout), []);
    const stats = statsOf(reclaimer);
    assert.deepEqual([stats.used, stats.spilled, stats.objects], [12 * PAGE, 0, 3]);
    const files = residence.emptyFiles().length;
    for (const ref of kept) reclaimer.unpin(ref, USE);
    const observer = state.slice();
    assert.deepEqual(audit(observer, layout), []);
    state[layout.partyAt + 5 * 8 + 1] = 0;
    reclaimer.reclaim(5);
    assert.equal(statsOf(reclaimer).objects, 0);
    assert.equal(residence.emptyFiles().length, files + 1, 'nobody needs the first file any more');
  }
});

/** Mulberry32 (Tommy Ettinger, public domain algorithm). */
function randomOf(seed: number): (n: number) => number {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const PAGES = 24;
const PARTIES = 6;

/** What is going on with one object, as a perfect observer knows it. */
interface Known {
  readonly ref: SlotRef;
  readonly mark: number;
  readonly holders: Set<number>;
  /** Those who have been told that it is in memory, and have not said that they are done. */
  readonly users: Set<number>;
}

/** A party that is reading an object back: between `arrive` and `arrived`. */
interface Reading {
  readonly party: number;
  readonly known: Known;
  readonly copy: Copy;
}

/** The spiller's work: between `keep` and `copied`. */
interface Writing {
  readonly file: FileRef;
  readonly objects: Known[];
}

/** Random work of several parties, step by step, with deaths at any of them; pages and files have marks instead of bytes. */
function simulate(seed: number): void {
  const random = randomOf(seed);
  const { table, words, layout } = tables(PAGES, PARTIES);
  const parties = Array.from({ length: PARTIES }, (_, i) => table(i));
  const residences = parties.map((each) => new Residence(each));
  const memory = new Int32Array(PAGES);
  const disk = new Map<number, Map<number, number>>();
  let objects: Known[] = [];
  let readings: Reading[] = [];
  const writings: Writing[] = [];
  let marks = 0;
  const control = parties[0]!;
  const spiller = residences[0]!;
  const party = () => 1 + random(PARTIES - 1);
  const some = <T>(list: readonly T[]): T | undefined => (list.length === 0 ? undefined : list[random(list.length)]);
  const mine = (p: number) => objects.filter((each) => each.holders.has(p));
  const forgetIfGone = (known: Known) => {
    const writing = writings.some((each) => each.objects.includes(known));
    const reading = readings.some((each) => each.known === known);
    if (known.holders.size + known.users.size === 0 && !writing && !reading) {
      objects = objects.filter((each) => each !== known);
      assert.throws(() => control.live(known.ref));
    }
  };
  const fill = (ref: SlotRef, mark: number) => {
    const start = control.firstPage(ref);
    memory.fill(mark, start, start + pagesOf(control.byteLength(ref)));
  };

  const steps: (() => void)[] = [
    function allocate() {
      const p = party();
      const pages = 1 + random(5);
      const ref = parties[p]!.allocate(pages, pages * PAGE);
      if (ref === undefined) return;
      const known = { ref, mark: ++marks, holders: new Set([p]), users: new Set<number>() };
      fill(ref, known.mark);
      parties[p]!.seal(ref);
      objects.push(known);
    },
    function hold() {
      const known = some(objects.filter((each) => each.holders.size > 0));
      const p = party();
      if (known === undefined || known.holders.has(p)) return;
      parties[p]!.pin(known.ref);
      known.holders.add(p);
    },
    function drop() {
      const p = party();
      const known = some(mine(p));
      if (known === undefined) return;
      parties[p]!.unpin(known.ref);
      known.holders.delete(p);
      forgetIfGone(known);
    },
    function use() {
      const p = party();
      const known = some(mine(p));
      if (known === undefined || known.users.has(p) || readings.some((each) => each.party === p)) return;
      if (parties[p]!.use(known.ref)) {
        known.users.add(p);
        return;
      }
      const arrival = residences[p]!.arrive(known.ref);
      if (arrival === 'coming')
        assert.ok(
          readings.some((each) => each.known === known),
          'somebody alive is reading it',
        );
      if (arrival === 'present') known.users.add(p);
      else if (arrival === 'coming' || arrival === 'no room') parties[p]!.unpin(known.ref, USE);
      else readings.push({ party: p, known, copy: arrival });
    },
    function unuse() {
      const known = some(objects.filter((each) => each.users.size > 0));
      if (known === undefined) return;
      const p = some([...known.users])!;
      parties[p]!.unpin(known.ref, USE);
      known.users.delete(p);
      forgetIfGone(known);
    },
    function read() {
      const reading = some(readings);
      if (reading === undefined) return;
      const { party: p, known, copy } = reading;
      readings = readings.filter((each) => each !== reading);
      const mark = disk.get(copy.file.serial)?.get(copy.at);
      assert.equal(mark, known.mark, 'the file has what was written');
      const fails = random(4) === 0;
      if (!fails) fill(known.ref, known.mark);
      residences[p]!.arrived(known.ref, !fails);
      if (fails) {
        parties[p]!.unpin(known.ref, USE);
        forgetIfGone(known);
      } else known.users.add(p);
    },
    function beginSpilling() {
      if (writings.length >= 2) return;
      const names = new Set(writings.flatMap((each) => each.objects.map(({ mark }) => mark)));
      const residents = spiller.residents(0).filter((each) => each.idle && !each.copied);
      const chosen = objects.filter(
        (each) =>
          !names.has(each.mark) &&
          residents.some(({ ref }) => ref.index === each.ref.index && ref.generation === each.ref.generation),
      );
      if (chosen.length === 0) return;
      const batch = chosen.slice(0, 1 + random(4)).filter(({ ref }) => spiller.keep(ref));
      const file = spiller.newFile()!;
      disk.set(file.serial, new Map());
      writings.push({ file, objects: batch });
    },
    function endSpilling() {
      const writing = some(writings);
      if (writing === undefined) return;
      writings.splice(writings.indexOf(writing), 1);
      const fails = random(4) === 0;
      const copies = writing.objects.map((known, i) => ({ ref: known.ref, at: i * 10, sum: 0 }));
      if (!fails) {
        writing.objects.forEach((known, i) => {
          const start = control.firstPage(known.ref);
          disk.get(writing.file.serial)!.set(i * 10, memory[start]!);
        });
        spiller.copied(writing.file, copies);
      }
      for (const { ref } of writing.objects) control.unpin(ref, USE);
      if (!fails) for (const { ref } of writing.objects) spiller.evict(ref);
      for (const known of writing.objects) forgetIfGone(known);
    },
    function evict() {
      // By one who needs room.
      const p = party();
      const resident = some(residences[p]!.residents().filter((each) => each.idle && each.copied));
      if (resident !== undefined) residences[p]!.evict(resident.ref);
    },
    function sweep() {
      for (const file of spiller.emptyFiles()) {
        if (writings.some((each) => each.file.serial === file.serial)) continue;
        disk.delete(file.serial);
        spiller.forgetFile(file);
      }
    },
    function die() {
      if (random(3) !== 0) return;
      const p = party();
      if (random(2) === 0) control.reclaimUnsealed(p);
      control.reclaim(p);
      readings = readings.filter((each) => each.party !== p);
      for (const known of [...objects]) {
        known.holders.delete(p);
        known.users.delete(p);
      }
      for (const known of [...objects]) forgetIfGone(known);
      parties[p] = table(p);
      residences[p] = new Residence(parties[p]!);
    },
  ];

  for (let step = 0; step < 120; step++) {
    some(steps)!();
    assert.deepEqual(audit(words, layout), []);
    for (const { ref, mark, users } of objects) {
      if (users.size === 0) continue;
      const start = control.firstPage(ref);
      const there = memory.subarray(start, start + pagesOf(control.byteLength(ref)));
      assert.ok(
        there.every((each) => each === mark),
        `object ${mark} is in use and has other bytes`,
      );
    }
  }
  // All of them let go: nothing is left, in memory or on disk.
  for (let p = 1; p < PARTIES; p++) control.reclaim(p);
  for (const { objects: batch } of writings) for (const { ref } of batch) control.unpin(ref, USE);
  const stats = statsOf(control);
  assert.deepEqual([stats.objects, stats.used, stats.spilled, spiller.spilled], [0, 0, 0, 0]);
  const files = spiller.emptyFiles();
  assert.deepEqual(new Set(files.map(({ serial }) => serial)), new Set(disk.keys()));
}

test('five thousand random lives of objects, with deaths at every step, lose nothing and mix nothing up', () => {
  for (let seed = 1; seed <= 5000; seed++) {
    try {
      simulate(seed);
    } catch (error) {
      throw new Error(`with seed ${seed}`, { cause: error });
    }
  }
});
