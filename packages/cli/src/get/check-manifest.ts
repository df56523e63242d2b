/** A list is read whole before the first byte is asked for, so that every mistake in it is told at once (gen3 4.3). */
import type { Context } from '../context.ts'
import type { EngineDoor } from '../engine.ts'
import { ProgramError, tellItem, toLine } from '../errors.ts'
import { isPiped, readManifest, statsOf } from './entries.ts'

/** Longer ones are checked while they are fetched: reading them twice would hold up the first transfer. */
const MOST_BYTES = 64 << 20
/** Lines on the screen; the rest are counted. */
const MOST_LINES = 50

/** @throws ProgramError Usage when any row cannot be used, after naming each */
export async function checkManifest(
  file: string,
  context: Context,
  door: Pick<EngineDoor, 'parseManifest'>,
): Promise<void> {
  if (isPiped(file) || (statsOf(file)?.size ?? 0) > MOST_BYTES) return
  let bad = 0
  const note = (error: unknown) => {
    if (++bad > MOST_LINES) return
    context.say(`${context.style.red('invalid')}: ${toLine(tellItem(error))}`)
  }
  try {
    for await (const rows of readManifest(file, context, door)) {
      context.signal.throwIfAborted()
      for (const row of rows) if ('error' in row) note(row.error)
    }
  } catch (error) {
    if (bad === 0 || context.signal.aborted) throw error
    note(error)
  }
  if (bad === 0) return
  if (bad > MOST_LINES) context.say(`… and ${(bad - MOST_LINES).toLocaleString('en-US')} more`)
  const what = bad === 1 ? 'one row cannot be used' : `${bad.toLocaleString('en-US')} rows cannot be used`
  throw new ProgramError('Usage', `Nothing was fetched: ${what}`, {
    remedy: 'Correct the list, or say --skip-invalid to fetch the others.',
  })
}
