/**
 * Turns many single wishes into few common acts: what comes while one act runs waits and shares the next. An act tells, for
 * each item, why it failed, or undefined.
 */
export function createGroup<Item>(
  act: (items: readonly Item[]) => Promise<readonly unknown[]>,
): (item: Item) => Promise<void> {
  let waiting: { item: Item; resolve: () => void; reject: (reason: unknown) => void }[] = []
  let isActing = false
  const run = async () => {
    isActing = true
    while (waiting.length > 0) {
      const round = waiting
      waiting = []
      try {
        const failures = await act(round.map(({ item }) => item))
        for (const [index, { resolve, reject }] of round.entries()) {
          if (failures[index] === undefined) resolve()
          else reject(failures[index])
        }
      } catch (error) {
        for (const { reject } of round) reject(error)
      }
    }
    isActing = false
  }
  return item =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isActing) void run()
    })
}

/** At most `limit` at once; failures by index, undefined for what went well. */
export async function settleEach<Item>(
  items: readonly Item[],
  limit: number,
  act: (item: Item) => Promise<unknown>,
): Promise<unknown[]> {
  const failures: unknown[] = new Array(items.length).fill(undefined)
  const waiting = items.entries()
  const crew = Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (const [index, item] of waiting) {
      try {
        await act(item)
      } catch (error) {
        failures[index] = error
      }
    }
  })
  await Promise.all(crew)
  return failures
}
