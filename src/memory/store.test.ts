import assert from 'node:assert/strict';
import { fstatSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { libc, sharingWorks } from '../native/index.ts';
import { fds, SharedStore, type SlotRef, withFds } from './index.ts';
import { sumOf } from './sum.ts';

const MiB = 1024 * 1024;
const kinds = sharingWorks() ? (['processes', 'threads'] as const) : (['threads'] as const);
const open: SharedStore[] = [];
after(() => {
  for (const store of open) store.close();
});

function pair(between: 'processes' | 'threads', limit: number, warm = limit): [SharedStore, SharedStore] {
  const a = SharedStore.create({ limit, parties: 40, between, warm });
  const b = SharedStore.attach(a.handle, 33);
  open.push(b, a);
  return [a, b];
}

/** Collects until `done`, with turns of the event loop in between for the finalizers. */
async function collectUntil(store: SharedStore, done: () => boolean): Promise<void> {
  for (let i = 0; i < 20 && !done(); i++) {
    await sleep(1);
    store.collect();
  }
}

function random(byteLength: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let i = 0, x = seed | 1; i < byteLength; i++) {
    x = Math.imul(x, 1664525) + 1013904223;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

for (const between of kinds) {
  describe(`a store between ${between}`, () => {
    test('what one party writes another reads, by window and by view', () => {
      const [a, b] = pair(between, 4 * MiB);
      for (const n of [0, 1, 100, 5000, 65_536, 65_537, MiB + 3]) {
        const data = random(n, n);
        const ref = a.allocate(n);
        a.write(ref, 0, data);
        a.seal(ref);
        b.pin(ref);
        a.unpin(ref);
        assert.equal(b.byteLength(ref), n);
        assert.deepEqual(Buffer.from(b.bytes(ref)), Buffer.from(data));
        assert.deepEqual(Buffer.from(b.view(ref)), Buffer.from(data));
        assert.ok(b.view(ref) instanceof ArrayBuffer);
        assert.throws(() => b.write(ref, 0, data), { message: /sealed/ });
        b.unpin(ref);
      }
    });

    test('parts are written and viewed at their offsets, from every kind of view', () => {
      const [a, b] = pair(between, 4 * MiB);
      const ref = a.allocate(100_000);
      const floats = new Float64Array(2000).map((_, i) => i / 3);
      a.write(ref, 8, new Float64Array(floats.buffer, 800, 1500));
      a.write(ref, 40_000, new DataView(random(6000, 1).buffer, 10, 5000));
      const shared = new Uint8Array(new SharedArrayBuffer(8000)).fill(9);
      a.write(ref, 60_000, shared);
      b.pin(ref);
      assert.deepEqual(new Float64Array(b.view(ref, 8, 12_000)), floats.slice(100, 1600));
      assert.deepEqual(Buffer.from(b.view(ref, 40_000, 5000)), Buffer.from(random(6000, 1).subarray(10, 5010)));
      assert.deepEqual(Buffer.from(b.view(ref, 60_000, 8000)), Buffer.alloc(8000, 9));
      assert.throws(() => b.view(ref, 99_999, 2), { message: /100001 are not in object \d+, which has 100000 bytes/ });
      assert.throws(() => a.write(ref, 99_999, new Uint8Array(2)), { code: 'ERR_SHEAF_INTERNAL' });
    });

    test('a view keeps its object until it is garbage, and a part of it keeps the whole', async () => {
      const [a, b] = pair(between, 4 * MiB);
      const ref = a.allocate(MiB);
      a.write(ref, 0, new Uint8Array(MiB).fill(7));
      b.pin(ref);
      let part: Uint8Array | undefined = new Uint8Array(b.view(ref)).subarray(500, 600);
      b.unpin(ref);
      a.unpin(ref);
      await collectUntil(b, () => a.stats().objects === 0);
      assert.equal(a.stats().objects, 1);
      assert.equal(
        part.every((x) => x === 7),
        true,
      );
      part = undefined;
      await collectUntil(b, () => a.stats().objects === 0);
      assert.equal(a.stats().used, 0);
    });

    test('the same bytes are the same buffer, until they are those of another object', () => {
      const [a] = pair(between, 4 * MiB);
      const first = a.allocate(1000);
      const view = a.view(first, 8, 100);
      if (libc() !== undefined) assert.equal(a.view(first, 8, 100), view);
      assert.notEqual(a.view(first, 8, 99), view);
      assert.equal(a.view(first, 8, 99).byteLength, 99);
      assert.equal(a.view(first, 0, 0).byteLength, 0);
    });

    test('views that are garbage make room when there is none', async () => {
      const [a] = pair(between, 4 * MiB);
      (() => new Uint8Array(a.alloc(3 * MiB)).fill(1))();
      assert.throws(() => a.allocate(2 * MiB), { code: 'ERR_SHEAF_OUT_OF_MEMORY' });
      const before = a.pressure;
      await sleep(5);
      const ref = a.allocate(3 * MiB);
      assert.ok(a.pressure >= before);
      a.unpin(ref);
    });

    test('the buffer of a view leads back to its object, and one allocated in place is zeroed', () => {
      const [a] = pair(between, 4 * MiB);
      const dirty = a.allocate(MiB);
      a.write(dirty, 0, new Uint8Array(MiB).fill(255));
      a.unpin(dirty);
      const numbers = new Float64Array(a.alloc(80_000));
      assert.equal(numbers.length, 10_000);
      assert.ok(numbers.every((x) => x === 0));
      const found = a.slotOf(numbers.buffer);
      assert.equal(found?.offset, 0);
      numbers.fill(1.5);
      a.seal(found.slot);
      const part = a.view(found.slot, 800, 80);
      assert.deepEqual(a.slotOf(part), { slot: found.slot, offset: 800 });
      assert.deepEqual(new Float64Array(part), new Float64Array(10).fill(1.5));
      assert.equal(a.slotOf(new ArrayBuffer(8)), undefined);
    });

    test('an object that is gone can no longer be used, although its place is taken by another', () => {
      const [a, b] = pair(between, 4 * MiB);
      const old = a.allocate(10);
      a.unpin(old);
      const fresh = a.allocate(20);
      assert.equal(fresh.index, old.index);
      const uses: ((s: SharedStore) => unknown)[] = [
        (s) => s.bytes(old),
        (s) => s.pin(old),
        (s) => s.unpin(old),
        (s) => s.view(old),
        (s) => s.seal(old),
        (s) => s.byteLength(old),
        (s) => s.write(old, 0, new Uint8Array(1)),
      ];
      for (const use of uses) for (const s of [a, b]) assert.throws(() => use(s), { code: 'ERR_SHEAF_INTERNAL' });
      assert.throws(() => b.unpin(fresh), { message: /is not pinned by party 33/ });
      assert.throws(() => a.pin({ index: 1e9, generation: 1 }), { code: 'ERR_SHEAF_INTERNAL' });
      assert.equal(a.byteLength(fresh), 20);
    });

    test('no room: the hook is asked once, and the error has the numbers and what to do', () => {
      const [a] = pair(between, MiB);
      const first = a.allocate(600 * 1024);
      const asked: number[] = [];
      a.room.onPressure = (needed) => {
        asked.push(needed);
        return false;
      };
      assert.throws(() => a.allocate(500_000), {
        code: 'ERR_SHEAF_OUT_OF_MEMORY',
        message:
          'no room for 488.3 KiB in the shared memory of this node: 640 KiB of 1 MiB are in use by 1 objects, and the ' +
          'largest free piece has 384 KiB; release references that are no longer needed, or raise connect({ memory })',
        details: {
          requested: 500_000,
          used: 640 * 1024,
          limit: MiB,
          free: 384 * 1024,
          largestFree: 384 * 1024,
          objects: 1,
        },
      });
      assert.deepEqual(asked, [512 * 1024]);
      a.room.onPressure = () => {
        a.unpin(first);
        return true;
      };
      assert.ok(a.allocate(500_000));
      assert.throws(() => a.allocate(2 * MiB), {
        message: /one object can have 1 MiB at most: split the value, or raise/,
      });
      assert.throws(() => a.allocate(-1), { code: 'ERR_SHEAF_USAGE' });
    });

    test('the checksum finds a write to a sealed object', () => {
      const [a, b] = pair(between, 4 * MiB);
      const ref = a.allocate(MiB - 5);
      a.write(ref, 0, random(MiB - 5, 3));
      a.sealWithSum(ref);
      b.pin(ref);
      assert.equal(b.verify(ref), true);
      b.bytes(ref)[77_777]! ^= 1;
      assert.equal(b.verify(ref), false);
      assert.equal(a.verify(ref), false);
      const plain = a.allocate(10);
      a.seal(plain);
      assert.equal(a.verify(plain), true);
    });

    test('what exceeds the warm pool goes back to the system, and so does the rest on trim', () => {
      const [a, b] = pair(between, 64 * MiB, 8 * MiB);
      const resident = () => (a.handle.kind === 'memfd' ? fstatSync(a.handle.fd).blocks * 512 : undefined);
      const base = resident() ?? 0;
      const ref = b.allocate(40 * MiB);
      b.write(ref, 0, new Uint8Array(40 * MiB).fill(1));
      assert.ok((resident() ?? 40 * MiB) >= 40 * MiB);
      b.unpin(ref);
      assert.equal(a.stats().warm, (libc() === undefined ? 40 : 8) * MiB);
      assert.ok((resident() ?? 0) <= base + 9 * MiB);
      assert.equal(a.trim(MiB, 2 * MiB), 2 * MiB);
      assert.equal(a.trim(MiB), 5 * MiB);
      assert.equal(a.stats().warm, MiB);
      a.trim(0);
      assert.ok((resident() ?? 0) <= base + MiB);
      // What was given back reads as zero.
      const again = a.allocate(40 * MiB);
      assert.equal(sumOf(a.bytes(again)), sumOf(new Uint8Array(40 * MiB)));
      a.unpin(again);
    });

    test('after close every use is an error, closing again is not, and views stay readable', () => {
      const [a, b] = pair(between, 4 * MiB);
      const ref = a.allocate(MiB);
      b.pin(ref);
      const view = new Uint8Array(b.view(ref));
      const other = SharedStore.attach(a.handle, 2);
      other.pin(ref);
      other.close();
      other.close();
      assert.throws(() => other.stats(), { code: 'ERR_SHEAF_USAGE', message: /is closed; connect again/ });
      assert.equal(a.usedBy(2), 0);
      a.close();
      a.close();
      assert.throws(() => a.allocate(1), { message: /is closed/ });
      assert.throws(() => b.bytes(ref), { message: /is closed/ });
      assert.equal(b.usable, false);
      assert.equal(view.length, MiB);
      assert.equal(view[MiB - 1], 0);
      b.close();
    });

    test('contents and counts agree with a model under random use by three parties', () => {
      const step = fc.record({
        op: fc.constantFrom('allocate', 'allocate', 'pin', 'unpin', 'unpin', 'trim', 'reclaim'),
        party: fc.nat(2),
        n: fc.nat(400_000),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const root = SharedStore.create({ limit: 2 * MiB, parties: 3, between, warm: MiB / 2 });
          const stores = [root, SharedStore.attach(root.handle, 1), SharedStore.attach(root.handle, 2)];
          const model: { ref: SlotRef; seed: number; n: number; pins: number[] }[] = [];
          const drop = () => {
            for (let i = model.length; i-- > 0; ) if (model[i]!.pins.every((p) => p === 0)) model.splice(i, 1);
          };
          try {
            for (const { op, party, n } of steps) {
              const store = stores[party]!;
              const object = model[n % Math.max(1, model.length)];
              if (op === 'allocate') {
                let ref: SlotRef;
                try {
                  ref = store.allocate(n);
                } catch (e) {
                  assert.equal((e as { code?: string }).code, 'ERR_SHEAF_OUT_OF_MEMORY');
                  continue;
                }
                store.bytes(ref).fill(n & 255);
                store.seal(ref);
                model.push({ ref, seed: n & 255, n, pins: [0, 1, 2].map((p) => (p === party ? 1 : 0)) });
              } else if (op === 'trim') {
                store.trim(n);
              } else if (op === 'reclaim' && party > 0) {
                root.reclaimParty(party);
                stores[party] = SharedStore.attach(root.handle, party);
                for (const o of model) o.pins[party] = 0;
                drop();
              } else if (object !== undefined && op === 'pin') {
                store.pin(object.ref);
                object.pins[party]!++;
              } else if (object !== undefined && op === 'unpin' && object.pins[party]! > 0) {
                store.unpin(object.ref);
                object.pins[party]!--;
                drop();
              }
            }
            const pages = model.reduce((sum, o) => sum + Math.max(1, Math.ceil(o.n / 65_536)), 0);
            const stats = root.stats();
            assert.equal(stats.objects, model.length);
            assert.equal(stats.pinned, model.length);
            assert.equal(stats.used, pages * 65_536);
            assert.equal(stats.free, 2 * MiB - pages * 65_536);
            for (const o of model) assert.ok(stores[1]!.bytes(o.ref).every((x) => x === o.seed));
          } finally {
            for (const store of stores.reverse()) store.close();
          }
        }),
        { numRuns: 60 },
      );
    });

    test('an object of 3 GB fits a limit of 4 GiB, and objects fill further regions', async () => {
      const a = SharedStore.create({ limit: 5 * 1024 * MiB, parties: 2, between, warm: 0 });
      open.push(a);
      const big = a.allocate(3e9);
      assert.equal(a.byteLength(big), 3e9);
      const bytes = a.bytes(big);
      bytes[0] = 1;
      bytes[3e9 - 1] = 2;
      a.write(big, 3e9 - 10_000, new Uint8Array(9_000).fill(5));
      (() => {
        const last = new Uint8Array(a.view(big, 3e9 - 4096, 4096));
        assert.deepEqual([last[0], last[4095]], [5, 2]);
      })();
      assert.throws(() => a.allocate(2e9), { code: 'ERR_SHEAF_OUT_OF_MEMORY' });
      assert.throws(() => a.allocate(4.5e9), { message: /one object can have 4 GiB at most: split the value$/ });
      const second = a.allocate(1024 * MiB);
      const third = a.allocate(1024 * MiB);
      assert.deepEqual([a.address(big).region, a.address(second).region, a.address(third).region], [0, 0, 1]);
      a.bytes(third)[1024 * MiB - 1] = 9;
      assert.equal(new Uint8Array(a.view(third, 1024 * MiB - 1))[0], 9);
      a.unpin(big);
      await collectUntil(a, () => a.stats().objects === 2);
      assert.equal(a.stats().used, 2 * 1024 * MiB);
    });
  });
}

test('a handle between processes is plain data whose descriptors can be renumbered', { skip: !sharingWorks() }, () => {
  const [a] = pair('processes', MiB);
  const copy = JSON.parse(JSON.stringify(a.handle));
  assert.deepEqual(copy, a.handle);
  assert.equal(fds(a.handle).length, 1);
  assert.deepEqual(fds(withFds(copy, [42])), [42]);
});

test('the checksum is CRC-32, across the pieces in which it is computed', () => {
  assert.equal(sumOf(new TextEncoder().encode('123456789')), 0xcbf43926);
  const data = new Uint8Array(64 * MiB + 99).fill(7);
  data.set(random(100, 5), 64 * MiB - 50);
  assert.equal(sumOf(data), crc32(data));
});
