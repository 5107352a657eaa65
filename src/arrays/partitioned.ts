import { networkInterfaces } from 'node:os';
import { shown, UsageError } from '../base/index.ts';
import { type DType, isDType } from '../nd/index.ts';
import {
  type Dense,
  Partitioned,
  type PartitionedOptions,
  type ReadOptions,
  readPartitioned,
  registerResolver,
} from '../partitioned/index.ts';
import type { Node } from '../pipelines/index.ts';
import { get, put, type Ref } from '../tasks/index.ts';
import type { Arr } from './arr.ts';
import { checkDType, checkOptions } from './checks.ts';
import { isArr, nodeOf, wrapLater } from './lazy.ts';
import { pipelinesFor, sourceOf } from './place.ts';
import { computed } from './values.ts';

/** Stands for the elements of an array, which are computed when somebody gets them. */
class ArrayHandle {
  readonly array: Arr;
  #sent: Ref<Dense> | undefined;

  constructor(array: Arr) {
    this.array = array;
  }

  async get(): Promise<Dense> {
    const { node, elements } = await computed('__partitioned__', this.array);
    return { shape: node.shape, dtype: node.dtype, elements };
  }

  /** As it goes to tasks. Values travel at once, so it is computed at once, in this thread alone, if it is not there yet. */
  get sent(): Ref<Dense> {
    if (this.#sent === undefined) {
      const node = nodeOf('__partitioned__', this.array);
      const pipelines = pipelinesFor('__partitioned__');
      pipelines.computeNow([node]);
      this.#sent = put({ shape: node.shape, dtype: node.dtype, elements: pipelines.read(node) });
    }
    return this.#sent;
  }
}

const RESOLVER = { resolver: 'sheaf' };

registerResolver(RESOLVER.resolver, () => async (handles) => {
  const refs = handles.filter((handle): handle is Ref<Dense> => !(handle instanceof ArrayHandle));
  const values = refs.length === 0 ? [] : await get(refs);
  return handles.map((handle) => (handle instanceof ArrayHandle ? handle.get() : values.shift()));
});

/** Descriptions that were made here, to the arrays that they describe. */
const described = new WeakMap<object, Arr>();

/** `x.__partitioned__`: nothing is computed for it, and nothing moved. */
export function descriptionOf(x: Arr): Partitioned<unknown, Dense> {
  const { shape, dtype } = nodeOf('__partitioned__', x);
  const handle = new ArrayHandle(x);
  const options: PartitionedOptions<unknown, Dense> = {
    shape,
    cuts: shape.map(() => ({ parts: 1 })),
    partition: () => ({ data: handle, location: [[ownAddress(), process.pid]] }),
    get: (handles) => Promise.all(handles.map((each) => (each as ArrayHandle).get())),
    dtype,
    resolver: RESOLVER,
    encode() {
      throw new UsageError(
        '__partitioned__: the elements of an array are in the memory of its session, and have no JSON form: give the description to a task, or write them ' +
          'to a file, with writeNpy for instance',
      );
    },
    send: (each) => (each as ArrayHandle).sent,
  };
  const description = new Partitioned<unknown, Dense>(options);
  described.set(description, x);
  return description;
}

let address: string | undefined;

/** That by which others reach this machine, as far as it knows. */
function ownAddress(): string {
  address ??=
    Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
  return address;
}

/** How a description is taken as an array. */
export interface FromPartitionedOptions extends Pick<ReadOptions, 'kind' | 'locate'> {
  /** The type of its elements, where the description does not say it. */
  readonly dtype?: DType;
}

/**
 * An array of what a description of partitions describes: of an array of here at once, of anything else when its elements are asked for. Until then it
 * has no shape: go on with `await fromPartitioned(x).persist()`.
 *
 * @param description of the `__partitioned__` protocol, or an object that has one.
 * @throws FormatError (ERR_SHEAF_PARTITIONED) for one that breaks a rule of it, or lies on a device that can't be read here.
 */
export function fromPartitioned(description: unknown, o: FromPartitionedOptions = {}): Arr {
  checkOptions('fromPartitioned', o, ['dtype', 'kind', 'locate']);
  if (isArr(description)) return description;
  const { dtype: wish, ...options } = o;
  const read = readPartitioned(description, { ...options, devices: ['kDLCPU'] });
  const own = described.get(description as object);
  if (own !== undefined) return own;
  const dtype = wish === undefined ? read['x-dtype'] : checkDType('fromPartitioned', wish);
  if (!isDType(dtype)) throw untyped(dtype);
  let node: Promise<Node> | undefined;
  return wrapLater({
    dtype,
    because: 'fromPartitioned',
    resolve() {
      node ??= fetched(withArrays(read), dtype);
      return node;
    },
  });
}

/** The same, where partitions may be arrays of here as well. */
function withArrays({ source, grid }: Partitioned): Partitioned {
  return new Partitioned({
    ...source,
    cuts: grid,
    get: async (handles) => {
      const found = await source.get(handles);
      if (!Array.isArray(found)) return found;
      return Promise.all(found.map((each) => (isArr(each) ? new ArrayHandle(each).get() : each)));
    },
  });
}

async function fetched(description: Partitioned, dtype: DType): Promise<Node> {
  const { shape } = description;
  const array = await description.slice({ start: shape.map(() => 0), shape });
  if (array.dtype !== dtype) {
    throw new UsageError(`fromPartitioned: the partitions have elements of type ${array.dtype}, and not ${dtype}`, {
      code: 'ERR_SHEAF_DTYPE',
      details: { operation: 'fromPartitioned', dtypes: [array.dtype, dtype] },
    });
  }
  return sourceOf(array.elements, shape, dtype);
}

function untyped(dtype: unknown): UsageError {
  const found = dtype === undefined ? 'does not say the type of its elements' : `has elements of type ${shown(dtype)}`;
  return new UsageError(`fromPartitioned: the description ${found}; give one: { dtype: 'f64' }`, {
    code: 'ERR_SHEAF_DTYPE',
    details: { operation: 'fromPartitioned' },
  });
}
