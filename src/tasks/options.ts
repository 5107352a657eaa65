import { bytes, milliseconds, NotAvailableError, UsageError } from '../base/index.ts';
import type { ResolvedOptions } from '../runtime/index.ts';
import type { TaskOptions } from './types.ts';

/** Options that a later version brings, with what brings them. */
const later: Readonly<Record<string, string>> = {
  labels: 'the cluster',
  placement: 'the cluster',
  replicas: 'the cluster',
  pure: 'the SPMD engine',
  ranks: 'the SPMD engine',
};

const known = new Set([
  'name',
  'cpus',
  'gpus',
  'memory',
  'resources',
  'isolation',
  'retries',
  'retryErrors',
  'timeout',
  'signal',
  'maxCalls',
  'maxPending',
  'session',
  'copy',
  'returns',
  'captures',
]);

/** Refuses what is not an option, by name. */
export function checkNames(
  options: object,
  names: ReadonlySet<string>,
  notYet: Readonly<Record<string, string>>,
  what: string,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || names.has(name)) continue;
    const part = notYet[name];
    if (part !== undefined) {
      throw new NotAvailableError(
        `${what}: the option \`${name}\` comes with ${part}, which this version does not have`,
        {
          details: { option: name },
        },
      );
    }
    throw new UsageError(`${what}: there is no option \`${name}\`; the options are ${[...names].join(', ')}`);
  }
}

function amount(value: number, what: string): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value;
  throw new UsageError(`${what} is ${String(value)}; give a number that is not negative`);
}

function whole(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new UsageError(`${what} is ${String(value)}; give a whole number that is not negative`);
}

export function checkObject(options: unknown, what: string): asserts options is object {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw new UsageError(
    `${what}: the options are ${options === null ? 'null' : typeof options}; give an object, or nothing`,
  );
}

export function checkSignal(signal: unknown, what: string): void {
  if (signal instanceof AbortSignal) return;
  throw new UsageError(
    `${what}: the option \`signal\` is ${signal === null ? 'null' : typeof signal}; give an AbortSignal`,
  );
}

/** Amounts by name. */
export function checkResources(resources: unknown, what: string): void {
  if (typeof resources !== 'object' || resources === null) {
    throw new UsageError(
      `${what}: the option \`resources\` is ${String(resources)}; give amounts by name, such as { license: 2 }`,
    );
  }
  for (const [key, value] of Object.entries(resources))
    amount(value as number, `${what}: the option \`resources.${key}\``);
}

export function checkCaptures(captures: unknown): void {
  if (typeof captures === 'object' && captures !== null && !Array.isArray(captures)) return;
  throw new UsageError(
    `task: the option \`captures\` is ${Array.isArray(captures) ? 'an array' : String(captures)}; give values by the names ` +
      'under which the function uses them, such as { captures: { k } }',
  );
}

export function checkTaskOptions(options: TaskOptions, name: string): void {
  const what = `task ${name}`;
  checkObject(options, what);
  checkNames(options, known, later, what);
  if ((options as { captures?: unknown }).captures !== undefined) {
    throw new UsageError(`${what}: the option \`captures\` belongs to the definition; give it to task()`);
  }
  const { name: own, signal, resources, retryErrors } = options as Record<string, unknown>;
  if (own !== undefined && typeof own !== 'string')
    throw new UsageError(`${what}: the option \`name\` is ${typeof own}; give a text`);
  if (signal !== undefined) checkSignal(signal, what);
  if (resources !== undefined) checkResources(resources, what);
  if (retryErrors !== undefined && typeof retryErrors !== 'boolean' && typeof retryErrors !== 'function') {
    throw new UsageError(
      `${what}: the option \`retryErrors\` is ${String(retryErrors)}; give a boolean, or a function of the error`,
    );
  }
}

/** Defaults filled in, units resolved. */
export function resolveOptions(o: TaskOptions, name: string, isolation: 'process' | 'thread'): ResolvedOptions {
  const what = (option: string): string => `task ${name}: the option \`${option}\``;
  const gpus = amount(o.gpus ?? 0, what('gpus'));
  if (gpus > 1 && !Number.isInteger(gpus)) {
    throw new UsageError(`${what('gpus')} is ${gpus}; give whole devices, or a share of one that is less than 1`);
  }
  const retries =
    o.retries === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : whole(o.retries ?? 3, what('retries'));
  const custom: Record<string, number> = {};
  for (const [key, value] of Object.entries(o.resources ?? {})) custom[key] = amount(value, what(`resources.${key}`));
  if (o.isolation !== undefined && o.isolation !== 'process' && o.isolation !== 'thread') {
    throw new UsageError(`${what('isolation')} is ${JSON.stringify(o.isolation)}; give 'process' or 'thread'`);
  }
  if (o.isolation === 'process' && isolation === 'thread') {
    throw new NotAvailableError(
      `${what('isolation')} is 'process', but this session shares memory between threads only`,
    );
  }
  return {
    name: o.name ?? name,
    shape: {
      cpus: amount(o.cpus ?? 1, what('cpus')),
      gpus,
      memory: o.memory === undefined ? 0 : bytes(o.memory, what('memory')),
      custom,
      isolation: o.isolation ?? isolation,
      exclusive: retries === 0,
    },
    retries,
    retryErrors: o.retryErrors ?? false,
    timeout: o.timeout === undefined ? 0 : Math.min(milliseconds(o.timeout, what('timeout')), 2 ** 31 - 1),
    returns: o.returns === undefined ? 0 : whole(o.returns, what('returns')),
    copy: o.copy ?? false,
    maxCalls: whole(o.maxCalls ?? 0, what('maxCalls')),
    maxPending:
      o.maxPending === undefined || o.maxPending === Number.POSITIVE_INFINITY
        ? Number.POSITIVE_INFINITY
        : whole(o.maxPending, what('maxPending')),
  };
}
