/** From the tree of a script to a program: names, types and shapes, and every error that shows before a script runs. */

import type { Program } from '../program/program.ts';
import type { Script } from '../syntax/index.ts';
import { Body } from './body.ts';
import { type AnalysisOptions, Compilation, type Module } from './compilation.ts';
import { checkUncalled } from './functions.ts';

export type { AnalysisFiles, AnalysisOptions, AnalysisRecord } from './compilation.ts';

/**
 * Makes a program of a script.
 *
 * @throws ScriptError of the phase `parser` (names, types, arguments) or `compiler` (shapes, labels, SQL). Of several errors, one of the parser's is
 * told, wherever it is.
 */
export function analyse(script: Script, options: AnalysisOptions): Program {
  const compilation = new Compilation(options);
  const { source } = script;
  const module: Module = { source, functions: new Map() };
  const body = new Body(compilation, module);
  const parameters = [...(options.inputs ?? [])].map(([name, type]) => {
    const known = body.builder.fresh(type, name);
    body.names.declare(name, known, { start: 0, end: 0 });
    return known.variable;
  });
  compilation.importing.push(options.files.realPath(source.name) ?? source.name);
  body.statements(script.statements);
  for (const definition of compilation.definitions) checkUncalled(body, definition);
  if (compilation.failure !== undefined) throw compilation.failure;
  return {
    source,
    main: {
      name: 'main',
      parameters,
      results: [],
      variables: body.builder.variables,
      body: body.builder.block,
      recursive: false,
    },
    outputs: body.names
      .all()
      .filter(({ name }) => !name.includes('.'))
      .map(({ name, value: { variable } }) => ({ name, variable })),
    functions: compilation.functions.filter((each) => each !== undefined),
  };
}
