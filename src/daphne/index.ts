export { EXIT_CODES, type Phase, scriptError } from './errors.ts';
export { uniformBelow, uniformDouble, uniformFloat, uniformSmall } from './random/distributions.ts';
export { type Engine, MersenneTwister, MinimalStandard } from './random/engines.ts';
export { fillDense, fillSparse, type RandElements, sparseCount } from './random/rand.ts';
export { sampleIntegers, sampleReals } from './random/sample.ts';
export { type Position, Source, type Span } from './source.ts';
export * from './syntax/index.ts';
export { fixedText, generalText } from './text/numbers.ts';
