/** Digests as headers: `Repr-Digest` and `Content-Digest` (RFC 9530), and tus's `Upload-Checksum`. */

export interface StatedDigest {
  /** As node:crypto spells it. */
  readonly algorithm: PieceAlgorithm
  readonly digest: Buffer
}

const pieceAlgorithms = ['sha256', 'sha512', 'sha1', 'md5'] as const

export type PieceAlgorithm = (typeof pieceAlgorithms)[number]

/** Names of RFC 9530's registry. */
const fieldNames: Readonly<Record<PieceAlgorithm, string>> = {
  sha256: 'sha-256',
  sha512: 'sha-512',
  sha1: 'sha',
  md5: 'md5',
}

const lengths: Readonly<Record<PieceAlgorithm, number>> = { sha256: 32, sha512: 64, sha1: 20, md5: 16 }

/** @param digests hex by algorithm; those that RFC 9530 has no name for are left out */
export function formatDigests(digests: Readonly<Partial<Record<string, string>>>): string | undefined {
  const members = pieceAlgorithms.flatMap(algorithm => {
    const hex = digests[algorithm]
    return hex === undefined ? [] : `${fieldNames[algorithm]}=:${Buffer.from(hex, 'hex').toString('base64')}:`
  })
  return members.length > 0 ? members.join(', ') : undefined
}

/**
 * The strongest digest that we can compute.
 *
 * @returns undefined where the header names none that we know; `bad` where it cannot be read
 */
export function parseDigests(header: string): StatedDigest | undefined | 'bad' {
  const stated = new Map<string, string>()
  for (const member of header.split(',')) {
    const match = /^\s*([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/]*={0,2}):\s*$/.exec(member)
    if (!match) return 'bad'
    stated.set(match[1] as string, match[2] as string)
  }
  for (const algorithm of ['sha512', 'sha256', 'sha1', 'md5'] as const) {
    const value = stated.get(fieldNames[algorithm])
    if (value !== undefined) return digestOf(algorithm, value) ?? 'bad'
  }
  return undefined
}

/** `Upload-Checksum: sha256 BASE64`. `unknown`: an algorithm that we do not compute. */
export function parseUploadChecksum(header: string): StatedDigest | 'unknown' | 'bad' {
  const match = /^([a-z0-9-]+) +([A-Za-z0-9+/]+={0,2})$/i.exec(header.trim())
  if (!match) return 'bad'
  const name = (match[1] as string).toLowerCase().replace('-', '')
  const algorithm = pieceAlgorithms.find(one => one === name)
  if (!algorithm) return 'unknown'
  return digestOf(algorithm, match[2] as string) ?? 'bad'
}

function digestOf(algorithm: PieceAlgorithm, base64: string): StatedDigest | undefined {
  const digest = Buffer.from(base64, 'base64')
  return digest.length === lengths[algorithm] ? { algorithm, digest } : undefined
}
