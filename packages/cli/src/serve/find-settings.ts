/** Whose settings a command on the machine of a librarian means: one rule for all that look at the same librarian. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Settings } from '@arriero/librarian'
import { ProgramError } from '../errors.ts'
import type { Terminal } from '../terminal.ts'

type Door = Pick<typeof import('@arriero/librarian'), 'findDataDirectory' | 'loadSettings' | 'makeDataDirectory'>
type Place = Pick<Terminal, 'cwd' | 'env'>

export interface SettingsFlags {
  readonly config?: string | undefined
  readonly data?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly role?: Settings['role'] | undefined
}

export interface FoundSettings {
  readonly settings: Settings
  /** Of settings that are to be edited; undefined where they are the environment's. */
  readonly settingsPath: string | undefined
}

/** Those that are named, or of the data directory, which is made where there is none. */
export function findOrMakeSettings(door: Door, flags: SettingsFlags, place: Place): FoundSettings {
  const { host, port } = flags
  return (
    namedSettings(door, flags, place) ??
    settingsAt(door, door.makeDataDirectory(dataOf(flags, place), { random: randomBytes, host, port }), flags, place)
  )
}

/** The same, and makes nothing. @throws `Configuration` where there are none */
export function findSettings(door: Door, flags: SettingsFlags, place: Place): FoundSettings {
  const named = namedSettings(door, flags, place)
  if (named) return named
  const data = dataOf(flags, place)
  const directory = door.findDataDirectory(data)
  if (directory) return settingsAt(door, directory, flags, place)
  throw new ProgramError('Usage', `Cannot find a librarian: no settings are named, and ${data} holds none`, {
    remedy: 'Run it where arriero serve runs, or name the settings with --config or the data directory with --data.',
  })
}

function namedSettings(door: Door, flags: SettingsFlags, { env, cwd }: Place): FoundSettings | undefined {
  const overrides = overridesOf(flags, cwd)
  if (flags.config !== undefined) {
    const path = resolve(cwd, flags.config)
    return { settings: door.loadSettings({ env, path, overrides }), settingsPath: path }
  }
  if (!hasSettings(env)) return undefined
  return { settings: door.loadSettings({ env, overrides }), settingsPath: env.LIBRARIAN_CONFIG_PATH }
}

function settingsAt(
  door: Door,
  { settingsPath }: { settingsPath: string },
  flags: SettingsFlags,
  { env, cwd }: Place,
): FoundSettings {
  const overrides = overridesOf(flags, cwd)
  return { settings: door.loadSettings({ env, path: settingsPath, overrides }), settingsPath }
}

function dataOf({ data }: SettingsFlags, { cwd }: Place): string {
  return resolve(cwd, data ?? 'arriero-data')
}

function overridesOf({ host, port, role, data }: SettingsFlags, cwd: string): Record<string, unknown> {
  const address = role === 'worker' ? { worker_host: host, worker_port: port } : { host, port }
  const named = { ...address, role, data_directory: data === undefined ? undefined : resolve(cwd, data) }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}

function hasSettings(env: Place['env']): boolean {
  return Object.keys(env).some(name => /^librarian_(server_|config_path$)/i.test(name) && env[name])
}
