export * from './dtype.ts';
export * from './promotion.ts';
export * from './shape.ts';
