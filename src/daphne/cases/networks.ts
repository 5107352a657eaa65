import { type Cases, fails, prints } from './case.ts';

/** One image of one channel, 3x3, and a filter of ones. */
const X = 'X = reshape(seq(1.0, 9.0, 1.0), 1, 9); F = fill(1.0, 1, 4); ';
/** Its shape; the window, steps of 1, and no padding. */
const IMAGES = '1, 1, 3, 3';
const WINDOW = '2, 2, 1, 1, 0, 0';
/** For gradients of a convolution: steps and padding, the images, the filters. */
const BACKWARD = `1, 1, 0, 0, ${IMAGES}, 1, 1, 2, 2`;
const row = (columns: number, cells: string) => `DenseMatrix(1x${columns}, double)\n${cells}\n`;

export const NETWORKS: Cases = {
  'lines and activations': [
    prints('print(affine([1.0, 2.0](1, 2), [1.0, 1.0], [10.0]));', row(1, '13')),
    fails('print(affine([1.0, 2.0](1, 2), [1.0], [10.0]));', 3),
    fails('print(affine([1.0], [1.0], 10.0));', 1),
    prints('print(biasAdd([1.0, 2.0, 3.0, 4.0](1, 4), [10.0, 20.0]));', row(4, '11 12 23 24')),
    prints('print(biasAdd([1, 2](1, 2), [1, 2]));', 'DenseMatrix(1x2, int64_t)\n2 4\n'),
    fails('print(biasAdd([1.0, 2.0, 3.0](1, 3), [10.0, 20.0]));', 3),
    fails('print(biasAdd([1.0], "b"));', 1),
    prints('print(relu([-1.0, 0.0, 2.5](1, 3)));', row(3, '0 0 2.5')),
    fails('print(relu(["a"]));', 1),
    fails('print(relu(1.0));', 1),
    prints('print(softmax([0.0, 0.0, 1000.0, 1000.0](2, 2)));', 'DenseMatrix(2x2, double)\n0.5 0.5\n0.5 0.5\n'),
    fails('print(softmax({"a": [1.0]}));', 1),
  ],
  pooling: [
    prints(
      `${X}p, h, w = max_pool2d(X, ${IMAGES}, ${WINDOW}); print(p); print(h); print(w);`,
      `${row(4, '5 6 8 9')}2\n2\n`,
    ),
    prints(
      `${X}p, h, w = avg_pool2d(X, ${IMAGES}, ${WINDOW}); print(p); print(h); print(w);`,
      `${row(4, '3 4 6 7')}2\n2\n`,
    ),
    prints(`${X}p, h, w = avg_pool2d(X, ${IMAGES}, 2, 2, 2, 2, 1, 1); print(p);`, row(4, '0.25 1.25 2.75 7')),
    fails(`${X}p, h, w = max_pool2d(X, 1, 1, 4, 4, ${WINDOW});`, 3),
    fails(`${X}p, h, w = avg_pool2d(X, ${IMAGES}, 5, 5, 1, 1, 0, 0);`, 3),
    fails(`${X}p = max_pool2d(X, ${IMAGES}, ${WINDOW});`, 1),
    prints(
      `${X}print(max_pool2d_backward(X, [1.0, 2.0, 3.0, 4.0](1, 4), ${IMAGES}, ${WINDOW}));`,
      row(9, '0 0 0 0 1 2 0 3 4'),
    ),
    prints(
      `${X}print(avg_pool2d_backward(X, [4.0, 8.0, 12.0, 16.0](1, 4), ${IMAGES}, ${WINDOW}));`,
      row(9, '1 3 2 4 10 6 3 7 4'),
    ),
    fails(`${X}print(max_pool2d_backward(X, [1.0], ${IMAGES}, ${WINDOW}));`, 3),
    fails(`${X}print(avg_pool2d_backward(X, [1.0], ${IMAGES}, ${WINDOW}));`, 3),
  ],
  convolutions: [
    prints(
      `${X}c, h, w = conv2d(X, F, ${IMAGES}, ${WINDOW}); print(c); print(h); print(w);`,
      `${row(4, '12 16 24 28')}2\n2\n`,
    ),
    prints(`${X}c, h, w = conv2d(X, F, ${IMAGES}, ${WINDOW}, [100.0]); print(c);`, row(4, '112 116 124 128')),
    fails(`${X}c, h, w = conv2d(X, [1.0, 2.0](1, 2), ${IMAGES}, ${WINDOW});`, 3),
    fails(`${X}c, h, w = conv2d(X, F, ${IMAGES});`, 1),
    prints(`${X}print(conv2d_backward_filter(X, [1.0, 2.0, 3.0, 4.0](1, 4), ${BACKWARD}));`, row(4, '37 47 67 77')),
    fails(`${X}print(conv2d_backward_filter(X, [1.0], ${BACKWARD}));`, 3),
    prints(
      `${X}print(conv2d_backward_data(F, [1.0, 2.0, 3.0, 4.0](1, 4), ${BACKWARD}));`,
      row(9, '1 3 2 4 10 6 3 7 4'),
    ),
    fails(`${X}print(conv2d_backward_data(F, [1.0], ${BACKWARD}));`, 3),
  ],
  'normalised batches': [
    prints(
      'print(batch_norm2d([1.0, 3.0, 10.0, 20.0](1, 4), [2.0, 1.0], [0.0, 5.0], [1.0, 10.0], [3.0, 24.0], 1.0));',
      row(4, '0 2 5 7'),
    ),
    fails('print(batch_norm2d([1.0, 3.0, 10.0](1, 3), [2.0, 1.0], [0.0, 5.0], [1.0, 10.0], [3.0, 24.0], 1.0));', 3),
    prints(
      'x, g, b = batch_norm2d_backward([2.0], [1.0], [1.0, 3.0](1, 2), [1.0, 5.0](1, 2), [2.0], 0.0); print(x); print(g); print(b);',
      `${row(2, '0 0')}${row(1, '4')}${row(1, '6')}`,
    ),
    fails('x, g, b = batch_norm2d_backward([2.0], [1.0], [1.0, 3.0](1, 2), [1.0](1, 1), [2.0], 0.0);', 3),
  ],
};
