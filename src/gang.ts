// What workers import to compute arrays together.
export { tiles } from './pipelines/gang/member.ts';
export { pipelineTiles } from './pipelines/gang/pipeline-tiles.ts';
export { preload } from './pipelines/gang/preload.ts';
export { innerTiles, productTiles } from './pipelines/gang/product-tiles.ts';
export { sortTiles } from './pipelines/gang/sort-tiles.ts';
export { sparseTiles } from './pipelines/gang/sparse-tiles.ts';
