import { sizes } from './sizes.ts';
import { onHosts } from './support.ts';

// The last one starts workers on both sides of where one mapping of rings ends and the next begins.
for (const cpus of [2, 17]) {
  onHosts(`a session of ${cpus} cores`, { cpus, memory: '64MiB' }, (session) => sizes(session, cpus));
}
