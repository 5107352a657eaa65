import { NotAvailableError } from '../base/index.ts';

/**
 * A package that only some need, loaded when they do.
 *
 * @param what begins the message where it is not installed.
 */
export async function loadPeer<T>(name: string, what: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (error) {
    const { code, message = '' } = error as { code?: unknown; message?: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error;
    throw new NotAvailableError(`${what} needs the package ${name}, which is not installed: npm i ${name}`, {
      code: 'ERR_SHEAF_NO_PEER',
      cause: error,
      details: { package: name },
    });
  }
}
