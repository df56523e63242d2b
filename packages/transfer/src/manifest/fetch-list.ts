import { pathProblem } from '../names/target.ts'
import type { Fields } from './entry.ts'
import type { FormParser } from './form.ts'
import { refuse, refuseAs, show } from './problem.ts'
import { RecordSplitter } from './records.ts'
import type { Rows } from './rows.ts'
import { URL_ROW } from './shape.ts'

const LINE = /^\s*(\S+)[ \t]+(\S+)[ \t]+(.+)$/

/**
 * A bag's `fetch.txt` (RFC 8493, 2.2.3): URL, length in bytes or `-`, and a path below `data/`, which must be safe as it
 * stands, because the bag's own manifests name it. Digests are beside it: see `readBag`.
 */
export function createFetchListParser(rows: Rows, digestsOf?: (path: string) => Fields): FormParser {
  return new RecordSplitter({
    record(text, line) {
      if (text.trim() !== '') rows.add(line, () => withDigests(readFetchLine(text), digestsOf), { shape: URL_ROW })
    },
    unreadable: (problem, line) => rows.bad(line, problem),
  })
}

/** Whether a line of unknown origin is one of `fetch.txt`, and not an address with blanks in it. */
export function isFetchLine(line: string): boolean {
  const [, url = '', length = '', path = ''] = LINE.exec(line) ?? []
  if (!/^(?:\d+|-)$/.test(length)) return false
  return /^(?:https?|ftps?):\/\//i.test(url) || (/^[a-z][a-z0-9+.-]+:\/\//i.test(url) && path.startsWith('data/'))
}

function withDigests(fields: Fields & { readonly filepath: string }, digestsOf?: (path: string) => Fields): Fields {
  return digestsOf ? { ...fields, ...digestsOf(fields.filepath) } : fields
}

/** @throws RowProblem */
export function readFetchLine(text: string): {
  readonly url: string
  readonly size?: string
  readonly filepath: string
} {
  const [, url, length, rest] = LINE.exec(text) ?? []
  if (url === undefined || length === undefined || rest === undefined) {
    return refuse('a line must be URL, LENGTH and PATH', text)
  }
  const filepath = unescapePath(rest.trimEnd())
  const problem = filepath.startsWith('data/') ? pathProblem(filepath) : 'it must lie below data/'
  if (problem !== undefined) refuseAs('bad_name', `the path ${show(filepath)}: ${problem}`)
  if (length === '-') return { url, filepath }
  return /^\d+$/.test(length)
    ? { url, size: length, filepath }
    : refuseAs('bad_size', 'LENGTH must be digits or -', length)
}

/** `%0A`, `%0D` and `%25`, and nothing else, are escapes in the paths of a bag (RFC 8493, 2.1.3). */
export function unescapePath(path: string): string {
  return path.replace(/%(0a|0d|25)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
