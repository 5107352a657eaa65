export type { Floats } from './columns.ts';
export { convolve, convolveBackwardData, convolveBackwardFilter, type Stack } from './convolve.ts';
export { averagePool, averagePoolBackward, maxPool, maxPoolBackward } from './pool.ts';
export { placesOf, type Windows, windowsOf } from './windows.ts';
