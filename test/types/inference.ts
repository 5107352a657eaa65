// What is inferred, and what degrades. Type-checked, never run.
import {
  type ActorClass,
  actor,
  all,
  alloc,
  asCompleted,
  type ByRef,
  byRef,
  cancel,
  connect,
  current,
  get,
  type Handle,
  init,
  merge,
  type Outcome,
  put,
  type Ref,
  registerCodec,
  remote,
  type Session,
  type Stream,
  scope,
  stream,
  type Task,
  task,
  wait,
} from 'sheaf';
import { exactly } from './assert.ts';
import type * as module from './module.ts';

const square = task((x: number) => x * x);
const text = task((n: number, s: string = 'x') => s.repeat(n));

export async function results(): Promise<void> {
  exactly<Ref<number>>()(square(2));
  exactly<Promise<number>>()(square(2).value);
  // An async function and a plain one give the same.
  exactly<Ref<string>>()(task(async (s: string) => s)('a'));
  exactly<Ref<void>>()(task(() => {})());
  // A union gives one Ref and not a union of them; so does boolean.
  exactly<Ref<string | number>>()(task((x: number): string | number => x)(1));
  exactly<Ref<boolean>>()(task((x: number) => x > 1)(1));
  exactly<Ref<number | undefined>>()(task((xs: number[]) => xs[0])([1]));
  // One that always throws gives a Ref that never has a value.
  exactly<Ref<never>>()(
    task((): never => {
      throw new Error('always');
    })(),
  );
}

export async function argumentsOfTasks(r: Ref<number>): Promise<void> {
  square(1);
  square(r);
  text(r);
  text(1, put('y'));
  // @ts-expect-error a text is no number
  square('x');
  // @ts-expect-error a Ref of another type
  square(put('x'));
  // @ts-expect-error too few
  square();
  // @ts-expect-error too many
  square(1, 2);
  // A union parameter takes a Ref of each and of all.
  const either = task((x: string | number) => x);
  either('a');
  either(put(1));
  either(put('a') as Ref<string | number>);
  // Rest parameters, optional ones, readonly arrays.
  const many = task((...xs: number[]) => xs.length);
  many(1, r, 3);
  const frozen = task((xs: readonly number[]) => xs.length);
  frozen([1, 2] as const);
  frozen(all([r, r]));
  const opt = task((x?: number) => x ?? 0);
  opt();
  opt(r);
  // A parameter of type any takes anything, Refs included.
  // biome-ignore lint/suspicious/noExplicitAny: it is what the test is about
  const loose = task((x: any) => String(x));
  loose(1);
  loose(r);
  loose(byRef(r));
  exactly<Ref<string>>()(loose('x'));
}

export async function references(r: Ref<number>): Promise<void> {
  // A result that is a Ref delegates; the type does not nest.
  const forward = task((x: number) => square(x));
  exactly<Ref<number>>()(forward(1));
  exactly<Ref<number>>()(task(async (x: number) => square(x))(1));
  // Sometimes a Ref and sometimes not: it is the value either way.
  const sometimes = task((x: number): number | Ref<number> => (x > 1 ? square(x) : x));
  exactly<Ref<number>>()(sometimes(1));
  // Inside of something it stays one.
  exactly<Ref<Ref<number>[]>>()(task((x: number) => [square(x)])(1));
  exactly<Ref<{ ref: Ref<number> }>>()(task((x: number) => ({ ref: square(x) }))(1));

  // A parameter that is a Ref takes byRef only.
  const id = task((x: Ref<number>) => x.id);
  exactly<ByRef<number>>()(byRef(r));
  id(byRef(r));
  // @ts-expect-error it would arrive as a number
  id(r);
  // @ts-expect-error another type inside
  id(byRef(put('x')));
  // Nested, it is an ordinary part of the value.
  const nested = task((x: { ref: Ref<number> }) => x.ref.id);
  nested({ ref: r });
  // A Ref is not the value, and not a promise.
  // @ts-expect-error not the value
  r satisfies number;
  exactly<Ref<number>>()(await r);
}

export async function several(): Promise<void> {
  const split = task((x: number): [number, string] => [x, '']);
  exactly<[Ref<number>, Ref<string>]>()(split.with({ returns: 2 })(3));
  const slow = task(async (x: number): Promise<[number, Uint8Array]> => [x, new Uint8Array(x)]);
  const [, bytes] = slow.with({ returns: 2 })(3);
  exactly<Ref<Uint8Array>>()(bytes);
  // An element that is a Ref delegates, as a result does: it does not nest.
  const routed = task((x: number): [Ref<number>, string] => [square(x), '']);
  exactly<[Ref<number>, Ref<string>]>()(routed.with({ returns: 2 })(3));
  const late = task(
    async (x: number): Promise<[Ref<number> | string, [Ref<number>]]> => [x > 0 ? square(x) : '', [square(x)]],
  );
  exactly<[Ref<number | string>, Ref<[Ref<number>]>]>()(late.with({ returns: 2 })(3));
  // Where a task is defined, too.
  exactly<[Ref<number>, Ref<string>]>()(task((x: number): [number, string] => [x, ''], { returns: 2 })(3));
  exactly<Ref<number>>()(task((x: number) => x, { retries: 1, captures: { x: 1 } })(3));
  // @ts-expect-error no such option
  task((x: number) => x, { retrys: 3 });
  // A call gives several Refs, and map takes one.
  // @ts-expect-error
  split.with({ returns: 2 }).map([1]);
  // Not a tuple: nothing to take apart.
  exactly<never>()(square.with({ returns: 2 })(3));
  // Other options leave the type alone.
  exactly<Ref<number>>()(square.with({ retries: 1, timeout: '5s', memory: '1GiB' })(3));
  // @ts-expect-error no such unit
  square.with({ timeout: '5 parsecs' });
  // @ts-expect-error no such option
  square.with({ retrys: 3 });
  // @ts-expect-error of a later version
  square.with({ pure: true });
}

export async function waiting(r: Ref<number>, s: Ref<string>): Promise<void> {
  exactly<number>()(await get(r));
  exactly<[number, string]>()(await get([r, s]));
  exactly<[number, 'k', 3]>()(await get([r, 'k', 3]));
  exactly<{ a: number; b: 'k' }>()(await get({ a: r, b: 'k' }));
  exactly<number[]>()(await get([r, r] as Ref<number>[]));
  exactly<number[]>()(await get([r, r] as readonly Ref<number>[]));
  exactly<Ref<[number, string]>>()(all([r, s]));
  exactly<Ref<{ a: number }>>()(all({ a: r }));
  exactly<Ref<number[]>>()(all([1, 2, 3].map((x) => square(x))));

  const { ready, pending } = await wait([r, s], { count: 1, timeout: 100 });
  exactly<(Ref<number> | Ref<string>)[]>()(ready);
  exactly<(Ref<number> | Ref<string>)[]>()(pending);
  for await (const [i, ref] of asCompleted([r, r])) {
    exactly<number>()(i);
    exactly<Ref<number>>()(ref);
  }
  for await (const pair of asCompleted({ a: r, b: s })) {
    exactly<['a', Ref<number>] | ['b', Ref<string>]>()(pair);
    // Knowing the key is knowing the type.
    if (pair[0] === 'a') exactly<Ref<number>>()(pair[1]);
  }
  // @ts-expect-error a number is nothing to wait for
  wait([1]);
  cancel(r, { force: true });
  // @ts-expect-error wait gives up after a duration
  get(r, { timeout: 'soon' });
}

export async function maps(): Promise<void> {
  for await (const outcome of square.map([1, 2])) {
    exactly<Outcome<number, 1 | 2>>()(outcome);
    if (outcome.ok) exactly<number>()(outcome.value);
    else exactly<Error>()(outcome.error);
  }
  for await (const outcome of text.map(['a', 'b'], (item) => [item.length, item])) {
    exactly<Outcome<string, string>>()(outcome);
  }
  async function* pages(): AsyncGenerator<number> {
    yield 1;
  }
  for await (const { input } of square.map(pages(), { ordered: false })) exactly<number>()(input);
  // The value behind a delegated result.
  for await (const o of task((x: number) => square(x)).map([1])) if (o.ok) exactly<number>()(o.value);
  // @ts-expect-error items of another type need a function that makes arguments of them
  square.map(['a']);
  // @ts-expect-error arguments of the wrong type
  square.map(['a'], (item) => [item]);
}

export async function tasksAsValues(): Promise<void> {
  // A task is a value: as an argument, in data, as a result.
  const apply = task((f: Task<[x: number], number>, x: number): Ref<number> => f(x));
  exactly<Ref<number>>()(apply(square, 3));
  exactly<Ref<number>>()(apply(put(square), 3));
  const pick = task((fs: { readonly [name: string]: Task<[x: number], number> }, name: string) => fs[name]!);
  exactly<Task<[x: number], number>>()(await pick({ square }, 'square').value);
  // @ts-expect-error a task of other parameters
  apply(text, 3);
}

export async function modules(): Promise<void> {
  const m = remote<typeof module>(new URL('./module.ts', import.meta.url));
  exactly<Task<[a: number, b: string], string>>()(m.plain);
  exactly<Ref<string>>()(m.plain(1, 'x'));
  exactly<Ref<Float64Array>>()(m.slow([1, 2]) as Ref<Float64Array>);
  exactly<ActorClass<typeof module.Counter>>()(m.Counter);
  // A constant is no task.
  exactly<never>()(m.version);
  // @ts-expect-error no such export
  m.missing;
  remote<typeof module>('file:///x.js');
}

export async function actors(): Promise<void> {
  class Box<T> {
    private secret = 1;
    readonly first: T;
    label = 'box';
    constructor(first: T, size: number) {
      this.first = first;
      this.secret = size;
    }
    async [init](): Promise<void> {}
    at(i: number): T | number {
      return i === 0 ? this.first : this.secret;
    }
    async later(x: string): Promise<string> {
      return x;
    }
    *all(): Generator<T> {
      yield this.first;
    }
    sum(scale: number, ...xs: readonly number[]): number {
      return scale * xs.length;
    }
    count(...xs: readonly T[]): number {
      return xs.length;
    }
  }
  class Texts extends Box<string> {}
  const Boxes = actor(Texts);
  exactly<ActorClass<typeof Texts>>()(Boxes);
  const box = Boxes.with({ concurrency: 4, restarts: 1 }).create(put('a'), 1);
  exactly<Handle<Texts>>()(box);
  exactly<Task<[i: number], string | number>>()(box.at);
  exactly<Ref<string | number>>()(box.at(put(1)));
  exactly<Ref<string>>()(box.later('x'));
  exactly<Stream<string>>()(box.all());
  exactly<Task<[scale: number, ...number[]], number>>()(box.sum);
  exactly<Ref<number>>()(box.sum(2, 1, put(2)));
  exactly<Ref<number>>()(box.count('a', put('b')));
  // @ts-expect-error wrong element
  box.sum(2, 'x');
  exactly<Promise<void>>()(box.ready);
  exactly<Promise<void>>()(box.drain());
  exactly<Promise<Handle<Texts>>>()(Boxes.lookup('name', { namespace: 'x' }));
  // A handle is a value.
  exactly<Ref<number>>()(task(async (h: Handle<Texts>) => (await h.later('a').value).length)(box));
  // @ts-expect-error fields are the actor's own
  box.label;
  // @ts-expect-error wrong argument
  box.at('x');
  // @ts-expect-error wrong argument of the constructor
  Boxes.create(1, 1);
  // @ts-expect-error no class
  actor(() => 1);
  // @ts-expect-error no such option
  Boxes.with({ retries: 1 });
}

export async function degrades(): Promise<void> {
  // A generic function loses its parameter: TypeScript has no way to carry it through.
  const identity = task(<T>(x: T) => x);
  exactly<Ref<unknown>>()(identity(1));
  const first = task(<T>(xs: readonly T[]): T | undefined => xs[0]);
  exactly<Ref<unknown>>()(first([1]));
  // What helps: an instantiation.
  exactly<Ref<number>>()(task((x: number) => ((y: number) => y)(x))(1));
  const ofNumber = task<[number], number>(<T>(x: T) => x);
  exactly<Ref<number>>()(ofNumber(1));

  // Of overloads the last signature stays.
  function over(x: string): string;
  function over(x: number): number;
  function over(x: unknown): unknown {
    return x;
  }
  const overloaded = task(over);
  exactly<Ref<number>>()(overloaded(1));
  // @ts-expect-error the first signature is gone
  overloaded('x');

  // A parameter with a default value needs its type written: inside of a call the value does not say it.
  // @ts-expect-error s is unknown
  task((s = 'x') => s.length);

  // Untyped functions give untyped results.
  // biome-ignore lint/suspicious/noExplicitAny: it is what the test is about
  exactly<Ref<any>>()(task((): any => 1)());
  exactly<Ref<unknown>>()(task((): unknown => 1)());
}

export async function streams(): Promise<void> {
  const numbers = task(function* (n: number) {
    yield n;
  });
  exactly<Stream<number>>()(numbers(1));
  exactly<Stream<number>>()(numbers(square(2)));
  const pages = task(async function* (): AsyncGenerator<{ readonly page: number }> {
    yield { page: 1 };
  });
  for await (const { page } of pages()) exactly<number>()(page);
  for await (const ref of pages().refs()) exactly<Ref<{ readonly page: number }>>()(ref);
  exactly<Stream<number>>()(numbers.with({ ahead: 1, retries: 0 })(1));
  const hidden = stream((n: number) => new Set([n]));
  exactly<Stream<number>>()(hidden(1));
  for await (const [index, item] of merge([numbers(1), hidden(2)])) {
    exactly<number>()(index);
    exactly<number>()(item);
  }
  // A reference passes through a stream as it is.
  const refs = task(function* () {
    yield square(1);
  });
  for await (const ref of refs()) exactly<Ref<number>>()(ref);
  await using opened = numbers(1);
  cancel(opened);
  await scope(async (s) => {
    exactly<Stream<number>>()(s.start(numbers, 2));
  });
  // @ts-expect-error a text is no number
  numbers('x');
  // @ts-expect-error a stream is read where it was opened, and is no argument
  square(numbers(1));
  // @ts-expect-error not a function that gives items
  stream((n: number) => n);
}

export async function memory(): Promise<void> {
  const doubles: Float64Array = alloc(Float64Array, 10);
  const bytes: Uint8Array = alloc(Uint8Array, 10);
  put([doubles, bytes]);
  exactly<Ref<{ a: number }>>()(put({ a: 1 }));
  // @ts-expect-error not a view of binary data
  alloc(Array, 10);
}

export async function scopes(r: Ref<number>): Promise<void> {
  exactly<string>()(
    await scope(async (s) => {
      exactly<AbortSignal>()(s.signal);
      exactly<Ref<number>>()(s.start(square, 2));
      exactly<Ref<string>>()(s.start(text, r, 'x'));
      // @ts-expect-error a text is no number
      s.start(square, 'x');
      return s.keep(put('x')).id;
    }),
  );
  await using s = scope({ timeout: '1s' });
  s.start(square, 1);
  using held = square(2);
  held.ignore().release();
}

export async function sessions(): Promise<void> {
  await using session = await connect({
    cpus: 2,
    gpus: 1,
    resources: { license: 1 },
    memory: '1GiB',
    checkWrites: true,
  });
  exactly<Session>()(session);
  exactly<number>()(session.run(() => 1));
  exactly<Ref<number>>()(session.run(() => square(1)));
  square.with({ session })(1);
  exactly<number>()(session.stats().bytesThroughDriver);
  exactly<boolean>()(current().cancelled());
  await using other = await connect({ mode: 'workers' });
  exactly<Session>()(other);
  // @ts-expect-error no such mode
  connect({ mode: 'threads' });
  // @ts-expect-error of a later version
  connect({ workers: [] });
  class Point {
    x = 0;
  }
  registerCodec(Point, { id: 'point', encode: (p) => p.x, decode: (x) => Object.assign(new Point(), { x }) });
}
