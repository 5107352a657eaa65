import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

const root = process.env.SHEAF_ROOT ?? process.cwd();
// CommonJS; it comes with the protocol's package.
const { createMessageConnection, StreamMessageReader, StreamMessageWriter } = createRequire(
  createRequire(import.meta.url).resolve('vscode-languageserver'),
)('vscode-jsonrpc/node') as typeof import('vscode-jsonrpc/node');

test('an editor is told what is wrong, what types are, and where names come from, and ends the server', async () => {
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), 'daphne', '--language-server'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const published: { version?: number; diagnostics: { message: string; range: object }[] }[] = [];
  let wake = (): void => {};
  connection.onNotification('textDocument/publishDiagnostics', (sent) => {
    published.push(sent);
    wake();
  });
  /** What is said of a version of the text. */
  const diagnosticsOf = async (version: number) => {
    for (;;) {
      const found = published.find((each) => each.version === version);
      if (found !== undefined) return found.diagnostics;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  connection.listen();
  const { capabilities } = (await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  })) as { capabilities: Record<string, unknown> };
  assert.equal(capabilities.hoverProvider, true);
  await connection.sendNotification('initialized', {});

  const uri = 'file:///script.daphne';
  const document = { uri, languageId: 'daphne', version: 1, text: 'x = fill(1.5, 2, 3);\nprint(x);\n' };
  await connection.sendNotification('textDocument/didOpen', { textDocument: document });
  assert.deepEqual(await diagnosticsOf(1), []);
  const at = { textDocument: { uri }, position: { line: 1, character: 6 } };
  const hover = (await connection.sendRequest('textDocument/hover', at)) as { contents: { value: string } };
  assert.match(hover.contents.value, /x: matrix<f64> 2x3/);
  const definition = (await connection.sendRequest('textDocument/definition', at)) as { uri: string; range: object };
  assert.deepEqual(definition, { uri, range: { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } } });

  await connection.sendNotification('textDocument/didChange', {
    textDocument: { uri, version: 2 },
    contentChanges: [{ range: { start: { line: 1, character: 6 }, end: { line: 1, character: 7 } }, text: 'y' }],
  });
  const [problem, more] = await diagnosticsOf(2);
  assert.equal(more, undefined);
  assert.match(problem!.message, /y/);
  assert.deepEqual(problem!.range, { start: { line: 1, character: 6 }, end: { line: 1, character: 7 } });

  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  assert.equal(await ended, 0);
  connection.dispose();
});
