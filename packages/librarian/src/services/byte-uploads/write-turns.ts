import type { WriteGuard } from './write-guard.ts'
import type { Writers } from './writers.ts'

/** Who writes the bytes of an upload: within this process, and among those that share its catalogue. */
export interface WriteTurns {
  readonly writers: Writers
  /** Undefined: there are no other processes. */
  readonly guard?: WriteGuard | undefined
}

/**
 * Nobody writes to an upload until it is disposed of. Whoever does now is asked to stop, and waited for: a request that has
 * not ended may still be refused, and then takes back from the file what it brought, whatever name that has by then.
 *
 * @throws LibrarianError Locked
 */
export async function holdBytes({ writers, guard }: WriteTurns, token: string): Promise<AsyncDisposable> {
  const turn = await writers.enter(token)
  const shared = await guard
    ?.enter(token, () => {})
    .catch(error => {
      turn[Symbol.dispose]()
      throw error
    })
  return {
    async [Symbol.asyncDispose]() {
      await shared?.[Symbol.asyncDispose]()
      turn[Symbol.dispose]()
    },
  }
}
