/**
 * A place to start from where nobody has written settings yet: a directory with settings to be edited, a key, and a store.
 * What is there already is never changed.
 */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { stringify } from 'yaml'

const settingsName = 'arriero.yaml'

export interface DataDirectory {
  /** Absolute. */
  readonly path: string
  /** Of its settings. */
  readonly settingsPath: string
  /** Whether it was made now. */
  readonly isNew: boolean
}

export interface DataDirectoryOptions {
  readonly random: (bytes: number) => Buffer
  /** Written into new settings. */
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** Private to its owner: it holds a key and the catalogue. */
const directoryMode = 0o700

/** Undefined where none was made. */
export function findDataDirectory(directory: string): DataDirectory | undefined {
  const path = resolve(directory)
  const settingsPath = join(path, settingsName)
  return existsSync(settingsPath) ? { path, settingsPath, isNew: false } : undefined
}

export function makeDataDirectory(directory: string, options: DataDirectoryOptions): DataDirectory {
  const found = findDataDirectory(directory)
  if (found) return found
  const path = resolve(directory)
  const settingsPath = join(path, settingsName)
  try {
    mkdirSync(path, { recursive: true, mode: directoryMode })
    chmodSync(path, directoryMode)
    for (const place of ['files', 'staging']) mkdirSync(join(path, place), { recursive: true })
    const keyPath = join(path, 'encryption.key')
    if (!existsSync(keyPath)) writePrivate(keyPath, `${fernetKey(options.random(32))}\n`)
    // Last: a directory with settings is complete.
    writePrivate(settingsPath, settingsText(options))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new LibrarianError('Configuration', `Cannot make the data directory ${path}: ${code ?? String(error)}`, {
      remedy: 'Choose another place with --data.',
      cause: error,
    })
  }
  return { path, settingsPath, isNew: true }
}

function fernetKey(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

/** Paths are relative to it: the directory can be moved whole. */
function settingsText({ host = '127.0.0.1', port = 8080 }: DataDirectoryOptions): string {
  const settings = {
    name: 'arriero',
    displayed_site_name: 'Arriero',
    host,
    port,
    catalogue: 'sqlite:catalogue.db',
    encryption_key_file: 'encryption.key',
    add_stores: [
      {
        store_name: 'files',
        store_type: 'local',
        ingestable: true,
        store_data: { store_path: 'files', staging_path: 'staging' },
        transfer_manager_data: { local: { available: true, hostnames: [hostname()] } },
      },
    ],
  }
  return `# Settings of this librarian. Its name must be unique among the librarians that it exchanges files with.\n${stringify(settings)}`
}

function writePrivate(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
