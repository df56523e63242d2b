/** A database as release 5.0.1 of the Python librarian leaves it (librarian 3), with a few rows of each kind, in SQLite or PostgreSQL. */
import BetterSqlite from 'better-sqlite3'
import pg from 'pg'

export interface OldRows {
  /** Absolute. */
  readonly storePath: string
  readonly stagingPath: string
}

/** Column types of both: SQLite takes any name. */
const tables = {
  alembic_version: 'version_num VARCHAR(32) NOT NULL',
  store_metadata:
    'id INTEGER PRIMARY KEY, name VARCHAR(256) UNIQUE NOT NULL, ingestable BOOLEAN NOT NULL, store_type INTEGER NOT NULL, store_data BYTES, transfer_manager_data BYTES, async_transfer_manager_data BYTES, enabled BOOLEAN NOT NULL',
  users: 'username VARCHAR(256) PRIMARY KEY, auth_token VARCHAR(256) NOT NULL, auth_level VARCHAR(16) NOT NULL',
  librarians:
    'id INTEGER PRIMARY KEY, name VARCHAR(256) UNIQUE NOT NULL, url VARCHAR(256) NOT NULL, port INTEGER NOT NULL, last_seen TIMESTAMP NOT NULL, last_heard TIMESTAMP NOT NULL, authenticator VARCHAR(256) NOT NULL, transfers_enabled BOOLEAN',
  files:
    'name VARCHAR(256) PRIMARY KEY, create_time TIMESTAMP NOT NULL, size BIGINT NOT NULL, checksum VARCHAR(256) NOT NULL, uploader VARCHAR(256) NOT NULL, source VARCHAR(256) NOT NULL',
  instances:
    'id INTEGER PRIMARY KEY, path VARCHAR(256) NOT NULL, file_name VARCHAR(256), store_id INTEGER, deletion_policy VARCHAR(16) NOT NULL, created_time TIMESTAMP NOT NULL, available BOOLEAN NOT NULL, calculated_checksum VARCHAR(256), calculated_size BIGINT, checksum_time TIMESTAMP',
  remote_instances:
    'id INTEGER PRIMARY KEY, file_name VARCHAR(256), store_id INTEGER NOT NULL, librarian_id INTEGER NOT NULL, copy_time TIMESTAMP NOT NULL, sender VARCHAR(256) NOT NULL',
  incoming_transfers:
    'id INTEGER PRIMARY KEY, status VARCHAR(16) NOT NULL, uploader VARCHAR(256) NOT NULL, upload_name VARCHAR(256) NOT NULL, source VARCHAR(256) NOT NULL, transfer_size BIGINT NOT NULL, transfer_checksum VARCHAR(256) NOT NULL, store_id INTEGER, transfer_manager_name VARCHAR(256), start_time TIMESTAMP NOT NULL, end_time TIMESTAMP, staging_path VARCHAR(256), store_path VARCHAR(256), transfer_data BYTES, source_transfer_id INTEGER',
  outgoing_transfers:
    'id INTEGER PRIMARY KEY, status VARCHAR(16) NOT NULL, destination VARCHAR(256) NOT NULL, transfer_size BIGINT NOT NULL, transfer_checksum VARCHAR(256) NOT NULL, start_time TIMESTAMP NOT NULL, end_time TIMESTAMP, file_name VARCHAR(256), instance_id INTEGER NOT NULL, remote_transfer_id INTEGER, transfer_manager_name VARCHAR(256), transfer_data BYTES, send_queue_id INTEGER, source_path VARCHAR(256), dest_path VARCHAR(256)',
  clone_transfers:
    'id INTEGER PRIMARY KEY, status VARCHAR(16) NOT NULL, start_time TIMESTAMP NOT NULL, end_time TIMESTAMP, source_store_id INTEGER NOT NULL, destination_store_id INTEGER NOT NULL, transfer_manager_name VARCHAR(256), source_instance_id INTEGER NOT NULL, destination_instance_id INTEGER',
  errors:
    'id INTEGER PRIMARY KEY, severity VARCHAR(16) NOT NULL, category VARCHAR(64) NOT NULL, message TEXT NOT NULL, raised_time TIMESTAMP NOT NULL, cleared_time TIMESTAMP, cleared BOOLEAN NOT NULL, caller VARCHAR(256)',
  corrupt_files:
    'id INTEGER PRIMARY KEY, file_name VARCHAR(256) NOT NULL, file_source VARCHAR(256) NOT NULL, instance_id INTEGER NOT NULL, instance_path VARCHAR(256) NOT NULL, corrupt_time TIMESTAMP NOT NULL, size BIGINT NOT NULL, checksum VARCHAR(256) NOT NULL, count INTEGER NOT NULL, replacement_requested BOOLEAN NOT NULL, incoming_transfer_id INTEGER',
} as const

/** How `pickle.dumps` of Python 3.11 begins and ends, around text keys and values. */
export function pickled(value: unknown): Buffer {
  return Buffer.concat([Buffer.from([0x80, 4]), pickleOf(value), Buffer.from('.')])
}

function pickleOf(value: unknown): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    return Buffer.concat([Buffer.from('X'), length, text])
  }
  if (typeof value === 'boolean') return Buffer.from([value ? 0x88 : 0x89])
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9)
    bytes.write('G')
    bytes.writeDoubleBE(value, 1)
    return bytes
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.from(']('), ...value.map(pickleOf), Buffer.from('e')])
  const pairs = Object.entries(value as object).flatMap(([key, item]) => [pickleOf(key), pickleOf(item)])
  return Buffer.concat([Buffer.from('}('), ...pairs, Buffer.from('u')])
}

type Cell = string | number | boolean | null | Buffer

export const argon = '$argon2id$v=19$m=65536,t=3,p=4$+W2NX4bu0zKnKsZBO5sq4A$Suh/kVPu9QVrz+ugRLt0v78dbEOIa7co2aVsiQXhDS4'

const noon = '2026-01-02 12:00:00.123456'

export function oldRows({ storePath, stagingPath }: OldRows): Record<keyof typeof tables, Cell[][]> {
  const data = { name: 'main', staging_path: stagingPath, store_path: storePath, report_full_fraction: 1, reserve: 0 }
  const md5 = '900150983cd24fb0d6963f7d28e17f72'
  return {
    alembic_version: [['84785333a677']],
    store_metadata: [
      [
        7,
        'main',
        true,
        1,
        pickled(data),
        pickled({ local: { available: 'true', hostnames: ['h'] } }),
        pickled({ local: { available: true, hostnames: ['h'] } }),
        true,
      ],
    ],
    users: [
      ['admin', argon, 'ADMIN'],
      ['ben', argon, 'READAPPEND'],
      ['odd', argon, 'EMPEROR'],
    ],
    librarians: [[3, 'downstream', 'http://localhost/', 21109, noon, noon, 'gAAAAAB', true]],
    files: [
      ['night/a.txt', noon, 3, 'xxh3:::06b05ab6733a618578af5f94892f3950', 'ben', 'ben'],
      ['night/old.txt', '2026-01-02 12:00:00', 3, md5, 'ben', 'upstream'],
      ['run/1', noon, 3, 'xxh3:::e3fec79afcee50e38a726d256499600b', 'ben', 'ben'],
      ['gone', noon, 5, 'xxh3:::06b05ab6733a618578af5f94892f3950', 'ben', 'ben'],
      ['away', noon, 5, 'xxh3:::06b05ab6733a618578af5f94892f3950', 'ben', 'ben'],
    ],
    instances: [
      [11, `${storePath}/night/a.txt`, 'night/a.txt', 7, 'DISALLOWED', noon, true, null, null, null],
      [12, `${storePath}/night/old.txt`, 'night/old.txt', 7, 'ALLOWED', noon, true, null, null, null],
      [13, `${storePath}/run/1`, 'run/1', 7, 'DISALLOWED', noon, true, null, null, null],
      [14, `${storePath}/gone`, 'gone', 7, 'DISALLOWED', noon, true, null, null, null],
    ],
    remote_instances: [
      [21, 'night/a.txt', 1, 3, noon, 'here'],
      [22, 'night/a.txt', 1, 3, '2026-02-02 12:00:00', 'here'],
      [23, 'away', 1, 3, noon, 'here'],
      [24, 'night/a.txt', 1, 99, noon, 'here'],
    ],
    incoming_transfers: [
      [
        31,
        'COMPLETED',
        'ben',
        'a.txt',
        'ben',
        3,
        'xxh3:::06b05ab6733a618578af5f94892f3950',
        7,
        'local',
        noon,
        noon,
        'f6a83488-37c9-45f4-8d6e-9dbb222cd188',
        'night/a.txt',
        null,
        null,
      ],
    ],
    outgoing_transfers: [
      [
        41,
        'COMPLETED',
        'downstream',
        3,
        'xxh3:::06b05ab6733a618578af5f94892f3950',
        noon,
        null,
        'night/a.txt',
        11,
        5,
        null,
        null,
        9,
        '/x',
        '/y',
      ],
      // On a carried disk: the receiver will name its number.
      [42, 'ONGOING', 'downstream', 3, md5, noon, null, 'night/old.txt', 12, null, null, null, null, null, null],
    ],
    clone_transfers: [[51, 'FAILED', noon, noon, 7, 7, null, 11, null]],
    errors: [[61, 'ERROR', 'STORE_FULL', 'full', noon, null, false, null]],
    corrupt_files: [[71, 'gone', 'ben', 14, `${storePath}/gone`, noon, 4, 'xxh3:::0', 2, true, 31]],
  }
}

/** Extra rows come last, by table. */
export type Extra = Partial<Record<keyof typeof tables, Cell[][]>>

export function writeSqlite(path: string, rows: OldRows, extra: Extra = {}): void {
  const database = new BetterSqlite(path)
  for (const [table, cells] of rowsOf(rows, extra)) {
    database.exec(`CREATE TABLE ${table} (${tables[table].replaceAll('BYTES', 'BLOB')})`)
    for (const row of cells) {
      const values = row.map(cell => (typeof cell === 'boolean' ? Number(cell) : cell))
      database.prepare(`INSERT INTO ${table} VALUES (${row.map(() => '?').join(', ')})`).run(...values)
    }
  }
  database.close()
}

export async function writePostgres(url: string, rows: OldRows, extra: Extra = {}): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // Enumerations are types of their own there.
  await client.query(
    `CREATE TYPE transferstatus AS ENUM ('INITIATED','ONGOING','STAGED','COMPLETED','FAILED','CANCELLED')`,
  )
  for (const [table, cells] of rowsOf(rows, extra)) {
    const columns = tables[table].replaceAll('BYTES', 'BYTEA').replaceAll('status VARCHAR(16)', 'status transferstatus')
    await client.query(`CREATE TABLE ${table} (${columns})`)
    for (const row of cells) {
      await client.query(`INSERT INTO ${table} VALUES (${row.map((_, at) => `$${at + 1}`).join(', ')})`, row)
    }
  }
  await client.end()
}

function rowsOf(rows: OldRows, extra: Extra): [keyof typeof tables, Cell[][]][] {
  return Object.entries(oldRows(rows)).map(([name, cells]) => {
    const table = name as keyof typeof tables
    // There is one release.
    const kept = table === 'alembic_version' && extra[table] ? [] : cells
    return [table, [...kept, ...(extra[table] ?? [])]]
  })
}
