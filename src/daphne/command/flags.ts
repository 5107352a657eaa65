/**
 * The flags of DAPHNE, one table: for the command, for configuration files, and for `--help`. Their syntax is LLVM's: `--x=v` or `--x v`, one dash
 * or two, `--x=0` for what is on or off.
 */

import { ARRAY_QUEUES, ARRAY_SCHEMES, ARRAY_VICTIMS } from '../../base/index.ts';

/** What `--explain` shows, in the order in which it comes about. */
export const EXPLAIN_STAGES = [
  'parsing',
  'parsing_simplified',
  'sql',
  'property_inference',
  'columnar',
  'select_matrix_repr',
  'transfer_data_props',
  'phy_op_selection',
  'type_adaptation',
  'vectorized',
  'obj_ref_mgnt',
  'codegen',
  'mlir_codegen_daphneir_to_mlir',
  'mlir_codegen_sparsity_exploiting_op_fusion',
  'kernels',
  'llvm',
] as const;

export type ExplainStage = (typeof EXPLAIN_STAGES)[number];

export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL', 'OFF'] as const;

type Form =
  /** On or off. */
  | { readonly kind: 'switch' }
  /** An integer; those that make no sense are left to the default. */
  | { readonly kind: 'count' }
  | { readonly kind: 'text'; readonly placeholder: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** Several, with commas between them. */
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  | { readonly kind: 'texts'; readonly placeholder: string };

export type Group = 'DAPHNE Options' | 'Advanced Scheduling Knobs' | 'Distributed Backend Knobs' | 'Generic Options';

export type Flag = Form & {
  readonly name: string;
  readonly group: Group;
  readonly help: string;
  /** Other names. */
  readonly also?: readonly string[];
  /** Its key in a configuration file. */
  readonly key?: string;
  /** It is taken, and makes no difference here, because of that. */
  readonly unused?: string;
  /** It is refused, because of that. */
  readonly refused?: string;
};

const llvm = 'kernels are generated as WebAssembly, without LLVM';
const SCHEDULING = 'Advanced Scheduling Knobs';
const DAPHNE = 'DAPHNE Options';
const DISTRIBUTED = 'Distributed Backend Knobs';
const GENERIC = 'Generic Options';

export const FLAGS: readonly Flag[] = [
  {
    name: 'vec',
    kind: 'switch',
    group: SCHEDULING,
    key: 'use_vectorized_exec',
    help: 'fuse operations into pipelines, and run these on all cores',
  },
  {
    name: 'num-threads',
    kind: 'count',
    group: SCHEDULING,
    key: 'numberOfThreads',
    help: 'how many workers compute, with --vec (default: one for each core)',
  },
  {
    name: 'partitioning',
    kind: 'choice',
    choices: ARRAY_SCHEMES,
    group: SCHEDULING,
    key: 'taskPartitioningScheme',
    help: 'how rows are cut into chunks, with --vec (default FAC2; results are the same)',
  },
  {
    name: 'queue_layout',
    kind: 'choice',
    choices: ARRAY_QUEUES,
    group: SCHEDULING,
    key: 'queueSetupScheme',
    help: 'one queue of chunks, one for each NUMA domain, or one for each worker',
  },
  {
    name: 'victim_selection',
    kind: 'choice',
    choices: ARRAY_VICTIMS,
    group: SCHEDULING,
    key: 'victimSelection',
    help: 'whose queue a worker takes from when its own is empty',
  },
  {
    name: 'grain-size',
    kind: 'count',
    group: SCHEDULING,
    key: 'minimumTaskSize',
    help: 'rows of a chunk, at least (default: as many as pay)',
  },
  {
    name: 'phy-batch-size',
    kind: 'count',
    group: SCHEDULING,
    key: 'phyBatchSize',
    help: 'bytes of rows in process',
    unused: 'tiles follow the cache of the machine (SHEAF_CORE_CACHE)',
  },
  {
    name: 'pre-partition',
    kind: 'switch',
    group: SCHEDULING,
    key: 'prePartitionRows',
    help: 'cut rows by queues first',
    unused: 'chunks are dealt to all queues in turn',
  },
  {
    name: 'pin-workers',
    kind: 'switch',
    group: SCHEDULING,
    key: 'pinWorkers',
    help: 'pin workers to cores',
    unused: 'the system places workers',
  },
  {
    name: 'hyperthreading',
    kind: 'switch',
    group: SCHEDULING,
    key: 'hyperthreadingEnabled',
    help: 'use logical cores as well',
    unused: 'the default is all cores that the system shows',
  },
  {
    name: 'debug-mt',
    kind: 'switch',
    group: SCHEDULING,
    key: 'debugMultiThreading',
    help: 'say how work is shared out',
    unused: '`sheaf explain` and `sheaf timeline` show it',
  },
  {
    name: 'vec-restricted',
    kind: 'switch',
    group: SCHEDULING,
    key: 'vectorizedRestricted',
    help: 'fuse less',
    unused: 'what fuses does not change results',
  },
  {
    name: 'select-matrix-repr',
    also: ['select-matrix-representations'],
    kind: 'switch',
    group: DAPHNE,
    help: 'store matrices with few elements that are not 0 by compressed rows (CSR)',
  },
  {
    name: 'columnar',
    kind: 'switch',
    group: DAPHNE,
    help: 'compute frames by columns',
    unused: 'frames are always computed by columns',
  },
  {
    name: 'optimistic-splitting',
    kind: 'switch',
    group: DAPHNE,
    help: 'assume that positions are sorted, with --columnar',
    unused: 'nothing depends on it',
  },
  {
    name: 'args',
    kind: 'texts',
    placeholder: 'name=value,...',
    group: DAPHNE,
    help: 'arguments of the script, as those after it: --args x=1,y="a"',
  },
  {
    name: 'config',
    kind: 'text',
    placeholder: 'FILE',
    group: DAPHNE,
    help: 'a JSON file with these options; flags win',
  },
  {
    name: 'explain',
    kind: 'choices',
    choices: EXPLAIN_STAGES,
    group: DAPHNE,
    help: 'show the script, its program or its code on standard error, under the title of each of these stages',
  },
  {
    name: 'timing',
    kind: 'switch',
    group: DAPHNE,
    key: 'enable_timing',
    help: 'say on standard error what took how many seconds, as JSON',
  },
  {
    name: 'statistics',
    kind: 'switch',
    group: DAPHNE,
    key: 'enable_statistics',
    help: 'count what is computed',
    unused: '`sheaf explain --run` shows each pipeline with its time',
  },
  {
    name: 'enable-profiling',
    kind: 'switch',
    group: DAPHNE,
    key: 'enable_profiling',
    help: 'count hardware events',
    unused: 'there are no hardware counters here; --timing says what took how long',
  },
  {
    name: 'no-obj-ref-mgnt',
    kind: 'switch',
    group: DAPHNE,
    help: 'keep all data objects',
    unused: 'memory is given back when nothing refers to it',
  },
  {
    name: 'no-ipa-const-propa',
    kind: 'switch',
    group: DAPHNE,
    help: 'do not look for constants across functions',
    unused: 'results are the same',
  },
  {
    name: 'no-phy-op-selection',
    kind: 'switch',
    group: DAPHNE,
    help: 'take the default kernel of each operation',
    unused: 'results are the same',
  },
  {
    name: 'libdir',
    kind: 'text',
    placeholder: 'DIR',
    group: DAPHNE,
    key: 'libdir',
    help: 'where libraries of kernels are',
    unused: 'kernels come with the package',
  },
  {
    name: 'kernel-ext',
    kind: 'text',
    placeholder: 'FILE[:PRIORITY]',
    group: DAPHNE,
    help: 'a catalogue of other kernels',
    refused: 'libraries of kernels that were built for DAPHNE cannot be loaded',
  },
  {
    name: 'codegen',
    also: ['mlir-codegen'],
    kind: 'switch',
    group: DAPHNE,
    key: 'use_mlir_codegen',
    help: 'generate code for operations',
    unused: llvm,
  },
  { name: 'mlir-hybrid', kind: 'switch', group: DAPHNE, help: 'mix generated code with kernels', unused: llvm },
  { name: 'matmul-tile', kind: 'switch', group: DAPHNE, key: 'matmul_tile', help: 'tile products', unused: llvm },
  {
    name: 'matmul-fixed-tile-sizes',
    kind: 'texts',
    placeholder: 'SIZES',
    group: DAPHNE,
    key: 'matmul_fixed_tile_sizes',
    help: 'tiles of products',
    unused: llvm,
  },
  {
    name: 'matmul-num-vec-registers',
    kind: 'count',
    group: DAPHNE,
    key: 'matmul_num_vec_registers',
    help: 'registers of products',
    unused: llvm,
  },
  {
    name: 'matmul-unroll-factor',
    kind: 'count',
    group: DAPHNE,
    key: 'matmul_unroll_factor',
    help: 'unrolling of products',
    unused: llvm,
  },
  {
    name: 'matmul-unroll-jam-factor',
    kind: 'count',
    group: DAPHNE,
    key: 'matmul_unroll_jam_factor',
    help: 'unrolling of products',
    unused: llvm,
  },
  {
    name: 'matmul-vec-size-bits',
    kind: 'count',
    group: DAPHNE,
    key: 'matmul_vec_size_bits',
    help: 'vectors of products',
    unused: llvm,
  },
  {
    name: 'matmul-invert-loops',
    kind: 'switch',
    group: DAPHNE,
    key: 'matmul_invert_loops',
    help: 'order of loops of products',
    unused: llvm,
  },
  {
    name: 'cuda',
    kind: 'switch',
    group: DAPHNE,
    key: 'use_cuda',
    help: 'use CUDA',
    refused: 'there is no CUDA back end; leave the flag out, and the script runs on all cores with --vec',
  },
  {
    name: 'fpgaopencl',
    kind: 'switch',
    group: DAPHNE,
    key: 'use_fpgaopencl',
    help: 'use an FPGA',
    refused: 'there is no FPGA back end; leave the flag out, and the script runs on all cores with --vec',
  },
  {
    name: 'enable-property-recording',
    kind: 'switch',
    group: DAPHNE,
    help: 'write down properties of data',
    refused: 'properties are found out at compile time and in the run, not recorded',
  },
  {
    name: 'enable-property-insert',
    kind: 'switch',
    group: DAPHNE,
    help: 'use recorded properties',
    refused: 'properties are found out at compile time and in the run, not recorded',
  },
  {
    name: 'properties-file-path',
    kind: 'text',
    placeholder: 'FILE',
    group: DAPHNE,
    help: 'recorded properties',
    unused: 'nothing is recorded',
  },
  {
    name: 'enable-hdfs',
    kind: 'switch',
    group: DAPHNE,
    help: 'read from HDFS',
    refused: 'there is no HDFS client; copy the files, or mount them',
  },
  {
    name: 'hdfs-ip',
    kind: 'text',
    placeholder: 'HOST',
    group: DAPHNE,
    help: 'of HDFS',
    unused: 'there is no HDFS client',
  },
  {
    name: 'hdfs-username',
    kind: 'text',
    placeholder: 'NAME',
    group: DAPHNE,
    help: 'of HDFS',
    unused: 'there is no HDFS client',
  },
  {
    name: 'distributed',
    kind: 'switch',
    group: DAPHNE,
    key: 'use_distributed',
    help: 'run on several machines',
    refused:
      'several machines come with the cluster, which is not there yet; --vec runs the script on all cores of this one',
  },
  {
    name: 'dist_backend',
    kind: 'choice',
    choices: ['MPI', 'sync-gRPC', 'async-gRPC', 'gRPC'],
    group: DISTRIBUTED,
    help: 'how machines talk, with --distributed',
    unused: 'there is one machine',
  },
  {
    name: 'max-distr-chunk-size',
    kind: 'count',
    group: DISTRIBUTED,
    key: 'max_distributed_serialization_chunk_size',
    help: 'bytes of a message, with --distributed',
    unused: 'there is one machine',
  },
  {
    name: 'language-server',
    kind: 'switch',
    group: GENERIC,
    help: 'serve an editor, on standard input and output (needs npm i vscode-languageserver vscode-languageserver-textdocument)',
  },
  {
    name: 'help',
    also: ['help-hidden', 'help-list', 'help-list-hidden'],
    kind: 'switch',
    group: GENERIC,
    help: 'show this',
  },
  { name: 'version', kind: 'switch', group: GENERIC, help: 'show the version' },
];

/** By each of its names. */
export const FLAG_NAMES: ReadonlyMap<string, Flag> = new Map(
  FLAGS.flatMap((flag) => [flag.name, ...(flag.also ?? [])].map((name) => [name, flag] as const)),
);
