/** Answers by key: the same key gives the same outcome, also after a restart (reliability E1). */
import { LibrarianError } from '@arriero/api/errors'
import { read, write } from '../operation.ts'

export interface IdempotencyKey {
  readonly actor: string
  readonly key: string
}

export type Begun =
  /** This call does the work and ends with `finish` or `abandon`. */
  | { readonly state: 'new' }
  /** As `new`, but a call before this one may have done some or all of it: its process ended in the middle. */
  | { readonly state: 'interrupted' }
  /** Another call works on it, or its process has ended; `holder` is that process, where it said so. */
  | { readonly state: 'running'; readonly holder?: string | undefined }
  | { readonly state: 'done'; readonly status: number; readonly body: string | undefined }

export interface BeginIdempotency extends IdempotencyKey {
  /** SHA-256 of method, path and body, in hex. */
  readonly request: string
  /** A call that began longer ago and has not finished is taken for dead. Default 300. */
  readonly deadAfterSeconds?: number | undefined
  /** The process of this call. */
  readonly holder?: string | undefined
  /** A process that has ended: its call is taken over at once. */
  readonly dead?: string | undefined
}

export const idempotency = {
  begin: write<BeginIdempotency, Begun>(async ({ sql, dialect }, call) => {
    const { actor, key, request, deadAfterSeconds = 300, holder = null, dead } = call
    const created = await sql
      .insertInto('idempotency')
      .values({ actor, key, request, holder, created: dialect.now() })
      .onConflict(conflict => conflict.doNothing())
      .returning('key')
      .executeTakeFirst()
    if (created) return { state: 'new' }
    const known = await sql
      .selectFrom('idempotency')
      .select(['request', 'holder', 'status', 'body'])
      .where('actor', '=', actor)
      .where('key', '=', key)
      .executeTakeFirstOrThrow()
    if (known.request !== request) {
      throw new LibrarianError(
        'IdempotencyMismatch',
        'This Idempotency-Key was used for another request: one key is for one request',
      )
    }
    if (known.status !== null) return { state: 'done', status: known.status, body: known.body ?? undefined }
    const { numUpdatedRows } = await sql
      .updateTable('idempotency')
      .set({ holder, created: dialect.now() })
      .where('actor', '=', actor)
      .where('key', '=', key)
      .where('status', 'is', null)
      .where(eb =>
        eb.or([
          eb('created', '<', dialect.nowPlus(-deadAfterSeconds)),
          ...(dead === undefined ? [] : [eb('holder', '=', dead)]),
        ]),
      )
      .executeTakeFirst()
    if (numUpdatedRows === 1n) return { state: 'interrupted' }
    return { state: 'running', ...(known.holder === null ? {} : { holder: known.holder }) }
  }),

  /** A call that takes long says that it lives; false where it was taken over. */
  touch: write<IdempotencyKey, boolean>(async ({ sql, dialect }, { actor, key }) => {
    const { numUpdatedRows } = await sql
      .updateTable('idempotency')
      .set({ created: dialect.now() })
      .where('actor', '=', actor)
      .where('key', '=', key)
      .where('status', 'is', null)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }),

  /** Keeps the answer; the first one counts. */
  finish: write<IdempotencyKey & { status: number; body?: string | undefined }, void>(
    async ({ sql }, { actor, key, status, body }) => {
      await sql
        .updateTable('idempotency')
        .set({ status, body: body ?? null })
        .where('actor', '=', actor)
        .where('key', '=', key)
        .where('status', 'is', null)
        .execute()
    },
  ),

  /** The call had no effect: the key is free again. */
  abandon: write<IdempotencyKey, void>(async ({ sql }, { actor, key }) => {
    await sql
      .deleteFrom('idempotency')
      .where('actor', '=', actor)
      .where('key', '=', key)
      .where('status', 'is', null)
      .execute()
  }),

  /** Forgets answers that were given so long ago, at most 1,000 at once; resolves to how many. */
  expire: write<{ olderThanSeconds: number }, number>(async ({ sql, dialect }, { olderThanSeconds }) => {
    const old = await sql
      .selectFrom('idempotency')
      .select(['actor', 'key'])
      .where('created', '<', dialect.nowPlus(-olderThanSeconds))
      .where('status', 'is not', null)
      .orderBy('created')
      .limit(1000)
      .execute()
    for (const { actor, key } of old) {
      await sql.deleteFrom('idempotency').where('actor', '=', actor).where('key', '=', key).execute()
    }
    return old.length
  }),

  find: read<IdempotencyKey, { status: number | null; body: string | null } | undefined>(
    async ({ sql }, { actor, key }) =>
      await sql
        .selectFrom('idempotency')
        .select(['status', 'body'])
        .where('actor', '=', actor)
        .where('key', '=', key)
        .executeTakeFirst(),
  ),
}
