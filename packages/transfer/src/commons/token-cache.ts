import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IssuedToken } from './authority.ts'
import { decodeClaims } from './jwt.ts'

/** Access tokens from one run to the next, one file per key; the place and name are those that the Gen3 SDK uses. */
export class TokenCache {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Undefined when there is none that can be used; whatever is wrong with the file is no error. */
  async read(key: string, now = Date.now()): Promise<IssuedToken | undefined> {
    const text = await readFile(this.#path(key), 'utf8').catch(() => '')
    const token = text.trim()
    const claims = decodeClaims(token)
    if (claims?.exp === undefined || claims.exp * 1000 <= now) return undefined
    const issuedAt = claims.iat === undefined ? now : claims.iat * 1000
    return { token, expiresAt: claims.exp * 1000, lifetimeMs: claims.exp * 1000 - issuedAt }
  }

  /** For its owner only, replaced as a whole. A cache that cannot be written costs one more exchange, nothing else. */
  async write(key: string, { token }: IssuedToken): Promise<void> {
    const path = this.#path(key)
    const next = `${path}.${randomBytes(6).toString('hex')}`
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      await writeFile(next, token, { mode: 0o600, flag: 'wx' })
      await rename(next, path)
    } catch {
      await unlink(next).catch(() => {})
    }
  }

  #path(key: string): string {
    return join(this.#directory, `token_cache_${createHash('sha256').update(key).digest('hex')}`)
  }
}
