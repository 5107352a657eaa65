export { Decoder } from './decoder.ts';
export { type Encoded, Encoder } from './encoder.ts';
export { registerCodec } from './registry.ts';
export { emptySource } from './source.ts';
