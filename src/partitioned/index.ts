/** Descriptions of containers by their partitions: the `__partitioned__` protocol by itself. */
export type { Box } from './boxes.rules.ts';
export type { Dense } from './dense.ts';
/** @internal */
export { boxOf, copyInto, denseOf, zeros as denseZeros } from './dense.ts';
export type { Rule } from './faults.ts';
export { type Axis, type Cut, Grid, gridOf, keyOf, type Position, positionOf } from './grid.rules.ts';
export { DEVICES, type Locate, type Location, type OlderLocation } from './locations.ts';
export {
  type ObjectLocation,
  type ObjectPart,
  objectToJson,
  type PartitionedObject,
  readPartitionedObject,
} from './objects.ts';
export { type Get, Partitioned, type PartitionedOptions, type Piece } from './partitioned.ts';
export { type Partition, type PartitionFacts, Partitions } from './partitions.ts';
export { checkRanks, metadataHash } from './ranks.ts';
export { isStale, type ReadOptions, readPartitioned } from './read.ts';
export { elementsMoved, type Move, movesInto, repartitionPlan } from './repartition.rules.ts';
export { type RepartitionOptions, repartition } from './repartition.ts';
export { type Fetch, type OpenResolver, type Resolver, registerResolver } from './resolvers.ts';
