import { libc } from '../../native/index.ts';
import type { Shape } from '../../protocol/index.ts';
import { attach } from '../attach.ts';
import type { ControlConfig } from '../config.ts';
import { ProcessHost } from '../process-host.ts';
import { ThreadHost } from '../thread-host.ts';
import type { WorkerHost } from '../worker-host.ts';
import { ControlHost } from './control-host.ts';

export function startControl(config: ControlConfig): ControlHost {
  const read = config.bells === undefined ? undefined : libc()!.dup(config.bells.read[0] as number);
  const { block, store, bell } = attach(config, 0, read);
  const hosts = new Map<Shape['isolation'], WorkerHost>([['thread', new ThreadHost(config)]]);
  if (config.isolation === 'process') hosts.set('process', new ProcessHost(config));
  return new ControlHost(config, block, store, bell, hosts);
}
