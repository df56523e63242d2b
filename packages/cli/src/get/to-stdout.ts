import type { Context } from '../context.ts'
import { type EngineDoor, loadEngine } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { fetchOptions } from '../options/fetch.ts'
import { checksumsFrom, type GetFlags } from '../options/file.ts'
import { tellHooks } from '../options/hooks.ts'
import { withProfiledEngine } from '../profile/with-profile.ts'
import { type ProgressMode, progressMode, withProgress } from '../progress/with-progress.ts'
import { writeAll } from '../stdout.ts'
import { warnOfInsecure } from './warnings.ts'

/** Writes a URL's bytes to stdout in order; a mismatch is told after them, with a non-zero exit. */
export function getToStdout(url: string, flags: GetFlags, context: Context): Promise<number> {
  return streamToStdout([url], flags, context)
}

/** Several are joined, as `cat` does. */
export async function streamToStdout(urls: readonly string[], flags: GetFlags, context: Context): Promise<number> {
  if (context.flags.json) throw new ProgramError('Usage', '--json contradicts this: stdout takes the bytes.')
  const fetch = fetchOptions(flags, context, urls)
  const checksums = checksumsFrom(flags, await loadEngine())
  warnOfInsecure(flags, context)
  context.onInterrupt = () => 'The output is incomplete.'
  await withProfiledEngine(flags, context, async (engine, door) => {
    const options = {
      ...fetch,
      engine,
      checksums,
      mirrors: flags.mirror,
      size: flags.size,
      requireChecksum: flags.requireChecksum,
    }
    const isSingle = urls.length === 1
    const mode = streamProgress(flags, context)
    try {
      await withProgress(context, mode, engine.progress, { isSingle }, async () => {
        for (const url of urls) await copy(door.iterate(url, options))
      })
    } finally {
      tellHooks(engine.progress, context)
    }
  })
  return exitCodes.ok
}

async function copy(chunks: ReturnType<EngineDoor['iterate']>): Promise<void> {
  for await (const bytes of chunks) await writeAll(bytes)
}

/** Bars between the lines of a pipeline's last program would only disturb; lines in a log nobody asked for as well. */
function streamProgress(flags: GetFlags, context: Context): ProgressMode {
  if (flags.progress) return progressMode(context, flags.progress)
  return context.terminal.stdout.isTTY || !context.terminal.stderr.isTTY ? 'none' : progressMode(context, undefined)
}
