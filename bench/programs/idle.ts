/** A session with two workers that has worked and rests: prints `ready`, and ends when its input does. */
import { connect, get, task } from 'sheaf';

const square = task((x: number) => x * x);

const session = await connect({ cpus: 2 });
await get(Array.from({ length: 100 }, (_, i) => square(i)));
console.log('ready');
for await (const _ of process.stdin);
await session[Symbol.asyncDispose]();
