export interface Retried {
  readonly done: number
  /** The first one: what comes behind it was tried all the same. */
  readonly failure: unknown
}

/** One after the other: whoever presses once may mean hundreds. */
export async function retryAll(ids: readonly number[], retry: (id: number) => Promise<unknown>): Promise<Retried> {
  let done = 0
  let failure: unknown
  for (const id of ids) {
    try {
      await retry(id)
      done++
    } catch (error) {
      failure ??= error
    }
  }
  return { done, failure }
}
