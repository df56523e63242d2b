/** The second step of a commit: what was verified is recorded before it is published. */
import { type Selectable, sql } from 'kysely'
import type { Database } from '../../operation.ts'
import { rowSet } from '../../row-set.ts'
import type { FileTable } from '../../schema.ts'
import type { Intent, PreparedOutcome, PreparedWork } from './contract.ts'
import { completeTransfer, recordAct, removeIntent } from './rows.ts'

type PreparedIntent = Pick<
  Intent,
  | 'id'
  | 'file_name'
  | 'incoming_transfer_id'
  | 'transfer_manager_name'
  | 'deletion_policy'
  | 'act'
  | 'clone_transfer_id'
>

const preparedColumns = {
  id: 'text',
  token: 'integer',
  kind: 'text',
  checksum: 'text',
  sha256: 'text',
  manifest: 'text',
} as const

export async function recordPrepared(
  database: Database,
  holder: string,
  works: readonly PreparedWork[],
): Promise<PreparedOutcome[]> {
  const { sql: db, dialect } = database
  const given = rowSet(
    dialect,
    preparedColumns,
    works.map(({ id, token, kind, checksum, sha256, manifest = null }) => {
      return { id, token, kind, checksum, sha256, manifest }
    }),
  )
  const { rows } = await sql<PreparedIntent>`
    UPDATE intent SET kind = work.kind, sha256 = work.sha256, manifest = work.manifest, prepared_token = work.token,
      checksum = COALESCE(intent.checksum, work.checksum)
    FROM ${given} AS work
    WHERE intent.id = work.id AND intent.token = work.token AND intent.holder = ${holder}
    RETURNING intent.id, intent.file_name, intent.incoming_transfer_id, intent.transfer_manager_name,
      intent.deletion_policy, intent.act, intent.clone_transfer_id`.execute(db)
  const mine = new Map(rows.map(intent => [intent.id, intent]))
  const files = await filesNamed(
    database,
    [...mine.values()].map(({ file_name }) => file_name),
  )
  const outcomes: PreparedOutcome[] = []
  for (const work of works) {
    const intent = mine.get(work.id)
    const file = intent && files.get(intent.file_name)
    const outcome = outcomeOf(work, intent, file)
    if (outcome === 'same') await forgetSame(database, intent!, file!.store_id!)
    outcomes.push(outcome)
  }
  return outcomes
}

function outcomeOf(
  work: PreparedWork,
  intent: PreparedIntent | undefined,
  file: KeptContent | undefined,
): PreparedOutcome {
  if (!intent) return 'stale'
  if (intent.clone_transfer_id !== null) return file && isSame(work, file) ? 'go' : 'other'
  if (!file) return 'go'
  if (file.sha256 === null || !isSame(work, file)) return 'other'
  return file.store_id === null ? 'damaged' : 'same'
}

/** Of a file whose SHA-256 nobody knows the sender's checksum was compared when it was prepared. */
function isSame(work: PreparedWork, file: KeptContent): boolean {
  return (file.sha256 ?? work.sha256) === work.sha256 && file.size === work.size && file.kind === work.kind
}

type KeptContent = Pick<Selectable<FileTable>, 'name' | 'sha256' | 'size' | 'kind'> & {
  /** Of a copy that is good; null: there is none. */
  readonly store_id: number | null
}

async function filesNamed({ sql: db, dialect }: Database, names: readonly string[]): Promise<Map<string, KeptContent>> {
  const wanted = rowSet(
    dialect,
    { name: 'text' },
    names.map(name => ({ name })),
  )
  const { rows: files } = await sql<KeptContent>`
    SELECT name, sha256, size, kind, (SELECT MIN(instance.store_id) FROM instance WHERE instance.file_name = file.name
      AND instance.state = 'ok' AND instance.available = 1 AND instance.withdrawn_by IS NULL) AS store_id
    FROM file WHERE name IN (SELECT wanted.name FROM ${wanted} AS wanted)`.execute(db)
  return new Map(files.map(file => [file.name, file]))
}

async function forgetSame(database: Database, intent: PreparedIntent, storeId: number): Promise<void> {
  await completeTransfer(database, intent, storeId)
  await removeIntent(database, intent.id)
  await recordAct(database, intent.act, 'same')
}
