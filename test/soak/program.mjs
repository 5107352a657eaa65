// Random programs with known results. A program is a list of steps; a step has a reference, what it must become, and what may
// befall it instead. The same seed gives the same program; when workers die in it, and who wins which race, is left to chance.
import { setTimeout as sleep } from 'node:timers/promises';
import { all, asCompleted, cancel, current, get, put, task, wait } from 'sheaf';
import { actorStream, gathered, ledger, named } from './actors.mjs';
import { causes, join, make, mix, randomOf, same } from './values.mjs';

/** Scenarios with actors, in one program. */
const MOST_ACTORS = 4;
const SIZES = [0, 0, 0, 10, 1_000, 20_000, 60_000];

// ---- tasks; each can be run again

const robust = { retries: 1_000 };
const leaf = task((seed, size) => make(seed, size), robust);
const sum = task((seed, size, ...parts) => join(seed, size, parts), robust);
const listed = task(async (seed, size, refs) => join(seed, size, await get(refs)), robust);
const waited = task(async (seed, size, refs) => {
  let pending = refs;
  while (pending.length > 0) ({ pending } = await wait(pending));
  return join(seed, size, await get(refs));
}, robust);
const tree = task(async (seed, size, depth) => {
  if (depth === 0) return make(seed, size);
  const parts = await get([tree(mix(seed, 1), 0, depth - 1), tree(mix(seed, 2), size, depth - 1)]);
  return join(seed, size, parts);
}, robust);
const handsOn = task((seed, size) => leaf(seed, size), robust);
const handsOut = task((seed, size) => [put(make(seed, size)), leaf(mix(seed, 7), size)], robust);
const late = task(async (seed, size, ms) => {
  await sleep(ms);
  return make(seed, size);
}, robust);
const throws = task((seed) => {
  throw new RangeError(`wrong by ${seed}`);
});
const dies = task((seed) => {
  if (current().attempt === 0) process.exit(3);
  return make(seed, 0);
}, robust);
const items = task(function* (seed, size, n) {
  for (let i = 0; i < n; i++) yield make(mix(seed, i), size);
}, robust);
const laterItems = task(async function* (seed, size, n) {
  for (let i = 0; i < n; i++) {
    if (i % 3 === 0) await sleep(1);
    yield make(mix(seed, i), size);
  }
}, robust);

const treeOf = (seed, size, depth) =>
  depth === 0
    ? make(seed, size)
    : join(seed, size, [treeOf(mix(seed, 1), 0, depth - 1), treeOf(mix(seed, 2), size, depth - 1)]);

// ---- programs

/** What may happen to a step besides its result. */
const LOST = ['OwnerDiedError', 'ObjectLostError', 'WorkerDiedError'];

/** Runs one random program; throws when anything came out that may not. */
export class Program {
  #random;
  /** @type {{ what: string, ref: unknown, expected?: unknown, fails?: string, may: Set<string> }[]} */
  #steps = [];
  #side = [];
  #actors = 0;

  /** `world`: the session, the `isolation` of its workers, a folder for `marks`; `calm`: none of its workers die by chance. */
  constructor(seed, world) {
    this.#random = randomOf(seed);
    this.world = world;
  }

  get steps() {
    return this.#steps.length;
  }

  int = (n) => Math.floor(this.#random() * n);
  pick = (list) => list[this.int(list.length)];

  /** `owned`: what it gives belongs to a worker, and goes with it. */
  #add(what, ref, expected, { from = [], fails, owned = false } = {}) {
    const may = new Set(owned ? LOST : []);
    for (const each of from) {
      for (const name of each.may) may.add(name);
      fails ??= each.fails;
    }
    this.#steps.push({ what, ref, expected, fails, may });
  }

  #inputs() {
    return Array.from({ length: 1 + this.int(3) }, () => this.pick(this.#steps));
  }

  /** One more step, of a kind chosen by chance. */
  step() {
    const seed = this.int(2 ** 31);
    const size = this.pick(SIZES);
    const first = this.#steps.length === 0;
    const kind = first ? 0 : this.int(14);
    switch (kind) {
      case 0:
        return this.#add('put', put(make(seed, size)), make(seed, size));
      case 1:
      case 2:
        return this.#add('leaf', leaf(seed, size), make(seed, size));
      case 3:
      case 4: {
        const from = this.#inputs();
        const refs = from.map((each) => each.ref);
        return this.#add('sum', sum(seed, size, ...refs), this.#joined(seed, size, from), { from });
      }
      case 5:
      case 6: {
        const from = this.#inputs();
        const fn = kind === 5 ? listed : waited;
        // `wait` takes each once.
        const unique = [...new Set(from)];
        const refs = unique.map((each) => each.ref);
        return this.#add('listed', fn(seed, size, refs), this.#joined(seed, size, unique), { from: unique });
      }
      case 7: {
        const depth = 1 + this.int(3);
        return this.#add('tree', tree(seed, size, depth), treeOf(seed, size, depth));
      }
      case 8:
        return this.#add('handsOn', handsOn(seed, size), make(seed, size), { owned: true });
      case 9: {
        const ref = late(seed, size, this.int(30));
        this.#add('late', ref, make(seed, size));
        if (this.int(2) === 0) {
          const step = this.#steps.at(-1);
          step.may.add('CancelledError');
          this.#side.push(sleep(this.int(30)).then(() => cancel(ref)));
        }
        return;
      }
      case 10:
        return this.#add('throws', throws(seed), undefined, { fails: `wrong by ${seed}` });
      case 11:
        if (this.world.calm) return this.#add('leaf', leaf(seed, size), make(seed, size));
        return this.#add('dies', dies(seed), make(seed, 0));
      case 12:
        // Each has a worker of its own or two: there are not many at a time.
        if (this.#actors < MOST_ACTORS && this.int(2) === 0) {
          this.#actors++;
          this.#side.push(this.pick([ledger, ledger, ledger, actorStream, gathered, named])(this, seed));
        } else this.#aside(seed, size);
        return;
      default:
        this.#aside(seed, size);
    }
  }

  #aside(seed, size) {
    this.#side.push(this.pick([this.#stream, this.#handed, this.#gathered, this.#mapped]).call(this, seed, size));
  }

  #joined(seed, size, from) {
    return from.some((each) => each.fails !== undefined)
      ? undefined
      : join(
          seed,
          size,
          from.map((each) => each.expected),
        );
  }

  async #stream(seed, size) {
    const n = this.int(40);
    const enough = this.int(3) === 0 ? this.int(n + 1) : Number.POSITIVE_INFINITY;
    const asRefs = this.int(3) === 0;
    const opened = (this.int(2) === 0 ? items : laterItems)(seed, Math.min(size, 20_000), n);
    let i = 0;
    if (n > 0 && enough > 0) {
      for await (const item of asRefs ? opened.refs() : opened) {
        const value = asRefs ? await item.value : item;
        same(`item ${i} of ${n}`, value, make(mix(seed, i), Math.min(size, 20_000)));
        if (++i >= enough) break;
      }
    } else await opened[Symbol.asyncDispose]();
    const wanted = Math.min(n, enough);
    if (i !== wanted) throw new Error(`a stream gave ${i} items, not ${wanted}`);
  }

  async #handed(seed, size) {
    const expected = [make(seed, size), make(mix(seed, 7), size)];
    const inner = await handsOut(seed, size).value.catch(lost);
    if (inner === undefined) return;
    for (const [i, ref] of inner.entries()) {
      const value = await ref.value.catch(lost);
      if (value !== undefined) same(`reference ${i} out of a value`, value, expected[i]);
    }
  }

  async #gathered(seed, size) {
    const refs = { a: leaf(seed, size), b: put(seed), c: late(mix(seed, 1), 0, this.int(20)) };
    const value = await all(refs).value;
    same('a of all', value.a, make(seed, size));
    if (value.b !== seed) throw new Error(`b of all is ${value.b}, not ${seed}`);
    const seen = [];
    for await (const [key] of asCompleted(refs)) seen.push(key);
    if (seen.sort().join('') !== 'abc') throw new Error(`asCompleted gave ${seen}`);
  }

  async #mapped(seed) {
    const n = this.int(50);
    const bad = new Set(Array.from({ length: this.int(4) }, () => this.int(50)));
    let i = 0;
    const inputs = Array.from({ length: n }, (_, k) => ({ seed: mix(seed, k), bad: bad.has(k) }));
    const outcomes = mapped.map(inputs, { inFlight: 1 + this.int(8) });
    for await (const outcome of outcomes) {
      if (outcome.ok === bad.has(i)) throw new Error(`item ${i} of a map: ok is ${outcome.ok}`);
      if (outcome.ok) same(`item ${i} of a map`, outcome.value, make(mix(seed, i), 0));
      i++;
    }
    if (i !== n) throw new Error(`a map gave ${i} of ${n}`);
  }

  /** Waits for every step, in no particular order, and compares. */
  async check() {
    const waiting = this.#steps.map(async (step, i) => {
      const { what, ref, expected, fails, may } = step;
      let value;
      try {
        value = await ref.value;
      } catch (error) {
        if (fails !== undefined && error.message.includes(fails)) return;
        // Of several inputs that fail, whichever did first.
        if (fails !== undefined && /wrong by \d+/.test(error.message)) return;
        if (causes(error).some((name) => may.has(name))) return;
        throw new Error(`step ${i} (${what}) failed`, { cause: error });
      }
      if (fails !== undefined) throw new Error(`step ${i} (${what}) should have failed with "${fails}"`);
      same(`step ${i} (${what})`, value, expected);
    });
    await Promise.all([...waiting, ...this.#side]);
  }
}

const mapped = task(({ seed, bad }) => {
  if (bad) throw new Error('a bad one');
  return make(seed, 0);
}, robust);

function lost(error) {
  if (!causes(error).some((name) => LOST.includes(name))) throw error;
}
