/** @internal */
export { Decoder } from './decoder.ts';
/** @internal */
export { type Encoded, Encoder } from './encoder.ts';
/** @internal */
export { codecComesWith } from './later.ts';
export { registerCodec } from './registry.ts';
/** @internal */
export { type DecodeSource, emptySource } from './source.ts';
