export { Decoder } from './decoder.ts';
export { type Encoded, Encoder, type EncoderOptions, type OutOfBand } from './encoder.ts';
export { registerCodec, type ValueCodec } from './registry.ts';
export { type DecodeSource, emptySource } from './source.ts';
