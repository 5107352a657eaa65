/** Names that JavaScript and Node give every worker. A fixed list: what a program adds to globalThis is not there. */
export const globalNames: ReadonlySet<string> = new Set(
  `Infinity NaN undefined globalThis global eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent
encodeURI encodeURIComponent escape unescape Object Function Boolean Symbol Error AggregateError EvalError RangeError
ReferenceError SyntaxError TypeError URIError SuppressedError DisposableStack AsyncDisposableStack Number BigInt Math
Date Temporal String RegExp Array Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array
BigInt64Array BigUint64Array Float16Array Float32Array Float64Array Map Set WeakMap WeakSet WeakRef
FinalizationRegistry ArrayBuffer SharedArrayBuffer DataView Atomics JSON Iterator AsyncIterator Promise Reflect Proxy
Intl WebAssembly console process Buffer URL URLSearchParams URLPattern TextEncoder TextDecoder AbortController
AbortSignal Event EventTarget CustomEvent EventSource MessageChannel MessagePort MessageEvent BroadcastChannel
DOMException Blob File FormData Headers Request Response fetch WebSocket CloseEvent crypto Crypto CryptoKey
SubtleCrypto performance Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver
PerformanceObserverEntryList PerformanceResourceTiming queueMicrotask structuredClone atob btoa setTimeout clearTimeout
setInterval clearInterval setImmediate clearImmediate navigator Navigator ReadableStream ReadableStreamDefaultReader
ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableByteStreamController ReadableStreamDefaultController
WritableStream WritableStreamDefaultWriter WritableStreamDefaultController TransformStream
TransformStreamDefaultController ByteLengthQueuingStrategy CountQueuingStrategy TextEncoderStream TextDecoderStream
CompressionStream DecompressionStream gc localStorage sessionStorage Storage`.split(/\s+/),
);

/** Names that a file has from its module system; a slice gets them for its own file. */
export const moduleNames: ReadonlySet<string> = new Set(['require', '__filename', '__dirname']);
