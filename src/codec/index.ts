/** @internal */
export { Decoder } from './decoder.ts';
/** @internal */
export { type Encoded, Encoder } from './encoder.ts';
export { registerCodec } from './registry.ts';
/** @internal */
export { type DecodeSource, emptySource } from './source.ts';
