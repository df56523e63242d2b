import { TransferError } from '../errors.ts'
import { redactUrl } from '../redact.ts'
import { cutName } from './bytes.ts'
import { withoutUnsafeCharacters } from './characters.ts'
import { dispositionNames } from './content-disposition.ts'
import { isReservedName } from './reserved.ts'

export interface FileNameOptions {
  /** A name from the caller or from a metadata service (DRS, indexd); comes first. Only its last segment is used. */
  readonly suggested?: string | undefined
  /** The header's value as it was received. */
  readonly contentDisposition?: string | undefined
  /** The URL that was asked for, never one that a redirect led to: a server does not choose the name that way. */
  readonly url: string
  /** Throw instead of falling back to `download`. */
  readonly strict?: boolean | undefined
}

/**
 * The name of the file, never with a directory (retrieval 16), in order: `suggested`; `filename*`, then `filename` of
 * Content-Disposition; the last non-empty path segment of the URL, percent-decoded once; `download`. Each is sanitised,
 * and what is left empty, `.` or `..` counts as absent.
 *
 * @throws TransferError PathUnsafe when nothing names the file and `strict` is set.
 * @example
 * ```ts
 * fileNameFor({ url: 'https://host/a/b.fits?x=1', contentDisposition: 'attachment; filename="../../c.fits"' }) // 'c.fits'
 * ```
 */
export function fileNameFor({ suggested, contentDisposition, url, strict = false }: FileNameOptions): string {
  const candidates = [suggested, ...dispositionNames(contentDisposition ?? ''), lastPathSegment(url)]
  for (const candidate of candidates) {
    const name = candidate === undefined ? undefined : sanitizeFileName(candidate)
    if (name !== undefined) return name
  }
  if (!strict) return 'download'
  const shown = redactUrl(url)
  throw new TransferError('PathUnsafe', `Cannot name the file of ${shown}: neither its URL nor its server names one`, {
    url: shown,
  })
}

/**
 * One safe file name out of an outside name, or undefined when nothing is left of it: the part after the last `/` or `\`
 * and after a drive letter, without control and bidi characters or trailing dots and spaces; `_` before a reserved Windows
 * name; at most 255 bytes of UTF-8, the extension kept. Idempotent, and `resolveTarget` accepts whatever it returns.
 */
export function sanitizeFileName(text: string): string | undefined {
  const clean = withoutUnsafeCharacters(text.toWellFormed())
  const last = clean.slice(Math.max(clean.lastIndexOf('/'), clean.lastIndexOf('\\')) + 1)
  const name = trimEnd(last.replace(/^(?:[a-z]:)+/i, ''))
  if (name === '' || name === '~') return undefined
  return trimEnd(cutName(isReservedName(name) ? `_${name}` : name))
}

/** Windows drops trailing dots and spaces, so two names would become one; `.` and `..` become empty here. */
function trimEnd(name: string): string {
  let end = name.length
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end--
  return name.slice(0, end)
}

/** Object stores: nothing of a key is encoded. */
const RAW = /^(?:s3|gs):/i

/** By hand, because an identifier such as `s3://bucket/a b%` or `drs://host/id` need not be what URL accepts. */
function lastPathSegment(url: string): string | undefined {
  const isRaw = RAW.test(url)
  // A generation behind a name of Google's is not of it, nor is the id of a version.
  const behind = isRaw ? (/^gs:/i.test(url) ? /(?<=.)#\d+$/s : /\?versionId=[\w.~-]+$/) : /[?#].*$/s
  const path = url
    .replace(behind, '')
    .replace(/^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*)?/i, '')
    .split('/')
    .findLast(segment => segment !== '')
  if (path === undefined || isRaw) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
