import {
  type AnswerOf,
  type endpoints,
  FIRST_INSTANT,
  type Instant,
  LAST_INSTANT,
  type RequestInput,
} from '@arriero/api'
import type { Librarian } from '../librarian.ts'
import { isPattern, matcherOf } from './pattern.ts'

/** A file with its copies. */
export type FoundFile = AnswerOf<typeof endpoints.search.file>[number]

/** Which files are sought. */
export interface FileQuery {
  /** A name, or a pattern: `*` and `?` within a part, `**` across parts. */
  readonly name?: string | undefined
  /** The name is no pattern, whatever is in it. Default false. */
  readonly isLiteral?: boolean | undefined
  /** Both ends belong to the window; one that is missing is open. */
  readonly since?: Instant | undefined
  readonly until?: Instant | undefined
  readonly uploader?: string | undefined
  readonly source?: string | undefined
  /** Bytes, both inclusive. */
  readonly minSize?: number | undefined
  readonly maxSize?: number | undefined
  /** Wire form, or a bare md5 of old. */
  readonly checksum?: string | undefined
}

/** Options of `searchFiles()`. */
export interface SearchOptions {
  /** Most files; default: all that match. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Files that are asked for at once. Default 500. */
  readonly pageSize?: number | undefined
}

/**
 * Files that match, newest first, page by page. An older librarian knows no pages and no patterns: there it is one page of
 * those whose name is exactly this.
 */
export async function* searchFiles(
  librarian: Librarian,
  query: FileQuery,
  { limit = Number.POSITIVE_INFINITY, signal, pageSize = 500 }: SearchOptions = {},
): AsyncGenerator<FoundFile, void, undefined> {
  const conditions = conditionsOf(query)
  const isMeant = typeof conditions.name_glob === 'string' ? matcherOf(conditions.name_glob) : () => true
  const seen = new Set<string>()
  let after: { create_time: string; name: string } | undefined
  for (let left = limit; left > 0; ) {
    // Of what a pattern finds, some may not be meant: the limit counts those that are.
    const asked = conditions.name_glob === undefined ? Math.min(left, pageSize) : pageSize
    const page = await librarian.api.search.file({ ...conditions, max_results: asked, after }, { signal })
    // Who knows no pages answers the first one again.
    const fresh = page.filter(({ name }) => !seen.has(name))
    for (const file of fresh) {
      seen.add(file.name)
      if (left <= 0 || !isMeant(file.name)) continue
      left--
      yield file
    }
    const last = page.at(-1)
    if (!last || fresh.length === 0) return
    after = { create_time: last.create_time, name: last.name }
    seen.clear()
    for (const { name } of page) seen.add(name)
  }
}

/** The window of a query as the wire has it; undefined where it is open at both ends. */
export function windowOf({ since, until }: Pick<FileQuery, 'since' | 'until'>): [Instant, Instant] | undefined {
  return since === undefined && until === undefined ? undefined : [since ?? FIRST_INSTANT, until ?? LAST_INSTANT]
}

type Conditions = Omit<RequestInput<typeof endpoints.search.file>, 'max_results' | 'after'>

function conditionsOf(query: FileQuery): Conditions {
  const { name, isLiteral = false, uploader, source, checksum, minSize, maxSize } = query
  const hasSizes = minSize !== undefined || maxSize !== undefined
  return {
    ...(name === undefined ? {} : isLiteral || !isPattern(name) ? { name } : { name_glob: name }),
    create_time_window: windowOf(query),
    uploader,
    source,
    checksum,
    size_window: hasSizes ? ([minSize ?? null, maxSize ?? null] as [number | null, number | null]) : undefined,
  }
}
