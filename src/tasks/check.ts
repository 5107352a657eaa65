import { bytes, kindOf, milliseconds, NotAvailableError, shown, UsageError } from '../base/index.ts';

/** What is wrong with a value: what to give instead, and of which part of it. */
interface Fault {
  readonly give: string;
  /** The part that is wrong, such as `.license`, and what it is. */
  readonly at?: string;
  readonly value?: unknown;
}

/** Undefined for a value that an option can have. A fault that is a text says what to give instead. */
export type Rule = (value: unknown) => string | Fault | undefined;
/** What the options of one place are, and what each can be. */
export type OptionTable<N extends string = string> = Readonly<Record<N, Rule>>;

export interface OtherNames {
  /** Options that a later version brings, with what brings them. */
  readonly later?: Readonly<Record<string, string>>;
  /** Options that belong to another place, with what to do. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

/**
 * Checks options where they are given: that they are an object, that each has a name of the table, and its value.
 *
 * @param what the place, as it begins the message: `task square`, `connect`.
 */
export function checkOptions(options: unknown, table: OptionTable, what: string, other: OtherNames = {}): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UsageError(`${what}: the options are ${kindOf(options)}; give an object, or nothing`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (Object.hasOwn(table, name)) checkValue(value, table[name] as Rule, name, `${what}: `);
    else unknown(name, Object.keys(table), what, other);
  }
}

/** Checks one value, that of `name`; `where` stands before the name in the message. */
export function checkValue(value: unknown, rule: Rule, name: string, where = ''): void {
  const found = rule(value);
  if (found === undefined) return;
  const fault = typeof found === 'string' ? { give: found } : found;
  const wrong = 'value' in fault ? fault.value : value;
  throw new UsageError(`${where}${name}${fault.at ?? ''} is ${shown(wrong)}; give ${fault.give}`);
}

function unknown(name: string, names: readonly string[], what: string, { later, elsewhere }: OtherNames): never {
  if (later !== undefined && Object.hasOwn(later, name)) {
    throw new NotAvailableError(
      `${what}: the option \`${name}\` comes with ${later[name]}, which this version does not have`,
      { details: { option: name } },
    );
  }
  if (elsewhere !== undefined && Object.hasOwn(elsewhere, name)) {
    throw new UsageError(`${what}: there is no option \`${name}\` here: ${elsewhere[name]}`);
  }
  throw new UsageError(`${what}: there is no option \`${name}\`; the options are ${names.join(', ')}`);
}

// ---- what options can be

type TextRule = (value: unknown) => string | undefined;

const whenNot =
  (is: (value: unknown) => boolean, give: string): TextRule =>
  (value) =>
    is(value) ? undefined : give;

const isNumber = (value: unknown): value is number => typeof value === 'number';
const converts = (convert: () => unknown): boolean => {
  try {
    convert();
    return true;
  } catch {
    return false;
  }
};

export const text = whenNot((v) => typeof v === 'string', 'a text');
export const yesOrNo = whenNot((v) => typeof v === 'boolean', 'true or false');
export const textOrYesOrNo = whenNot((v) => typeof v === 'string' || typeof v === 'boolean', 'true, false or a text');
export const amount = whenNot((v) => isNumber(v) && v >= 0 && Number.isFinite(v), 'a number that is not negative');
export const abortSignal = whenNot((v) => v instanceof AbortSignal, 'an AbortSignal');
export const duration = whenNot(
  (v) => converts(() => milliseconds(v as number, '')),
  "a duration: milliseconds, or a text such as '250ms', '1.5s', '2m', '1h'",
);
export const size = whenNot(
  (v) => converts(() => bytes(v as number, '')),
  "a size: bytes, or a text such as '64KiB', '256MiB', '1.5GiB'",
);
export const record = whenNot(
  (v) => typeof v === 'object' && v !== null && !Array.isArray(v),
  'an object with a value for each name',
);

export function oneOf(...choices: readonly string[]): TextRule {
  return whenNot((v) => choices.includes(v as string), choices.map((choice) => `'${choice}'`).join(' or '));
}

/** A whole number between two bounds. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): TextRule {
  const give = `a whole number ${least === 0 ? 'that is not negative' : `of at least ${least}`}${
    most === Number.MAX_SAFE_INTEGER ? '' : `, and ${most} at most`
  }`;
  return whenNot((v) => isNumber(v) && Number.isInteger(v) && v >= least && v <= most, give);
}

/** The same, or Infinity. */
export function wholeOrInfinity(least: number): TextRule {
  const rule = whole(least);
  return whenNot((v) => v === Number.POSITIVE_INFINITY || rule(v) === undefined, `${rule(undefined)}, or Infinity`);
}

/** A record whose items each obey a rule. */
export function each(rule: TextRule, give: string): Rule {
  return (value) => {
    if (record(value) !== undefined) return give;
    for (const [name, item] of Object.entries(value as object)) {
      const fault = rule(item);
      if (fault !== undefined) return { at: `.${name}`, value: item, give: fault };
    }
    return undefined;
  };
}
