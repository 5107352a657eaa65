import { isBuiltin } from 'node:module';
import type { AnyNode } from './parse.ts';

/** What the analysis knows by name: builtins that only compute, and what compilers put into files. */

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

export const constructors = words(
  `Array Object Map Set WeakMap WeakSet RegExp URL URLSearchParams TextEncoder TextDecoder ArrayBuffer DataView
Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array
Float16Array Float32Array Float64Array Number String Boolean Error TypeError RangeError`,
);
export const functions = words(
  'Number String Boolean BigInt Array Object RegExp Symbol parseInt parseFloat isNaN isFinite structuredClone atob btoa encodeURIComponent decodeURIComponent encodeURI decodeURI Error TypeError RangeError',
);
const statics: Readonly<Record<string, ReadonlySet<string> | 'all'>> = {
  Math: 'all',
  JSON: 'all',
  Object: 'all',
  Number: 'all',
  String: 'all',
  BigInt: 'all',
  Symbol: 'all',
  Array: words('of from isArray'),
  Date: words('UTC parse'),
  Buffer: words('from alloc concat byteLength'),
  Reflect: words('get has ownKeys'),
};
const typedArrayStatics = words('of from');
export const typedArrays = /^(?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array$/;
/** Members whose value is the same in every process of the program. */
export const constantOfProcess = words('platform arch version versions');
/** Methods of strings, arrays, maps, sets and numbers: they touch nothing but their receiver. */
export const methods = words(
  `at charAt charCodeAt codePointAt concat copyWithin endsWith entries every fill filter find findIndex findLast
findLastIndex flat flatMap forEach get has includes indexOf join keys lastIndexOf localeCompare map match matchAll
normalize padEnd padStart pop push reduce reduceRight repeat replace replaceAll reverse set add slice some sort splice
split startsWith subarray substring test toFixed toLowerCase toReversed toSorted toSpliced toString toUpperCase trim
trimEnd trimStart unshift shift values with encode decode exec valueOf bind`,
);
/** Modules whose functions only compute. */
const pureModules = words('path path/posix path/win32 url util assert buffer querystring');
/** What can be made of a sliceable function: a nested task calls tasks, so their definitions travel. */
export const definitions = words('task remote actor stream batch');
/** Helpers that compilers put at the top of a file; their initialisers only define functions. */
export const toolHelper =
  /^__(?:extends|assign|rest|decorate|param|esDecorate|runInitializers|propKey|setFunctionName|metadata|awaiter|generator|exportStar|createBinding|values|read|spread|spreadArrays|spreadArray|await|asyncGenerator|asyncDelegator|asyncValues|makeTemplateObject|importStar|importDefault|setModuleDefault|classPrivateField(?:Get|Set|In)|addDisposableResource|disposeResources|rewriteRelativeImportExtension|create|defProp|defProps|getOwnProp(?:Desc|Descs|Names|Symbols)|getProtoOf|hasOwnProp|propIsEnum|knownSymbol|typeError|pow|defNormalProp|spreadValues|spreadProps|name|require|objRest|esm|esmMin|commonJS|commonJSMin|export|copyProps|reExport|toESM|toCommonJS|decorate(?:Class|Param|Element)|decoratorStart|decoratorStrings|decoratorContext|expectFn|publicField|accessCheck|private(?:In|Get|Add|Set|Wrapper|Method)|earlyAccess|async|yieldStar|forAwait|template|using|callDispose|toBinary(?:Node)?|glob)\d*$/;
/** Compiler helpers whose calls only wrap what they are given. */
export const wrappingHelper =
  /^__(?:name|rest|objRest|spread|spreadArrays|read|values|toESM|toCommonJS|importStar|importDefault|commonJS|esm|template|makeTemplateObject|spreadArray|assign|spreadValues|spreadProps|publicField|setFunctionName)\d*$/;

/** `(0, x.y)` is how compilers call an imported function without a receiver. */
export function unwrapIndirect(node: AnyNode): AnyNode {
  return node.type === 'SequenceExpression' && node.expressions.length === 2 && node.expressions[0]!.type === 'Literal'
    ? node.expressions[1]!
    : node;
}

export function isSheaf(source: string): boolean {
  return source === 'sheaf' || source.startsWith('sheaf/');
}

/** Compiled private fields: a weak map or a helper that is given the object under construction. */
export function isPrivateField(node: Extract<AnyNode, { type: 'CallExpression' }>): boolean {
  if (node.arguments[0]?.type !== 'ThisExpression') return false;
  const { callee } = node;
  if (callee.type === 'Identifier') return toolHelper.test(callee.name);
  if (
    callee.type !== 'MemberExpression' ||
    callee.object.type !== 'Identifier' ||
    callee.property.type !== 'Identifier'
  ) {
    return false;
  }
  return /^(?:set|add)$/.test(callee.property.name) && callee.object.name.startsWith('_');
}

export function isPureStatic(global: string, name: string): boolean {
  if (`${global}.${name}` === 'Math.random') return false;
  const allowed = typedArrays.test(global) ? typedArrayStatics : statics[global];
  return allowed === 'all' || (allowed?.has(name) ?? false);
}

export function isPureModule(source: string): boolean {
  return isBuiltin(source) && pureModules.has(source.replace(/^node:/, ''));
}

export function nameOf(node: AnyNode): string {
  if (node.type === 'Identifier') return `\`${node.name}\``;
  if (node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier') {
    const object = node.object.type === 'Identifier' ? node.object.name : '(...)';
    return `${object}.${node.property.name}`;
  }
  return 'a function';
}

/** `__name(this, "A")` as a statement, whatever the helper is called. */
export function isNameCall(statement: AnyNode): boolean {
  return (
    statement.type === 'ExpressionStatement' &&
    statement.expression.type === 'CallExpression' &&
    statement.expression.arguments.length === 2 &&
    statement.expression.arguments[0]!.type === 'ThisExpression' &&
    statement.expression.arguments[1]!.type === 'Literal'
  );
}

/** esbuild's `__name`, also minified: `(target, value) => defineProperty(target, "name", { value, configurable: true })`. */
export function isNameHelper(fn: AnyNode): boolean {
  if (fn.type !== 'ArrowFunctionExpression' || fn.params.length !== 2 || fn.body.type !== 'CallExpression')
    return false;
  const [target, name, descriptor] = fn.body.arguments;
  const first = fn.params[0]!;
  return (
    target?.type === 'Identifier' &&
    first.type === 'Identifier' &&
    target.name === first.name &&
    name?.type === 'Literal' &&
    name.value === 'name' &&
    descriptor?.type === 'ObjectExpression'
  );
}

/** A call that only makes a function: esbuild's wrapper of a CommonJS module, `(cb, mod) => () => ...`, also minified. */
export function isModuleWrapper(fn: AnyNode): boolean {
  return (
    fn.type === 'ArrowFunctionExpression' &&
    fn.params.length >= 2 &&
    fn.params.length <= 3 &&
    (fn.body.type === 'ArrowFunctionExpression' || fn.body.type === 'FunctionExpression') &&
    fn.body.params.length === 0
  );
}
