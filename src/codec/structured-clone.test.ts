import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { BlockList, SocketAddress } from 'node:net';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { CodecError } from '../base/index.ts';
import { roundTrip } from './round-trip.ts';

/**
 * Everything that structured clone keeps in Node, by the lists of the HTML standard and of Node's `worker_threads`: it
 * arrives equal, or as what docs/values.md says, or is refused with what to do instead. Nothing is lost in silence.
 */

const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => i * 7);

function cyclic(): object {
  const map = new Map<unknown, unknown>();
  const set = new Set<unknown>([map]);
  map.set(set, map).set('list', [map, set]);
  return { map, set };
}

function sparse(): unknown[] {
  const array: unknown[] = [];
  array[2] = undefined;
  array.length = 7;
  return array;
}

const { Float16Array: Half } = globalThis as { Float16Array?: { of(...items: number[]): object } };

const equal: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  booleans: () => [true, false],
  'numbers, -0 and NaN too': () => [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53],
  strings: () => ['', 'a', 'é中😀', '\ud800', '\0'],
  bigints: () => [0n, -1n, 2n ** 64n, -(10n ** 50n)],
  'boxed primitives': () => [Object(true), Object(-0), Object('text'), Object(3n)],
  'an object': () => ({ b: 1, a: { c: undefined }, 1: 'x' }),
  'an array': () => [1, [2, [3]]],
  'a sparse array': sparse,
  'an array with named properties': () => Object.assign([1, 2], { name: 'n' }),
  'an array of bigints': () => [1n, [2n ** 70n]],
  Map: () =>
    new Map<unknown, unknown>([
      [{}, 1],
      ['k', new Map()],
    ]),
  Set: () => new Set<unknown>([1, Number.NaN, {}, new Set()]),
  'Map and Set in a cycle': cyclic,
  Date: () => new Date(1e12),
  'a Date before the epoch': () => new Date(-1),
  RegExp: () => /a(?<n>b)\/c/giu,
  ArrayBuffer: () => bytes(20).buffer,
  'an empty ArrayBuffer': () => new ArrayBuffer(0),
  DataView: () => new DataView(bytes(20).buffer, 3, 9),
  Uint8Array: () => bytes(9).subarray(2, 7),
  Int8Array: () => Int8Array.of(-128, 127),
  Uint8ClampedArray: () => Uint8ClampedArray.of(0, 255),
  Uint16Array: () => new Uint16Array(bytes(20).buffer, 2, 4),
  Int16Array: () => Int16Array.of(-3),
  Uint32Array: () => Uint32Array.of(2 ** 32 - 1),
  Int32Array: () => Int32Array.of(-(2 ** 31)),
  Float32Array: () => Float32Array.of(0.5, Number.NaN),
  Float64Array: () => Float64Array.of(Math.PI, -0),
  BigInt64Array: () => BigInt64Array.of(-(2n ** 63n)),
  BigUint64Array: () => BigUint64Array.of(2n ** 64n - 1n),
  ...(Half === undefined ? {} : { Float16Array: () => Half.of(1.5, -0) }),
};

const errors: Record<string, () => Error> = {
  Error: () => new Error('m', { cause: { a: 1 } }),
  EvalError: () => new EvalError('m'),
  RangeError: () => new RangeError('m'),
  ReferenceError: () => new ReferenceError('m'),
  SyntaxError: () => new SyntaxError('m'),
  TypeError: () => new TypeError('m'),
  URIError: () => new URIError('m'),
  AggregateError: () => new AggregateError([new TypeError('a'), 2], 'm'),
  DOMException: () => new DOMException('m', 'DataCloneError'),
};

const pair = generateKeyPairSync('ed25519');
const secret = await webcrypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
const certificate = `-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUBzEaJNClS2AEK24PWslYAf9kXh4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjcwNzI1NDJaGA8yMTI2MTEwMzA3MjU0
MlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIGD
Q5IxNOuBTN677z6nP/SC9n5rI8xMviPPqENE+X5VsOMc4B1mYxoxlLPARC39wMRB
EK0b3JcNqtAuupC3gYSjUzBRMB0GA1UdDgQWBBScUAXN83cNTgtcqEHHdRENwl/I
8DAfBgNVHSMEGDAWgBScUAXN83cNTgtcqEHHdRENwl/I8DAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIBEWmxv8msjBrVD+/mRDryt4EBy3zCF4Y0jE
uf1AxZ0WAiAbF/+MBdAAJrxaLaDqKovEswIGnW7ARD+oPd3UFuaNjQ==
-----END CERTIFICATE-----`;
/** Without a place in the types that we have. */
const { WebAssembly: Wasm } = globalThis as unknown as {
  WebAssembly: Record<'Module' | 'Table', new (from: unknown) => object>;
};
type Grows = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Kept by structured clone within a process, by handing over what is not JavaScript's. */
const refused: Record<string, readonly [() => unknown, RegExp]> = {
  Blob: [
    () => new Blob(['x']),
    /a Blob can't be sent; its bytes can only be read asynchronously.*`await blob\.arrayBuffer\(\)`/,
  ],
  File: [
    () => new File(['x'], 'n'),
    /a File can't be sent; its bytes can only be read asynchronously.*`await file\.arrayBuffer\(\)`/,
  ],
  'a secret KeyObject': [() => createSecretKey(Buffer.from('k')), /a KeyObject can't be sent; .*`key\.export\(/],
  'a public KeyObject': [() => pair.publicKey, /a KeyObject can't be sent; .*createPublicKey/],
  'a private KeyObject': [() => pair.privateKey, /a KeyObject can't be sent; .*createPrivateKey/],
  CryptoKey: [() => secret, /a CryptoKey can't be sent; .*`await crypto\.subtle\.exportKey\(/],
  X509Certificate: [() => new X509Certificate(certificate), /an X509Certificate can't be sent; .*`certificate\.raw`/],
  BlockList: [() => new BlockList(), /a BlockList can't be sent; .*`list\.rules`/],
  SocketAddress: [() => new SocketAddress({}), /a SocketAddress can't be sent; .*address, port, family/],
  'a histogram': [() => createHistogram(), /a RecordableHistogram can't be sent; .*`histogram\.toJSON\(\)`/],
  'a histogram of delays': [() => monitorEventLoopDelay(), /an? \w*Histogram can't be sent; .*`histogram\.toJSON\(\)`/],
  'WebAssembly.Module': [() => new Wasm.Module(emptyModule), /a WebAssembly\.Module can't be sent; send its bytes/],
  'shared WebAssembly.Memory': [
    () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
    /a WebAssembly\.Memory can't be sent; send a copy of its buffer/,
  ],
  // Structured clone makes plain objects and arrays of these: what they were is lost.
  'an instance of a class': [() => new (class User {})(), /instance of class User, which has no codec; register one/],
  'a subclass of Array': [() => new (class Stack extends Array {})(), /instance of class Stack, which has no codec/],
  'a subclass of Map': [() => new (class Index extends Map {})(), /instance of class Index, which has no codec/],
  'an object with a prototype': [
    () => Object.create({ a: 1 }),
    /an object with a prototype of its own; pass plain data/,
  ],
};

/** Not kept by structured clone either. */
const neither: Record<string, readonly [() => unknown, RegExp]> = {
  function: [() => () => 1, /function can't be sent as a value; make it a task/],
  symbol: [() => Symbol('s'), /Symbol\(s\) can't be sent/],
  'a boxed symbol': [() => Object(Symbol('s')), /a Symbol can't be sent; it means something only where it was made/],
  WeakMap: [() => new WeakMap(), /a WeakMap can't be sent; use a Map/],
  WeakSet: [() => new WeakSet(), /a WeakSet can't be sent; use a Set/],
  WeakRef: [() => new WeakRef({}), /a WeakRef can't be sent; send what it refers to/],
  Promise: [() => Promise.resolve(1), /a Promise can't be sent; await it first/],
  'a generator': [() => (function* () {})(), /a Generator can't be sent; collect/],
  'an iterator': [() => new Map().entries(), /a Map Iterator can't be sent; collect/],
  'Intl.NumberFormat': [
    () => new Intl.NumberFormat('en'),
    /an Intl\.NumberFormat can't be sent; .*`resolvedOptions\(\)`/,
  ],
  'Intl.DateTimeFormat': [
    () => new Intl.DateTimeFormat('en'),
    /an Intl\.DateTimeFormat can't be sent; .*make it again/,
  ],
  'Intl.Locale': [() => new Intl.Locale('en'), /an Intl\.Locale can't be sent; .*make it again/],
  'Intl.Collator': [() => new Intl.Collator('en'), /an Intl\.Collator can't be sent; .*make it again/],
  MessagePort: [() => new MessageChannel().port1, /a MessagePort can't be sent; it belongs to this process/],
  ReadableStream: [() => new ReadableStream(), /a ReadableStream can't be sent; read it first/],
  'unshared WebAssembly.Memory': [() => new WebAssembly.Memory({ initial: 1 }), /a WebAssembly\.Memory can't be sent/],
  'WebAssembly.Table': [
    () => new Wasm.Table({ initial: 1, element: 'anyfunc' }),
    /a WebAssembly\.Table can't be sent; it belongs to this process/,
  ],
};

function refusalOf(value: unknown): string {
  try {
    roundTrip(value);
  } catch (error) {
    assert.ok(error instanceof CodecError, String(error));
    return error.message;
  }
  return assert.fail('it was sent');
}

describe('what structured clone keeps', () => {
  for (const [name, make] of Object.entries(equal)) {
    it(`arrives equal: ${name}`, () => {
      const value = make();
      const copy = roundTrip(value);
      assert.deepStrictEqual(copy, value);
      assert.deepStrictEqual(copy, structuredClone(value));
      if (typeof value === 'object' && value !== null) {
        assert.notEqual(copy, value);
        assert.equal(Object.getPrototypeOf(copy), Object.getPrototypeOf(value));
        assert.deepEqual(Object.keys(copy as object), Object.keys(value));
      }
    });
  }

  for (const [name, make] of Object.entries(errors)) {
    it(`arrives with more than structured clone keeps of it: ${name}`, () => {
      const value = make();
      structuredClone(value);
      const copy = roundTrip(value) as Error;
      assert.deepStrictEqual(copy, value);
      assert.equal(Object.getPrototypeOf(copy), Object.getPrototypeOf(value));
      assert.deepEqual([copy.stack, copy.cause], [value.stack, value.cause]);
    });
  }

  it('arrives as it would from structured clone: a RegExp from its beginning, a Buffer as a Uint8Array', () => {
    const regexp = /a/g;
    regexp.lastIndex = 5;
    for (const copy of [roundTrip(regexp), structuredClone(regexp)]) assert.equal((copy as RegExp).lastIndex, 0);
    const buffer = Buffer.from('bytes');
    for (const copy of [roundTrip(buffer), structuredClone(buffer)]) {
      assert.equal(Object.getPrototypeOf(copy), Uint8Array.prototype);
      assert.deepEqual(copy, new Uint8Array(buffer));
    }
  });

  it('arrives as an ArrayBuffer of its present length: what can grow, or is shared', () => {
    const resizable = new (ArrayBuffer as unknown as Grows)(8, { maxByteLength: 64 });
    const shared = new SharedArrayBuffer(8);
    const growable = new (SharedArrayBuffer as unknown as Grows)(8, { maxByteLength: 64 });
    for (const value of [resizable, shared, growable]) {
      structuredClone(value);
      const tracking = new Uint8Array(value);
      tracking.set([1, 2, 3]);
      const copy = roundTrip({ value, tracking }) as { value: ArrayBuffer; tracking: Uint8Array };
      assert.equal(Object.getPrototypeOf(copy.value), ArrayBuffer.prototype);
      assert.equal((copy.value as { resizable?: boolean }).resizable ?? false, false);
      assert.deepEqual([...copy.tracking], [1, 2, 3, 0, 0, 0, 0, 0]);
      assert.equal(copy.tracking.buffer, copy.value);
    }
  });

  for (const [name, [make, message]] of Object.entries(refused)) {
    it(`is refused, with what to do instead: ${name}`, () => {
      const value = make();
      structuredClone(value);
      assert.match(refusalOf(value), message);
    });
  }
});

describe('what structured clone does not keep', () => {
  for (const [name, [make, message]] of Object.entries(neither)) {
    it(`is refused, with what to do instead: ${name}`, () => {
      const value = make();
      assert.throws(() => structuredClone(value));
      assert.match(refusalOf(value), message);
    });
  }
});
