/** What librarians have kept at several stores, looked at from outside while none of them runs. */
import { createRequire } from 'node:module'
import type { Seen, SeenFile, SeenInstance, SeenTransfer } from '../../../packages/librarian/test/check-invariants.ts'
import { lookAtStore, type StoreRoots } from '../../faults/commit/look.ts'

/** The drivers are the server's; the statements are ours. */
const require = createRequire(new URL('../../../packages/librarian/package.json', import.meta.url))

export type Query = (sql: string) => Promise<unknown[]>

/** @param catalogue a path of SQLite, or a URL of PostgreSQL */
export async function seeLibrarian(catalogue: string, stores: readonly StoreRoots[]): Promise<Seen> {
  return await withQueries(catalogue, async query => ({
    files: (await query('SELECT name, size, checksum, sha256, kind FROM file')) as SeenFile[],
    instances: (await query(
      'SELECT file_name, store.name AS store, available FROM instance JOIN store ON store.id = store_id',
    )) as SeenInstance[],
    transfers: (await query('SELECT id, status, store_path, staging_path FROM incoming_transfer')) as SeenTransfer[],
    intents: (await query('SELECT id FROM intent')) as { id: string }[],
    stores: stores.map(lookAtStore),
  }))
}

export async function withQueries<T>(catalogue: string, use: (query: Query) => Promise<T>): Promise<T> {
  if (/^postgres/.test(catalogue)) {
    const { Client, types } = require('pg')
    const client = new Client({
      connectionString: catalogue,
      types: { getTypeParser: (type: number) => (type === 20 ? Number : types.getTypeParser(type)) },
    })
    await client.connect()
    try {
      return await use(async sql => (await client.query(sql)).rows)
    } finally {
      await client.end()
    }
  }
  const Database = require('better-sqlite3')
  const database = new Database(catalogue, { readonly: true })
  try {
    return await use(async sql => database.prepare(sql).all())
  } finally {
    database.close()
  }
}
