import { LibrarianError } from '@arriero/api'
import type { Pool, PoolClient } from 'pg'
import { type Log, silentLog } from '../../log.ts'
import { bindOperations, type Registry } from '../bind.ts'
import type { Catalogue } from '../catalogue.ts'
import { postgresDialect } from '../dialect.ts'
import { type Migration, migrate, schemaState } from '../migrate.ts'
import { type Operation, write } from '../operation.ts'
import { operations } from '../operations/index.ts'
import { kyselyOver } from './kysely.ts'
import { createPool, defaultTimeouts, type Timeouts } from './pool.ts'
import { checkServer } from './server-checks.ts'
import { Transactions } from './transactions.ts'

export interface PostgresCatalogueOptions {
  readonly url: string
  readonly log?: Log | undefined
  /** Connections at once. Default 10. */
  readonly connections?: number | undefined
  /** Operations under way or waiting before new ones are refused as `Busy`. Default 20,000. */
  readonly maxWaiting?: number | undefined
  readonly timeouts?: Partial<Timeouts> | undefined
  /** Default: those of the catalogue. */
  readonly registry?: Registry | undefined
  /** Default: those of this program. */
  readonly migrations?: readonly Migration[] | undefined
  /** The operator says that there is a backup: without, a schema with content is not changed. Default false. */
  readonly isBackedUp?: boolean | undefined
  /** None is made: an empty database is refused. Default false. */
  readonly mustExist?: boolean | undefined
}

/** Of no meaning; the same in every release, so that two processes that start at once take turns. */
const migrationLock = 0x61727269

/** Writes after which notes of old commits are cleared. */
const clearEvery = 1000
const noteSeconds = 3600

/** A catalogue in a PostgreSQL database, for any number of processes. */
export async function openPostgresCatalogue(options: PostgresCatalogueOptions): Promise<Catalogue> {
  const { url, log = silentLog, connections = 10, maxWaiting = 20_000, registry = operations, migrations } = options
  const timeouts = { ...defaultTimeouts, ...options.timeouts }
  const pool = createPool(url, connections, timeouts, log)
  try {
    await start(pool, log, {
      migrations,
      isBackedUp: options.isBackedUp ?? false,
      mustExist: options.mustExist ?? false,
    })
  } catch (error) {
    await pool.end()
    throw error
  }
  const transactions = new Transactions({ pool, timeouts })
  const running = new Set<Promise<unknown>>()
  let isClosed = false
  let writes = 0

  const run = (operation: Operation<never, unknown>, args: unknown): Promise<unknown> => {
    const result = transactions.run(operation, args)
    running.add(result)
    const done = () => running.delete(result)
    result.then(done, done)
    return result
  }
  const clear = () => {
    run(forgetNotes as Operation<never, unknown>, undefined).catch(error =>
      log.warn({ error: String(error) }, 'notes of old commits were not cleared; tried again'),
    )
  }
  const close = async () => {
    isClosed = true
    await Promise.allSettled(running)
    if (!pool.ending) await pool.end()
  }
  return {
    ...bindOperations(registry, async (operation, args) => {
      if (isClosed) throw new LibrarianError('Internal', 'The catalogue is closed')
      if (running.size >= maxWaiting) {
        throw new LibrarianError('Busy', `${maxWaiting} operations wait for the catalogue already`, {
          retryAfterSeconds: 5,
        })
      }
      if (operation.access === 'write' && ++writes % clearEvery === 0) clear()
      return await run(operation, args)
    }),
    engine: 'postgres',
    capabilities: { canBackUp: false },
    failure: undefined,
    async backup() {
      throw new LibrarianError('Configuration', 'Cannot back up the catalogue: PostgreSQL has its own tools for that', {
        remedy: 'Use pg_dump or pg_basebackup, off the database’s disk.',
      })
    },
    check: () => withClient(pool, async client => (await checkServer(client)).problems),
    close,
    [Symbol.asyncDispose]: close,
  }
}

const forgetNotes = write<undefined, void>(async ({ sql, dialect }) => {
  const old = sql
    .selectFrom('outcome')
    .select('id')
    .where('time', '<', dialect.nowPlus(-noteSeconds))
    .orderBy('time')
    .limit(2 * clearEvery)
  await sql.deleteFrom('outcome').where('id', 'in', old).execute()
})

interface SchemaChange {
  readonly migrations: readonly Migration[] | undefined
  readonly isBackedUp: boolean
  readonly mustExist: boolean
}

async function start(pool: Pool, log: Log, change: SchemaChange): Promise<void> {
  await withClient(pool, async client => {
    const { problems, warnings } = await checkServer(client)
    if (problems.length > 0) throw unfit(problems.join('; '))
    for (const warning of warnings) log.warn({}, `catalogue’s database: ${warning}`)
    await migrateAlone(client, change)
  })
}

async function migrateAlone(client: PoolClient, { migrations, isBackedUp, mustExist }: SchemaChange): Promise<void> {
  await client.query('BEGIN')
  try {
    // Of the transaction, so that it ends with it, whatever stands between us and the server.
    await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock])
    const database = { sql: kyselyOver(client), dialect: postgresDialect }
    const { isNew, pending } = await schemaState(database, migrations)
    if (isNew && mustExist) throw unfit('there is no catalogue in it')
    if (!isNew && pending.length > 0 && !isBackedUp) throw backupFirst(pending)
    await migrate(database, migrations)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

async function withClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch(error => {
    throw unfit(error instanceof Error ? error.message : String(error), error)
  })
  try {
    return await use(client)
  } finally {
    client.release()
  }
}

/** A backup in a file is made by ourselves; here only the operator's tools can (reliability G3). */
function backupFirst(pending: readonly Migration[]): LibrarianError {
  const names = pending.map(({ name }) => name).join(', ')
  return new LibrarianError(
    'Configuration',
    `Cannot open the catalogue: its schema is to be changed (${names}), and there must be a backup before`,
    { remedy: 'Stop all servers, run pg_dump --format=custom, then start once with --backup-made.' },
  )
}

function unfit(why: string, cause?: unknown): LibrarianError {
  return new LibrarianError('Configuration', `Cannot open the catalogue’s database: ${why}`, { cause })
}
