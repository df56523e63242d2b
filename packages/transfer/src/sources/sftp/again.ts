import { setTimeout as sleep } from 'node:timers/promises'
import { isRetriable } from '../../errors.ts'

const ATTEMPTS = 5
const BASE_MS = 500

/** Asks again after failures that pass, later each time (retrieval 8.5): listings have no engine to do it for them. */
export async function again<T>(ask: (isFresh: boolean) => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(attempt > 1)
    } catch (error) {
      if (signal.aborted || attempt === ATTEMPTS || !isRetriable(error)) throw error
      await sleep(Math.random() * BASE_MS * 2 ** attempt, undefined, { signal }).catch(() => {
        throw signal.reason
      })
    }
  }
}
