/** Where bytes are at another librarian. */
import type { FetchOptions } from '@arriero/transfer'
import type { PeerConnection } from '../../peer-connections.ts'

/** Of a file, of a tree's members, or of the list of a tree. */
export function dataUrl(address: string, path: string): string {
  return `${address}/api/v2/data/${path.split('/').map(encodeURIComponent).join('/')}`
}

export function headersFor({ credentials: { user, password } }: PeerConnection): NonNullable<FetchOptions['headers']> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

/** A checksum of the wire in the engine's spelling: what the wire calls xxh3 is the one of 128 bits. */
export function engineChecksum(checksum: string): string {
  const [before = '', after] = checksum.split(':::')
  if (after === undefined) return `md5:${before}`
  return `${before === 'xxh3' ? 'xxh128' : before}:${after}`
}
