import { closeSync, fsyncSync, openSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LibrarianError } from '@arriero/api/errors'

/** `statfs` types of what other machines may write to as well: locks and shared memory cannot be relied on there. */
const networkFileSystems: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  1397113167: 'AFS',
  12805120: 'Ceph',
  16914839: '9P',
  198183888: 'Lustre',
  1196443219: 'GPFS',
  428016422: 'BeeGFS',
  1952539503: 'OCFS2',
  18225520: 'GFS2',
  19993000: 'IBRIX',
  2866260714: 'PanFS',
}

export interface FileChecks {
  /** Type number of the file system that holds a directory. Default: `statfs`. */
  readonly fileSystemType?: ((directory: string) => number) | undefined
}

/**
 * Makes sure that the file may hold a catalogue before SQLite touches it, and creates it for its owner alone. Nothing but
 * SQLite may open it afterwards: closing any other descriptor would drop SQLite's locks (reliability 8.3).
 */
export function prepareFile(path: string, { fileSystemType = typeOf }: FileChecks = {}): { isNew: boolean } {
  const directory = dirname(resolve(path))
  refuseNetwork(path, fileSystemType(directory))
  if (createForOwner(path, directory)) return { isNew: true }
  const { mode } = statSync(path)
  if (mode & 0o007) {
    throw new LibrarianError(
      'Configuration',
      `Cannot open the catalogue ${path}: others must not read it, and its mode is ${(mode & 0o777).toString(8)}`,
      { remedy: `Run: chmod 600 ${path}` },
    )
  }
  return { isNew: false }
}

function refuseNetwork(path: string, type: number): void {
  const name = networkFileSystems[type >>> 0]
  if (!name) return
  throw new LibrarianError(
    'Configuration',
    `Cannot open the catalogue ${path}: it must be on a local file system, and this one is ${name}`,
    { remedy: 'Put it on a local disk, or use PostgreSQL.' },
  )
}

function typeOf(directory: string): number {
  return statfsSync(directory).type
}

function createForOwner(path: string, directory: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  syncDirectory(directory)
  return true
}

export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
