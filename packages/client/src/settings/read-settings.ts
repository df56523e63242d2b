import { LibrarianError } from '@arriero/api'
import { type Environment, findSettingsFile, parseJsonFile, parseSettings, type Settings } from './settings-file.ts'

const PREFIX = 'LIBRARIAN_CLIENT_'

/** Settings, and where they came from. */
export interface ReadSettings extends Settings {
  /** A path; undefined when only the environment was asked. */
  readonly path: string | undefined
}

/**
 * The first settings file that exists, else the environment. What a file says wins over the environment (librarian Q26),
 * which fills in what the file leaves out.
 */
export async function readSettings(env: Environment): Promise<ReadSettings> {
  const file = await findSettingsFile(env)
  const fromEnvironment = environmentSettings(env)
  if (!file) return { ...parseSettings(fromEnvironment, 'in the environment'), path: undefined }
  const value = parseJsonFile(file)
  const merged = isObject(value) ? { ...fromEnvironment, ...value } : value
  return { ...parseSettings(merged, file.path), path: file.path }
}

/** `LIBRARIAN_CLIENT_CONNECTIONS='{…}'`: names in any case, values JSON. */
function environmentSettings(env: Environment): Record<string, unknown> {
  const found = Object.entries(env).filter(([name]) => name.toUpperCase().startsWith(PREFIX))
  return Object.fromEntries(
    found.map(([name, text]) => [name.slice(PREFIX.length).toLowerCase(), parseVariable(name, text ?? '')]),
  )
}

function parseVariable(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The text may hold a password.
    throw new LibrarianError('Configuration', `Cannot use the environment variable ${name}: it must be JSON.`, {
      remedy: `Write it as in: ${PREFIX}CONNECTIONS='{"site": {"host": "…", "port": 443, "user": "…", "password": "…"}}'`,
    })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
