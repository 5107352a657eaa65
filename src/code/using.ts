import { type AnyNode, parseProgram, walk } from './parse.ts';

/** What the lowered text calls: [add a resource, note an error, dispose them all]. One line, defined once per text. */
const helper =
  'const __sheafUsing=(a)=>{const s=[];let f=false,e;const i=(x)=>{if(f){const p=e;e=typeof SuppressedError==="function"?' +
  'new SuppressedError(x,p,"An error was suppressed during disposal."):Object.assign(new Error("An error was suppressed during disposal."),' +
  '{name:"SuppressedError",error:x,suppressed:p})}else{f=true;e=x}};return{' +
  'use(v,w){if(v===null||v===undefined){if(w)s.push([undefined,undefined,true]);return v}' +
  'if(typeof v!=="object"&&typeof v!=="function")throw new TypeError("a resource must be an object, null or undefined");' +
  'let d=w?v[Symbol.asyncDispose]:undefined,y=false;if(d===undefined||d===null){d=v[Symbol.dispose];y=w}' +
  'if(typeof d!=="function")throw new TypeError("the resource has no "+(w?"[Symbol.asyncDispose]() or ":"")+"[Symbol.dispose]() method");' +
  's.push([v,d,w,y]);return v},' +
  'fail(x){f=true;e=x},' +
  '__sheafEnd(){while(s.length){const[v,d]=s.pop();try{d.call(v)}catch(x){i(x)}}if(f)throw e},' +
  'async __sheafEndAsync(){let n=false,t=false;while(s.length){const[v,d,w,y]=s.pop();if(!w&&n&&!t){await undefined;n=false}' +
  'try{if(d!==undefined){const r=d.call(v);if(w){t=true;await(y?undefined:r)}}else n=true}catch(x){i(x)}}if(n&&!t)await undefined;if(f)throw e}}};';

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** Characters of the original that it replaces. */
  readonly length: number;
  /** Ends something: of those at one place the innermost comes first, and all before what begins there. */
  readonly closes: boolean;
}

/** Whether this engine understands `using` by itself. */
export const engineHasUsing: boolean = (() => {
  try {
    new Function('{ using x = null; }');
    return true;
  } catch {
    return false;
  }
})();

type Using = Extract<AnyNode, { type: 'VariableDeclaration' }>;

function isUsing(node: AnyNode | null | undefined): node is Using {
  return node?.type === 'VariableDeclaration' && (node.kind === 'using' || node.kind === 'await using');
}

/**
 * Replaces `using` and `await using` by try/catch/finally around the statements that follow, with the order of disposal
 * and the suppressed errors of the ECMAScript proposal. Every line stays a line.
 */
export function lowerUsing(source: string): string {
  if (!/\busing\b/.test(source)) return source;
  const { program, module } = parseProgram(source);
  const lowering = new Lowering(source);
  walk(program, (node) => {
    lowering.visit(node);
    return undefined;
  });
  if (lowering.count === 0) return source;
  const text = lowering.apply();
  const at = prologueEnd(program.body, source, module);
  return `${text.slice(0, at)}${helper}${lowering.head}${text.slice(at)}`;
}

class Lowering {
  /** Goes to the first line: imports that a block can't hold, and the names of what is exported out of one. */
  head = '';
  count = 0;
  readonly #source: string;
  readonly #insertions: Insertion[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  visit(node: AnyNode): void {
    switch (node.type) {
      case 'Program':
        if (node.body.some(isUsing)) this.#program(node.body, node.end);
        break;
      case 'BlockStatement':
      case 'StaticBlock':
        if (node.body.some(isUsing)) this.#block(node.body, this.#blockStart(node), node.end - 1);
        break;
      case 'ForOfStatement':
        if (isUsing(node.left)) {
          const item = `__sheafItem${this.count++}`;
          const { left, body } = node;
          const id = left.declarations[0]!.id;
          const isAsync = left.kind === 'await using';
          this.#put(left.start, `const ${item}`, left.end - left.start);
          const stack = this.#open(body.start, '{');
          this.#put(body.start, `const ${this.#source.slice(id.start, id.end)}=${stack}.use(${item},${isAsync});`);
          this.#close(body.end, stack, isAsync, '}');
        }
        break;
      case 'ForStatement':
        if (isUsing(node.init)) {
          const stack = this.#open(node.start, '{');
          this.#put(node.start, '');
          this.#declaration(node.init, stack);
          this.#close(node.end, stack, node.init.kind === 'await using', '}');
        }
        break;
      default:
    }
  }

  #put(at: number, text: string, length = 0, closes = false): void {
    this.#insertions.push({ at, text, length, closes });
  }

  #open(at: number, before = ''): string {
    const stack = `__sheafUsing${this.count++}`;
    this.#put(at, `${before}const ${stack}=__sheafUsing();try{`);
    return stack;
  }

  #close(at: number, stack: string, isAsync: boolean, after = '', before = ''): void {
    const end = isAsync ? `await ${stack}.__sheafEndAsync()` : `${stack}.__sheafEnd()`;
    this.#put(at, `${before}}catch(__sheafError){${stack}.fail(__sheafError)}finally{${end}}${after}`, 0, true);
  }

  /** The whole block goes inside, so that its functions are visible from its first statement, as before. */
  #block(body: readonly AnyNode[], start: number, end: number): void {
    const stack = this.#open(start);
    const declarations = body.filter(isUsing);
    for (const d of declarations) this.#declaration(d, stack);
    this.#close(
      end,
      stack,
      declarations.some((d) => d.kind === 'await using'),
    );
  }

  /** `using a = f(), b = g()` becomes `const a = s.use(f(), false), b = ...`. */
  #declaration(d: Using, stack: string): void {
    this.#put(d.start, 'const', d.kind.length);
    for (const { init } of d.declarations) {
      if (!init) continue;
      this.#put(init.start, `${stack}.use(`);
      this.#put(init.end, `,${d.kind === 'await using'})`, 0, true);
    }
  }

  #blockStart(node: Extract<AnyNode, { type: 'BlockStatement' | 'StaticBlock' }>): number {
    let start = this.#source.indexOf('{', node.start) + 1;
    for (const s of node.body) {
      if (s.type !== 'ExpressionStatement' || s.directive === undefined) break;
      start = s.end;
    }
    return start;
  }

  /**
   * A module's top level: imports and re-exports move in front of the block, exported names are assigned to variables
   * outside it when it has run (functions already when it begins).
   */
  #program(body: readonly AnyNode[], end: number): void {
    const outer = new Map<string, { local: string; early: boolean }>();
    const variable = new Map<string, string>();
    const exportAs = (name: string, local: string, early: boolean) => outer.set(name, { local, early });
    const start = body[0]!.start;
    for (const s of body) {
      switch (s.type) {
        case 'ImportDeclaration':
        case 'ExportAllDeclaration':
          this.#moveToHead(s);
          break;
        case 'ExportNamedDeclaration': {
          if (s.source) this.#moveToHead(s);
          else if (s.declaration) {
            this.#put(s.start, '', s.declaration.start - s.start);
            const { declaration } = s;
            if (declaration.type === 'VariableDeclaration') {
              for (const name of declaration.declarations.flatMap((d) => patternNames(d.id)))
                exportAs(name, name, false);
            } else exportAs(declaration.id.name, declaration.id.name, declaration.type === 'FunctionDeclaration');
          } else {
            for (const spec of s.specifiers) {
              if (spec.local.type === 'Identifier') exportAs(nameText(spec.exported), spec.local.name, false);
            }
            this.#put(s.start, this.#source.slice(s.start, s.end).replace(/[^\n]/g, ''), s.end - s.start);
          }
          break;
        }
        case 'ExportDefaultDeclaration': {
          const { declaration } = s;
          if (
            (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') &&
            declaration.id
          ) {
            this.#put(s.start, '', declaration.start - s.start);
            exportAs('default', declaration.id.name, declaration.type === 'FunctionDeclaration');
          } else {
            this.#put(s.start, 'const __sheafDefault=', declaration.start - s.start);
            this.#put(declaration.end, ';', 0, true);
            exportAs('default', '__sheafDefault', false);
          }
          break;
        }
        default:
      }
    }
    const assign = (early: boolean) =>
      [...outer]
        .filter(([, e]) => e.early === early)
        .map(([name, e]) => `${variable.get(name)}=${e.local};`)
        .join('');
    for (const name of outer.keys()) variable.set(name, `__sheafExport${this.count++}`);
    const stack = `__sheafUsing${this.count++}`;
    if (variable.size > 0) this.head += `let ${[...variable.values()].join(',')};`;
    this.#insertions.unshift({
      at: start,
      text: `const ${stack}=__sheafUsing();try{${assign(true)}`,
      length: 0,
      closes: false,
    });
    const declarations = body.filter(isUsing);
    for (const d of declarations) this.#declaration(d, stack);
    const names = [...variable].map(([name, v]) => `${v} as ${/^[\w$]+$/.test(name) ? name : JSON.stringify(name)}`);
    const exported = names.length === 0 ? '' : `export{${names.join(',')}}`;
    this.#close(
      end,
      stack,
      declarations.some((d) => d.kind === 'await using'),
      exported,
      `\n${assign(false)}`,
    );
  }

  #moveToHead(s: AnyNode): void {
    const text = this.#source.slice(s.start, s.end);
    this.head += `${text.replace(/\s*\n\s*/g, ' ').replace(/;?$/, ';')}`;
    this.#put(s.start, text.replace(/[^\n]/g, ''), s.end - s.start);
  }

  apply(): string {
    const ordered = this.#insertions
      .map((i, n) => ({ ...i, n }))
      .sort((a, b) => a.at - b.at || Number(b.closes) - Number(a.closes) || (a.closes ? b.n - a.n : a.n - b.n));
    let out = '';
    let at = 0;
    for (const i of ordered) {
      if (i.at > at) out += this.#source.slice(at, i.at);
      out += i.text;
      at = Math.max(at, i.at + i.length);
    }
    return out + this.#source.slice(at);
  }
}

function patternNames(p: AnyNode | null): string[] {
  switch (p?.type) {
    case 'Identifier':
      return [p.name];
    case 'ObjectPattern':
      return p.properties.flatMap((q) => patternNames(q.type === 'RestElement' ? q.argument : q.value));
    case 'ArrayPattern':
      return p.elements.flatMap((q) => patternNames(q));
    case 'RestElement':
      return patternNames(p.argument);
    case 'AssignmentPattern':
      return patternNames(p.left);
    default:
      return [];
  }
}

function nameText(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name;
  return node.type === 'Literal' ? String(node.value) : '';
}

/** Where code may begin: after a hashbang, after the directives of a script, and inside the function that a slice is. */
function prologueEnd(body: readonly AnyNode[], source: string, module: boolean): number {
  const hashbang = source.startsWith('#!') ? source.indexOf('\n') + 1 : 0;
  const [first] = body;
  if (
    body.length === 1 &&
    first?.type === 'ExpressionStatement' &&
    first.expression.type === 'ArrowFunctionExpression'
  ) {
    return source.indexOf('{', first.expression.body.start) + 1;
  }
  let end = hashbang;
  if (module) return end;
  for (const s of body) {
    if (s.type !== 'ExpressionStatement' || s.directive === undefined) break;
    end = s.end;
  }
  return end;
}
