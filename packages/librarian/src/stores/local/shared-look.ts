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
