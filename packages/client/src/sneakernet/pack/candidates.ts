import type { DiskCandidate } from '@arriero/api'
import type { Librarian } from '../../librarian.ts'

export interface CandidateOrder {
  readonly destination: string
  /** Those with a copy on this store. */
  readonly store?: string | undefined
  /** Those alone; asked for afresh with every reading. */
  readonly names?: (() => AsyncIterable<string>) | undefined
}

const PAGE = 500

/** What the other librarian lacks and is not on its way to it. */
export async function* candidates(
  librarian: Librarian,
  { names, ...order }: CandidateOrder,
  signal: AbortSignal,
): AsyncGenerator<DiskCandidate> {
  if (!names) return yield* pages(librarian, order, undefined, signal)
  let chunk: string[] = []
  for await (const name of names()) {
    if (chunk.push(name) < PAGE) continue
    yield* pages(librarian, order, chunk, signal)
    chunk = []
  }
  if (chunk.length > 0) yield* pages(librarian, order, chunk, signal)
}

async function* pages(
  { api }: Librarian,
  { destination, store }: CandidateOrder,
  names: string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<DiskCandidate> {
  let after: string | undefined
  for (;;) {
    const request = { librarian_name: destination, store_name: store, names, after, max_results: PAGE }
    const page = await api.sneakernet.candidates(request, { signal })
    yield* page.files
    if (page.next === null) return
    after = page.next
  }
}
