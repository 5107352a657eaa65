/** What `--explain` shows: a script as it is understood, its program with types and shapes, and the JavaScript that this becomes. */

import { EXPLAIN_STAGES, type ExplainStage } from '../command/flags.ts';
import type { Program } from '../program/program.ts';
import { programText } from '../program/text.ts';
import { print, type Script } from '../syntax/index.ts';

/** Told of each form that a script takes, before it is run. */
export interface Observer {
  script(script: Script): void;
  program(program: Program): void;
  /** JavaScript, the body of a function. */
  code(text: string): void;
}

type Form = keyof Observer;

/** DAPHNE has many passes over one representation; here there are three representations, and nothing that changes them in place. */
const formOf = (stage: ExplainStage): Form => {
  const at = EXPLAIN_STAGES.indexOf(stage);
  if (at <= EXPLAIN_STAGES.indexOf('parsing_simplified')) return 'script';
  return at < EXPLAIN_STAGES.indexOf('codegen') ? 'program' : 'code';
};

/** Writes each form under the title of the stages that show it, in the order in which they come about. */
export function explaining(stages: ReadonlySet<ExplainStage>, write: (text: string) => void): Observer {
  const show = (form: Form, text: () => string): void => {
    for (const stage of EXPLAIN_STAGES) {
      if (stages.has(stage) && formOf(stage) === form) write(`IR after ${stage}:\n${text()}\n`);
    }
  };
  return {
    script: (script) => show('script', () => print(script)),
    program: (program) => show('program', () => programText(program)),
    code: (text) => show('code', () => text),
  };
}
