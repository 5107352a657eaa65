import type { Shape } from '../../protocol/index.ts';
import { ControlBlock } from '../../transport/index.ts';
import { bellOf } from '../attach.ts';
import type { ControlConfig } from '../config.ts';
import { ProcessHost } from '../process-host.ts';
import { ThreadHost } from '../thread-host.ts';
import type { WorkerHost } from '../worker-host.ts';
import { ControlHost } from './control-host.ts';

export function startControl(config: ControlConfig): ControlHost {
  const block = ControlBlock.attach(config.block, config.shape, config.blockMemory);
  const hosts = new Map<Shape['isolation'], WorkerHost>([['thread', new ThreadHost(config)]]);
  if (config.isolation === 'process') hosts.set('process', new ProcessHost(config));
  return new ControlHost(config, block, bellOf(config, 0, config.bell, false), hosts);
}
