/** Copies by groups: many small ones cost one task of a thread and one transaction together, a large one goes alone. */
import type { ScrubCopy } from '../../catalogue/operations/scrubbing.ts'

const MOST_COPIES = 256
const MOST_BYTES = 32 << 20

export async function* inGroups(copies: AsyncIterable<ScrubCopy>): AsyncGenerator<ScrubCopy[]> {
  let group: ScrubCopy[] = []
  let bytes = 0
  for await (const copy of copies) {
    if (group.length > 0 && (group.length === MOST_COPIES || bytes + copy.file.size > MOST_BYTES)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(copy)
    bytes += copy.file.size
  }
  if (group.length > 0) yield group
}

/** Pages as one sequence, the next one asked for while the one before is used up: memory does not grow with the store. */
export async function* inOrder<Copy extends { readonly cursor: Cursor }, Cursor>(
  page: (after: Cursor | undefined) => Promise<readonly Copy[]>,
  pageSize: number,
  from?: Cursor,
): AsyncGenerator<Copy> {
  let next: Promise<readonly Copy[]> | undefined = page(from)
  while (next) {
    const copies: readonly Copy[] = await next
    const after = copies.at(-1)?.cursor
    next = copies.length < pageSize || after === undefined ? undefined : page(after)
    // Whoever asks for more meets it; nobody may.
    next?.catch(() => {})
    yield* copies
  }
}
