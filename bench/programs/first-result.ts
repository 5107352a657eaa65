/** Prints the milliseconds from connect() to the first result of a task, in a process that does nothing else. */
import { connect, task } from 'sheaf';

const square = task((x: number) => x * x);

const start = performance.now();
const session = await connect();
const value = await square(7).value;
const took = performance.now() - start;
if (value !== 49) throw new Error(`7 squared is not ${value}`);
console.log(took);
await session[Symbol.asyncDispose]();
