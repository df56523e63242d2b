/** The two kinds of catalogue, with a way to go back to a saved state and to look in by plain SQL from outside. */
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { startPostgres } from '../../../packages/librarian/test/postgres.ts'

export interface Engine extends AsyncDisposable {
  readonly name: 'sqlite' | 'postgres'
  /** A new catalogue for a lane, whose files lie in `data`. */
  open(data: string): Promise<LaneCatalogue>
  /** Ends the database's own processes, as a power cut does, and resolves when none is left. Of an embedded one there is none. */
  kill(): Promise<void>
  startAgain(): Promise<void>
}

export interface LaneCatalogue {
  readonly url: string
  /** Rows, while a librarian may be running. */
  query<Row>(sql: string): Promise<Row[]>
  /** Keeps what is there now, for `restore`. No librarian runs. What lies in `data` is kept by who asks. */
  save(): Promise<void>
  restore(): Promise<void>
  /** Throws away what is there: an empty one is left. No librarian runs. */
  clear(): Promise<void>
}

/** The drivers are the server's; the statements are ours. */
const require = createRequire(new URL('../../../packages/librarian/package.json', import.meta.url))

/**
 * Undefined: it cannot run here, and the reason was printed.
 *
 * @param parent of the directory of a database that has a server. Default: that of temporary files.
 */
export async function openEngine(name: Engine['name'], parent?: string): Promise<Engine | undefined> {
  return name === 'sqlite' ? sqlite() : await postgres(parent)
}

interface Sqlite {
  prepare(sql: string): { all(): unknown[] }
  close(): void
}

function sqlite(): Engine {
  const Database = require('better-sqlite3') as new (path: string, options: object) => Sqlite
  return {
    name: 'sqlite',
    async open(data) {
      const path = join(data, 'catalogue.db')
      return {
        url: `sqlite:${path}`,
        async query<Row>(sql: string) {
          const database = new Database(path, { readonly: true })
          try {
            return database.prepare(sql).all() as Row[]
          } finally {
            database.close()
          }
        },
        async save() {},
        async restore() {},
        async clear() {
          for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
        },
      }
    },
    async kill() {},
    async startAgain() {},
    async [Symbol.asyncDispose]() {},
  }
}

interface Pool {
  query(sql: string): Promise<{ rows: unknown[] }>
  on(event: 'error', listener: () => void): unknown
  end(): Promise<void>
}

async function postgres(parent: string | undefined): Promise<Engine | undefined> {
  const server = await startPostgres(parent)
  if (!server) return undefined
  const { Pool } = require('pg') as { Pool: new (options: object) => Pool }
  const pools: Pool[] = []
  const open = (connectionString: string) => {
    const pool = new Pool({ connectionString, max: 1, idleTimeoutMillis: 0 })
    // Told of a connection that ends while the database is dropped under it.
    pool.on('error', () => {})
    pools.push(pool)
    return pool
  }
  const own = open(`postgres://arriero:arriero@127.0.0.1:${server.port}/postgres`)
  return {
    name: 'postgres',
    async open() {
      const url = await server.createDatabase()
      const name = url.slice(url.lastIndexOf('/') + 1)
      let pool = open(url)
      const close = async () => {
        pools.splice(pools.indexOf(pool), 1)
        await pool.end()
      }
      return {
        url,
        async query<Row>(sql: string) {
          return (await pool.query(sql)).rows as Row[]
        },
        async save() {
          await close()
          await own.query(`CREATE DATABASE ${name}_start TEMPLATE ${name}`)
          pool = open(url)
        },
        async restore() {
          await close()
          await own.query(`DROP DATABASE ${name} WITH (FORCE)`)
          await own.query(`CREATE DATABASE ${name} TEMPLATE ${name}_start`)
          pool = open(url)
        },
        async clear() {
          await close()
          await own.query(`DROP DATABASE ${name} WITH (FORCE)`)
          await own.query(`CREATE DATABASE ${name}`)
          pool = open(url)
        },
      }
    },
    kill: () => server.kill(),
    startAgain: () => server.start(),
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map(pool => pool.end()))
      await server.end()
    },
  }
}
