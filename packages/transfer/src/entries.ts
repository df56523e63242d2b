/** What a caller gives as a list, as rows. */
import { abortable } from './abortable.ts'
import { rowOfListed } from './listing/row.ts'
import type { Row } from './manifest/entry.ts'
import type { Listed } from './source.ts'

/** What is to be fetched: rows of a manifest, names of a listing, batches of them, or plain URLs. */
export type Entries = Iterable<EntryInput> | AsyncIterable<EntryInput>
export type EntryInput = string | Row | Listed | readonly (Row | Listed)[]

/** Ends with the signal's reason, also while the list is being waited for. */
export async function* untilAborted(
  entries: Entries,
  signal: AbortSignal,
): AsyncGenerator<EntryInput, void, undefined> {
  if (!(Symbol.asyncIterator in entries)) return yield* entries
  const iterator = entries[Symbol.asyncIterator]()
  let isOver = false
  try {
    while (!isOver) {
      const { done, value } = await abortable(iterator.next(), signal)
      isOver = done === true
      if (!isOver) yield value
    }
  } catch (error) {
    isOver = !signal.aborted
    throw error
  } finally {
    // Not waited for: it may be waiting itself.
    if (!isOver) iterator.return?.()?.catch(() => {})
  }
}

/** @param index of the first row */
export function* rowsOf(input: EntryInput, index: number): Generator<Row> {
  if (typeof input === 'string') yield { index, uris: [input], checksums: [] }
  else if (Array.isArray(input)) for (const one of input) yield 'uri' in one ? rowOfListed(one, index++) : one
  else yield 'uri' in input ? rowOfListed(input as Listed, index) : (input as Row)
}
