import { Code, V128 } from './code.ts';
import { moduleBytes } from './module.ts';

let known: boolean | undefined;

/** Whether this engine has multiplications and additions in one instruction, rounded once (the relaxed SIMD proposal). */
export function canFuse(): boolean {
  if (known === undefined) {
    const code = new Code();
    const x = code.param(V128);
    code.get(x, x, x).simd(0x107).set(x);
    known = WebAssembly.validate(moduleBytes({ shared: false, imports: [], functions: [{ name: 'run', code }] }));
  }
  return known;
}
