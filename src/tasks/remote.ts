import { describeExport, describeModule } from '../code/index.ts';
import { actorClass } from './actor.ts';
import { define } from './task.ts';
import type { Remote } from './types.ts';

/**
 * A module elsewhere, typed: its functions are tasks, its generators streams, its classes actors. Takes what
 * `import.meta.resolve('./x.ts')` or `new URL('./x.ts', import.meta.url)` give; the module runs on workers only.
 *
 * @throws UsageError when there is no such module, or when it has no export of the name that is used.
 */
export function remote<M extends object>(module: string | URL): Remote<M> {
  const described = describeModule(module);
  const found = new Map<string, unknown>();
  return new Proxy(
    {},
    {
      get(_target, name): unknown {
        // Whatever is a Proxy must not look like a promise.
        if (typeof name !== 'string' || name === 'then') return undefined;
        let known = found.get(name);
        if (known === undefined) {
          const spec = describeExport(described, name);
          known = described.exports[name] === 'class' ? actorClass(spec) : define(spec, {});
          found.set(name, known);
        }
        return known;
      },
      has: (_target, name) => typeof name === 'string' && name in described.exports,
      ownKeys: () => Object.keys(described.exports),
      getOwnPropertyDescriptor: (_target, name) =>
        typeof name === 'string' && name in described.exports ? { configurable: true, enumerable: true } : undefined,
    },
  ) as Remote<M>;
}
