/** Which lives of this catalogue a store's marker may name (`stores/life.ts`). */
import type { Database } from '../operation.ts'
import { read, write } from '../operation.ts'

/** More than processes that open one store in one moment; older ones no marker has. */
const KEPT = 32

export const lives = {
  known: read<{ store: number }, string[]>(async (database, { store }) => await livesOf(database, store)),

  /**
   * Notes that the marker will name `coming` in the place of `met`, which stays known: a crash may leave either.
   *
   * @param args.met undefined: the marker names none, or the operator has said that it is ours
   * @returns false, and nothing is noted, where `met` is of another line
   */
  announce: write<{ store: number; met?: string | undefined; coming: string }, boolean>(
    async (database, { store, met, coming }) => {
      const known = await livesOf(database, store)
      if (met !== undefined && !known.includes(met)) return false
      const kept = [
        ...known.filter(life => life !== met && life !== coming),
        ...(met && met !== coming ? [met] : []),
        coming,
      ]
      const value = JSON.stringify(kept.slice(-KEPT))
      await database.sql
        .insertInto('setting')
        .values({ key: keyOf(store), value })
        .onConflict(conflict => conflict.column('key').doUpdateSet({ value }))
        .execute()
      return true
    },
  ),
}

async function livesOf({ sql }: Database, store: number): Promise<string[]> {
  const row = await sql.selectFrom('setting').select('value').where('key', '=', keyOf(store)).executeTakeFirst()
  return row === undefined ? [] : (JSON.parse(row.value) as string[])
}

function keyOf(store: number): string {
  return `lives of store ${store}`
}
