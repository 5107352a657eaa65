export * from './bell.ts';
export * from './control-block.ts';
export * from './reactor.ts';
export * from './ring.ts';
