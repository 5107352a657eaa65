import {
  type Link,
  MemoryLink,
  RingLink,
  RingReader,
  RingWriter,
  ringBytes,
  SessionLink,
  Views,
} from '../../src/transport/index.ts';
import { linkConformance } from './suite.ts';

linkConformance({
  name: 'memory link',
  connect(highWater) {
    const [a, b] = MemoryLink.pair({ highWater });
    return { a, b, break: () => a.break(), dispose: () => a.close() };
  },
});

linkConformance({
  name: 'memory link with delays',
  connect(highWater) {
    const timers = new Set<NodeJS.Timeout>();
    const later = (run: () => void): void => {
      const timer = setTimeout(run, Math.random() * 3);
      timers.add(timer);
    };
    const [a, b] = MemoryLink.pair({ highWater, later });
    return {
      a,
      b,
      break: () => b.break(),
      dispose: () => {
        for (const timer of timers) clearTimeout(timer);
      },
    };
  },
});

linkConformance({
  name: 'link over rings in shared memory',
  connect(highWater) {
    const size = 16 * 1024;
    const bytes = ringBytes(size);
    const views = new Views(new SharedArrayBuffer(2 * bytes));
    const links: RingLink[] = [];
    let over = false;
    const bell = (party: number) => (): void => {
      setImmediate(() => {
        if (!over) links[party]?.poll();
      });
    };
    // Each end has a view of its own, as it would in a thread of its own.
    links.push(new RingLink(new RingWriter(views, 0, size), new RingReader(views, bytes, size), bell(1), highWater));
    links.push(new RingLink(new RingWriter(views, bytes, size), new RingReader(views, 0, size), bell(0), highWater));
    const [a, b] = links as [RingLink, RingLink];
    return {
      a,
      b,
      break: () => {
        setImmediate(() => a.abandoned('the other end is gone'));
        setImmediate(() => b.abandoned('the other end is gone'));
      },
      dispose: () => {
        over = true;
      },
    };
  },
});

linkConformance({
  name: 'session over links that break',
  connect(highWater) {
    let over = false;
    const live: MemoryLink[] = [];
    const b = new SessionLink({ incarnation: 1, highWater, acknowledgeAfter: 8, acknowledgeMs: 1 });
    const dial = (): Link => {
      const [here, there] = MemoryLink.pair({ highWater });
      live.push(here);
      b.attach(there);
      return here;
    };
    const a = new SessionLink({ incarnation: 1, highWater, acknowledgeAfter: 8, acknowledgeMs: 1, redialMs: 0, dial });
    const breaking = setInterval(() => {
      for (const link of live.splice(0)) if (!over) link.break();
    }, 7);
    return {
      a,
      b,
      dispose: () => {
        over = true;
        clearInterval(breaking);
        a.close();
        b.close();
      },
    };
  },
});
