export type { FrameColumns, ScriptInput, ScriptOutput } from './daphne/driver/convert.ts';
export { type RunScriptOptions, runScript, type ScriptResult } from './daphne/driver/run-script.ts';
