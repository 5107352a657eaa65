export { BlockedKernels, MATMUL_SCRATCH } from './blocked.ts';
export { Matmul, type MatmulOptions } from './matmul.ts';
export { mirrored } from './symmetric.ts';
