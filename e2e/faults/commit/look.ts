/**
 * What a librarian has kept, looked at from outside: directories by their raw names, the catalogue by plain SQL, read-only,
 * while nothing writes to it.
 */
import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type {
  Seen,
  SeenFile,
  SeenInstance,
  SeenStore,
  SeenTransfer,
} from '../../../packages/librarian/test/check-invariants.ts'

interface Sqlite {
  prepare(sql: string): { all(): unknown[] }
  close(): void
}

/** The driver is the server's; the statements are ours. */
const require = createRequire(new URL('../../../packages/librarian/package.json', import.meta.url))

export function look(data: string): Seen {
  const Database = require('better-sqlite3') as new (path: string, options: object) => Sqlite
  const sql = new Database(join(data, 'catalogue.db'), { readonly: true })
  try {
    const rows = <T>(text: string) => sql.prepare(text).all() as T[]
    return {
      files: rows<SeenFile>('SELECT name, size, checksum, sha256, kind FROM file'),
      instances: rows<SeenInstance>(
        'SELECT file_name, store.name AS store, available FROM instance JOIN store ON store.id = store_id',
      ),
      transfers: rows<SeenTransfer>('SELECT id, status, store_path, staging_path FROM incoming_transfer'),
      intents: rows<{ id: string }>('SELECT id FROM intent'),
      stores: [lookAtStore(data)],
    }
  } finally {
    sql.close()
  }
}

function lookAtStore(data: string): SeenStore {
  const root = join(data, 'files')
  const own = join(root, '.arriero')
  return {
    name: 'files',
    disk: readDisk(root),
    trail: readTrail(join(own, 'trail')),
    stagings: namesIn(join(data, 'staging')).filter(name => /^[0-9a-f-]{36}$/.test(name)),
    works: namesIn(join(own, 'work')),
  }
}

/** Names are bytes: one that is no text must not look like nothing. */
function readDisk(root: string, below: Buffer = Buffer.alloc(0), disk = new Map<string, Uint8Array | null>()) {
  const at = below.length ? Buffer.concat([Buffer.from(`${root}/`), below]) : Buffer.from(root)
  for (const entry of readdirSync(at, { withFileTypes: true, encoding: 'buffer' }) as Dirent<Buffer>[]) {
    if (below.length === 0 && entry.name.toString() === '.arriero') continue
    const path = below.length ? Buffer.concat([below, Buffer.from('/'), entry.name]) : entry.name
    const shown = path.toString('utf8')
    if (entry.isDirectory()) {
      disk.set(shown, null)
      readDisk(root, path, disk)
    } else {
      disk.set(shown, entry.isFile() ? readFileSync(Buffer.concat([Buffer.from(`${root}/`), path])) : Buffer.from('?'))
    }
  }
  return disk
}

function readTrail(directory: string): SeenStore['trail'] {
  return namesIn(directory)
    .sort()
    .flatMap(name => readFileSync(join(directory, name), 'utf8').split('\n'))
    .flatMap(line => {
      const record = line.startsWith('{') ? parse(line) : undefined
      return record?.name === undefined ? [] : [record as SeenStore['trail'][number]]
    })
}

/** A line may be torn at the end, which is what the next writer finds too. */
function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line)
    return value.record ?? value
  } catch {
    return undefined
  }
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}
