/**
 * One base class, one subclass for each thing a caller would handle differently, a stable `code` on each instance.
 * Every message says what happened, to what, and what to do about it.
 *
 * `instanceof` is decided by a brand and not by identity, so that it survives two copies of the package in one process
 * (a duplicate install, or a bundled worker beside an unbundled program).
 */

import { errorToJson } from './json.ts';

const brand = Symbol.for('sheaf.error');

/** What an error has besides its message. */
export interface SheafErrorOptions {
  /** Default: that of the class. */
  readonly code?: string;
  /** What led to it. */
  readonly cause?: unknown;
  /** Further fields that travel with the error and show up in its JSON form. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error for logs and other systems. */
interface SheafErrorJson {
  /** That of the class. */
  readonly name: string;
  /** Stays the same between versions. */
  readonly code: string;
  /** For people; it may change. */
  readonly message: string;
  /** Further fields, as JSON can have them. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What led to it, in the same form where it is an error. */
  readonly cause?: unknown;
}

/** What all errors of Sheaf are. `instanceof` works across copies of the package. */
export class SheafError extends Error {
  static readonly defaultCode: string = 'ERR_SHEAF';
  /** Stays the same between versions, such as `ERR_SHEAF_TIMEOUT`. */
  readonly code: string;
  // Declared and not defined: an error without details must not print `details: undefined`.
  /** Further fields, by name; which, is said where the code is explained. */
  declare readonly details?: Readonly<Record<string, unknown>>;

  constructor(message: string, options: SheafErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const type = new.target as typeof SheafError;
    this.code = options.code ?? type.defaultCode;
    if (options.details !== undefined) this.details = options.details;
    // Not an own enumerable property, and not `static name`, which a minifier would change.
    Object.defineProperty(this, 'name', { value: typeName(type), configurable: true, writable: true });
  }

  get [brand](): string {
    return typeName(this.constructor as typeof SheafError);
  }

  /**
   * The stable form for logs and other systems: name, code, message, details and cause; never the stack. What JSON can't
   * have (a circle, a bigint) is text in it.
   */
  toJSON(): SheafErrorJson {
    return errorToJson(this) as unknown as SheafErrorJson;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    if (typeof value !== 'object' || value === null) return false;
    const name = (value as Record<symbol, unknown>)[brand];
    if (typeof name !== 'string') return false;
    // A foreign copy: SheafError itself matches them all, a subclass matches its own name.
    return this === SheafError || name === typeNames.get(this);
  }
}

const typeNames = new Map<unknown, string>();

function typeName(type: typeof SheafError): string {
  for (let t: unknown = type; typeof t === 'function'; t = Object.getPrototypeOf(t)) {
    const name = typeNames.get(t);
    if (name !== undefined) return name;
  }
  return 'SheafError';
}

/** A task threw something that is not an Error, or an error whose own class could not be rebuilt here. */
export class TaskError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_TASK';
}
/** The worker that ran the task died, and its retries are used up. */
export class WorkerDiedError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_WORKER_DIED';
}
/** The process that owned the reference is gone, and with it the value and the knowledge how to make it again. */
export class OwnerDiedError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_OWNER_DIED';
}
/** Every copy of the value is lost and it can't be made again; the message says why. */
export class ObjectLostError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_OBJECT_LOST';
}
/** The task was cancelled, by `cancel`, by a signal, by its scope or because its session closed. */
export class CancelledError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_CANCELLED';
}
/** A wait or a task took longer than its `timeout`. After a timed-out wait the reference is as good as before. */
export class TimeoutError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_TIMEOUT';
}
/** The reference was released before this use. */
export class ReleasedError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_RELEASED';
}
/** A value that can't travel. The message has the path to the culprit. */
export class CodecError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_CODEC';
}
/** A function that can't travel, because it uses a name that is not there on the other side. */
export class CaptureError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_CAPTURE';
}
/** More calls are pending than `maxPending` allows. */
export class BackPressureError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_BACK_PRESSURE';
}
/** The shared memory of this node, or the heap of a worker, is full. */
export class OutOfMemoryError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_OUT_OF_MEMORY';
}
/** The name or option belongs to a part of Sheaf that this version, platform or session does not have. */
export class NotAvailableError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_NOT_AVAILABLE';
}
/** The actor is gone. */
export class ActorDiedError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_ACTOR_DIED';
}
/** No worker, now or later, can satisfy what the task asks for. */
export class UnschedulableError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_UNSCHEDULABLE';
}
/** An argument of the API itself is wrong. */
export class UsageError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_USAGE';
}
/** What came from elsewhere, a file or a description of partitions, is not what its format says. The message has the place. */
export class FormatError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_FORMAT';
}
/** A DaphneDSL script can't be read, compiled or run, or its arguments are wrong. `details` has the phase, and the place where there is one. */
export class ScriptError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_SCRIPT';
}
/** Something that the rules exclude has happened: a defect of Sheaf. The message asks for a report. */
export class InternalError extends SheafError {
  static override readonly defaultCode = 'ERR_SHEAF_INTERNAL';
}

/** By name, so that a decoder can rebuild the right class. */
export const errorTypes: Readonly<Record<string, typeof SheafError>> = {
  SheafError,
  TaskError,
  WorkerDiedError,
  OwnerDiedError,
  ObjectLostError,
  CancelledError,
  TimeoutError,
  ReleasedError,
  CodecError,
  CaptureError,
  BackPressureError,
  OutOfMemoryError,
  NotAvailableError,
  ActorDiedError,
  UnschedulableError,
  UsageError,
  FormatError,
  ScriptError,
  InternalError,
};

for (const [name, type] of Object.entries(errorTypes)) typeNames.set(type, name);
