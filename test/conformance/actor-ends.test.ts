import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorDiedError, actor, CancelledError, connect, current, type Handle, init } from 'sheaf';
import {
  eventually,
  FOREVER_MS,
  failure,
  hostOptions,
  hosts,
  hostsAndInline,
  LIMIT,
  mark,
  marks,
  onHosts,
  PATIENCE_MS,
  scratch,
  sleep,
  start,
  untilMarked,
  within,
} from './support.ts';

class Log {
  readonly folder: string;
  readonly lines: string[] = [];
  constructor(folder: string) {
    this.folder = folder;
  }
  add(line: string): number {
    return this.lines.push(line);
  }
  [Symbol.dispose](): void {
    mark(this.folder, `log-${this.lines.join('-')}`);
  }
}
const Logs = actor(Log);

class Front {
  readonly folder: string;
  readonly name: string;
  readonly log: Handle<Log>;
  constructor(folder: string, name: string, log: Handle<Log>) {
    this.folder = folder;
    this.name = name;
    this.log = log;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.log.add(this.name).value;
    mark(this.folder, `ended-${this.name}`);
  }
}
const Fronts = actor(Front);

/** What it waits for in a call is seen in the marks that it makes. */
class Busy {
  readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
  }
  async works(listens: boolean): Promise<void> {
    mark(this.folder, 'works');
    await sleep(FOREVER_MS, undefined, { ref: false, ...(listens ? { signal: current().signal } : {}) }).catch(
      () => {},
    );
    mark(this.folder, 'stopped');
  }
  [Symbol.dispose](): void {
    mark(this.folder, 'ended');
    mark(this.folder, `after-${marks(this.folder).includes('stopped') ? 'call' : 'waiting'}`);
  }
}
const Busies = actor(Busy);

const Making = actor(
  class Making {
    async [init](): Promise<void> {
      // Inline it is the program's, which is not to wait for it.
      await sleep(FOREVER_MS, undefined, { ref: false });
    }
    [Symbol.dispose](): void {}
  },
);

/** Its worker ends of an error of something that it does by itself. */
class Restless {
  readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
    mark(folder, `made-${marks(folder).length}`);
    if (marks(folder).length === 1) this.#watch();
  }
  #watch(): void {
    const look = setInterval(() => {
      if (!marks(this.folder).includes('break')) return;
      clearInterval(look);
      throw new RangeError('seen to');
    }, 2);
  }
  calls(): number {
    return marks(this.folder).length;
  }
  later(): void {
    setTimeout(() => {
      throw new RangeError('in a timer');
    }, 1);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await sleep(5);
    mark(this.folder, `ended-${marks(this.folder).length}`);
  }
}
const Restlesses = actor(Restless);

onHosts('the end of an actor before it is made anew', { cpus: 2 }, () => {
  it('is a disposal when its worker ends of an error that nobody caught', LIMIT, async () => {
    const folder = scratch();
    const restless = Restlesses.with({ restarts: 2 }).create(folder);
    await restless.ready;
    mark(folder, 'break');
    await eventually(() => marks(folder).length === 4, 'it is made again');
    assert.deepEqual(marks(folder), ['break', 'ended-2', 'made-0', 'made-3']);
    await restless.calls().value;
    await restless.later().value;
    await eventually(() => marks(folder).length === 6, 'it is made once more');
    assert.equal(await restless.calls().value, 6);
    await restless.drain();
    assert.ok(marks(folder).includes('ended-6'));
  });
});

onHosts('disposal', { cpus: 2 }, () => {
  it('that fails is a failure of whoever ends the actor', LIMIT, async () => {
    const Failing = actor(
      class Failing {
        n(): number {
          return 1;
        }
        [Symbol.dispose](): void {
          throw new RangeError('no end in sight');
        }
      },
    );
    const failing = Failing.create();
    assert.equal(await failing.n().value, 1);
    const error = await failure(failing.drain());
    assert.ok(error instanceof ActorDiedError);
    assert.match(error.message, /no end in sight/);
    assert.ok(error.cause instanceof RangeError);
  });
});

class Turns {
  n = 0;
  async until(folder: string, mark: string): Promise<number> {
    await untilMarked(folder, mark);
    return ++this.n;
  }
  next(): number {
    return ++this.n;
  }
}
const AllTurns = actor(Turns);

onHosts('a named actor that is drained', { cpus: 2 }, () => {
  it('ends after what was called, also while its name is being looked up', LIMIT, async () => {
    const turns = AllTurns.with({ name: 'short' }).create();
    const first = turns.next();
    await turns.drain();
    assert.equal(await first.value, 1);
    const next = AllTurns.with({ name: 'short' }).create();
    assert.equal(await next.next().value, 1);
  });

  it('ends after what was called by every handle of one party', LIMIT, async () => {
    const folder = scratch();
    const Named = AllTurns.with({ name: 'both', getIfExists: true });
    const one = Named.create();
    const other = Named.create();
    await Promise.all([one.ready, other.ready]);
    const first = one.until(folder, 'go');
    const later = [1, 2, 3].map(() => other.next());
    const drained = one.drain();
    const refused = async (): Promise<boolean> =>
      (await Promise.race([failure(one.next().value), sleep(20)])) instanceof ActorDiedError;
    await eventually(refused, 'it takes no more calls');
    mark(folder, 'go');
    assert.equal(await first.value, 1);
    for (const [i, ref] of later.entries()) assert.equal(await ref.value, i + 2);
    await drained;
  });
});

for (const isolation of hosts) {
  it(`a failure of an actor that nobody looks at is told once (${isolation})`, LIMIT, async () => {
    const { ended } = start('actor-unobserved.mjs', [isolation]);
    const { code, stderr } = await within(PATIENCE_MS, ended);
    assert.equal(code, 0, stderr);
    const told: string[] = stderr.match(/^sheaf: the actor .*$/gm) ?? [];
    assert.equal(told.length, 4, stderr);
    for (const text of ['kept', 'dropped 0', 'dropped 1']) {
      const which: string[] = told.filter((line) => line.endsWith(`RangeError: ${text}`));
      assert.equal(which.length, 1, stderr);
      assert.match(
        which[0] as string,
        /^sheaf: the actor Broken, created at .*actor-unobserved\.mjs:\d+:\d+, failed and nobody has called it, or awaited `ready`: /,
      );
    }
    assert.match(told.join('\n'), /the actor Named, created .*the name "taken" is taken/);
  });
}

for (const isolation of hostsAndInline) {
  describe(`the end of a session (${isolation})`, () => {
    const options = { cpus: 2, ...hostOptions(isolation) };

    it('is that of its actors, those after the others whom they hold', LIMIT, async () => {
      const folder = scratch();
      const session = await connect(options);
      const log = Logs.create(folder);
      const fronts = [Fronts.create(folder, 'a', log), Fronts.create(folder, 'b', log)];
      await Promise.all([log, ...fronts].map((handle) => handle.ready));
      await session[Symbol.asyncDispose]();
      const [ofLog, ...rest] = marks(folder).reverse();
      assert.match(ofLog as string, /^log-(a-b|b-a)$/);
      assert.deepEqual(rest, ['ended-b', 'ended-a']);
    });

    it('has their calls stop first', LIMIT, async () => {
      const folder = scratch();
      const session = await connect(options);
      const busy = Busies.create(folder);
      const works = busy.works(true);
      const next = busy.works(true);
      await untilMarked(folder, 'works');
      const [first, second] = [failure(works.value), failure(next.value)];
      await session[Symbol.asyncDispose]();
      assert.deepEqual(marks(folder), ['after-call', 'ended', 'stopped', 'works']);
      assert.ok((await first) instanceof CancelledError);
      await second;
    });

    it('does not wait for ever for one that hears nothing, or is not made', LIMIT, async () => {
      const folder = scratch();
      const session = await connect(options);
      const making = Making.create();
      const busy = Busies.create(folder);
      busy.works(false).ignore();
      const never = failure(making.ready);
      await untilMarked(folder, 'works');
      await within(PATIENCE_MS, session[Symbol.asyncDispose]());
      assert.deepEqual(marks(folder), ['after-waiting', 'ended', 'works']);
      await never;
    });

    // Inline Ctrl-C ends the program as without a session.
    for (const how of isolation === 'inline' ? [] : ['awaits', 'stuck', 'loop']) {
      it(`by Ctrl-C is that of its actors, too: ${how}`, LIMIT, async () => {
        const folder = scratch();
        const { child, ended, line } = start('actor-ends.mjs', [how, isolation, folder]);
        await line('ready');
        process.kill(-(child.pid as number), 'SIGINT');
        assert.equal((await within(PATIENCE_MS, ended)).code, 130);
        assert.deepEqual(marks(folder), ['ended-a', 'ended-b']);
      });
    }

    it('is that of a program that has come to its end and left it open', LIMIT, async () => {
      const folder = scratch();
      const { ended } = start('actor-ends.mjs', ['returns', isolation, folder]);
      const { code, stderr } = await within(PATIENCE_MS, ended);
      assert.equal(code, 0, stderr);
      assert.deepEqual(marks(folder), ['ended-a', 'ended-b']);
    });

    for (const how of isolation === 'inline' ? ['closes'] : ['closes', 'lets-go']) {
      it(`says so once when the disposal of one has failed, and nobody else hears of it: ${how}`, LIMIT, async () => {
        const folder = scratch();
        const { child, ended, line, err } = start('actor-ends.mjs', [how, isolation, folder]);
        await line('ready');
        await eventually(() => /the disposal of the actor Failing failed/.test(err()), 'it is told');
        await eventually(() => marks(folder).length === 2, 'the others have ended');
        if (how === 'lets-go') process.kill(-(child.pid as number), 'SIGINT');
        const { code, stderr } = await within(PATIENCE_MS, ended);
        assert.equal(code, how === 'closes' ? 0 : 130, stderr);
        assert.match(stderr, /sheaf: the disposal of the actor Failing failed: RangeError: no end in sight/);
        assert.equal(stderr.match(/no end in sight/g)?.length, 1, stderr);
      });
    }
  });
}
