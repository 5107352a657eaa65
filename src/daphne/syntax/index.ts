export * from './arguments.ts';
export * from './ast.ts';
export { MOST_NESTED } from './cursor.ts';
export { parse } from './parser.ts';
export { print, typeText } from './printer.ts';
export * from './walk.ts';
