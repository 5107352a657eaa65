// Every name that the design gives this version is exported, with the same type. Type-checked, never run.
import type * as sheaf from 'sheaf';
import type { Equal, Expect } from './assert.ts';
import type * as design from './design.ts';

/** Both ways, so that nothing is missing and nothing is stricter. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

export type Data = [
  Expect<Equal<sheaf.Duration, design.Duration>>,
  Expect<Equal<sheaf.Bytes, design.Bytes>>,
  Expect<Equal<keyof sheaf.TaskOptions, keyof design.TaskOptions>>,
  Expect<Equal<Omit<sheaf.TaskOptions, 'session'>, Omit<design.TaskOptions, 'session'>>>,
  Expect<Equal<sheaf.MapOptions, design.MapOptions>>,
  Expect<Equal<sheaf.WaitOptions, design.WaitOptions>>,
  Expect<Equal<sheaf.ConnectOptions, design.ConnectOptions>>,
  Expect<Equal<sheaf.SessionStats, design.SessionStats>>,
  Expect<Equal<sheaf.Current, design.Current>>,
  Expect<Equal<sheaf.Outcome<1, 2>, design.Outcome<1, 2>>>,
  Expect<Equal<sheaf.Ref<number>, design.Ref<number>>>,
  Expect<Equal<sheaf.ByRef<number>, design.ByRef<number>>>,
  Expect<Equal<sheaf.Session, design.Session>>,
];

export type Computed = [
  Expect<Same<sheaf.Arg<number>, design.Arg<number>>>,
  Expect<Same<sheaf.Arg<sheaf.Ref<1>>, design.Arg<design.Ref<1>>>>,
  Expect<Same<sheaf.Args<[a: number, b?: string]>, design.Args<[a: number, b?: string]>>>,
  Expect<Same<sheaf.Settled<Promise<number>>, design.Settled<Promise<number>>>>,
  Expect<Same<sheaf.Settled<Promise<sheaf.Ref<1>>>, design.Settled<Promise<design.Ref<1>>>>>,
  Expect<Same<sheaf.Out<number>, design.Out<number>>>,
  Expect<Same<sheaf.Out<Generator<1>>, design.Out<Generator<1>>>>,
  Expect<Same<sheaf.Stream<1>, design.Stream<1>>>,
  Expect<Same<sheaf.Values<readonly [sheaf.Ref<1>, 2]>, design.Values<readonly [design.Ref<1>, 2]>>>,
  Expect<Same<sheaf.Task<[a: number, b: string], 5>, design.Task<[a: number, b: string], 5>>>,
  Expect<Same<sheaf.Task<[], Promise<[1, 's']>>, design.Task<[], Promise<[1, 's']>>>>,
  Expect<Same<sheaf.Scope['keep'], design.Scope['keep']>>,
  Expect<Same<keyof sheaf.Scope, keyof design.Scope>>,
];

type Real = typeof sheaf;
/** Spelled out, because a mapped type would hide which name is wrong. */
export type Functions = [
  Expect<Same<Real['byRef'], design.Functions['byRef']>>,
  Expect<Same<Real['get'], design.Functions['get']>>,
  Expect<Same<Real['all'], design.Functions['all']>>,
  Expect<Same<Real['put'], design.Functions['put']>>,
  Expect<Same<Real['alloc'], design.Functions['alloc']>>,
  Expect<Same<Real['file'], design.Functions['file']>>,
  Expect<Same<Real['wait'], design.Functions['wait']>>,
  Expect<Same<Real['asCompleted'], design.Functions['asCompleted']>>,
  Expect<Same<Real['cancel'], design.Functions['cancel']>>,
  Expect<Same<Parameters<Real['stream']>, Parameters<design.Functions['stream']>>>,
  Expect<Same<Real['merge'], design.Functions['merge']>>,
  Expect<Same<Real['batch'], design.Functions['batch']>>,
  Expect<Same<Real['current'], design.Functions['current']>>,
  Expect<Same<Real['connect'], design.Functions['connect']>>,
  Expect<Same<Parameters<Real['task']>, Parameters<design.Functions['task']>>>,
];

export type Errors = Expect<
  { [K in design.ErrorNames]: InstanceType<Real[K]> extends sheaf.SheafError ? true : false }[design.ErrorNames]
>;
export type ErrorForm = Expect<
  Same<Pick<sheaf.SheafError, 'code' | 'message'>, { readonly code: string; message: string }>
>;

/** Nothing is exported that neither the design nor the list of additions has. */
type Additions = 'registerCodec' | 'UsageError' | 'FormatError' | 'ScriptError' | 'InternalError';
export type NothingElse = Expect<
  Equal<Exclude<keyof Real, keyof design.Functions | design.ErrorNames | Additions>, 'remote' | 'actor' | 'init'>
>;
