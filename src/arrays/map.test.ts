import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withSession } from './arrays.fixture.ts';
import { type Arr, asarray, map, zeros } from './index.ts';

withSession();

const scale = 2.5;
const weights = [1, -2, 0.5];
const square = (x: number): number => x * x;
function doubled(x: number): number {
  return 2 * x;
}
let changing = 1;
changing += 1;

function polynomial(x: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * x ** i;
  return sum;
}

const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3,
  7.25,
  -7.25,
  1e300,
  5e-324,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

/** What a function gives for numbers is what its compiled form gives for arrays. */
async function agrees(
  compiled: (...x: Arr[]) => Arr,
  fn: (...x: number[]) => number | boolean,
  text: string,
): Promise<void> {
  const count = fn.length;
  const columns: number[][] = Array.from({ length: count }, () => []);
  for (const x of special) {
    for (const y of count > 1 ? special : [0]) {
      for (const [i, value] of [x, y].slice(0, count).entries()) columns[i]!.push(value);
    }
  }
  const result = compiled(...columns.map((column) => asarray(column)));
  const found = (await result.toNested()) as (number | boolean)[];
  for (const [i, value] of found.entries()) {
    const args = columns.map((column) => column[i]!);
    const wanted = fn(...args);
    // Functions that have no exact results are not those of Math to the last bit.
    const close = Math.abs(Number(value) - Number(wanted)) <= 4 * Number.EPSILON * Math.abs(Number(wanted));
    assert.ok(Object.is(value, wanted) || (close && wanted !== 0), `${text} of ${args}: ${value}, expected ${wanted}`);
  }
}

test('operators, Math, conditions, loops and functions mean what they mean in JavaScript', async () => {
  const fns = {
    arithmetic: (x: number, y: number) => (x + y) * x - y / (x - 1) + -x,
    remainder: (x: number, y: number) => x % y,
    rounding: (x: number) => Math.round(x) + Math.floor(x) * 4 + Math.ceil(x) * 16 + Math.trunc(x) * 64,
    zeroOfRound: (x: number) => 1 / Math.round(x),
    sign: (x: number) => 1 / Math.sign(x),
    extremes: (x: number, y: number) => Math.max(x, y, 0.5) - Math.min(x, y) + Math.max(),
    hypot: (x: number, y: number) => Math.hypot(x, y) + Math.hypot(x) + Math.hypot(),
    roots: (x: number) => Math.sqrt(Math.abs(x)) + Math.atan2(x, 2) + x ** 2,
    fround: (x: number) => Math.fround(x),
    constants: (x: number) => x * Math.PI + Number.EPSILON + scale + Number.NaN * 0,
    finite: (x: number) => Number.isFinite(x) && !Number.isNaN(x),
    globals: (x: number) => Number.isNaN(x) || x === Infinity,
    number: (x: number, y: number) => Number(x > y) + Number(x),
    choice: (x: number, y: number) => (x > y ? x : y < 0 ? -y : 0),
    comparison: (x: number, y: number) => x >= y === x <= y && x !== y,
    truthiness: (x: number) => (x ? 1 : 2) + (!x ? 10 : 20),
    early: (x: number) => {
      if (x < 0) return -1;
      if (x > 2) {
        const half = x / 2;
        return half;
      }
      return x;
    },
    assigned: (x: number) => {
      let y = x;
      let z = 0;
      if (x > 1) {
        y *= 2;
        z = 1;
      } else if (x < -1) y -= 1;
      else y += z;
      return y + z * 100;
    },
    nested: (x: number, y: number) => {
      const larger = (a: number, b: number): number => (a > b ? a : b);
      return larger(square(x), larger(y, 3));
    },
    nestedEarly: (x: number, y: number) => {
      if (x > 0) {
        if (y > 0) return 1;
        if (y < -1) {
          if (x > 1) return 2;
        } else return 3;
      }
      return 4;
    },
    declared: (x: number) => {
      return doubled(x) + later(x);
      function later(y: number): number {
        return y + 1;
      }
    },
    closures: (x: number, y: number) => {
      let count = 0;
      const add = (by: number): number => {
        count += by;
        return count;
      };
      const leave = (): number => {
        if (y > 0) {
          count = 100;
          return 1;
        }
        return 2;
      };
      if (x > 0) add(10);
      else if (x < -1) {
        count = 5;
        add(1);
      }
      const left = leave();
      return add(0) + left * 1000 + count;
    },
    assigning: (x: number, y: number) => {
      let all = 0;
      const add = (by: number): number => {
        all += by;
        return all;
      };
      const chosen = x > 0 ? add(1) : add(2);
      all += add(1000);
      const both = x < 2 && add(10) > 10;
      const either = y > 0 || add(100) > 0;
      return all * 1000 + chosen + (both ? 0.5 : 0) + (either ? 0.25 : 0);
    },
    loop: (x: number) => {
      let all = 0;
      for (let i = 1; i <= 4; i++) {
        if (i % 2 === 0) all += x * i;
        else all -= i;
      }
      return all;
    },
  };
  const compiled = {
    arithmetic: map((x: number, y: number) => (x + y) * x - y / (x - 1) + -x),
    remainder: map((x: number, y: number) => x % y),
    rounding: map((x: number) => Math.round(x) + Math.floor(x) * 4 + Math.ceil(x) * 16 + Math.trunc(x) * 64),
    zeroOfRound: map((x: number) => 1 / Math.round(x)),
    sign: map((x: number) => 1 / Math.sign(x)),
    extremes: map((x: number, y: number) => Math.max(x, y, 0.5) - Math.min(x, y) + Math.max()),
    hypot: map((x: number, y: number) => Math.hypot(x, y) + Math.hypot(x) + Math.hypot()),
    roots: map((x: number) => Math.sqrt(Math.abs(x)) + Math.atan2(x, 2) + x ** 2),
  };
  for (const [name, fn] of Object.entries(fns)) {
    const own = (compiled as unknown as Record<string, (...x: Arr[]) => Arr>)[name];
    const run = own ?? (map(fn as (x: number) => number) as unknown as (...x: Arr[]) => Arr);
    await agrees(run, fn as (...x: number[]) => number | boolean, name);
  }
});

test('functions and constants of the file come along', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: -1000, max: 1000 }), async (x) => {
      assert.equal(await map(polynomial)(asarray(x)).item(), polynomial(x));
    }),
    { numRuns: 20 },
  ));

test('types: floats of 32 bits stay, small integers become floats of 64, booleans come out of questions', async () => {
  const half = map((x: number) => x / 2);
  assert.equal(half(zeros([2], { dtype: 'f32' })).dtype, 'f32');
  assert.equal(half(zeros([2], { dtype: 'u8' })).dtype, 'f64');
  assert.equal(map((x: number, y: number) => x + y)(zeros([2], { dtype: 'f32' }), zeros([2])).dtype, 'f64');
  assert.equal(map((x: number) => x > 0)(zeros([2])).dtype, 'bool');
  assert.deepEqual(map((x: number, y: number) => x + y)(zeros([3, 1]), zeros([4])).shape, [3, 4]);
  assert.deepEqual(map((_x: number) => 7)(zeros([2, 2])).shape, [2, 2]);
  assert.throws(() => half(zeros([2], { dtype: 'i64' })), {
    code: 'ERR_SHEAF_DTYPE',
    message: /^map: .*bigint is no number.*i64/,
  });
  assert.throws(() => half(zeros([2], { dtype: 'bool' })), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => (half as (...x: Arr[]) => Arr)(zeros([1]), zeros([1])), {
    code: 'ERR_SHEAF_USAGE',
    message: /1 parameters, and was given 2/,
  });
});

test('captured values count as they were', async () => {
  const options = { factor: 3, list: [1, 2], on: true };
  const { factor, list, on } = options;
  const f = map((x: number) => (on ? x * factor + list[1]! : 0), { captures: { factor, list, on } });
  assert.equal(await f(asarray(5)).item(), 17);
  assert.throws(() => map((x: number) => x + (options as never), { captures: { options } }), {
    code: 'ERR_SHEAF_KERNEL',
  });
});

/** Runs what defines a function that can't be compiled; gives the error, and the text of its line from its column on. */
async function refusal(define: () => unknown): Promise<{ code: string; message: string; text: string }> {
  try {
    define();
  } catch (error) {
    const { code, message, details } = error as {
      code: string;
      message: string;
      details: { file: string; line: number; column: number };
    };
    const { readFileSync } = await import('node:fs');
    const line = readFileSync(details.file, 'utf8').split('\n')[details.line - 1] ?? '';
    return { code, message, text: line.slice(details.column - 1) };
  }
  throw new assert.AssertionError({ message: `it was compiled: ${define}` });
}

test('what has no form for arrays is refused at its line and column, and says why', async () => {
  const cases: readonly (readonly [string, RegExp, RegExp, () => unknown])[] = [
    [
      'ERR_SHEAF_KERNEL',
      /^Math\.cbrt/,
      /which arrays do not have\. Of Math there are abs/,
      () => map((x: number) => 1 + Math.cbrt(x)),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^Math\.sqrt\(x, 2\)/,
      /has 2 arguments/,
      () => map((x: number) => (Math.sqrt as (...n: number[]) => number)(x, 2) ?? Math.sqrt(x)),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^x > 1/,
      /a loop whose end depends on elements alone\. Say after how many rounds/,
      () =>
        map((x: number) => {
          while (x > 1) x--;
          return x;
        }),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^if \(x > 1\)/,
      /a break inside of a case\. Put what comes after it under an if/,
      () =>
        map((x: number, y: number) => {
          switch (y) {
            case 1:
              if (x > 1) break;
              return 5;
            default:
              return x;
          }
          return 0;
        }),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^x$|^x\)/,
      /which is no list/,
      () =>
        map((x: number) => {
          let sum = 0;
          for (const each of x as never as number[]) sum += each;
          return sum;
        }),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^return i/,
      /elements decide to leave a loop with\. Keep the value/,
      () =>
        map((x: number) => {
          for (let i = 0; i < 3; i++) {
            if (x < i) return i;
          }
          return 3;
        }),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^count \+= 1/,
      /by a function from elsewhere/,
      () =>
        map((x: number) => {
          let count = 0;
          untilNegative(x, () => {
            count += 1;
            return count;
          });
          return count;
        }),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^count \+= 1/,
      /by a function from elsewhere\. Return the value/,
      () =>
        map((x: number) => {
          let count = 0;
          when(x > 0, () => {
            count += 1;
            return count;
          });
          return count;
        }),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^i < x/,
      /a loop whose end depends on elements alone/,
      () =>
        map((x: number) => {
          let n = 0;
          for (let i = 0; i < x; i++) n++;
          return n;
        }),
    ],
    ['ERR_SHEAF_KERNEL', /^x & 1/, /whose operator & /, () => map((x: number) => x & 1)],
    [
      'ERR_SHEAF_KERNEL',
      /^"a"|^'a'/,
      /which has no form for arrays/,
      () => map((x: number) => (x > 0 ? 'a' : 'b').length),
    ],
    ['ERR_SHEAF_KERNEL', /^x\.toFixed/, /a method that has no form/, () => map((x: number) => x.toFixed(1).length)],
    [
      'ERR_SHEAF_KERNEL',
      /^\(x > 0\)|^x > 0/,
      /which computes with a boolean/,
      () => map((x: number) => ((x > 0) as unknown as number) * 2),
    ],
    ['ERR_SHEAF_KERNEL', /^async/, /no plain function/, () => map((async (x: number) => x) as never)],
    ['ERR_SHEAF_KERNEL', /^\{ ?a|^\{/, /no plain parameter/, () => map((({ a }: { a: number }) => a) as never)],
    [
      'ERR_SHEAF_KERNEL',
      /^return 2/,
      /in some cases no value/,
      () =>
        map(((x: number) => {
          if (x > 1) return 2;
        }) as never),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^weights/,
      /which is a list where a number has to be/,
      () => map((x: number) => x + (weights as unknown as number)),
    ],
    [
      'ERR_SHEAF_KERNEL',
      /^changing/,
      /no variable of the function/,
      () =>
        map((x: number) => {
          changing = x;
          return x;
        }),
    ],
    [
      'ERR_SHEAF_CAPTURE',
      /^changing/,
      /a variable that is assigned to.*captures: \{ changing \}/,
      () => map((x: number) => x + changing),
    ],
    ['ERR_SHEAF_CAPTURE', /^readNothing/, /which is no function of its file/, () => map((x: number) => readNothing(x))],
  ];
  for (const [code, text, message, define] of cases) {
    const found = await refusal(define);
    assert.equal(found.code, code, found.message);
    assert.match(found.message, message);
    assert.match(found.text, text, found.message);
  }
  const local = 3;
  assert.match(
    (await refusal(() => map((x: number) => x + local))).message,
    /"local".*a variable of the function around it/,
  );
  // Written where nobody checks it.
  const through = Function('x', 'switch (x) { case 1: x = 5; default: x += 1; } return x;') as (x: number) => number;
  assert.throws(() => map(through), { code: 'ERR_SHEAF_KERNEL', message: /a case that goes on into the next one/ });
  assert.throws(() => map(Math.sin), { code: 'ERR_SHEAF_CAPTURE', message: /no source text/ });
  assert.throws(() => map(3 as never), { code: 'ERR_SHEAF_USAGE', message: /takes a function, and not number/ });
});

declare function readNothing(x: number): number;

function untilNegative(x: number, act: () => number): number {
  for (let i = 0; i < 3; i++) {
    if (x < i) break;
    act();
  }
  return 0;
}

function when(condition: boolean, act: () => number): number {
  if (condition) act();
  return 0;
}

test('a long loop is unrolled without depth, and an endless one is refused', async () => {
  const f = map((x: number) => {
    let sum = x;
    for (let i = 0; i < 5000; i++) sum += 1;
    return sum;
  });
  assert.equal(await f(asarray(1)).item(), 5001);
  assert.throws(
    () =>
      map((x: number) => {
        for (;;) x += 1;
      }),
    { code: 'ERR_SHEAF_KERNEL', message: /more than 100000 steps/ },
  );
  const down = (x: number, n: number): number => (n === 0 ? x : down(x + 1, n - 1));
  const deep = 'ERR_SHEAF_';
  assert.throws(
    () => map((x: number) => down(x, 3)),
    (error: { code: string }) => error.code.startsWith(deep),
  );
});

test('loops that elements leave, and switches, mean what they mean in JavaScript', async () => {
  const fns = {
    breaks: (x: number, y: number) => {
      let n = 0;
      let sum = y;
      for (let i = 0; i < 6; i++) {
        if (sum > 3) {
          sum -= 0.5;
          break;
        }
        if (i === 4) break;
        sum += x;
        n++;
      }
      return sum * 100 + n;
    },
    tested: (x: number, y: number) => {
      let a = 0;
      let b = 0;
      let n = 0;
      while (n < 12 && a * a + b * b < 4) {
        const next = a * a - b * b + x;
        b = 2 * a * b + y;
        a = next;
        n++;
      }
      return n;
    },
    continues: (x: number, y: number) => {
      let all = 0;
      for (let i = 0; i < 5; i++) {
        if (i === 1) continue;
        if (x > i) {
          if (y > 1) continue;
          all += 10;
        } else if (y < 0) {
          all -= 1;
          if (x < -1) break;
          continue;
        }
        all += i;
      }
      return all;
    },
    updated: (x: number) => {
      let i = 0;
      for (; i < 5; i += 2) if (x < i) break;
      return i;
    },
    inner: (x: number, y: number) => {
      let count = 0;
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < 4; j++) {
          if (x + j > 3) break;
          count++;
          if (count > 6) break;
        }
        if (y > i) continue;
        count += 100;
        if (count > 150) break;
      }
      return count;
    },
    once: (x: number) => {
      let y = x;
      let n = 0;
      do {
        y /= 2;
        n++;
      } while (n < 4 && y > 1);
      return y + n * 1000;
    },
    lists: (x: number) => {
      let sum = 0;
      for (const w of weights) {
        if (w < 0 && x > 1) continue;
        sum = sum * x + w;
        if (sum > 10) break;
      }
      return sum;
    },
    called: (x: number, y: number) => {
      const steps = (from: number): number => {
        let n = 0;
        while (n < 8) {
          if (from <= 1) break;
          from /= 2;
          n += 1;
        }
        return n;
      };
      return x > 0 ? steps(x) + steps(y) * 10 : -1;
    },
    switches: (x: number, y: number) => {
      let kind = 0;
      switch (x) {
        case 1:
        case -1:
          kind = 10;
          break;
        case 0: {
          if (y > 0) kind = 1;
          break;
        }
        default:
          kind = -1;
      }
      switch (kind) {
        case 10:
          return y;
        case -1:
          return -2;
      }
      return kind;
    },
    switchInLoop: (x: number) => {
      let all = 0;
      for (let i = 0; i < 4; i++) {
        switch (i) {
          case 1:
            continue;
          case 2:
            all += x;
            break;
          default:
            all += 1;
        }
        if (all > 2) break;
        all += 0.25;
      }
      return all;
    },
    truths: (x: number) => {
      let found = false;
      for (let i = 0; i < 3; i++) {
        if (x === i) {
          found = true;
          break;
        }
      }
      return found;
    },
  };
  for (const [name, fn] of Object.entries(fns)) {
    const compiled = map(fn as (x: number) => number) as unknown as (...x: Arr[]) => Arr;
    await agrees(compiled, fn as (...x: number[]) => number | boolean, name);
  }
});
