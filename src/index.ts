export {
  ActorDiedError,
  BackPressureError,
  CancelledError,
  CaptureError,
  CodecError,
  FormatError,
  InternalError,
  NotAvailableError,
  ObjectLostError,
  OutOfMemoryError,
  OwnerDiedError,
  ReleasedError,
  SheafError,
  TaskError,
  TimeoutError,
  UnschedulableError,
  UsageError,
  WorkerDiedError,
} from './base/index.ts';
export { registerCodec } from './codec/index.ts';
export * from './tasks/index.ts';
