import { test } from 'node:test';
test('hang', () => { for (;;); });
