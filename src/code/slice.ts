import { captureError, passIt } from './capture-error.ts';
import { globalNames } from './globals.ts';
import { inspect } from './inspect.ts';
import { type AnyNode, type ClassNode, isClassNode, isFunctionNode } from './parse.ts';
import { Purity } from './purity.ts';
import { type Binding, freeReferences, type Reference } from './scope.ts';
import { composeSlice, type Edit, type Gap, type ImportLine, isMethod, type Range } from './slice-text.ts';
import type { SourceModule } from './source.ts';
import { Synchrony } from './synchrony.ts';
import { changes, constantOf, exportsAssignment, importOf, topStatement } from './top-level.ts';

interface SliceRequest {
  readonly module: SourceModule;
  /** A function or class, or any expression that names one. */
  readonly target: AnyNode;
  /** How errors call what is being defined: `The task "square"`. */
  readonly subject: string;
  /** Names of the file whose values are sent instead, and the key of each in the captures. */
  readonly captures: ReadonlyMap<string, string>;
  /** Names that stand for something else in a loaded text: what to import for each. */
  readonly extraImports?: ReadonlyMap<string, ImportLine>;
  /** The module is a function's own text, because its file can't be read: why that is. */
  readonly unread?: string | undefined;
}

export interface Slice {
  readonly text: string;
  /** Reported line = line in the text + this. */
  readonly lineOffset: number;
  /** What its lines lack of the blank space in the file. */
  readonly gaps: readonly Gap[];
  readonly synchronous: boolean;
  /** Contains `using`, which older engines need lowered. */
  readonly using: boolean;
  /** It has objects of its own: see `FunctionSpec.ownState`. */
  readonly ownState: boolean;
}

/** Cuts out of a module what one function needs. Throws a CaptureError that names what can't come along. */
export function slice(request: SliceRequest): Slice {
  return new Slicer(request).run();
}

class Slicer {
  readonly #r: SliceRequest;
  readonly #module: SourceModule;
  readonly #purity: Purity;
  readonly #ranges: Range[] = [];
  readonly #edits: Edit[] = [];
  readonly #reached = new Set<Binding>();
  readonly #kept = new Map<AnyNode, Set<AnyNode>>();
  readonly #keptNodes = new Set<AnyNode>();
  readonly #imports = new Map<string, ImportLine>();
  readonly #captured = new Map<string, string>();
  readonly #capturedTop = new Set<string>();
  readonly #capturedLocals = new Set<string>();
  readonly #moduleNames = new Set<string>();
  readonly #selfNames = new Set<string>();
  readonly #synchrony = new Synchrony();
  #usesExports = false;
  #usesMeta = false;
  #using = false;

  constructor(request: SliceRequest) {
    this.#r = request;
    this.#module = request.module;
    this.#purity = new Purity({
      analysis: request.module.analysis,
      importOf,
      captured: new Set(request.captures.keys()),
    });
  }

  run(): Slice {
    const { target } = this.#r;
    const name = this.#topLevelName(target);
    if (name !== undefined) {
      this.#reach(name, undefined, target);
    } else {
      if (!isFunctionNode(target)) {
        const impure = this.#purity.check(target);
        if (impure !== undefined) {
          throw captureError({
            subject: this.#r.subject,
            name: this.#module.text.slice(target.start, target.end).slice(0, 40),
            reason: 'impure',
            module: this.#module,
            offset: impure.node.start,
            because: `which ${impure.why}, so it can't be evaluated again in a worker`,
            advice: 'Give a function, or the name of one at the top level of a file.',
          });
        }
      }
      this.#inspect(target, undefined, true);
      this.#follow(target, undefined);
    }
    this.#checkChanges();
    for (const [statement, declarators] of this.#kept) this.#keepDeclarators(statement, declarators);
    this.#checkMethod();
    return this.#compose(name);
  }

  /** A method can be cut out of its object, or come along inside it, but not both. */
  #checkMethod(): void {
    const { target, subject } = this.#r;
    if (!isMethod(this.#module, target) || !this.#ranges.some((r) => target.start >= r.start && target.end <= r.end)) {
      return;
    }
    throw captureError({
      subject,
      name: 'its own object',
      reason: 'keyword',
      module: this.#module,
      offset: target.start,
      because: 'of which it is a method',
      advice: 'Give a function that calls the method: (...args) => object.method(...args).',
    });
  }

  /** The binding, when the target is, or names, something declared with a name at the top level. */
  #topLevelName(target: AnyNode): Binding | undefined {
    const { root } = this.#module.analysis;
    if (target.type === 'Identifier') {
      const binding = this.#module.analysis.byNode.get(target)?.binding;
      return binding?.scope === root ? binding : undefined;
    }
    if ((target.type === 'FunctionDeclaration' || target.type === 'ClassDeclaration') && target.id) {
      const binding = root.bindings.get(target.id.name);
      return binding?.declaration === target ? binding : undefined;
    }
    return undefined;
  }

  /** Follows every name that a piece of the file takes from outside itself. */
  #follow(node: AnyNode, via: string | undefined): void {
    for (const reference of freeReferences(this.#module.analysis, node)) this.#resolve(reference, via);
  }

  #resolve(reference: Reference, via: string | undefined): void {
    const { node, binding } = reference;
    const { name } = node;
    const fail = (reason: Parameters<typeof captureError>[0]['reason'], because: string, advice: string): never => {
      throw captureError({
        subject: this.#r.subject,
        name,
        reason,
        via,
        module: this.#module,
        offset: node.start,
        because,
        advice,
      });
    };
    const top = binding?.scope === this.#module.analysis.root;
    const captured = this.#r.captures.get(name);
    if (captured !== undefined && (via === undefined || top || binding === undefined)) {
      if (reference.write) {
        fail(
          'reassigned',
          'a captured value, and assigns to it: the program would never see that',
          'Return the new value instead.',
        );
      }
      const clash = top ? this.#capturedLocals.has(name) : this.#capturedTop.has(name);
      if (clash || (!top && binding !== undefined && this.#reachesTop(name))) {
        fail(
          'clash',
          'which is captured, and is also a name at the top level of the file that it reaches',
          'Rename one of the two.',
        );
      }
      if (binding !== undefined) (top ? this.#capturedTop : this.#capturedLocals).add(name);
      this.#captured.set(name, captured);
      this.#synchrony.name(name);
      return;
    }
    if (binding === undefined) {
      this.#resolveGlobal(reference, via, fail);
      return;
    }
    if (!top) {
      this.#resolveLocal(binding, fail);
      return;
    }
    if (reference.write && binding.kind !== 'import' && !this.#isCompanion(node)) {
      fail(
        'reassigned',
        'a variable of its file, and assigns to it: each worker has its own copy and the program would never see it',
        'Return the new value, or keep the state in an actor.',
      );
    }
    this.#reach(binding, via, node);
  }

  #resolveGlobal(
    { node, typeofOnly, write }: Reference,
    via: string | undefined,
    fail: (reason: 'global' | 'unknown' | 'keyword' | 'reassigned', because: string, advice: string) => never,
  ): void {
    const { name } = node;
    const extra = this.#r.extraImports?.get(name);
    if (extra !== undefined) {
      this.#imports.set(name, extra);
      this.#synchrony.import(extra.source, '*');
      return;
    }
    if (name === 'arguments') return; // Where it would mean another function's, the inspection has found it.
    if (name === 'exports' && !this.#module.isModule) {
      this.#resolveExports(node, via);
      return;
    }
    if (name === 'require' || name === '__filename' || name === '__dirname') {
      this.#moduleNames.add(name);
      if (name === 'require') this.#synchrony.never();
      return;
    }
    if (globalNames.has(name)) {
      this.#synchrony.name(name);
      return;
    }
    // `typeof x === "function" ? x() : ...` asks first. What the program itself has made global is another matter.
    if (!(name in globalThis) && (typeofOnly || this.#asksFor(name))) return;
    if (/^import_meta\d*$|^__vite_ssr_import_meta__$/.test(name)) {
      this.#edits.push({ start: node.start, end: node.end, text: 'import_meta' });
      this.#usesMeta = true;
      return;
    }
    if (write) fail('reassigned', 'which is declared nowhere, and assigns to it', `Declare it: const ${name} = ...`);
    if (name in globalThis) {
      fail('global', 'a global that the program has made and a worker does not have', passIt(name));
    }
    const { unread } = this.#r;
    if (unread !== undefined) {
      fail(
        'unknown',
        `and that file can't be read, so that nothing but the function itself is known here (${unread})`,
        `Move the task into a file of its own. ${passIt(name)}`,
      );
    }
    fail('unknown', 'which is declared nowhere in that file', `Import it, or declare it. ${passIt(name)}`);
  }

  /** `exports.k` in CommonJS output: what the file assigned to it, if that is a constant. */
  #resolveExports(node: AnyNode, via: string | undefined): void {
    const member = this.#module.parent(node);
    const found = exportsAssignment(this.#module, member, this.#purity);
    if ('statement' in found) {
      this.#usesExports = true;
      this.#keepStatement(found.statement, via);
      return;
    }
    throw captureError({
      subject: this.#r.subject,
      name: found.name,
      reason: 'impure',
      via,
      module: this.#module,
      offset: node.start,
      because: found.why,
      advice: passIt(found.name.replace(/^exports\./, '')),
    });
  }

  #resolveLocal(
    binding: Binding,
    fail: (reason: 'local' | 'resource', because: string, advice: string) => never,
  ): void {
    const { target } = this.#r;
    if (binding.declaration === target) return; // Its own name, which a function expression has too.
    const { declaration } = binding;
    if (
      declaration.type === 'VariableDeclarator' &&
      declaration.init === target &&
      declaration.id.type === 'Identifier'
    ) {
      this.#selfNames.add(binding.name);
      return;
    }
    if (binding.kind === 'using')
      fail('resource', "a resource of the function around it, which can't travel", 'Open it inside the task.');
    const kind = {
      param: 'a parameter',
      import: 'an import',
      catch: 'a caught error',
      class: 'a class',
      function: 'a function',
    }[binding.kind as string];
    const code = binding.kind === 'function' || binding.kind === 'class';
    fail(
      'local',
      `${kind ?? 'a variable'} of the function around it, which is not there when it runs in a worker`,
      code ? 'Move it to the top level of the file, from where it travels along.' : passIt(binding.name),
    );
  }

  /** Takes a top-level declaration along. */
  #reach(binding: Binding, via: string | undefined, at: AnyNode): void {
    const captured = this.#r.captures.get(binding.name);
    if (captured !== undefined && !this.#capturedLocals.has(binding.name)) {
      this.#captured.set(binding.name, captured);
      return;
    }
    if (this.#reached.has(binding)) return;
    this.#reached.add(binding);
    const fail = (reason: 'impure' | 'reassigned' | 'resource', because: string, advice: string): never => {
      throw captureError({
        subject: this.#r.subject,
        name: binding.name,
        reason,
        via,
        module: this.#module,
        offset: at.start,
        because,
        advice,
      });
    };
    if (binding.kind === 'import') {
      this.#import(binding);
      return;
    }
    if (binding.kind === 'using')
      fail('resource', "a resource that the program holds open, which can't travel", 'Open it inside the task.');
    const constant = constantOf(this.#module, binding, this.#purity);
    if ('problem' in constant) fail(constant.problem, constant.because, constant.advice);
    const name = via === undefined && this.#isTarget(binding) ? undefined : binding.name;
    for (const piece of 'pieces' in constant ? constant.pieces : []) {
      if (piece.type === 'VariableDeclarator') {
        const list = this.#kept.get(binding.statement!);
        if (list === undefined) this.#kept.set(binding.statement!, new Set([piece]));
        else if (list.has(piece)) continue;
        else list.add(piece);
        this.#keptNodes.add(piece);
        this.#inspect(piece, name, false);
        this.#follow(piece, name);
      } else this.#keepStatement(piece, name);
    }
  }

  #asksFor(name: string): boolean {
    return this.#module.analysis.references.some(
      (r) => r.typeofOnly && r.binding === undefined && r.node.name === name,
    );
  }

  /** A kept statement of the top level that gives a name its first value. */
  #isCompanion(node: AnyNode): boolean {
    const statement = topStatement(this.#module, node);
    return statement !== undefined && this.#keptNodes.has(statement);
  }

  #reachesTop(name: string): boolean {
    const binding = this.#module.analysis.root.bindings.get(name);
    return binding !== undefined && this.#reached.has(binding);
  }

  /** Whether the binding is what is being defined, so that an error need not say through what it was reached. */
  #isTarget(binding: Binding): boolean {
    const { target } = this.#r;
    if (target.type === 'Identifier') return binding.name === target.name;
    return binding.declaration === target;
  }

  #keepStatement(statement: AnyNode, via: string | undefined): void {
    if (this.#keptNodes.has(statement)) return;
    this.#keptNodes.add(statement);
    const bare = isFunctionNode(statement) || isClassNode(statement);
    this.#ranges.push({ start: statement.start, end: statement.end, after: bare ? '' : ';' });
    const isTarget = statement === this.#r.target || (this.#r.target.type === 'Identifier' && via === undefined);
    this.#inspect(statement, via, isTarget && isFunctionNode(statement));
    this.#follow(statement, via);
  }

  /** One `const a = 1, b = f()` may have declarators that come along and others that stay. */
  #keepDeclarators(statement: AnyNode, declarators: Set<AnyNode>): void {
    if (statement.type !== 'VariableDeclaration') return;
    const kept = statement.declarations.filter((d) => declarators.has(d));
    if (kept.length === statement.declarations.length) {
      this.#ranges.push({ start: statement.start, end: kept.at(-1)!.end, after: ';' });
      return;
    }
    this.#ranges.push({ start: statement.start, end: statement.start + statement.kind.length, after: ' ' });
    kept.forEach((d, i) => {
      this.#ranges.push({ start: d.start, end: d.end, after: i === kept.length - 1 ? ';' : ',' });
    });
  }

  #import(binding: Binding): void {
    const { declaration, statement } = binding;
    if (statement?.type !== 'ImportDeclaration') return;
    const source = String(statement.source.value);
    const from = importOf(binding)!;
    const attributes = statement.attributes?.map((a) => {
      const key = a.key.type === 'Identifier' ? a.key.name : String((a.key as { value: unknown }).value);
      return `${JSON.stringify(key)}: ${JSON.stringify(a.value.value)}`;
    });
    this.#synchrony.import(source, from.name);
    this.#imports.set(binding.name, {
      local: binding.name,
      source,
      name: from.name,
      attributes: attributes === undefined || attributes.length === 0 ? undefined : `{ ${attributes.join(', ')} }`,
      offset: declaration.start,
    });
  }

  #inspect(piece: AnyNode, via: string | undefined, isTarget: boolean): void {
    inspect(piece, isTarget, this.#module.analysis, {
      node: (node) => {
        this.#synchrony.node(node);
        if (isUsing(node)) this.#using = true;
      },
      meta: (node) => {
        this.#usesMeta = true;
        this.#edits.push({ start: node.start, end: node.end, text: 'import_meta'.padEnd(node.end - node.start) });
      },
      refuse: (node, name, because, advice) => {
        const { subject } = this.#r;
        const module = this.#module;
        throw captureError({ subject, name, reason: 'keyword', via, module, offset: node.start, because, advice });
      },
    });
  }

  /** A constant that other code of the program changes would be silently wrong in a worker. */
  #checkChanges(): void {
    for (const binding of this.#reached) {
      if (binding.kind === 'import') continue;
      for (const change of changes(this.#module, binding)) {
        if (this.#isKept(change.node)) continue;
        throw captureError({
          subject: this.#r.subject,
          name: binding.name,
          reason: 'changed',
          module: this.#module,
          offset: change.node.start,
          because: 'and the program changes it there: a worker would see it as it was at first',
          advice: passIt(binding.name),
        });
      }
    }
  }

  #isKept(node: AnyNode): boolean {
    const inside = (n: AnyNode) => node.start >= n.start && node.end <= n.end;
    if (inside(this.#r.target)) return true;
    for (const kept of this.#keptNodes) if (inside(kept)) return true;
    return false;
  }

  #compose(name: Binding | undefined): Slice {
    const composed = composeSlice({
      module: this.#module,
      target: name === undefined ? this.#r.target : undefined,
      name: name?.name,
      ranges: this.#ranges,
      edits: this.#edits,
      imports: [...this.#imports.values()],
      captures: this.#captured,
      selfNames: [...this.#selfNames],
      moduleNames: [...this.#moduleNames],
      exports: this.#usesExports,
      meta: this.#usesMeta,
    });
    const { target } = this.#r;
    const ownState =
      [...this.#keptNodes].some((node) => !isImmutable(node, this.#purity)) ||
      (isClassNode(target) && !keepsNothing(target));
    return { ...composed, synchronous: this.#synchrony.result, using: this.#using, ownState };
  }
}

/** Whether what a kept piece of the top level declares is code, or a value that nobody can change. */
function isImmutable(node: AnyNode, purity: Purity): boolean {
  if (isClassNode(node)) return keepsNothing(node);
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'TemplateLiteral':
    case 'UnaryExpression':
    case 'BinaryExpression':
      return true;
    case 'Literal':
      // An expression that is matched against a text remembers where it was.
      return !('regex' in node && node.regex);
    case 'VariableDeclarator':
      return node.init === null || node.init === undefined || isImmutable(node.init, purity);
    case 'CallExpression':
      return purity.isDefinition(node.callee);
    default:
      return false;
  }
}

/** A class without a static part that is more than code. What it extends is looked at by itself, where it has a name. */
function keepsNothing({ superClass, body }: ClassNode): boolean {
  if (superClass && superClass.type !== 'Identifier') return false;
  return body.body.every(
    (member) => member.type !== 'StaticBlock' && (member.type === 'MethodDefinition' || !member.static),
  );
}

function isUsing(node: AnyNode): boolean {
  return node.type === 'VariableDeclaration' && (node.kind === 'using' || node.kind === 'await using');
}
