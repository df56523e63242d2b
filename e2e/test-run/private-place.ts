/** The private place of one test run: everything below it that is still there at the end was forgotten by somebody. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PrivatePlace {
  readonly path: string
  /** Names of what was left in it; empty when everybody took his things along. */
  leftOver(): string[]
  remove(): void
}

/**
 * Makes the place and sends all temporary folders of this process, and of those that it starts, there. Names are short: a
 * socket's whole path has 107 bytes at most.
 */
export function movePrivate(prefix: string): PrivatePlace {
  const path = mkdtempSync(join(tmpdir(), prefix))
  // A server that gives up root's rights (PostgreSQL, an FTP daemon) must still reach its own folder below.
  chmodSync(path, 0o755)
  process.env.TMPDIR = path
  return {
    path,
    leftOver: () => readdirSync(path).sort(),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}
