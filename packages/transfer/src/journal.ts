/**
 * What a resume may trust (retrieval 12): `NAME.part.journal` beside `NAME.part`. Pure reading and writing of its text.
 *
 *     {"arriero":1,…header…} <crc32>\n
 *     block <offset> <length> <crc32c> <crc32>\n        one for every part whose write returned
 *     left <crc32>\n                                    its owner gave it up in good order: anybody may go on
 *
 * Every line ends with a CRC-32 of its own text. A torn or damaged line ends the trust: it and what follows are
 * ignored. Lines are appended only, so a kill at any instant loses at most the last one.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { isQuerySigned } from './http/expiry.ts'
import type { EntityTag, Range, Resource } from './resource.ts'

/** Who writes a journal: enough to tell whether that process still lives. */
export interface Owner {
  readonly host: string
  readonly pid: number
  /** When the process started, in its system's own unit; tells a reused pid. */
  readonly start: string
  /** Distinguishes downloads of one process. */
  readonly token: string
}

export interface JournalHeader {
  /** Redacted. */
  readonly uri: string
  /** SHA-256 of the URL without its query's signature. */
  readonly uriHash: string
  readonly size: number
  readonly etag?: EntityTag | undefined
  readonly lastModified?: number | undefined
  readonly date?: number | undefined
  readonly version?: string | undefined
  /** What the caller demanded, `alg:hex`. */
  readonly checksums: readonly string[]
  readonly owner: Owner
}

export interface Block {
  readonly offset: number
  readonly length: number
  readonly crc32c: number
}

export interface Journal {
  readonly header: JournalHeader
  readonly blocks: readonly Block[]
  /** Its owner said that it is done with it, whether or not that process still lives. */
  readonly isLeft: boolean
  /** Bytes of the text that can be trusted; a writer goes on from here. */
  readonly length: number
}

const FORMAT = 1
const LEFT = 'left'

/** Identifies a URL without storing it. */
export function hashUri(uri: string): string {
  return createHash('sha256').update(withoutSignature(uri)).digest('hex')
}

/** A presigned URL is another one each time, down to its date: what it opens is the same. */
function withoutSignature(uri: string): string {
  const url = URL.parse(uri)
  return url && isQuerySigned(url) ? uri.slice(0, uri.indexOf('?')) : uri
}

export function formatHeader(header: JournalHeader): string {
  return seal(JSON.stringify({ arriero: FORMAT, ...header }))
}

export function formatLeft(): string {
  return seal(LEFT)
}

export function formatBlock({ offset, length, crc32c }: Block): string {
  return seal(`block ${offset} ${length} ${hex(crc32c)}`)
}

/** Undefined when not even the header can be trusted, or it is of a format that we do not know. */
export function parseJournal(text: string): Journal | undefined {
  const lines = sealedLines(text)
  const first = lines.next()
  if (first.done) return undefined
  const header = parseHeader(first.value.text)
  if (!header) return undefined
  const blocks: Block[] = []
  let length = first.value.end
  let isLeft = false
  for (const line of lines) {
    isLeft = line.text === LEFT
    const block = parseBlock(line.text, header.size)
    if (!block && !isLeft) break
    if (block) blocks.push(block)
    length = line.end
  }
  return { header, blocks, isLeft, length }
}

/** What the header says of the resource, in the shape that a source compares its answer with. */
export function resourceOf({ size, etag, lastModified, date, version }: JournalHeader): Resource {
  return { size, ranges: 'yes', etag, lastModified, date, version, checksums: [] }
}

/**
 * Why what was stored must not be continued with what the source has now; undefined when it may (retrieval 12, D1).
 * Bytes may be joined only if the same version is proven, or a digest of the whole will tell.
 */
export function whyNotResume(
  stored: JournalHeader,
  now: Resource,
  { hasDigest, allowWeak }: { hasDigest: boolean; allowWeak: boolean },
): string | undefined {
  if (now.size !== stored.size) return `its size was ${stored.size} and is ${now.size ?? 'unknown'}`
  if (stored.version !== undefined || now.version !== undefined) {
    return stored.version === now.version ? undefined : 'its version changed'
  }
  if (isStrong(stored.etag) && isStrong(now.etag)) {
    if (stored.etag.value === now.etag.value) return undefined
    return hasDigest ? undefined : 'its entity tag changed'
  }
  if (hasDigest) return undefined
  const sameTime = stored.lastModified !== undefined && stored.lastModified === now.lastModified
  if (sameTime && (isStrongTime(stored) || allowWeak)) return undefined
  return 'the server gives nothing that proves it is the same version'
}

/** A time counts as strong when it was at least 60 s old when it was seen (RFC 9110, 8.8.2.2). */
export function isStrongTime({ lastModified, date }: Pick<Resource, 'lastModified' | 'date'>): boolean {
  return lastModified !== undefined && date !== undefined && date - lastModified >= 60_000
}

function isStrong(etag: EntityTag | undefined): etag is EntityTag {
  return etag !== undefined && !etag.isWeak
}

/** Ranges of blocks, without overlaps. */
export function blockRanges(blocks: readonly Block[]): Range[] {
  return blocks.map(({ offset, length }) => ({ start: offset, end: offset + length }))
}

function seal(text: string): string {
  return `${text} ${hex(crc32(text))}\n`
}

function* sealedLines(text: string): Generator<{ text: string; end: number }> {
  let end = 0
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    if (newline < 0) return
    const line = text.slice(start, newline)
    const cut = line.lastIndexOf(' ')
    if (cut < 0 || hex(crc32(line.slice(0, cut))) !== line.slice(cut + 1)) return
    start = newline + 1
    end += Buffer.byteLength(line) + 1
    yield { text: line.slice(0, cut), end }
  }
}

function parseHeader(text: string): JournalHeader | undefined {
  try {
    const { arriero, ...header } = JSON.parse(text) as JournalHeader & { arriero: unknown }
    return arriero === FORMAT && isHeader(header) ? header : undefined
  } catch {
    return undefined
  }
}

/** What everybody relies on; a missing validator only means that less can be proven. */
function isHeader({ uri, uriHash, size, checksums, owner }: JournalHeader): boolean {
  const texts = [uri, uriHash, owner.host, owner.start, owner.token, ...checksums]
  const isComplete = Array.isArray(checksums) && texts.every(text => typeof text === 'string')
  return isComplete && Number.isSafeInteger(size) && size >= 0 && Number.isSafeInteger(owner.pid)
}

function parseBlock(text: string, size: number): Block | undefined {
  const match = /^block (\d+) (\d+) ([0-9a-f]{8})$/.exec(text)
  if (!match) return undefined
  const [offset, length, crc32c] = [Number(match[1]), Number(match[2]), Number.parseInt(match[3] as string, 16)]
  return length > 0 && offset + length <= size ? { offset, length, crc32c } : undefined
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}
