import pg from 'pg'
import type { Secret } from '../../config.ts'
import { type DatabaseLook, schemaLook } from '../look.ts'
import type { Migration } from '../migrate.ts'
import { migrations as released } from '../migrations/index.ts'
import { checkServer } from './server-checks.ts'

export interface PostgresLookOptions {
  /** Default: those of this program. */
  readonly migrations?: readonly Migration[]
  /** For the connection, and for each question. Default 10,000. */
  readonly timeoutMs?: number
}

/** Connects once, reads, changes nothing. */
export async function lookAtPostgres(url: Secret, options: PostgresLookOptions = {}): Promise<DatabaseLook> {
  const { migrations = released, timeoutMs = 10_000 } = options
  const client = new pg.Client({
    connectionString: url.reveal(),
    application_name: 'arriero doctor',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  })
  // A server that goes away meanwhile fails the question that is asked.
  client.on('error', () => {})
  const where = shownPlace(url)
  try {
    await client.connect()
    return await look(client, where, migrations)
  } catch (error) {
    return refusal(error as NodeJS.ErrnoException, where, new URL(url.reveal()))
  } finally {
    await client.end().catch(() => {})
  }
}

async function look(client: pg.Client, where: string, migrations: readonly Migration[]): Promise<DatabaseLook> {
  const before = Date.now()
  const { rows } = await client.query<{ now: string; has_schema: boolean; may_create: boolean; may_make: boolean }>(
    `SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now, to_regclass('migration') IS NOT NULL AS has_schema,
            has_database_privilege(current_database(), 'CREATE') OR to_regnamespace('arriero_tasks') IS NOT NULL AS may_create,
            COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_make`,
  )
  const is = rows[0]!
  const aheadMs = Number(is.now) - (before + Date.now()) / 2
  const { problems, warnings } = await checkServer(client)
  if (problems.length > 0) return unusable(`${where}: ${problems.join('; ')}`, 'Correct this in PostgreSQL’s settings.')
  if (!is.may_create || !(is.has_schema || is.may_make)) {
    return unusable(
      `${where}: its user may not create schemas and tables`,
      'As the database’s owner: GRANT CREATE ON DATABASE … TO …; or make the user the owner of the database.',
    )
  }
  if (!is.has_schema) return { state: 'empty', where }
  const done = await client.query<{ name: string }>('SELECT name FROM migration ORDER BY name')
  const schema = schemaLook(
    done.rows.map(({ name }) => name),
    migrations,
    false,
  )
  return schema ?? { state: 'current', where, warnings, aheadMs }
}

function unusable(why: string, remedy: string): DatabaseLook {
  return { state: 'unusable', why, remedy }
}

/** By SQLSTATE or the system's word. */
function refusal(error: NodeJS.ErrnoException, where: string, url: URL): DatabaseLook {
  const user = decodeURIComponent(url.username)
  const database = decodeURIComponent(url.pathname.slice(1))
  switch (error.code) {
    case '28P01':
      return unusable(
        `${where} refuses the user ${user}: wrong password`,
        'Put the right one where database_password_file points (or into the URL); in PostgreSQL: ALTER ROLE … PASSWORD.',
      )
    case '28000':
      return unusable(
        `${where} refuses the user ${user}: ${error.message}`,
        'Make the role in PostgreSQL, or let it in by pg_hba.conf; check database_user.',
      )
    case '3D000':
      return unusable(
        `${where} has no database ${database}`,
        `Make it: createdb --owner ${user} ${database}; or correct database in the settings.`,
      )
    case '57P03':
    case '53300':
      return unusable(`${where}: ${error.message}`, 'Wait a moment and try again; or raise its max_connections.')
    default:
      return unusable(
        `nobody answers as PostgreSQL at ${where} (${error.code ?? error.message})`,
        'Start PostgreSQL; check database_host and database_port, and what stands between (firewall, network policy).',
      )
  }
}

/** Without credentials. */
function shownPlace(secret: Secret): string {
  const url = new URL(secret.reveal())
  return `${url.hostname}:${url.port || 5432}${url.pathname}`
}
