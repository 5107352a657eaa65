import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SEGMENT } from '../native/index.ts';
import { layoutOf, mostPages } from './layout.ts';

test('the most pages are as many as a table of one segment describes, and hardly fewer', () => {
  for (const parties of [1, 2, 32, 33, 512, 4095]) {
    for (const bytes of [MAX_SEGMENT, 1024 ** 2]) {
      const pages = mostPages(parties, bytes);
      if (pages < 1) continue;
      assert.ok(layoutOf(pages, parties).words * 4 <= bytes, `${parties} parties, ${pages} pages`);
      assert.ok(layoutOf(pages + 16, parties).words * 4 > bytes, `${parties} parties: ${pages} pages are too few`);
    }
  }
});
