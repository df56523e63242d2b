/** `arriero serve --replace-disk`: a store's disk is lost, and an empty one in its place. */
import { type Context, printJson } from '../context.ts'
import { printable } from '../text.ts'

type Door = typeof import('@arriero/librarian')

/** Resolves to true: whatever cannot be done is thrown. */
export async function replaceDisk(
  { replaceDiskOf }: Door,
  options: Parameters<Door['replaceDiskOf']>[0],
  context: Context,
): Promise<boolean> {
  const copies = await replaceDiskOf(options)
  const store = printable(options.store)
  if (context.flags.json) printJson(context, { ok: true, store: options.store, copies })
  else if (!context.flags.quiet) {
    context.say(
      `${copies.toLocaleString('en-US')} ${copies === 1 ? 'copy' : 'copies'} of ${store} went with its disk; the new one is the store now`,
    )
    context.say('Then bring them back from other copies: arriero repair NAME, or the task `repair` of the settings')
  }
  return true
}
