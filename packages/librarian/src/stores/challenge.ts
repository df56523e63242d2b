/**
 * Answers to challenges (reliability E5): SHA-256(nonce ∥ bytes), for several nonces in one reading. Of a tree, the bytes are
 * for each member, in the order of the canonical manifest, its line there without the digest, a line feed, and its content.
 */
import { createHash, type Hash } from 'node:crypto'

export class Challenge {
  readonly #hashes: readonly Hash[]

  /** @param nonces hex */
  constructor(nonces: readonly string[]) {
    this.#hashes = nonces.map(nonce => createHash('sha256').update(Buffer.from(nonce, 'hex')))
  }

  take(bytes: Uint8Array): void {
    for (const hash of this.#hashes) hash.update(bytes)
  }

  /** Before the bytes of a tree's file, or for a directory of it. @param size undefined for a directory */
  begin(path: string, size: number | undefined): void {
    const line = size === undefined ? { path, type: 'directory' } : { path, type: 'file', size }
    this.take(Buffer.from(`${JSON.stringify(line)}\n`))
  }

  /** In the order of the nonces. Ends it. */
  answers(): string[] {
    return this.#hashes.map(hash => hash.digest('hex'))
  }
}

/** The order of the canonical manifest: by the bytes of the paths. */
export function inManifestOrder<Member extends { readonly path: string }>(members: Iterable<Member>): Member[] {
  const keyed = Array.from(members, member => ({ raw: Buffer.from(member.path), member }))
  return keyed.sort((a, b) => Buffer.compare(a.raw, b.raw)).map(({ member }) => member)
}
