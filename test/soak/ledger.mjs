// An actor that remembers what it was called with, and what the answers of one may be: its calls come from several callers, and it
// dies and is made anew in the middle of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { actor, init, put, task } from 'sheaf';
import { mark } from './marks.mjs';
import { causes, fingerprint, make, mix } from './values.mjs';

/** Answers each call with what it has begun since it was made, and what follows from that. */
class Ledger {
  #seed;
  #marks;
  #state;
  #life;
  #begun = [];
  #running = { add: 0, later: 0, slow: 0 };
  constructor(seed, marks, given) {
    this.#marks = marks;
    this.#seed = mix(seed, given.n);
  }
  async [init]() {
    await sleep(1);
    // Clock of the machine, the same in each process: lives in their order.
    this.#life = Number(process.hrtime.bigint() / 1_000n);
    this.#state = this.#seed;
  }
  #begin(method, caller, number, x) {
    this.#begun.push(`${caller} ${number} ${method}`);
    this.#state = mix(this.#state, mix(number, fingerprint(x)));
    this.#running[method]++;
    return { life: this.#life, begun: [...this.#begun], state: this.#state, running: { ...this.#running } };
  }
  add(caller, number, x) {
    const answer = this.#begin('add', caller, number, x);
    this.#running.add--;
    return answer;
  }
  async later(caller, number, x) {
    const answer = this.#begin('later', caller, number, x);
    await sleep(number % 3);
    this.#running.later--;
    return answer;
  }
  async slow(caller, number, x) {
    const answer = this.#begin('slow', caller, number, x);
    await sleep(number % 5);
    this.#running.slow--;
    return answer;
  }
  *items(seed, size, n) {
    for (let i = 0; i < n; i++) yield make(mix(seed, i), size);
  }
  exits() {
    process.exit(9);
  }
  async lasts(ms) {
    await sleep(ms);
  }
  async [Symbol.asyncDispose]() {
    await sleep(1);
    if (this.#marks !== null) mark(this.#marks);
  }
}
export const Ledgers = actor(Ledger);

const METHODS = ['add', 'add', 'later', 'slow'];

/** What the call of that number is: the same wherever it is made. */
export function callOf(seed, number) {
  const h = mix(seed, number);
  const size = h % 7 === 0 ? 20_000 : 0;
  return { number, method: METHODS[h % METHODS.length], argument: make(h, size), byReference: h % 5 === 0 };
}

/** Makes a call and gives what came of it, for `judge`. */
export async function outcomeOf(caller, { number, method, argument, byReference }, handle) {
  const row = { caller, number, method, life: -1, begun: [], state: 0, running: null, error: null };
  try {
    const x = byReference ? put(argument) : argument;
    return { ...row, ...(await handle[method](caller, number, x).value) };
  } catch (error) {
    return { ...row, error: { names: causes(error), message: error.message } };
  }
}

/** A task that calls the actor; a second attempt of it is another caller. */
export const callsFrom = task(
  async (handle, name, seed, n, attempt = Math.random()) => {
    const caller = `${name}-${attempt}`;
    return Promise.all(Array.from({ length: n }, (_, i) => outcomeOf(caller, callOf(seed, i), handle)));
  },
  { retries: 1_000 },
);

/** An actor that calls the other one, whose handle it keeps. */
class Relay {
  #handle;
  constructor(handle) {
    this.#handle = handle;
  }
  pass(caller, call) {
    return outcomeOf(caller, call, this.#handle);
  }
}
export const Relays = actor(Relay);

/**
 * Throws unless outcomes are such as one actor, or the replicas of a pool, may give:
 *
 * - `seed`, `seedOf`: what it was made with, and the seed of each caller's calls
 * - `callRetries`, `restarts`, `replicas`: as its options are
 * - `places`: calls that may go on at a time: of `slow`, and of the others; null for `slow`: it counts among the others
 * - `deaths`: how often its worker may have died; Infinity where that is left to chance
 * - `closed`: it may have taken no more calls at some time
 */
export function judge(outcomes, o) {
  const lives = livesOf(outcomes);
  for (const [life, begun] of lives) checkLife(life, begun, outcomes, o);
  checkRuns(lives, outcomes, o);
  if (o.replicas === 1) {
    for (const begun of lives.values()) checkOrder(begun, o);
    if (o.callRetries === 0) checkOrder([...lives.values()].flat(), o);
  }
  checkErrors(outcomes, o);
  if (lives.size > o.deaths + o.replicas) throw new Error(`${lives.size} lives with ${o.deaths} deaths`);
}

const nameOf = ({ caller, number, method }) => `${caller} ${number} ${method}`;

/** By life, in their order: what has begun in it, as far as is known. */
function livesOf(outcomes) {
  const lives = new Map();
  for (const { life, begun, error } of [...outcomes].sort((a, b) => a.life - b.life)) {
    if (error !== null) continue;
    const known = lives.get(life) ?? [];
    const [short, long] = known.length < begun.length ? [known, begun] : [begun, known];
    const i = short.findIndex((each, k) => each !== long[k]);
    if (i >= 0) throw new Error(`life ${life} has begun ${short[i]} and ${long[i]} as number ${i}`);
    lives.set(life, long);
  }
  return lives;
}

/** Each answer is that of its call, and follows from what had begun before it. */
function checkLife(life, begun, outcomes, { seed, seedOf, places }) {
  let state = seed;
  const states = begun.map((each) => {
    const [caller, number] = each.split(' ');
    const { argument } = callOf(seedOf(caller), Number(number));
    state = mix(state, mix(Number(number), fingerprint(argument)));
    return state;
  });
  for (const each of outcomes) {
    if (each.life !== life) continue;
    if (each.begun.at(-1) !== nameOf(each)) throw new Error(`${nameOf(each)} has the answer of ${each.begun.at(-1)}`);
    const wanted = states[each.begun.length - 1];
    if (each.state !== wanted)
      throw new Error(
        `${nameOf(each)} after ${each.begun.length - 1} others found the state ${each.state}, not ${wanted}`,
      );
    const { add, later, slow } = each.running;
    const others = add + later + (places.slow === null ? slow : 0);
    if (others > places.others || (places.slow !== null && slow > places.slow))
      throw new Error(`more calls at a time than may be: ${JSON.stringify(each.running)}`);
  }
}

/** The calls of each caller begin in their order, those of the group by themselves. */
function checkOrder(begun, { places }) {
  const newest = new Map();
  for (const each of begun) {
    const [caller, number, method] = each.split(' ');
    const line = `${caller} ${places.slow !== null && method === 'slow'}`;
    if (Number(number) <= (newest.get(line) ?? -1)) throw new Error(`${each} is out of order in ${begun.join(', ')}`);
    newest.set(line, Number(number));
  }
}

/** A call runs once, or as often as it may; never after it has been answered. */
function checkRuns(lives, outcomes, { callRetries, replicas }) {
  const runs = new Map();
  for (const begun of lives.values()) for (const each of begun) runs.set(each, (runs.get(each) ?? 0) + 1);
  for (const [each, n] of runs) if (n > callRetries + 1) throw new Error(`${each} has run ${n} times`);
  if (replicas > 1) return;
  for (const { error, life, ...call } of outcomes) {
    if (error !== null) continue;
    for (const [other, begun] of lives) {
      if (other > life && begun.includes(nameOf(call))) throw new Error(`${nameOf(call)} runs after it was answered`);
    }
  }
}

function checkErrors(outcomes, { callRetries, restarts, places, deaths, closed }) {
  const wrong = ({ error, ...call }, why) => new Error(`${nameOf(call)} failed, ${why}: ${error.message}`);
  let interrupted = 0;
  for (const each of outcomes) {
    if (each.error === null) continue;
    const { names, message } = each.error;
    if (!names.includes('ActorDiedError')) throw wrong(each, 'with no ActorDiedError');
    if (/was under way/.test(message)) {
      if (callRetries >= deaths) throw wrong(each, 'though it may run again');
      interrupted++;
    } else if (!closed && restarts >= deaths) throw wrong(each, 'though the actor can be made again');
  }
  const most = deaths * (places.others + (places.slow ?? 0));
  if (interrupted > most)
    throw new Error(`${interrupted} calls were under way in ${deaths} deaths, of ${most} at most`);
}
