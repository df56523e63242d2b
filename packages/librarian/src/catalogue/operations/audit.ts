/**
 * The audit log (reliability F4): entries are only added, and each carries the hash of the one before, so that a change or a
 * removed entry shows. What was cut off the end shows only against a head that was written down elsewhere.
 */
import { createHash } from 'node:crypto'
import { pageLimit } from '../limits.ts'
import { type Database, read, write } from '../operation.ts'
import type { AuditTable } from '../schema.ts'

export interface AuditEntry {
  readonly actor: string
  readonly action: string
  /** What it was done to. */
  readonly subject: string
  /** Why, which proofs, what came of it; plain data, never a secret. */
  readonly detail: unknown
}

export interface Refusal extends Omit<AuditEntry, 'detail'> {
  readonly detail: Readonly<Record<string, unknown>>
  /** Of the error. */
  readonly code: string
  readonly why: string
}

export interface AuditHead {
  readonly id: number
  readonly hash: string
}

export interface AuditSearch extends Partial<Pick<AuditEntry, 'actor' | 'action' | 'subject'>> {
  readonly before?: number | undefined
  readonly limit?: number | undefined
}

export type AuditRow = Omit<AuditTable, 'id'> & { readonly id: number }

/** What the first entry follows. */
const beginning = '0'.repeat(64)

export const audit = {
  append: write<AuditEntry, AuditHead>(appendAudit),

  /**
   * What was refused, once: nothing is added where the last entry of this actor, action and subject is a refusal with the same
   * code and reason. For tasks, which ask for the same in every run.
   */
  appendRefusal: write<Refusal, void>(async (database, { code, why, detail, ...entry }) => {
    const { actor, action, subject } = entry
    const earlier = database.sql.selectFrom('audit').select('detail').where('subject', '=', subject)
    const last = await earlier
      .where('action', '=', action)
      .where('actor', '=', actor)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    const told = last && JSON.parse(last.detail)
    if (told?.outcome === 'refused' && told.code === code && told.why === why) return
    await appendAudit(database, { ...entry, detail: { ...detail, outcome: 'refused', code, why } })
  }),

  /** The last entry, to be written down where nobody can change both. */
  head: read<undefined, AuditHead | undefined>(async ({ sql }) => await lastOf(sql)),

  /** Newest first, before an entry's number. All conditions must hold. */
  list: read<AuditSearch, readonly AuditRow[]>(async ({ sql }, { before, limit, actor, action, subject }) => {
    let query = sql.selectFrom('audit').selectAll()
    if (before !== undefined) query = query.where('id', '<', before)
    if (actor !== undefined) query = query.where('actor', '=', actor)
    if (action !== undefined) query = query.where('action', '=', action)
    if (subject !== undefined) query = query.where('subject', '=', subject)
    return await query.orderBy('id', 'desc').limit(pageLimit(limit)).execute()
  }),

  /**
   * Checks one stretch of the chain, at most 1,000 entries, from behind entry `after` (absent: the first). `next` is where to go
   * on. `broken` is the first entry that is not what was written, or does not follow the one before it.
   */
  verify: read<
    { after?: AuditHead | undefined },
    { checked: number; next?: AuditHead; broken?: { id: number; why: string } }
  >(async ({ sql }, { after }) => {
    const rows = await sql
      .selectFrom('audit')
      .selectAll()
      .where('id', '>', after?.id ?? 0)
      .orderBy('id')
      .limit(1000)
      .execute()
    let previous = after?.hash ?? beginning
    for (const [at, row] of rows.entries()) {
      const why = faultOf(row, previous)
      if (why) return { checked: at, broken: { id: row.id, why } }
      previous = row.hash
    }
    const last = rows.at(-1)
    return last ? { checked: rows.length, next: { id: last.id, hash: last.hash } } : { checked: 0 }
  }),
}

/** For operations whose change must not be without its entry: in the same transaction. */
export async function appendAudit(
  { sql, dialect }: Database,
  { actor, action, subject, detail }: AuditEntry,
): Promise<AuditHead> {
  const last = await lastOf(sql)
  const { time } = await sql.selectNoFrom(dialect.now().as('time')).executeTakeFirstOrThrow()
  const entry = {
    time,
    actor,
    action,
    subject,
    detail: JSON.stringify(detail ?? null),
    previous: last?.hash ?? beginning,
  }
  return await sql
    .insertInto('audit')
    .values({ ...entry, hash: hashOf(entry) })
    .returning(['id', 'hash'])
    .executeTakeFirstOrThrow()
}

async function lastOf(sql: Database['sql']): Promise<AuditHead | undefined> {
  return await sql.selectFrom('audit').select(['id', 'hash']).orderBy('id', 'desc').limit(1).executeTakeFirst()
}

function faultOf(row: AuditRow, previous: string): string | undefined {
  if (row.previous !== previous) return 'it does not follow the entry before it'
  if (row.hash !== hashOf(row)) return 'it is not what was written'
  return undefined
}

/** SHA-256 over a JSON array, which tells where one text ends and the next begins. */
function hashOf(entry: Omit<AuditRow, 'id' | 'hash'>): string {
  const { previous, time, actor, action, subject, detail } = entry
  return createHash('sha256')
    .update(JSON.stringify([previous, time, actor, action, subject, detail]))
    .digest('hex')
}
