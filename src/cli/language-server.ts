import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Diagnostic, Hover, Location } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type Examined, examine, type Position } from '../daphne/index.ts';
import { loadPeer } from '../io/index.ts';

/** A language server for DaphneDSL on standard input and output, until the editor closes it. */
export async function languageServer(): Promise<void> {
  const what = 'the language server';
  const [protocol, texts] = await Promise.all([
    loadPeer<typeof import('vscode-languageserver/node')>('vscode-languageserver/node', what, [
      'vscode-languageserver-textdocument',
    ]),
    loadPeer<typeof import('vscode-languageserver-textdocument')>('vscode-languageserver-textdocument', what),
  ]);
  const { createConnection, DiagnosticSeverity, TextDocumentSyncKind, TextDocuments } = protocol;
  const connection = createConnection(process.stdin, process.stdout);
  const documents = new TextDocuments(texts.TextDocument);
  /** What was found out about each open document, as it is now. */
  const known = new Map<string, { readonly version: number; readonly examined: Examined }>();

  const examined = (document: TextDocument): Examined => {
    const before = known.get(document.uri);
    if (before?.version === document.version) return before.examined;
    const result = examine(pathOf(document.uri), document.getText());
    known.set(document.uri, { version: document.version, examined: result });
    return result;
  };

  connection.onInitialize(() => ({
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      hoverProvider: true,
      definitionProvider: true,
    },
    serverInfo: { name: 'sheaf daphne' },
  }));

  documents.onDidChangeContent(async ({ document }) => {
    const diagnostics = examined(document).problems.map(
      ({ start, end, message }): Diagnostic => ({
        range: { start: document.positionAt(start), end: document.positionAt(end) },
        severity: DiagnosticSeverity.Error,
        source: 'daphne',
        message,
      }),
    );
    await connection.sendDiagnostics({ uri: document.uri, version: document.version, diagnostics });
  });

  documents.onDidClose(async ({ document }) => {
    known.delete(document.uri);
    await connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
  });

  connection.onHover(({ textDocument, position }): Hover | null => {
    const document = documents.get(textDocument.uri);
    if (document === undefined) return null;
    const found = examined(document).at(document.offsetAt(position));
    if (found === undefined) return null;
    return {
      contents: { kind: 'markdown', value: `\`\`\`daphne\n${found.text}\n\`\`\`` },
      range: { start: document.positionAt(found.start), end: document.positionAt(found.end) },
    };
  });

  connection.onDefinition(({ textDocument, position }): Location | null => {
    const document = documents.get(textDocument.uri);
    if (document === undefined) return null;
    const found = examined(document).definitionOf(document.offsetAt(position));
    if (found === undefined) return null;
    // What came by an import is in another file.
    const uri = found.path === pathOf(document.uri) ? document.uri : pathToFileURL(found.path).href;
    return { uri, range: { start: place(found.from), end: place(found.to) } };
  });

  documents.listen(connection);
  connection.listen();
  // The connection ends the process when the editor says so, or goes away.
  await new Promise<void>(() => {});
}

/** Editors count from 0. */
const place = ({ line, column }: Position) => ({ line: line - 1, character: column - 1 });

function pathOf(uri: string): string {
  return uri.startsWith('file:') ? fileURLToPath(uri) : uri;
}
