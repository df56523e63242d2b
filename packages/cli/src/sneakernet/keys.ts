import { type Context, printJson, printLine } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, withLibrarian } from '../librarian/client.ts'
import { count, printable } from '../text.ts'
import { findDisk } from './find-disk.ts'

export async function key(_: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return await withLibrarian(flags, context, async ({ api }) => {
    const answer = await api.sneakernet.key({}, { signal: context.signal })
    if (context.flags.json) printJson(context, answer)
    else printLine(context, answer.public_key)
    return exitCodes.ok
  })
}

export async function trust(
  [name = '', text = '']: string[],
  flags: LibrarianFlags,
  context: Context,
): Promise<number> {
  return await withLibrarian(flags, context, async ({ api }) => {
    const request = { librarian_name: name, public_key: text }
    const answer = await api.sneakernet.trust(request, { signal: context.signal })
    if (context.flags.json) printJson(context, { ok: true, ...answer })
    else if (!context.flags.quiet) context.say(`${printable(name)} is believed by this key`)
    return exitCodes.ok
  })
}

export async function giveUp([text = '']: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return await withLibrarian(flags, context, async librarian => {
    const disk = await findDisk(librarian, text, context.signal)
    const answer = await librarian.api.sneakernet.giveUp({ disk_id: disk }, { signal: context.signal })
    if (context.flags.json) printJson(context, { ok: true, ...answer })
    else if (!context.flags.quiet) {
      context.say(`disk ${disk} is given up: ${count(answer.failed_transfers, 'file')} may go another way`)
    }
    return exitCodes.ok
  })
}
