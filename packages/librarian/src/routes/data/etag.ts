import { createHash } from 'node:crypto'
import type { DataFile } from '../../services/data.ts'

/** Strong: it changes with any byte. Without our own digest, with anything that may have changed one. */
export function etagOf({ digests, size }: DataFile, fingerprint: string): string {
  const { sha256 } = digests
  return sha256 === undefined ? `"${size}-${hashOf(fingerprint).slice(0, 32)}"` : `"${sha256}"`
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
