/** Functions of the script: which one a call means, and what it is for the types of its arguments. */

import type { Span } from '../source.ts';
import type { Call, TypeAnnotation } from '../syntax/index.ts';
import { matrix, scalar, type Type, typeName } from '../types.ts';
import { Body } from './body.ts';
import { inOrder } from './calls.ts';
import { type Definition, type Instance, UNCALLED } from './compilation.ts';
import { constantKey, generalised, typeKey } from './join.ts';
import { hasUnknown, type Known, type Results, UNKNOWN } from './known.ts';

/** From so many on, a function is compiled without shapes, for types and values. */
const MOST_SHAPES = 8;
/** From so many on, for types alone: until then, an axis or a label that is constant where it is called is constant in the function. */
const MOST_VALUES = 32;
/** Calls within calls that are looked into before their callers are done. */
const MOST_ACTIVE = 300;

/** How well an argument fits a parameter: undefined, not at all. */
function fitness(wanted: TypeAnnotation | undefined, given: Known): number | undefined {
  if (wanted === undefined || given === UNKNOWN) return 0;
  const { type } = given;
  if (wanted.data === 'scalar') {
    if (type.data === 'scalar' && type.value === wanted.value) return 3;
    if (wanted.value !== 'bool') return undefined;
    if (type.data === 'scalar' && type.value !== 'str') return 1;
    return type.data === 'matrix' && type.value !== 'str' && (type.rows ?? 1) === 1 && (type.columns ?? 1) === 1
      ? 1
      : undefined;
  }
  if (type.data !== 'matrix') return undefined;
  if (wanted.value === undefined) return 2;
  return type.value === undefined || type.value === wanted.value ? 3 : undefined;
}

/** Arguments in the order of a definition's parameters; undefined if there are others. */
function arranged(at: Call, { node }: Definition): number[] | undefined {
  const names = node.parameters.map(({ name }) => name.name);
  if (at.arguments.length !== names.length) return undefined;
  const places = at.arguments.map(({ name }, i) => (name === undefined ? i : names.indexOf(name)));
  if (new Set(places).size < places.length || places.includes(-1)) return undefined;
  const order: number[] = [];
  for (const [i, place] of places.entries()) order[place] = i;
  return order;
}

interface Candidate {
  readonly definition: Definition;
  readonly args: readonly Known[];
}

function best(candidates: readonly Candidate[]): Candidate | undefined {
  let found: Candidate | undefined;
  let most = -1;
  for (const each of candidates) {
    const fits = each.definition.node.parameters.map(({ type }, i) => fitness(type, each.args[i] as Known));
    if (fits.includes(undefined)) continue;
    const sum = fits.reduce<number>((total, one) => total + (one ?? 0), 0);
    if (sum > most) [found, most] = [each, sum];
  }
  return found;
}

const annotated = (type: TypeAnnotation | undefined): string => {
  if (type === undefined) return 'any';
  return type.data === 'scalar' ? type.value : `matrix${type.value === undefined ? '' : `<${type.value}>`}`;
};

function noneFits(
  body: Body,
  at: Span,
  name: string,
  definitions: readonly Definition[],
  args: readonly Known[],
): never {
  const given = args.map((each) => (each === UNKNOWN ? '?' : typeName(each.type))).join(', ');
  const known = definitions.map(({ node }) => {
    const parameters = node.parameters.map((each) => `${each.name.name}: ${annotated(each.type)}`);
    return `${name}(${parameters.join(', ')})`;
  });
  return body.wrong(at, `\`${name}\` is not there for (${given}), but as ${known.join(' and ')}`);
}

/** The definition for arguments without names. */
export function chosen(
  body: Body,
  at: Span,
  name: string,
  definitions: readonly Definition[],
  args: readonly Known[],
): Definition {
  const candidates = definitions.filter(({ node }) => node.parameters.length === args.length);
  const found = best(candidates.map((definition) => ({ definition, args })));
  return found?.definition ?? noneFits(body, at, name, definitions, args);
}

export function callDefinition(
  body: Body,
  at: Call,
  definitions: readonly Definition[],
  args: readonly Known[],
): Results {
  const [only] = definitions;
  if (definitions.length === 1 && only !== undefined) {
    // The only one: what is wrong about names can be told.
    inOrder(
      body,
      at,
      only.node.parameters.map(({ name }) => name.name),
    );
  }
  const candidates = definitions.flatMap((definition) => {
    const order = arranged(at, definition);
    return order === undefined ? [] : [{ definition, args: order.map((place) => args[place] as Known) }];
  });
  const found = best(candidates);
  if (found === undefined) return noneFits(body, at, at.name, definitions, args);
  if (hasUnknown(args)) return undefined;
  const { definition } = found;
  const { builder } = body;
  const cast = found.args.map((each, i) => {
    const wanted = definition.node.parameters[i]?.type;
    return wanted?.data === 'scalar' && wanted.value === 'bool' ? body.condition(each, at) : each;
  });
  const instance = instanceFor(body, at, definition, cast);
  const results = instance?.results ?? declared(definition);
  if (results === undefined || instance === undefined) return undefined;
  const made = results.map((type) => builder.fresh(type));
  builder.emit({
    kind: 'call',
    function: instance.index,
    to: made.map(({ variable }) => variable),
    args: cast.map(({ variable }) => variable),
    source: body.module.source,
    span: { start: at.start, end: at.end },
  });
  return made;
}

export const typeOf = (annotation: TypeAnnotation): Type =>
  annotation.data === 'scalar' ? scalar(annotation.value) : matrix(annotation.value);

const declared = ({ node }: Definition): readonly Type[] | undefined => node.results?.map(typeOf);

/** The function for these arguments, compiled if it is not there yet. Undefined: something is wrong, which has been noted. */
export function instanceFor(
  body: Body,
  at: Span,
  definition: Definition,
  args: readonly Known[],
): Instance | undefined {
  if (hasUnknown(args)) return undefined;
  const { compilation } = body;
  const isActive = compilation.active.some((each) => each.definition === definition);
  const { size } = definition.instances;
  const given =
    isActive || size >= MOST_VALUES
      ? args.map((each) => ({ ...each, type: generalised(each.type), constant: undefined }))
      : size >= MOST_SHAPES
        ? args.map((each) => ({ ...each, type: generalised(each.type) }))
        : args;
  const key = given.map(({ type, constant }) => `${typeKey(type)}=${constantKey(constant)}`).join(';');
  let instance = definition.instances.get(key);
  if (instance !== undefined) {
    if (instance.results === undefined) isRecursive(body, at, instance);
    compilation.failure ??= instance.failure;
    return instance;
  }
  if (isActive && definition.node.results === undefined) needsResults(body, at, definition);
  const index = compilation.functions.push(undefined) - 1;
  instance = { definition, index, results: undefined, failure: undefined, isRecursive: false };
  const results = declared(definition);
  if (compilation.active.length >= MOST_ACTIVE) {
    if (results === undefined)
      body.wrong(
        at,
        `functions call each other more than ${MOST_ACTIVE} deep: write down what they give, as in \`-> f64\``,
      );
    const made = { ...instance, results };
    compilation.pending.push(() => analyseInstance(body, made, given));
    definition.instances.set(key, made);
    return made;
  }
  definition.instances.set(key, instance);
  analyseInstance(body, instance, given);
  return instance;
}

function isRecursive(body: Body, at: Span, instance: Instance): void {
  const { active } = body.compilation;
  for (let i = active.length - 1; i >= 0; i--) {
    const each = active[i] as Instance;
    each.isRecursive = true;
    if (each === instance) break;
  }
  if (instance.definition.node.results === undefined) needsResults(body, at, instance.definition);
}

const needsResults = (body: Body, at: Span, { node }: Definition): never =>
  body.wrong(
    at,
    `\`${node.name.name}\` calls itself: write down what it gives, as in \`def ${node.name.name}(…) -> f64\``,
  );

function analyseInstance(body: Body, instance: Instance, args: readonly Known[]): void {
  const { compilation } = body;
  const { definition } = instance;
  const before = compilation.failure;
  compilation.failure = undefined;
  compilation.active.push(instance);
  const inner = new Body(compilation, definition.module, definition);
  const parameters = definition.node.parameters.map(({ name }, i) => {
    const { type, constant } = args[i] as Known;
    const variable = inner.builder.variable(type, name.name);
    const value = { variable, type, constant };
    inner.names.declare(name.name, value, name);
    inner.recordType(name, value);
    return variable;
  });
  instance.results = inner.functionBody();
  compilation.active.pop();
  compilation.functions[instance.index] = {
    name: definition.node.name.name,
    parameters,
    results: instance.results,
    variables: inner.builder.variables,
    body: inner.builder.block,
    recursive: instance.isRecursive,
  };
  instance.failure = compilation.failure;
  compilation.failure = before ?? compilation.failure;
}

/** Of a function that nobody calls: its names, and whatever else is wrong for all arguments. */
export function checkUncalled(body: Body, definition: Definition): void {
  if (definition.instances.size > 0) return;
  const { compilation } = body;
  const before = compilation.failure;
  const inner = new Body(compilation, definition.module, definition);
  compilation.active.push({ definition, index: UNCALLED, results: undefined, failure: undefined, isRecursive: false });
  for (const { name, type } of definition.node.parameters) {
    const isOpen = type === undefined || type.value === undefined;
    const value = isOpen ? UNKNOWN : inner.builder.fresh(typeOf(type), name.name);
    inner.names.declare(name.name, value, name);
    inner.recordType(name, value);
  }
  inner.functionBody();
  compilation.active.pop();
  compilation.failure = before;
}
