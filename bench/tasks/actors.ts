/** Calls of actors: the rows of Ray's microbenchmarks, and how soon one answers again that was killed. */
import { actor, connect, get, type Handle, put, type Ref, task } from 'sheaf';
import { type Experiment, pause, rate, times } from '../harness.ts';
import type { Group, Settings } from '../suite.ts';

class Echo {
  smallValue() {
    return 'ok';
  }
  takes(_value: unknown) {
    return 'ok';
  }
}

class AsyncEcho {
  async smallValue() {
    return 'ok';
  }
  async takes(_value: number) {
    return 'ok';
  }
}

const Echoes = actor(Echo);
// As many calls at once as Ray's asynchronous actors take.
const AsyncEchoes = actor(AsyncEcho).with({ concurrency: 1000 });

type Server = Handle<Echo> | Handle<AsyncEcho>;

async function calls(servers: readonly Server[], count: number): Promise<number> {
  const refs = Array.from({ length: count }, (_, i) => (servers[i % servers.length] as Handle<Echo>).smallValue());
  return release(refs);
}

async function release(refs: readonly Ref<unknown>[]): Promise<number> {
  await get(refs);
  for (const ref of refs) ref.release();
  return refs.length;
}

const Clients = actor(
  class Client {
    readonly #servers: readonly Server[];
    constructor(servers: readonly Server[]) {
      this.#servers = servers;
    }
    batch(count: number) {
      return calls(this.#servers, count * this.#servers.length);
    }
    batchWithArg(count: number) {
      const value = put(0);
      return release(
        this.#servers.flatMap((server) => Array.from({ length: count }, () => (server as Handle<Echo>).takes(value))),
      );
    }
  },
);

const work = task((servers: readonly Server[], count: number) => calls(servers, count));

async function one(server: Server): Promise<void> {
  const ref = (server as Handle<Echo>).smallValue();
  await ref.value;
  ref.release();
}

const MANY = 1000;
const TASKS = 4;
const OF_A_TASK = 5000;
const OF_A_PAIR = 1000;

export const actors: Group = {
  names: [
    '1:1 actor calls sync',
    '1:1 actor calls async',
    '1:1 actor calls concurrent',
    '1:n actor calls async',
    'n:n actor calls async',
    'n:n actor calls with arg async',
    '1:1 async-actor calls sync',
    '1:1 async-actor calls async',
    '1:1 async-actor calls with args async',
    '1:n async-actor calls async',
    'n:n async-actor calls async',
  ],
  async open({ cpus, quick }: Settings) {
    const ms = quick ? 200 : 1000;
    const session = await connect({ cpus });
    const servers = Math.max(1, cpus >> 1);
    const many = <T>(make: () => T): T[] => Array.from({ length: servers }, make);
    const plain = many(() => Echoes.create());
    const asynchronous = many(() => AsyncEchoes.create());
    const concurrent = Echoes.with({ concurrency: 16 }).create();
    const client = Clients.create(plain);
    const asyncClient = Clients.create(asynchronous);
    const pairs = plain.map((server) => Clients.create([server]));
    const everybody = [...plain, ...asynchronous, concurrent, client, asyncClient, ...pairs];
    await Promise.all(everybody.map(({ ready }) => ready));
    const row = (name: string, ours: Experiment['ours'], target?: number): Experiment => ({
      name,
      unit: 'calls/s',
      better: 'more',
      ours,
      requires: { tier: 'gate', ...(target === undefined ? {} : { target }), ratios: { ray: 20 } },
    });
    const sync = (server: Server) =>
      rate(
        ms,
        100,
        times(100, () => one(server)),
      );
    const async = (server: Server) => rate(ms, MANY, () => calls([server], MANY));
    const fromOne = (from: typeof client) =>
      rate(ms, OF_A_TASK * servers, async () => {
        const ref = from.batch(OF_A_TASK);
        await ref.value;
        ref.release();
      });
    const fromMany = (to: readonly Server[]) =>
      rate(ms, TASKS * OF_A_TASK, () => release(Array.from({ length: TASKS }, () => work(to, OF_A_TASK))));
    const [first] = plain as [Handle<Echo>];
    const [firstAsync] = asynchronous as [Handle<AsyncEcho>];
    const experiments: Experiment[] = [
      row('1:1 actor calls sync', sync(first), 100_000),
      row('1:1 actor calls async', async(first), 400_000),
      row('1:1 actor calls concurrent', async(concurrent)),
      row('1:n actor calls async', fromOne(client)),
      row('n:n actor calls async', fromMany(plain), 250_000),
      row(
        'n:n actor calls with arg async',
        rate(ms, OF_A_PAIR * pairs.length, () => release(pairs.map((pair) => pair.batchWithArg(OF_A_PAIR)))),
      ),
      row('1:1 async-actor calls sync', sync(firstAsync), 50_000),
      row('1:1 async-actor calls async', async(firstAsync), 200_000),
      row(
        '1:1 async-actor calls with args async',
        rate(ms, MANY, () => release(Array.from({ length: MANY }, (_, i) => firstAsync.takes(i)))),
      ),
      row('1:n async-actor calls async', fromOne(asyncClient)),
      row('n:n async-actor calls async', fromMany(asynchronous), 125_000),
    ];
    return {
      experiments,
      async close() {
        await session[Symbol.asyncDispose]();
      },
    };
  },
};

const Mortals = actor(
  class Mortal {
    pid() {
      return process.pid;
    }
  },
).with({ restarts: Number.POSITIVE_INFINITY });

/** Milliseconds from the death of an actor's worker to the first call that is answered again. */
async function answeredAgain(mortal: Handle<{ pid(): number }>): Promise<number> {
  const pid = await mortal.pid().value;
  await pause(50);
  const killed = performance.now();
  process.kill(pid, 'SIGKILL');
  for (;;) {
    try {
      // A call that was made before the death was known may be answered with it.
      if ((await mortal.pid().value) !== pid) return performance.now() - killed;
    } catch {
      await pause(1);
    }
  }
}

export const restarting: Group = {
  names: ['actor killed to next answered call'],
  async open({ cpus, quick }: Settings) {
    const session = await connect({ cpus, isolation: 'process' });
    const mortal = Mortals.create();
    await mortal.ready;
    return {
      experiments: [
        {
          name: 'actor killed to next answered call',
          unit: 'ms',
          better: 'less',
          pairs: quick ? 3 : 9,
          ours: () => answeredAgain(mortal),
          requires: { tier: 'gate', target: 150, ratios: { ray: 1 } },
        },
      ],
      close: async () => session[Symbol.asyncDispose](),
    };
  },
};
