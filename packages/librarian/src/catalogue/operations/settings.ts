/** Single values of the catalogue itself. */
import { read, write } from '../operation.ts'

export const settings = {
  get: read<{ key: string }, string | undefined>(async ({ sql }, { key }) => {
    const row = await sql.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst()
    return row?.value
  }),

  /** Keeps what is there; resolves to the value that counts. */
  setOnce: write<{ key: string; value: string }, string>(async ({ sql }, { key, value }) => {
    await sql
      .insertInto('setting')
      .values({ key, value })
      .onConflict(conflict => conflict.doNothing())
      .execute()
    const row = await sql.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirstOrThrow()
    return row.value
  }),
}
