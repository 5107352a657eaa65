// Imported by each test file's process before it, so that stacks have the lines of the sources. Workers that are threads start with the
// same flags, and go without: they would read all maps first.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.setSourceMapsEnabled(true);
