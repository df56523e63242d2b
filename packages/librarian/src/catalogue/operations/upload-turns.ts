/**
 * Whose turn it is to write the bytes of an upload, where several processes answer calls (reliability 5, 8.13). A turn is a lease
 * whose number rises with each; the process whose turn it was before is told, because it may not know yet that its turn has ended.
 */
import { read, write } from '../operation.ts'

/** A turn that was given back has ended so long ago: one that ended by itself cannot have. */
const GIVEN_BACK_SECONDS = 10 * 365 * 86_400

export interface TakeTurn {
  /** Of the upload. */
  readonly token: string
  readonly holder: string
  readonly seconds: number
  /** A turn whose holder is known to be dead: it need not end by itself. */
  readonly dead?: { readonly holder: string; readonly turn: number } | undefined
}

export type TurnOutcome =
  | {
      readonly outcome: 'yours'
      readonly turn: number
      /** Whose turn it was and who did not give it back: it may live, and take it for its own still. */
      readonly before: string | undefined
    }
  | { readonly outcome: 'taken'; readonly holder: string; readonly turn: number }

export interface HeldTurn {
  readonly token: string
  readonly turn: number
}

export const uploadTurns = {
  take: write<TakeTurn, TurnOutcome>(async ({ sql, dialect }, { token, holder, seconds, dead }) => {
    const resource = turnOf(token)
    const before = await sql
      .selectFrom('lease')
      .select(['holder', 'token'])
      .select(eb => eb('expires', '<', dialect.nowPlus(-GIVEN_BACK_SECONDS / 2)).as('isGivenBack'))
      .where('resource', '=', resource)
      .executeTakeFirst()
    const taken = await sql
      .insertInto('lease')
      .values({ resource, holder, token: 1, expires: dialect.nowPlus(seconds) })
      .onConflict(conflict =>
        conflict
          .column('resource')
          .doUpdateSet(eb => ({ holder, token: eb('lease.token', '+', 1), expires: dialect.nowPlus(seconds) }))
          .where(eb =>
            eb.or([
              eb('lease.expires', '<', dialect.now()),
              eb('lease.holder', '=', holder),
              ...(dead ? [eb.and([eb('lease.holder', '=', dead.holder), eb('lease.token', '=', dead.turn)])] : []),
            ]),
          ),
      )
      .returning('token')
      .executeTakeFirst()
    if (!taken) return { outcome: 'taken', holder: before!.holder, turn: before!.token }
    const isOthers = before !== undefined && !before.isGivenBack && before.holder !== holder
    return { outcome: 'yours', turn: taken.token, before: isOthers ? before.holder : undefined }
  }),

  /** Prolongs turns. Resolves to those that are still this holder's. */
  keep: write<{ holder: string; seconds: number; turns: readonly HeldTurn[] }, string[]>(
    async ({ sql, dialect }, { holder, seconds, turns }) => {
      const kept: string[] = []
      for (const { token, turn } of turns) {
        const { numUpdatedRows } = await sql
          .updateTable('lease')
          .set({ expires: dialect.nowPlus(seconds) })
          .where('resource', '=', turnOf(token))
          .where('holder', '=', holder)
          .where('token', '=', turn)
          .executeTakeFirst()
        if (numUpdatedRows === 1n) kept.push(token)
      }
      return kept
    },
  ),

  /** Asks whoever has the turn to end it; forgotten after `seconds`. */
  want: write<{ token: string; holder: string; seconds: number }, void>(
    async ({ sql, dialect }, { token, holder, seconds }) => {
      await sql
        .insertInto('lease')
        .values({ resource: wishOf(token), holder, token: 1, expires: dialect.nowPlus(seconds) })
        .onConflict(conflict =>
          conflict
            .column('resource')
            .doUpdateSet(eb => ({ holder, token: eb('lease.token', '+', 1), expires: dialect.nowPlus(seconds) })),
        )
        .execute()
    },
  ),

  /** Which of these uploads another process wants to write to. */
  wanted: read<{ tokens: readonly string[]; holder: string }, string[]>(
    async ({ sql, dialect }, { tokens, holder }) => {
      if (tokens.length === 0) return []
      const byWish = new Map(tokens.map(token => [wishOf(token), token]))
      const rows = await sql
        .selectFrom('lease')
        .select('resource')
        .where('resource', 'in', [...byWish.keys()])
        .where('holder', '<>', holder)
        .where('expires', '>=', dialect.now())
        .execute()
      return rows.map(({ resource }) => byWish.get(resource)!)
    },
  ),

  /** Gives a turn back. The row stays while the upload is open, so that its number goes on rising. */
  end: write<{ holder: string } & HeldTurn, void>(async ({ sql, dialect }, { token, holder, turn }) => {
    await sql
      .updateTable('lease')
      .set({ expires: dialect.nowPlus(-GIVEN_BACK_SECONDS) })
      .where('resource', '=', turnOf(token))
      .where('holder', '=', holder)
      .where('token', '=', turn)
      .execute()
    await sql
      .updateTable('lease')
      .set({ expires: dialect.nowPlus(-1) })
      .where('resource', '=', wishOf(token))
      .where('holder', '=', holder)
      .execute()
  }),

  /** Removes what is kept of uploads that have ended. Resolves to how many rows. */
  forget: write<undefined, number>(async ({ sql, dialect }) => {
    const { numDeletedRows } = await sql
      .deleteFrom('lease')
      .where(eb => eb.or([eb('resource', 'like', 'upload:%'), eb('resource', 'like', 'upload-wish:%')]))
      .where('expires', '<', dialect.now())
      .where(({ not, exists, selectFrom, fn, val, ref }) =>
        not(
          exists(
            selectFrom('incoming_transfer')
              .select('id')
              .where('status', 'in', ['INITIATED', 'ONGOING', 'STAGED'])
              .where('token', '=', fn<string>('replace', [ref('lease.resource'), val('upload:'), val('')])),
          ),
        ),
      )
      .executeTakeFirst()
    return Number(numDeletedRows)
  }),
}

function turnOf(token: string): string {
  return `upload:${token}`
}

function wishOf(token: string): string {
  return `upload-wish:${token}`
}
