/** What a value that can't travel is, and what to do instead; follows its path in the message. */
export function refusal(value: unknown): string {
  if (typeof value === 'function') {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    const name = typeof value.name === 'string' && value.name !== '' ? ` ${value.name}` : '';
    return isClass
      ? `: class${name} can't be sent as a value; make it an actor, or pass plain data`
      : `: function${name} can't be sent as a value; make it a task, or pass plain data`;
  }
  if (typeof value === 'symbol')
    return `: ${String(value)} can't be sent, since a symbol means something only where it was made; pass a string`;
  if (typeof value !== 'object' || value === null) return `: a value of type ${typeof value} can't be sent`;
  const name = className(value);
  const advice = name === undefined ? undefined : advices.get(name);
  if (advice !== undefined) return `: a ${name} can't be sent; ${advice}`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const tagAdvice = advices.get(tag);
  if (tagAdvice !== undefined) return `: a ${tag} can't be sent; ${tagAdvice}`;
  if (name === undefined) return ` is an object with a prototype of its own; pass plain data: { ...object }`;
  return ` is an instance of class ${name}, which has no codec; register one with registerCodec(${name}, {...}), or pass plain data`;
}

function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  const type: unknown =
    typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'constructor')
      ? prototype.constructor
      : undefined;
  return typeof type === 'function' ? type.name || '(anonymous)' : undefined;
}

const collect = 'collect what it yields first: [...it]';
const read = 'read it first, and send the bytes or the text';
const advices = new Map<string, string>([
  ['Promise', 'await it first, or pass the Ref of a task'],
  ['WeakMap', 'use a Map'],
  ['WeakSet', 'use a Set'],
  ['WeakRef', 'send what it refers to'],
  ['FinalizationRegistry', 'it belongs to this process'],
  ['Generator', collect],
  ['AsyncGenerator', 'collect what it yields first, or make it a stream: a task that is a generator function'],
  ['Array Iterator', collect],
  ['Map Iterator', collect],
  ['Set Iterator', collect],
  ['String Iterator', collect],
  ['Blob', 'send what `await blob.arrayBuffer()` gives'],
  ['File', 'send what `await file.arrayBuffer()` gives'],
  ['FormData', 'send its entries: [...form]'],
  ['Headers', 'send its entries: [...headers]'],
  ['Request', 'send its url, method and entries of its headers'],
  ['Response', 'send what `await response.arrayBuffer()` gives'],
  ['ReadableStream', read],
  ['WritableStream', 'it belongs to this process'],
  ['TransformStream', 'it belongs to this process'],
  ['Readable', read],
  ['MessagePort', 'it belongs to this process; pass an actor handle'],
  ['BroadcastChannel', 'it belongs to this process; pass an actor handle'],
  ['Worker', 'it belongs to this process; pass an actor handle'],
  ['AbortController', 'it belongs to this process; cancel the Ref instead'],
  ['AbortSignal', 'give it to the call as the option `signal`'],
  ['KeyObject', 'send what `key.export()` gives'],
  ['CryptoKey', 'send what `await crypto.subtle.exportKey(...)` gives'],
  ['WebAssembly.Memory', 'send a copy of its buffer: memory.buffer.slice(0)'],
  ['WebAssembly.Module', 'send its bytes and compile them there'],
  ['WebAssembly.Instance', 'send the bytes of its module and compile them there'],
]);
