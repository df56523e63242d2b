import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { bytesContent, type Content, patternContent } from '../fault-server/content.ts'

/** The names that records use for digests (gen3 6.1); `etag`: of one part. */
export const HASH_NAMES = ['md5', 'sha1', 'sha256', 'sha512', 'crc', 'etag'] as const
export type HashName = (typeof HASH_NAMES)[number]

/** What an object holds: given bytes, or D(size) with every byte xor `version` (retrieval 18). */
export interface Stored {
  readonly size: number
  readonly version: number
  readonly bytes: Uint8Array | undefined
}

const known = new Map<string, string>()

/** Lower-case hex. */
export function hashOf(stored: Stored, name: HashName): string {
  const content = stored.bytes ? bytesContent(stored.bytes) : patternContent(stored.size, stored.version)
  if (stored.bytes) return compute(content, name)
  const key = `${stored.size} ${stored.version} ${name}`
  const hash = known.get(key) ?? compute(content, name)
  known.set(key, hash)
  return hash
}

function compute(content: Content, name: HashName): string {
  if (name === 'crc') {
    let value = 0
    for (const piece of pieces(content)) value = crc32(piece, value)
    return value.toString(16).padStart(8, '0')
  }
  const hash = createHash(name === 'etag' ? 'md5' : name)
  for (const piece of pieces(content)) hash.update(piece)
  return hash.digest('hex')
}

function* pieces(content: Content): Generator<Uint8Array> {
  for (let at = 0; at < content.size; ) {
    const piece = content.piece(at, content.size - at)
    yield piece
    at += piece.length
  }
}
