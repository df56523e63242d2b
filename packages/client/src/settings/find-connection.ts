import { stat } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import { type Connection, urlOf } from './connection.ts'
import { readPasswordFile } from './password-file.ts'
import { type ReadSettings, readSettings } from './read-settings.ts'
import type { Environment } from './settings-file.ts'

export interface FoundConnection extends Connection {
  /** Longest wait for one answer; undefined: none. */
  readonly timeoutMs: number | undefined
  /** What a person should hear of the settings. */
  readonly warnings: readonly string[]
}

/**
 * The connection of this name in the settings. Without a name: the one that ARRIERO_LIBRARIAN names, else the only one.
 */
export async function findConnection(name: string | undefined, env: Environment): Promise<FoundConnection> {
  const settings = await readSettings(env)
  const chosen = name ?? (env.ARRIERO_LIBRARIAN || onlyOne(settings))
  const stored = Object.hasOwn(settings.connections, chosen) ? settings.connections[chosen] : undefined
  if (!stored) throw unknown(chosen, settings)
  const { password, password_file } = stored
  const seconds = settings.request_timeout_seconds
  return {
    name: chosen,
    url: urlOf(stored),
    user: stored.user,
    password: password ?? (await readPasswordFile(password_file!, env)),
    timeoutMs: seconds === null ? undefined : seconds * 1000,
    warnings: password === undefined ? [] : await warnings(settings.path),
  }
}

/** The names in the settings, sorted. */
export function connectionNames({ connections }: Pick<ReadSettings, 'connections'>): string[] {
  return Object.keys(connections).sort()
}

function onlyOne(settings: ReadSettings): string {
  const names = connectionNames(settings)
  if (names.length === 1) return names[0] as string
  if (names.length === 0) {
    throw new LibrarianError('Configuration', 'No librarian is known yet.', {
      remedy: 'Say: arriero login NAME https://ADDRESS --user USER',
    })
  }
  throw new LibrarianError('Configuration', `Several librarians are known: ${names.join(', ')}.`, {
    remedy: 'Say which one with --librarian NAME, or set ARRIERO_LIBRARIAN.',
  })
}

function unknown(name: string, settings: ReadSettings): LibrarianError {
  const names = connectionNames(settings)
  const known = names.length === 0 ? 'none is' : `known are ${names.join(', ')}`
  return new LibrarianError('Configuration', `No librarian named ${name} is in the client settings; ${known}.`, {
    remedy: `Check the name, or say: arriero login ${name} https://ADDRESS --user USER`,
  })
}

/** The older client never looked, so a file as it left it is told, not refused. */
async function warnings(path: string | undefined): Promise<string[]> {
  if (path === undefined || process.platform === 'win32') return []
  const { mode } = await stat(path)
  return (mode & 0o077) === 0 ? [] : [`${path} holds passwords and can be read by others; say: chmod 600 ${path}`]
}
