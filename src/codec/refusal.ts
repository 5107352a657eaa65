import { isClass } from '../base/index.ts';

/** What a value that can't travel is, and what to do instead; follows its path in the message. */
export function refusal(value: unknown): string {
  if (typeof value === 'function') {
    const name = typeof value.name === 'string' && value.name !== '' ? ` ${value.name}` : '';
    return isClass(value)
      ? `: class${name} can't be sent as a value; make it an actor, or pass plain data`
      : `: function${name} can't be sent as a value; make it a task, or pass plain data`;
  }
  if (typeof value === 'symbol')
    return `: ${String(value)} can't be sent, since a symbol means something only where it was made; pass a string`;
  if (typeof value !== 'object' || value === null) return `: a value of type ${typeof value} can't be sent`;
  const name = className(value);
  const advice = name === undefined ? undefined : advices.get(name);
  if (advice !== undefined) return `: ${withArticle(name as string)} can't be sent; ${advice}`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const tagAdvice = advices.get(tag) ?? (tag.startsWith('Intl.') ? intl : undefined);
  if (tagAdvice !== undefined) return `: ${withArticle(tag)} can't be sent; ${tagAdvice}`;
  if (name === undefined) return ` is an object with a prototype of its own; pass plain data: { ...object }`;
  return ` is an instance of class ${name}, which has no codec; register one with registerCodec(${name}, {...}), or pass plain data`;
}

function withArticle(name: string): string {
  return `${/^[AEIOX]/.test(name) ? 'an' : 'a'} ${name}`;
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
const here = 'it belongs to this process';
const intl = 'send its locale and its `resolvedOptions()`, and make it again there';
const figures = 'send its figures: `histogram.toJSON()`';
const blob = 'its bytes can only be read asynchronously, and a value is sent at once:';
const advices = new Map<string, string>([
  ['Symbol', 'it means something only where it was made; pass a string'],
  ['Promise', 'await it first, or pass the Ref of a task'],
  ['WeakMap', 'use a Map'],
  ['WeakSet', 'use a Set'],
  ['WeakRef', 'send what it refers to'],
  ['FinalizationRegistry', here],
  ['Generator', collect],
  ['AsyncGenerator', 'collect what it yields first, or make it a stream: a task that is a generator function'],
  ['Array Iterator', collect],
  ['Map Iterator', collect],
  ['Set Iterator', collect],
  ['String Iterator', collect],
  [
    'Blob',
    `${blob} send what \`await blob.arrayBuffer()\` gives, and \`blob.type\`; for a file on this machine, pass what \`file(path)\` gives`,
  ],
  ['File', `${blob} send what \`await file.arrayBuffer()\` gives, and \`file.name\``],
  ['FormData', 'send its entries: [...form]'],
  ['Headers', 'send its entries: [...headers]'],
  ['Request', 'send its url, method and entries of its headers'],
  ['Response', 'send what `await response.arrayBuffer()` gives'],
  ['ReadableStream', read],
  ['WritableStream', here],
  ['TransformStream', here],
  ['Readable', read],
  ['MessagePort', 'it belongs to this process; pass an actor handle'],
  ['BroadcastChannel', 'it belongs to this process; pass an actor handle'],
  ['Worker', 'it belongs to this process; pass an actor handle'],
  ['AbortController', 'it belongs to this process; cancel the Ref instead'],
  ['AbortSignal', 'give it to the call as the option `signal`'],
  [
    'KeyObject',
    'send what `key.export({ format: "der", type: "pkcs8" })` gives ("spki" for a public key, nothing for a secret one), ' +
      'and make it again there: createPrivateKey, createPublicKey, createSecretKey',
  ],
  ['CryptoKey', 'send what `await crypto.subtle.exportKey(...)` gives, and import it there'],
  ['X509Certificate', 'send `certificate.raw`, and make it again there: new X509Certificate(raw)'],
  ['BlockList', 'send `list.rules`, or what they were made of, and add them to a new one there'],
  ['SocketAddress', 'send { address, port, family, flowlabel }, and make it again there'],
  ['Histogram', figures],
  ['RecordableHistogram', figures],
  ['ELDHistogram', figures],
  ['IntervalHistogram', figures],
  ['WebAssembly.Memory', 'send a copy of its buffer: memory.buffer.slice(0)'],
  ['WebAssembly.Module', 'send its bytes and compile them there'],
  ['WebAssembly.Table', here],
  ['WebAssembly.Global', 'send its value'],
  ['WebAssembly.Instance', 'send the bytes of its module and compile them there'],
]);
