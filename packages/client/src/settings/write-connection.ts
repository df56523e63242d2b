import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { connectionSchema, type StoredConnection, urlOf } from './connection.ts'
import { type Environment, findSettingsFile, parseJsonFile, parseSettings, settingsPaths } from './settings-file.ts'

/** Where a connection was written. */
export interface WrittenConnection {
  readonly path: string
  /** Whether one of this name was there before. */
  readonly isReplaced: boolean
}

/**
 * Adds or replaces one connection in the settings file in use, or in the first of the usual ones. All other keys stay as
 * they are. The file is replaced at once, and nobody else can read it.
 */
export async function writeConnection(
  name: string,
  connection: StoredConnection,
  env: Environment,
): Promise<WrittenConnection> {
  urlOf(connectionSchema.parse(connection))
  const file = await findSettingsFile(env)
  const path = file?.path ?? (settingsPaths(env)[0] as string)
  const before = file ? parseJsonFile(file) : {}
  // What we do not understand would be lost, or break at the next reading.
  parseSettings(before, path)
  const { connections = {}, ...others } = before as { connections?: Record<string, unknown> }
  const after = { connections: { ...connections, [name]: connection }, ...others }
  await replace(path, `${JSON.stringify(after, undefined, 2)}\n`)
  return { path, isReplaced: Object.hasOwn(connections, name) }
}

/**
 * Takes one connection out of the settings file in use; everything else stays as it is, also who may read the file.
 *
 * @returns the path of the file
 * @throws LibrarianError Configuration: the file has no such connection
 */
export async function removeConnection(name: string, env: Environment): Promise<string> {
  const file = await findSettingsFile(env)
  const before = file ? parseJsonFile(file) : {}
  const { connections } = parseSettings(before, file?.path ?? 'the client settings')
  if (!file || !Object.hasOwn(connections, name)) {
    const known = Object.keys(connections).sort()
    const where = file ? `${file.path} has no connection of this name` : 'there is no file of client settings'
    throw new LibrarianError('Configuration', `Cannot forget ${name}: ${where}.`, {
      remedy:
        known.length > 0
          ? `It has ${known.join(', ')}.`
          : 'What LIBRARIAN_CLIENT_CONNECTIONS in the environment says is taken out there.',
    })
  }
  const { [name]: _, ...others } = (before as { connections: Record<string, unknown> }).connections
  const { mode } = await stat(file.path)
  const after = { ...(before as object), connections: others }
  await replace(file.path, `${JSON.stringify(after, undefined, 2)}\n`, mode & 0o777)
  return file.path
}

async function replace(path: string, text: string, mode = 0o600): Promise<void> {
  // Settings are often links into a directory of dot files: the link stays.
  const target = await realpath(path).catch(() => path)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`)
  try {
    await rm(temporary, { force: true })
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      // What it is opened with is narrowed by the umask.
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
    await syncDirectory(dirname(target))
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {})
    throw new LibrarianError('Configuration', `Cannot write the client settings ${path}: ${(cause as Error).message}`, {
      remedy: 'Check the path and its permissions, or set HL_CLIENT_CONFIG to another file.',
      cause,
    })
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
