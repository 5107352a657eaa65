// What only a compiler understands, in files whose tasks travel as source.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { join, needs, node, run, tool, workspace } from './support.ts';

test(
  'tasks travel out of a file with decorators and accessors that tsx compiles, but not what uses them',
  needs('tsx/dist/cli.mjs'),
  () => {
    const directory = workspace('tsx-decorators');
    writeFileSync(
      join(directory, 'service.ts'),
      'export const three = (): number => 3;\nexport class Service {\n  accessor name: string = "s";\n}\n',
    );
    writeFileSync(
      join(directory, 'program.ts'),
      `import { describeModule, elsewhere, task } from 'sheaf-probe';
import { three } from './service.ts';

const seven: number = 7;
const twice = (x: number): number => x * 2;
const logged = (value: any, _context: unknown): any => value;
class Counter {
  accessor count = 4;
}
@logged
class Page {
  @logged title = 'p';
  @logged static accessor hits: number = 0;
  @logged render(): string { return this.title; }
}
const told = (make: () => unknown): void => {
  try { make(); console.log('travels'); } catch (e) { console.log(String(e).replace(/\\/.*[/]/g, '')); }
};
console.log(elsewhere(task((x: number) => twice(x) + seven), 1), new Counter().count, new Page().render());
told(() => task(() => new Counter().count));
told(() => task(() => Page.hits));
told(() => describeModule(new URL('./service.ts', import.meta.url)));
told(() => elsewhere(task(() => three())));
`,
    );
    const output = run(node, [tool('tsx/dist/cli.mjs'), 'program.ts'], directory).split('\n');
    const compiled = 'which Node does not know: a tool has compiled it for the program, and a worker has none';
    assert.equal(output[0], '9 4 p');
    assert.match(
      output[1]!,
      new RegExp(`uses "accessor" through "Counter" at program.ts:8:3, an .accessor. field, ${compiled}`),
    );
    assert.match(
      output[2]!,
      new RegExp(`uses "decorator" through "Page" at program.ts:10:1, a decorator, ${compiled}`),
    );
    assert.match(output[3]!, /UsageError: service\.ts:3:3 has an `accessor` field, which Node does not know/);
    assert.match(output[4]!, /service\.ts:3:3 has an `accessor` field/);
  },
);

test('a file that can’t be read is named as the reason why its names do not travel', needs('tsx/dist/cli.mjs'), () => {
  const directory = workspace('tsx-jsx');
  writeFileSync(
    join(directory, 'program.tsx'),
    `import { elsewhere, task } from 'sheaf-probe';
const React = { createElement: (name: string) => name };
const seven: number = 7;
console.log(<p>hello</p>, elsewhere(task((x: number) => x + 1), 1));
try {
  task((x: number) =>
    x + seven);
} catch (e) { console.log(String(e)); }
`,
  );
  const output = run(node, [tool('tsx/dist/cli.mjs'), 'program.tsx'], directory);
  assert.match(output, /^p 2$/m);
  assert.match(output, /uses "seven" at .*program\.tsx:6:\d+, and that file can't be read.*JSX has to be compiled/);
  assert.doesNotMatch(output, /declared nowhere/);
});
