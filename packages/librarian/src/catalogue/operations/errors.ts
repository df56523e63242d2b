/** What an operator must know of (librarian 3.12): recorded once while it is not dealt with. Rows hold the upper-case names
 * that people's own SQL reads (librarian 2).
 */
import type { ErrorCategory, ErrorSeverity, Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { audited } from '../audited.ts'
import { read } from '../operation.ts'

export interface RecordedError {
  readonly id: number
  readonly severity: ErrorSeverity
  readonly category: ErrorCategory
  readonly message: string
  readonly raisedTime: Instant
  readonly clearedTime: Instant | null
  readonly cleared: boolean
  readonly caller: string | null
}

export interface ErrorSearch {
  readonly id?: number | undefined
  readonly severity?: ErrorSeverity | undefined
  readonly category?: ErrorCategory | undefined
  /** On the time it was raised; both inclusive. */
  readonly window?: readonly [Instant, Instant] | undefined
  readonly includeResolved: boolean
  readonly limit: number
}

type NewError = Pick<RecordedError, 'severity' | 'category' | 'message' | 'caller'>

export const errors = {
  /** The same condition again, while nobody has cleared it, is the same row. */
  raise: audited<NewError, { id: number; raisedTime: Instant; isNew: boolean }>(async ({ sql, dialect }, error) => {
    const { message, caller } = error
    const severity = error.severity.toUpperCase()
    const category = error.category.toUpperCase()
    const known = await sql
      .selectFrom('error')
      .select(['id', 'raised_time'])
      .where('cleared', '=', 0)
      .where('severity', '=', severity)
      .where('category', '=', category)
      .where('message', '=', message)
      .where('caller', caller === null ? 'is' : '=', caller)
      .executeTakeFirst()
    if (known) return { id: known.id, raisedTime: known.raised_time, isNew: false }
    const row = await sql
      .insertInto('error')
      .values({ severity, category, message, caller, raised_time: dialect.now(), cleared_time: null, cleared: 0 })
      .returning(['id', 'raised_time'])
      .executeTakeFirstOrThrow()
    return { id: row.id, raisedTime: row.raised_time, isNew: true }
  }),

  /** Newest first. */
  search: read<ErrorSearch, RecordedError[]>(async ({ sql }, search) => {
    let query = sql.selectFrom('error').selectAll()
    if (search.id !== undefined) query = query.where('id', '=', search.id)
    if (search.severity !== undefined) query = query.where('severity', '=', search.severity.toUpperCase())
    if (search.category !== undefined) query = query.where('category', '=', search.category.toUpperCase())
    if (search.window) query = query.where('raised_time', '>=', search.window[0])
    if (search.window) query = query.where('raised_time', '<=', search.window[1])
    if (!search.includeResolved) query = query.where('cleared', '=', 0)
    const rows = await query.orderBy('raised_time', 'desc').orderBy('id', 'desc').limit(search.limit).execute()
    return rows.map(row => ({
      id: row.id,
      severity: row.severity.toLowerCase() as ErrorSeverity,
      category: row.category.toLowerCase() as ErrorCategory,
      message: row.message,
      raisedTime: row.raised_time,
      clearedTime: row.cleared_time,
      cleared: row.cleared === 1,
      caller: row.caller,
    }))
  }),

  /** `NotFound`; `Conflict` where that was done before. */
  clear: audited<{ id: number }, { clearedTime: Instant }>(async ({ sql, dialect }, { id }) => {
    const row = await sql
      .updateTable('error')
      .set({ cleared: 1, cleared_time: dialect.now() })
      .where('id', '=', id)
      .where('cleared', '=', 0)
      .returning('cleared_time')
      .executeTakeFirst()
    if (row?.cleared_time) return { clearedTime: row.cleared_time }
    const known = await sql.selectFrom('error').select('id').where('id', '=', id).executeTakeFirst()
    if (known) throw new LibrarianError('Conflict', `Cannot clear the error ${id}: it is cleared already`)
    throw new LibrarianError('NotFound', `Cannot clear the error ${id}: there is none of this number`)
  }),
}
