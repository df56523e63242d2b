import { type Context, printJson } from '../context.ts'
import { type DownloadResult, loadEngine, type Progress } from '../engine.ts'
import { tellItem } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { fetchOptions } from '../options/fetch.ts'
import { checksumsFrom, fileOptions, type GetFlags } from '../options/file.ts'
import { tellHooks } from '../options/hooks.ts'
import { withProfiledEngine } from '../profile/with-profile.ts'
import { progressMode, withProgress } from '../progress/with-progress.ts'
import { doneLine, resultRow, shownPath } from './outcome.ts'
import { openReport } from './report.ts'
import { isObject } from './request.ts'
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
  const result = await withProfiledEngine(flags, context, async (engine, door) => {
    context.onInterrupt = () => hintForOne(flags, engine.progress)
    const options = { ...fetch, ...fileOptions(flags), engine, checksums, mirrors: flags.mirror, size: flags.size }
    const mode = progressMode(context, flags.progress)
    const work = async () => {
      // What is wrong with the credentials is no matter of this file.
      if (isObject(url)) await door.logIn({ ...fetch, engine })
      return door.download(url, target, options)
    }
    const fetchFile = () => withProgress(context, mode, engine.progress, { isSingle: true }, work)
    try {
      return await (flags.report === undefined ? fetchFile() : reported(flags.report, fetchFile))
    } finally {
      tellHooks(engine.progress, context)
    }
  })
  if (context.flags.json) printJson(context, { ok: true, ...resultRow(result) })
  else if (!context.flags.quiet) context.say(doneLine(result, shownPath(result.path, context.terminal.cwd)))
  return exitCodes.ok
}

/** Writes what became of it, good or bad, into the report. */
async function reported(path: string, work: () => Promise<DownloadResult>): Promise<DownloadResult> {
  const report = openReport(path)
  try {
    const result = await work()
    report.add({ ok: true, ...resultRow(result) })
    return result
  } catch (error) {
    report.add({ ok: false, error: tellItem(error) })
    throw error
  } finally {
    report.close()
  }
}

function hintForOne({ resume }: GetFlags, { resumable, unproven }: Progress): string {
  if (resume === false) return 'Nothing was put in place.'
  if (resumable > 0) return 'The same command again continues from here.'
  const anew = 'The same command again begins anew'
  return unproven > 0 ? `${anew}: nothing proves the version. --allow-weak-resume trusts size and time.` : `${anew}.`
}
