// What random programs do with actors: each of these makes some, calls them from several places, has them die in the middle or
// not, and throws when an answer is none that there may be.
import { randomUUID } from 'node:crypto';
import { join as pathOf } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { actor, batch, put, task } from 'sheaf';
import { kill } from 'sheaf/testing';
import { callOf, callsFrom, judge, Ledgers, outcomeOf, Relays } from './ledger.mjs';
import { marked } from './marks.mjs';
import { causes, make, mix, same } from './values.mjs';

/**
 * One scenario. `program` chooses (`int`, `pick`) by its seed; in its `world` are the session, its `isolation`, a folder for `marks`,
 * and whether it is `calm`: nobody dies there but by a scenario's own doing.
 */
class Scenario {
  constructor(program, seed) {
    this.program = program;
    this.world = program.world;
    this.seed = seed;
    /** How often its actors may have died. */
    this.deaths = this.world.calm ? 0 : Number.POSITIVE_INFINITY;
  }

  /** Its actors have been made to die. */
  died() {
    this.deaths++;
    this.world.tally.deaths++;
  }

  /** Throws unless the outcomes may be; see there. */
  judge(outcomes, o) {
    const { tally } = this.world;
    const failed = outcomes.filter(({ error }) => error !== null).length;
    tally.failed += failed;
    tally.answered += outcomes.length - failed;
    judge(outcomes, { callRetries: 0, restarts: 0, replicas: 1, deaths: this.deaths, closed: false, ...o });
  }

  /** Ends the worker of an actor after a while, in the middle of something: by a call, or as the system would. */
  async strike(handle, byCall, ms) {
    await sleep(ms);
    if (byCall || this.world.isolation === 'thread') {
      const error = await handle.exits
        .with({ retries: 0 })()
        .value.then(String, (error) => error);
      this.died();
      mustBe('ActorDiedError', error);
      return;
    }
    const name = `victim-${this.seed}`;
    const victim = handle.lasts
      .with({ name, retries: 0 })(50)
      .value.catch((error) => mustBe('ActorDiedError', error));
    try {
      // It may be over before it is seen, or never begin.
      await kill(this.world.session, name, { within: 500 });
      this.died();
    } catch (error) {
      mustBe('TimeoutError', error);
    }
    await victim;
  }
}

function mustBe(name, error) {
  if (!causes(error).includes(name)) throw new Error(`no ${name}`, { cause: error });
}

/** Waits for the end of an actor. Where its worker may have died in the middle of that, it may have failed. */
async function ended(s, end) {
  const failure = await end.then(
    () => undefined,
    (error) => error,
  );
  if (failure === undefined) return;
  if (s.deaths === 0) throw failure;
  mustBe('ActorDiedError', failure);
}

async function using(s, handle, work) {
  try {
    await work(handle);
  } finally {
    await ended(s, handle[Symbol.asyncDispose]());
  }
}

async function refusedAfterTheEnd(handle) {
  const error = await handle.lasts(0).value.then(String, (error) => error);
  mustBe('ActorDiedError', error);
}

/**
 * Calls of one actor, or of a pool, from here, from tasks and from another actor, while it is killed and made again. Then it is
 * drained, at the end or before, or let go.
 */
export async function ledger(program, seed) {
  const s = new Scenario(program, seed);
  const { int, pick } = program;
  const { calm, marks } = s.world;
  const pooled = int(4) === 0;
  const grouped = int(3) === 0;
  const concurrency = pick([1, 1, 4]);
  const callRetries = pick([0, 0, 1, 1_000]);
  const restarts = pooled ? Number.POSITIVE_INFINITY : pick([0, 1, Number.POSITIVE_INFINITY]);
  const replicas = pooled ? 2 : 1;
  const groups = grouped ? { slow: { methods: ['slow'], concurrency: 2 } } : {};
  const Made = Ledgers.with({ concurrency, callRetries, restarts, groups });
  const path = pooled ? null : pathOf(marks, randomUUID());
  const given = int(2) === 0 ? make(seed, 10) : put(make(seed, 20_000));
  const handle = pooled ? Made.pool(pick([2, { min: 1, max: 2 }]), seed, path, given) : Made.create(seed, path, given);
  const relay = int(4) === 0 ? Relays.create(handle) : undefined;
  const strikes = Array.from({ length: pick([0, 0, 1, 2]) }, () => s.strike(handle, int(2) === 0, int(60)));
  const seedOf = (caller) => mix(seed, caller.startsWith('task') ? Number(caller[4]) : 9);
  const waiting = Array.from(
    { length: int(3) },
    (_, i) => callsFrom(handle, `task${i}`, seedOf(`task${i}`), int(20)).value,
  );
  const numbers = Array.from({ length: int(30) }, (_, i) => i);
  const calls = (caller, make) => numbers.map((i) => make(caller, callOf(seedOf(caller), i)));
  waiting.push(Promise.all(calls('driver', (caller, call) => outcomeOf(caller, call, handle))));
  if (relay !== undefined) {
    const lost = (error) => {
      // The relay itself dies by chance only.
      if (calm) throw error;
      mustBe('ActorDiedError', error);
    };
    waiting.push(Promise.all(calls('relay', (caller, call) => relay.pass(caller, call).value.catch(lost))));
  }
  const end = pick(['drained', 'drained early', 'disposed of', 'let go']);
  let early;
  if (end === 'drained early') {
    const drained = sleep(int(60)).then(() => handle.drain());
    // How often it has died is known when the strikes are over.
    early = Promise.allSettled([...strikes, drained]).then(() => ended(s, drained));
  }
  await Promise.all(strikes);
  const outcomes = (await Promise.all(waiting)).flat().filter((each) => each !== undefined);
  await early;
  s.judge(outcomes, {
    seed: mix(seed, seed),
    seedOf,
    callRetries,
    restarts,
    replicas,
    places: { others: concurrency, slow: grouped ? 2 : null },
    closed: end === 'drained early',
  });
  if (end === 'let go') return;
  if (end === 'disposed of') await ended(s, handle[Symbol.asyncDispose]());
  if (end === 'drained') await ended(s, handle.drain());
  await refusedAfterTheEnd(handle);
  if (path !== null && calm && s.deaths === 0 && !marked(path)) throw new Error('it was not disposed of in order');
}

/** Items of a generator method: all of them where it may run again, and otherwise from the first on without a gap. */
export async function actorStream(program, seed) {
  const s = new Scenario(program, seed);
  const callRetries = program.pick([0, 1_000]);
  const Made = Ledgers.with({ concurrency: 2, callRetries, restarts: Number.POSITIVE_INFINITY });
  return using(s, Made.create(seed, null, make(0, 0)), (handle) => readStream(s, handle, callRetries));
}

async function readStream(s, handle, callRetries) {
  const { seed } = s;
  const { int, pick } = s.program;
  const n = int(60);
  const size = pick([0, 0, 1_000, 20_000]);
  const enough = int(3) === 0 ? int(n + 1) + 1 : Number.POSITIVE_INFINITY;
  const strike = int(2) === 0 ? s.strike(handle, true, int(60)) : undefined;
  let i = 0;
  try {
    for await (const item of handle.items(seed, size, n)) {
      same(`item ${i} of ${n} of an actor`, item, make(mix(seed, i), size));
      if (++i >= enough) break;
    }
    if (i !== Math.min(n, enough)) throw new Error(`a stream of an actor gave ${i} items, not ${Math.min(n, enough)}`);
  } catch (error) {
    mustBe('ActorDiedError', error);
    await strike;
    if (callRetries > 0 || s.deaths === 0) throw error;
  }
  await strike;
  // Whatever became of the stream, it holds nothing up.
  const answer = await outcomeOf('driver', callOf(seed, 0), handle);
  const places = { others: 2, slow: null };
  const o = { callRetries, restarts: Number.POSITIVE_INFINITY, places };
  s.judge([answer], { seed: mix(seed, 0), seedOf: () => seed, ...o });
}

class Batcher {
  #batches = 0;
  label = batch({ max: 5, wait: '2ms' }, async (items) => {
    const number = ++this.#batches;
    await sleep(1);
    return items.map((x) => ({ y: mix(x, 3), batch: `${process.pid} ${number}`, size: items.length }));
  });
}
const Batchers = actor(Batcher).with({ restarts: Number.POSITIVE_INFINITY, callRetries: 1_000 });

const labels = task((handle, xs) => Promise.all(xs.map((x) => handle.label(x).value)), { retries: 1_000 });

/** Calls that are gathered: each has the answer to its own item, and no batch is larger than it may be, or answered twice. */
export async function gathered(program, seed) {
  return using(new Scenario(program, seed), Batchers.create(), (handle) => label(program, seed, handle));
}

async function label({ int, world }, seed, handle) {
  const xs = Array.from({ length: int(40) }, (_, i) => mix(seed, i));
  const half = xs.splice(0, int(xs.length + 1));
  const waiting = [labels(handle, half).value, Promise.all(xs.map((x) => handle.label(x).value))];
  const answers = (await Promise.all(waiting)).flat();
  const sizes = new Map();
  for (const [i, x] of [...half, ...xs].entries()) {
    const { y, batch: name, size } = answers[i];
    if (y !== mix(x, 3)) throw new Error(`item ${i} of a batch has the answer of another`);
    if (size > 5) throw new Error(`a batch of ${size}`);
    const known = sizes.get(name) ?? { size, seen: 0 };
    sizes.set(name, known);
    if (known.size !== size || ++known.seen > size)
      throw new Error(`batch ${name} of ${size} has ${known.seen} answers`);
  }
  for (const [name, { size, seen }] of sizes) {
    if (world.calm && seen !== size) throw new Error(`${seen} answers of ${size} in batch ${name}`);
  }
}

const finds = task(async (name, seed, number) => {
  const handle = Ledgers.with({ name, getIfExists: true }).create(seed, null, make(0, 0));
  const outcome = await outcomeOf(`finder${number}`, callOf(seed, number), handle);
  // Whoever returns it keeps it.
  return { handle, outcome };
});

/** Several want the actor of one name at once, and make it if need be: there is one, however they come. */
export async function named(program, seed) {
  const s = new Scenario(program, seed);
  const { int } = program;
  const name = `actor-${seed}`;
  const found = Array.from({ length: 1 + int(3) }, (_, i) => finds.with({ retries: 1_000 })(name, seed, i));
  await sleep(int(3) * 10);
  const own = Ledgers.with({ name, getIfExists: true }).create(seed, null, make(0, 0));
  const outcome = outcomeOf('driver', callOf(seed, 9), own);
  const all = await Promise.allSettled(found.map((ref) => ref.value));
  const outcomes = [await outcome];
  for (const each of all) {
    if (each.status === 'fulfilled') outcomes.push(each.value.outcome);
    // Its owner is the worker of whoever was first.
    else if (s.world.calm) throw each.reason;
  }
  if (s.world.calm) {
    const o = { seed: mix(seed, 0), seedOf: () => seed, places: { others: 1, slow: null } };
    const taken = await Ledgers.with({ name })
      .create(seed, null, make(0, 0))
      .ready.then(String, (error) => error);
    if (!/is taken/.test(taken.message)) throw new Error('a name was given away twice', { cause: taken });
    const again = await Ledgers.lookup(name);
    const last = await outcomeOf('lookup', callOf(seed, 10), again);
    s.judge([...outcomes, last], o);
    await own.drain();
    const gone = await Ledgers.lookup(name).then(String, (error) => error);
    if (gone.code !== 'ERR_SHEAF_NO_SUCH_ACTOR') throw new Error('a name outlives its actor', { cause: gone });
  } else await ended(s, own.drain());
}
