/** What several steps of a commit do to the rows around its intent. */
import { type Selectable, sql } from 'kysely'
import { withOutcome } from '../../audited.ts'
import type { Database } from '../../operation.ts'
import { rowSet } from '../../row-set.ts'
import type { IntentTable } from '../../schema.ts'
import { type AuditEntry, appendAudit } from '../audit.ts'
import { tellCompleted, tellFailed, toldColumns } from '../receiving/tell-source.ts'

type CompletedIntent = Pick<
  Selectable<IntentTable>,
  'incoming_transfer_id' | 'transfer_manager_name' | 'deletion_policy'
>

export const openStates = ['INITIATED', 'ONGOING', 'STAGED'] as const

export async function recordAct(database: Database, act: string | null, outcome: string): Promise<void> {
  if (act !== null) await appendAudit(database, withOutcome(JSON.parse(act) as AuditEntry, outcome))
}

/** @param storeId where the copy is */
export async function completeTransfer(database: Database, intent: CompletedIntent, storeId: number): Promise<void> {
  const { sql, dialect } = database
  const { incoming_transfer_id: id, transfer_manager_name, deletion_policy } = intent
  if (id === null) return
  const completed = await sql
    .updateTable('incoming_transfer')
    .set({ status: 'COMPLETED', end_time: dialect.now(), transfer_manager_name, deletion_policy })
    .where('id', '=', id)
    .where('status', 'in', openStates)
    .returning(toldColumns)
    .execute()
  await tellCompleted(
    database,
    completed.map(transfer => ({ ...transfer, store_id: storeId })),
  )
}

export async function endTransfer(database: Database, id: number | undefined, reason: string): Promise<void> {
  if (id === undefined) return
  const { sql, dialect } = database
  const ended = await sql
    .updateTable('incoming_transfer')
    .set({ status: 'FAILED', end_time: dialect.now(), reason })
    .where('id', '=', id)
    .where('status', 'in', openStates)
    .returning(toldColumns)
    .execute()
  await tellFailed(database, ended)
}

export async function removeIntent(database: Database, id: string): Promise<void> {
  await database.sql.deleteFrom('intent').where('id', '=', id).execute()
  await addFinished(database, id)
}

export async function addFinished({ sql, dialect }: Database, id: string): Promise<void> {
  await sql.insertInto('finished_work').values({ id, time: dialect.now() }).execute()
}

export async function deleteFinished({ sql: db, dialect }: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const gone = rowSet(
    dialect,
    { id: 'text' },
    ids.map(id => ({ id })),
  )
  await sql`DELETE FROM finished_work WHERE id IN (SELECT gone.id FROM ${gone} AS gone)`.execute(db)
}
