import { NotAvailableError } from '../base/index.ts';

/**
 * A package that only some need, loaded when they do.
 *
 * @param name of the package, or of a path in it.
 * @param what begins the message where it is not installed.
 * @param others that are needed along with it.
 */
export async function loadPeer<T>(name: string, what: string, others: readonly string[] = []): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (error) {
    const { code, message = '' } = error as { code?: unknown; message?: string };
    // Of a path within a package, the package is what is missing.
    const [owner] = /^(?:@[^/]+\/)?[^/]+/.exec(name) as RegExpExecArray;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${owner}'`)) throw error;
    throw new NotAvailableError(
      `${what} needs the package ${owner}, which is not installed: npm i ${[owner, ...others].join(' ')}`,
      {
        code: 'ERR_SHEAF_NO_PEER',
        cause: error,
        details: { package: owner },
      },
    );
  }
}
