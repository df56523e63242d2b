import { type Context, printJson } from '../context.ts'
import { type EntryResult, type RunSummary, withEngine } from '../engine.ts'
import { tell, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { engineOptions, fetchOptions } from '../options/fetch.ts'
import { fileOptions, type GetFlags, listOptions } from '../options/file.ts'
import { progressMode, withProgress } from '../progress/view.ts'
import { count, printable, withoutSecrets } from '../text.ts'
import { formatDuration, formatRate, formatSize } from '../units.ts'
import { entriesOf, type ListRequest, originsOf, watched } from './entries.ts'
import { resumeHint } from './one.ts'
import { doneLine, resultRow, shownPath } from './outcome.ts'
import { openReport, type Report } from './report.ts'
import { warnOfInsecure } from './warnings.ts'

/** Fetches a list. Each failure is told as it happens and stops nothing; the exit code says that there was one. */
export async function getMany(request: ListRequest, flags: GetFlags, context: Context): Promise<number> {
  const origins = new Set<string>()
  const fetch = fetchOptions(flags, context, origins)
  const list = listOptions(flags, request.directory)
  warnOfInsecure(flags, context)
  context.onInterrupt = () => resumeHint(flags)
  const summary = await withEngine(engineOptions(flags, context), async (engine, door) => {
    const sizes = { bytes: 0, unsized: 0 }
    const entries = watched(entriesOf(request, { fetch: { ...fetch, engine }, flags, context, door }), entry => {
      if (entry.size === undefined) sizes.unsized++
      else sizes.bytes += entry.size
      if (flags.netrc) for (const origin of originsOf(entry)) origins.add(origin)
    })
    const report = flags.report === undefined ? undefined : openReport(flags.report)
    const mode = progressMode(context, flags.progress)
    try {
      return await withProgress(context, mode, engine.progress, { list: sizes }, async () => {
        const run = door.downloadAll(entries, { ...fetch, ...fileOptions(flags), ...list, engine })
        for await (const result of run) tellResult(result, report, context)
        const summary = await run.summary
        report?.add(summaryRow(summary))
        return summary
      })
    } finally {
      report?.close()
    }
  })
  // Entries that were given up because of a signal are no failures of their own.
  context.signal.throwIfAborted()
  tellSummary(summary, flags, context)
  return summary.failed > 0 ? exitCodes.someFailed : exitCodes.ok
}

function tellResult(result: EntryResult, report: Report | undefined, context: Context): void {
  if (!result.ok && context.signal.aborted) return
  const { flags, say, terminal } = context
  report?.add(rowOf(result))
  if (flags.json) printJson(context, rowOf(result))
  else if (!result.ok) say(failedLine(result.error, nameOf(result.entry), context))
  else if (flags.verbosity > 0 && !flags.quiet)
    say(doneLine(result.result, shownPath(result.result.path, terminal.cwd)))
}

/** `failed  NotFound  Cannot …. Check the name; …` */
function failedLine(error: unknown, name: string, { style }: Context): string {
  const told = tell(error)
  // A bad row's message says which row it is.
  return `${style.red('failed')} ${told.code}: ${toLine(told, told.code === 'Usage' ? undefined : name)}`
}

function nameOf(entry: EntryResult['entry']): string {
  return entry.path ?? (withoutSecrets(entry.uris[0] ?? '') || `entry ${entry.index + 1}`)
}

/** One line of --json and of the report. */
export function rowOf(result: EntryResult): Record<string, unknown> {
  const { entry } = result
  const about = {
    index: entry.index,
    ...(entry.line === undefined ? {} : { line: entry.line }),
    ...(entry.extra === undefined ? {} : { extra: entry.extra }),
  }
  if (result.ok) return { ok: true, ...about, ...resultRow(result.result) }
  const { exitCode: _, ...error } = tell(result.error)
  const [uri] = entry.uris
  return { ok: false, ...about, uri: uri === undefined ? undefined : withoutSecrets(uri), path: entry.path, error }
}

function summaryRow(summary: RunSummary): Record<string, unknown> {
  return { summary: { ok: summary.failed === 0, ...summary } }
}

function tellSummary(summary: RunSummary, options: GetFlags, context: Context): void {
  const { files, downloaded, skipped, failed, bytes, totalMs } = summary
  if (context.flags.json) {
    printJson(context, summaryRow(summary))
    return
  }
  if (context.flags.quiet) return
  const rate = totalMs > 0 ? ` (${formatRate((bytes / totalMs) * 1000)})` : ''
  const parts = [`${count(downloaded, 'file')}, ${formatSize(bytes)} in ${formatDuration(totalMs)}${rate}`]
  if (skipped > 0) parts.push(`${count(skipped, 'file')} there already`)
  const rest = files - downloaded - skipped - failed
  if (rest > 0) parts.push(`${count(rest, 'file')} not started`)
  if (failed > 0) parts.push(context.style.red(`${failed.toLocaleString('en-US')} FAILED`))
  const where = failed > 0 && options.report !== undefined ? `; see ${printable(options.report)}` : ''
  context.say(`${parts.join(', ')}${where}`)
}
