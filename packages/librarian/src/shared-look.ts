/**
 * One look for all who ask at the same time. Who asks while a look is under way gets the next one: what was seen must not be
 * older than the question.
 */
export function createSharedLook<T>(look: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined
  let next: Promise<T> | undefined
  const start = (): Promise<T> => {
    next = undefined
    const seen = look()
    running = seen
    const end = () => {
      if (running === seen) running = undefined
    }
    seen.then(end, end)
    return seen
  }
  return () => {
    // After this turn, or after the look that runs: until then others may join.
    next ??= (running ?? Promise.resolve()).then(start, start)
    return next
  }
}

/** The same for each of several things to look at, told apart by a key. */
export function createSharedLooks<T>(look: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const looks = new Map<string, { readonly ask: () => Promise<T>; asking: number }>()
  return async key => {
    const one = looks.get(key) ?? { ask: createSharedLook(() => look(key)), asking: 0 }
    looks.set(key, one)
    one.asking++
    try {
      return await one.ask()
    } finally {
      if (--one.asking === 0) looks.delete(key)
    }
  }
}
