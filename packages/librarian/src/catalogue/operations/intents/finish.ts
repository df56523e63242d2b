/** The last step of a commit: everything that makes the file known is one transaction. */
import { sql } from 'kysely'
import type { Database } from '../../operation.ts'
import { listOf, rowSet } from '../../row-set.ts'
import { type ToldTransfer, tellCompleted } from '../receiving/tell-source.ts'
import type { FailedWork, Intent, PublishedWork } from './contract.ts'
import { addFinished, endTransfer, recordAct } from './rows.ts'

const heldColumns = { id: 'text', token: 'integer' } as const
const publishedColumns = { id: 'text', path: 'text', fingerprint: 'text' } as const

/**
 * One statement for each table, over all works whose intents still are ours. Which these are, the first one says: the others
 * are given those alone, since each has to read again what it is given.
 */
export async function finishWorks(
  database: Database,
  holder: string,
  by: string,
  works: readonly PublishedWork[],
): Promise<boolean[]> {
  const { sql: db, dialect } = database
  const now = dialect.now()
  const held = rowSet(
    dialect,
    heldColumns,
    works.map(({ id, token }) => ({ id, token })),
  )
  const { rows: ours } = await sql<Pick<Intent, 'id'>>`
    INSERT INTO finished_work (id, time)
    SELECT intent.id, ${now} FROM intent JOIN ${held} AS work ON work.id = intent.id AND work.token = intent.token
    WHERE intent.holder = ${holder} AND intent.sha256 IS NOT NULL AND intent.kind IS NOT NULL AND intent.checksum IS NOT NULL
    RETURNING id`.execute(db)
  const done = new Set(ours.map(({ id }) => id))
  if (done.size === 0) return works.map(() => false)
  const mine = listOf(dialect, 'text', [...done])
  await sql`
    INSERT INTO file (name, create_time, size, checksum, sha256, kind, is_attested, uploader, source, first_uploader)
    SELECT intent.file_name, intent.create_time, intent.size, intent.checksum, intent.sha256, intent.kind,
      intent.is_attested, intent.uploader, intent.source, intent.first_uploader
    FROM intent WHERE intent.id IN ${mine} AND intent.clone_transfer_id IS NULL`.execute(db)
  await sql`
    INSERT INTO tree (file_name, manifest)
    SELECT intent.file_name, intent.manifest FROM intent
    WHERE intent.id IN ${mine} AND intent.manifest IS NOT NULL AND intent.clone_transfer_id IS NULL`.execute(db)
  const published = rowSet(
    dialect,
    publishedColumns,
    works.filter(({ id }) => done.has(id)).map(({ id, path, fingerprint }) => ({ id, path, fingerprint })),
  )
  await sql`
    INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state,
      calculated_checksum, calculated_size, checksum_time, fingerprint)
    SELECT work.path, intent.file_name, intent.store_id, intent.deletion_policy, ${now}, 1, 'ok',
      intent.checksum, intent.size, ${now}, work.fingerprint
    FROM intent JOIN ${published} AS work ON work.id = intent.id`.execute(db)
  await sql`
    INSERT INTO proof (instance_id, file_name, store_id, time, medium, "by", outcome, sha256, size)
    SELECT instance.id, intent.file_name, intent.store_id, ${now}, 'commit', ${by}, 'ok', intent.sha256, intent.size
    FROM intent JOIN instance ON instance.file_name = intent.file_name AND instance.store_id = intent.store_id
    WHERE intent.id IN ${mine}`.execute(db)
  const { rows: completed } = await sql<ToldTransfer>`
    UPDATE incoming_transfer SET status = 'COMPLETED', end_time = ${now},
      transfer_manager_name = intent.transfer_manager_name, deletion_policy = intent.deletion_policy
    FROM intent WHERE intent.id IN ${mine}
      AND incoming_transfer.id = intent.incoming_transfer_id AND incoming_transfer.status IN ('INITIATED','ONGOING','STAGED')
    RETURNING incoming_transfer.id, incoming_transfer.token, incoming_transfer.source, incoming_transfer.source_transfer_id,
      incoming_transfer.store_id, incoming_transfer.transfer_manager_name`.execute(db)
  await tellCompleted(database, completed)
  await sql`
    UPDATE clone_transfer SET status = 'STAGED', destination_instance_id = made.instance_id
    FROM (SELECT intent.clone_transfer_id, instance.id AS instance_id FROM intent
      JOIN instance ON instance.file_name = intent.file_name AND instance.store_id = intent.store_id
      WHERE intent.id IN ${mine}) AS made
    WHERE clone_transfer.id = made.clone_transfer_id AND clone_transfer.status IN ('INITIATED','ONGOING')`.execute(db)
  const { rows } = await sql<Pick<Intent, 'act'>>`
    DELETE FROM intent WHERE id IN ${mine} RETURNING act`.execute(db)
  for (const { act } of rows) await recordAct(database, act, 'done')
  return works.map(({ id }) => done.has(id))
}

/** Instead of the last step, where a work cannot go on. */
export async function failWork(database: Database, holder: string, work: FailedWork): Promise<boolean> {
  const intent = await database.sql
    .deleteFrom('intent')
    .where('id', '=', work.id)
    .where('token', '=', work.token)
    .where('holder', '=', holder)
    .returning('incoming_transfer_id')
    .executeTakeFirst()
  if (!intent) return false
  await addFinished(database, work.id)
  if (!work.keepsTransfer) await endTransfer(database, intent.incoming_transfer_id ?? undefined, work.reason)
  return true
}
