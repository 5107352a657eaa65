import type { AnyNode } from './parse.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const asyncGlobals = words(
  `Promise setTimeout setInterval setImmediate queueMicrotask fetch WebSocket EventSource EventTarget MessageChannel
MessagePort BroadcastChannel AbortSignal AbortController ReadableStream WritableStream TransformStream Worker
FinalizationRegistry eval Function WebAssembly PerformanceObserver require crypto AsyncDisposableStack`,
);
const asyncMembers = words('then catch finally nextTick waitAsync subtle on once addListener addEventListener');
const syncModules = words(
  'path path/posix path/win32 url util os assert buffer querystring string_decoder punycode perf_hooks',
);
const syncNames: Readonly<Record<string, ReadonlySet<string>>> = {
  crypto: words('createHash createHmac randomUUID hash timingSafeEqual getHashes randomInt'),
  sheaf: words('task actor remote stream current byRef init'),
};

/**
 * Gathers whether a function, with what it reaches, could go on after it has returned. Conservative: a name that could
 * hide a callback counts as one.
 */
export class Synchrony {
  #result = true;

  get result(): boolean {
    return this.#result;
  }

  never(): void {
    this.#result = false;
  }

  /** A global or captured name that is used. */
  name(name: string): void {
    if (asyncGlobals.has(name)) this.#result = false;
  }

  /** An imported name that is used; '*' for a whole module. */
  import(source: string, name: string): void {
    const module = source.replace(/^node:/, '');
    if (syncModules.has(module)) return;
    if (syncNames[module]?.has(name)) return;
    if (module === 'fs' && name.endsWith('Sync')) return;
    this.#result = false;
  }

  node(node: AnyNode): void {
    switch (node.type) {
      case 'AwaitExpression':
      case 'YieldExpression':
      case 'ImportExpression':
        this.#result = false;
        return;
      case 'ForOfStatement':
        if (node.await) this.#result = false;
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        if (node.async || node.generator) this.#result = false;
        return;
      case 'MemberExpression':
        if (!node.computed && node.property.type === 'Identifier' && asyncMembers.has(node.property.name)) {
          this.#result = false;
        }
        return;
      default:
    }
  }
}
