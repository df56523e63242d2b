/** Where client settings are kept, and what a file of them holds (librarian 13.3). */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { z } from 'zod'
import { connectionSchema } from './connection.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export const settingsSchema = z.strictObject({
  connections: z.record(z.string().min(1), connectionSchema).default({}),
  /** Longest wait for one answer, seconds; null: none. A server hashes whole files before it answers (librarian 17). */
  request_timeout_seconds: z.number().positive().nullable().default(1800),
  /** For the older client. Ours takes as many threads as help. */
  checksum_threads: z.int().min(1).default(1),
})

export type Settings = z.output<typeof settingsSchema>

/** The files that are asked for, in order. */
export function settingsPaths(env: Environment): string[] {
  const home = env.HOME ?? homedir()
  const named = env.HL_CLIENT_CONFIG ? [env.HL_CLIENT_CONFIG] : []
  return [...named, join(home, '.hl_client.cfg'), join(home, '.hl_client.json')]
}

export interface SettingsFile {
  readonly path: string
  readonly text: string
}

/** The first that exists; undefined when there is none. */
export async function findSettingsFile(env: Environment): Promise<SettingsFile | undefined> {
  for (const path of settingsPaths(env)) {
    try {
      return { path, text: await readFile(path, 'utf8') }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw new LibrarianError(
        'Configuration',
        `Cannot read the client settings ${path}: ${(error as Error).message}`,
        {
          remedy: 'Check the path and its permissions.',
          cause: error,
        },
      )
    }
  }
  return undefined
}

/** Parsed JSON, whatever it holds. The text may hold passwords and is never repeated. */
export function parseJsonFile({ path, text }: SettingsFile): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new LibrarianError('Configuration', `Cannot read the client settings ${path}: they must be JSON.`, {
      remedy: `Check them with: python3 -m json.tool ${path}`,
    })
  }
}

/** @param source what is at fault, for the message */
export function parseSettings(value: unknown, source: string): Settings {
  const parsed = settingsSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const at = issue?.path.length ? ` at ${issue.path.join('.')}` : ''
  throw new LibrarianError('Configuration', `Cannot use the client settings ${source}:${at} ${issue?.message}.`, {
    remedy: 'See the manual page of the librarian for the keys.',
  })
}
