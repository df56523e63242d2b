import { type Context, printJson } from '../context.ts'
import { loadEngine, withEngine } from '../engine.ts'
import { exitCodes } from '../exit-codes.ts'
import { engineOptions, fetchOptions } from '../options/fetch.ts'
import { checksumsFrom, fileOptions, type GetFlags } from '../options/file.ts'
import { progressMode, withProgress } from '../progress/view.ts'
import { doneLine, resultRow, shownPath } from './outcome.ts'
import { openReport } from './report.ts'
import { warnOfInsecure } from './warnings.ts'

interface One {
  readonly url: string
  readonly target: string | undefined
}

/** Fetches one file. A failure is thrown: its code is the program's exit code. */
export async function getOne({ url, target }: One, flags: GetFlags, context: Context): Promise<number> {
  const fetch = fetchOptions(flags, context, [url])
  const checksums = checksumsFrom(flags, await loadEngine())
  warnOfInsecure(flags, context)
  context.onInterrupt = () => resumeHint(flags)
  const result = await withEngine(engineOptions(flags, context), (engine, door) => {
    const options = { ...fetch, ...fileOptions(flags), engine, checksums, mirrors: flags.mirror, size: flags.size }
    const report = flags.report === undefined ? undefined : openReport(flags.report)
    const mode = progressMode(context, flags.progress)
    return withProgress(context, mode, engine.progress, { isSingle: true }, () => door.download(url, target, options))
      .then(done => {
        report?.add({ ok: true, ...resultRow(done) })
        return done
      })
      .finally(() => report?.close())
  })
  if (context.flags.json) printJson(context, { ok: true, ...resultRow(result) })
  else if (!context.flags.quiet) context.say(doneLine(result, shownPath(result.path, context.terminal.cwd)))
  return exitCodes.ok
}

export function resumeHint(flags: GetFlags): string {
  return flags.resume === false
    ? 'Nothing was put in place.'
    : 'The same command again continues from here.'
}
