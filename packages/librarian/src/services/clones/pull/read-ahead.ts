/** Begins a source; it is to stop at the signal. */
export type Begin<T> = (signal: AbortSignal) => AsyncGenerator<T>

/**
 * What sources give, one source after the other; some that come later have begun meanwhile, so that the way they come is never idle
 * while what came is put away. Each has got so far as its first item when its turn comes.
 */
export async function* readAhead<T>(sources: Iterable<Begin<T>>, atOnce: number): AsyncGenerator<T> {
  const stop = new AbortController()
  const waiting: { readonly items: AsyncGenerator<T>; readonly first: Promise<IteratorResult<T>> }[] = []
  const begun = new Set<AsyncGenerator<T>>()
  const rest = sources[Symbol.iterator]()
  const begin = () => {
    const next = rest.next()
    if (next.done) return
    const items = next.value(stop.signal)
    const first = items.next()
    // It is met when its turn comes.
    first.catch(() => {})
    begun.add(items)
    waiting.push({ items, first })
  }
  try {
    for (let n = 0; n < atOnce; n++) begin()
    for (let source = waiting.shift(); source; source = waiting.shift()) {
      const { items, first } = source
      for (let item = await first; !item.done; item = await items.next()) yield item.value
      begun.delete(items)
      begin()
    }
  } finally {
    stop.abort(new Error('Nobody reads any more'))
    for (const items of begun) await items.return(undefined).catch(() => {})
  }
}
