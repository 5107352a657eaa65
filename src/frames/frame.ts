import { kindOf, shown, UsageError } from '../base/index.ts';
import type { Ref } from '../tasks/index.ts';
import { aggregateOf } from './aggregates.ts';
import { toArrow } from './arrow.ts';
import { type ColumnKind, columnNamed, columnsOfSchema, schemaOf } from './column-types.ts';
import { joined, rowsOf, valueAt } from './columns.ts';
import { explained } from './explained.ts';
import { columnsByName, expressionOf } from './expression.ts';
import { columnsKnown, type How, type Plan } from './plan.ts';
import type { Relation } from './relation.ts';
import { columnsOf, relationOf } from './relations.ts';
import { Run } from './run.ts';
import { textTable } from './text-table.ts';
import type { Cols, Frame, Groups, JoinOptions, Schema, WriteOptions, Written } from './types.ts';
import { written } from './write.ts';

/** How many rows `show` has. */
const SHOWN = 10;
const HOWS: readonly How[] = ['inner', 'left', 'right', 'full', 'semi', 'anti'];
const STRATEGIES: readonly string[] = ['auto', 'broadcast', 'shuffle'];

const plans = new WeakMap<object, Plan>();

/** A frame of a plan; what is wrong with it and can be told already is thrown here. */
export function frameOf(plan: Plan): Frame {
  columnsKnown(plan);
  return new PlannedFrame(plan) as unknown as Frame;
}

function planOf(frame: unknown, what: string): Plan {
  const plan = typeof frame === 'object' && frame !== null ? plans.get(frame) : undefined;
  if (plan === undefined) throw new UsageError(`${what} takes a frame, not ${kindOf(frame)}`);
  return plan;
}

class PlannedFrame {
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
    plans.set(this, plan);
  }

  where(f: (c: Cols<Schema>) => unknown): Frame {
    return frameOf({
      op: 'where',
      of: this.#plan,
      condition: expressionOf(this.#call('where', f), 'where: the function'),
    });
  }

  derive(f: (c: Cols<Schema>) => unknown): Frame {
    const made = this.#call('derive', f);
    if (typeof made !== 'object' || made === null || Array.isArray(made))
      throw new UsageError(
        `derive: the function gave ${kindOf(made)}; give an object with an expression for each new column`,
      );
    const entries = Object.entries(made).map(
      ([name, col]) => [name, expressionOf(col, `derive: ${JSON.stringify(name)}`)] as const,
    );
    return frameOf({ op: 'derive', of: this.#plan, made: entries });
  }

  #call(what: string, f: unknown): unknown {
    if (typeof f !== 'function')
      throw new UsageError(`${what} takes a function of the columns, such as (c) => c.x.gt(1), not ${kindOf(f)}`);
    const known = columnsKnown(this.#plan);
    return (f as (c: unknown) => unknown)(
      columnsByName(
        known?.map(({ name }) => name),
        (name) => void columnNamed(known!, name, what),
      ),
    );
  }

  select(...names: string[]): Frame {
    if (names.length === 0)
      throw new UsageError('select takes the names of columns, one at least', { code: 'ERR_SHEAF_FRAME_COLUMN' });
    return frameOf({ op: 'select', of: this.#plan, names: textNames(names, 'select') });
  }

  join(right: unknown, o: JoinOptions<Schema, Schema>): Frame {
    const { on, how = 'inner', strategy = 'auto' } = o ?? {};
    const pairs = typeof on === 'object' && on !== null ? Object.entries(on) : [];
    if (pairs.length === 0)
      throw new UsageError("join takes { on: { column: 'column of the other frame' } }, with one pair at least");
    if (!HOWS.includes(how)) throw new UsageError(`join: how is ${shown(how)}; give one of ${HOWS.join(', ')}`);
    if (!STRATEGIES.includes(strategy))
      throw new UsageError(`join: strategy is ${shown(strategy)}; give one of ${STRATEGIES.join(', ')}`);
    const names = pairs.map(([l, r]) => [l, textNames([r], 'join')[0]!] as const);
    return frameOf({ op: 'join', of: this.#plan, right: planOf(right, 'join'), on: names, how, strategy });
  }

  groupBy(...keys: string[]): Groups<Schema, string> {
    const of = this.#plan;
    textNames(keys, 'groupBy');
    const known = columnsKnown(of);
    if (known !== undefined) for (const key of keys) columnNamed(known, key, 'groupBy');
    return {
      agg: (given: Record<string, unknown>) => {
        if (typeof given !== 'object' || given === null || Object.keys(given).length === 0)
          throw new UsageError(
            'agg takes an object with an aggregate for each new column, such as { flights: count() }',
          );
        const aggregates = Object.entries(given).map(([name, each]) => [name, aggregateOf(each, name)] as const);
        return frameOf({ op: 'group', of, keys, aggregates });
      },
    } as unknown as Groups<Schema, string>;
  }

  orderBy(...given: string[]): Frame {
    if (given.length === 0)
      throw new UsageError('orderBy takes the names of columns, one at least', { code: 'ERR_SHEAF_FRAME_COLUMN' });
    const known = columnsKnown(this.#plan);
    const keys = textNames(given, 'orderBy').map((name) => {
      // A column may itself be called -x.
      const descending = name.startsWith('-') && !known?.some((column) => column.name === name);
      return { name: descending ? name.slice(1) : name, descending };
    });
    return frameOf({ op: 'order', of: this.#plan, keys });
  }

  sql(query: string): Frame {
    if (typeof query !== 'string' || query.trim() === '')
      throw new UsageError(`sql takes a query, such as 'SELECT count(*) AS n FROM this', not ${shown(query)}`);
    return frameOf({ op: 'sql', of: this.#plan, query });
  }

  mapBatches(task: unknown, schema: Schema): Frame {
    if (typeof task !== 'function') throw new UsageError(`mapBatches takes a task, not ${kindOf(task)}`);
    return frameOf({
      op: 'batches',
      of: this.#plan,
      task: task as (columns: unknown) => Ref<unknown>,
      columns: columnsOfSchema(schema, 'mapBatches'),
    });
  }

  head(n: number): Frame {
    if (!Number.isSafeInteger(n) || n < 0) throw new UsageError(`head takes a number of rows, not ${shown(n)}`);
    return frameOf({ op: 'head', of: this.#plan, rows: n });
  }

  async count(): Promise<number> {
    using run = new Run('count');
    const { parts } = await relationOf(this.#plan, run);
    const counts = parts.map((part) => {
      const { query, inputs } = run.query(part);
      return run.hold(run.tasks.countRows(query, ...inputs));
    });
    return (await Promise.all(counts.map((ref) => ref.value))).reduce((sum, rows) => sum + rows, 0);
  }

  async show(): Promise<string> {
    using run = new Run('show');
    const { parts, columns } = await relationOf({ op: 'head', of: this.#plan, rows: SHOWN + 1 }, run);
    const rows: unknown[][] = [];
    for await (const batch of run.batches(parts, columns)) {
      for (let row = 0; row < batch.rows; row++) rows.push(batch.columns.map((column) => valueAt(column, row)));
    }
    return textTable(columns, rows.slice(0, SHOWN), rows.length > SHOWN ? '...' : '');
  }

  async explain(): Promise<string> {
    using run = new Run('explain');
    return await explained(this.#plan, run);
  }

  async persist(): Promise<Frame> {
    using run = new Run('persist');
    const { parts, columns } = await relationOf(this.#plan, run);
    const computed = await run.blocks(parts);
    return frameOf({
      op: 'kept',
      columns,
      parts: computed.map(({ blocks: [block], stats }) => ({ block: run.keep(block!), stats })),
    });
  }

  async writeParquet(dir: string, o: WriteOptions<Schema> = {}): Promise<Written> {
    using run = new Run('writeParquet');
    return await written(
      await relationOf(this.#plan, run),
      dir,
      textNames(o.partitionBy ?? [], 'writeParquet: partitionBy'),
      run,
    );
  }

  async schema(): Promise<Schema> {
    using run = new Run('schema');
    return schemaOf(columnsKnown(this.#plan) ?? (await columnsOf(this.#plan, run)));
  }

  async rows(): Promise<unknown[]> {
    const rows: unknown[] = [];
    for await (const row of this) rows.push(row);
    return rows;
  }

  async toColumns(): Promise<Record<string, unknown>> {
    return (await this.#columns('toColumns')).values;
  }

  async toArrow(): Promise<Uint8Array> {
    const { values, columns } = await this.#columns('toArrow');
    return toArrow(values, columns);
  }

  async #columns(what: string): Promise<{ values: Record<string, unknown>; columns: readonly ColumnKind[] }> {
    using run = new Run(what);
    const { parts, columns }: Relation = await relationOf(this.#plan, run);
    const batches = [];
    for await (const batch of run.batches(parts, columns)) batches.push(batch);
    return { values: joined(batches, columns), columns };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Record<string, unknown>> {
    using run = new Run('rows');
    const { parts, columns } = await relationOf(this.#plan, run);
    for await (const batch of run.batches(parts, columns)) yield* rowsOf(batch);
  }

  [Symbol.dispose](): void {
    if (this.#plan.op === 'kept') for (const { block } of this.#plan.parts) block.release();
  }
}

function textNames(names: readonly unknown[], what: string): string[] {
  if (!Array.isArray(names)) throw new UsageError(`${what} takes the names of columns, not ${kindOf(names)}`);
  const odd = names.find((name) => typeof name !== 'string');
  if (odd !== undefined)
    throw new UsageError(`${what} takes the names of columns, not ${kindOf(odd)}`, { code: 'ERR_SHEAF_FRAME_COLUMN' });
  return names as string[];
}
