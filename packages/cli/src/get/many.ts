import { type Context, printJson } from '../context.ts'
import { type ManifestResult, type ManifestSummary, type Outcome, withEngine } from '../engine.ts'
import { toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { engineOptions, fetchOptions } from '../options/fetch.ts'
import { fileOptions, type GetFlags, listOptions } from '../options/file.ts'
import { progressMode, withProgress } from '../progress/view.ts'
import { count, printable } from '../text.ts'
import { formatDuration, formatRate, formatSize } from '../units.ts'
import { checkManifest } from './check-manifest.ts'
import { entriesOf, type ListRequest, originsOf, watched } from './entries.ts'
import { resumeHint } from './one.ts'
import { shownPath } from './outcome.ts'
import { openRecords, type Records } from './records.ts'
import { isObject } from './request.ts'
import { warnOfInsecure } from './warnings.ts'

export interface ManyOptions {
  /**
   * Objects of data commons: credentials that are not accepted end it before anything is begun. Default: whether some
   * URL names one; of a manifest, whether somebody named credentials for it.
   */
  readonly isCommons?: boolean | undefined
}

/** Fetches a list. Each failure is told as it happens and stops nothing; the exit code says that there was one. */
export async function getMany(
  request: ListRequest,
  flags: GetFlags,
  context: Context,
  { isCommons = namesObjects(request, flags) }: ManyOptions = {},
): Promise<number> {
  const origins = new Set<string>()
  const fetch = fetchOptions(flags, context, origins)
  const list = listOptions(flags, request.directory)
  warnOfInsecure(flags, context)
  context.onInterrupt = () => resumeHint(flags)
  let reportPath: string | undefined
  const summary = await withEngine(engineOptions(flags, context), async (engine, door) => {
    if (request.kind === 'manifest' && !flags.skipInvalid) await checkManifest(request.file, context, door)
    if (isCommons) await door.logIn({ ...fetch, engine })
    const sizes = { bytes: 0, unsized: 0 }
    const entries = watched(entriesOf(request, { fetch: { ...fetch, engine }, flags, context, door }), entry => {
      if (entry.size === undefined) sizes.unsized++
      else sizes.bytes += entry.size
      if (flags.netrc) for (const origin of originsOf(entry)) origins.add(origin)
    })
    const records = openRecords(request, flags, door)
    reportPath = records.reportPath
    const mode = progressMode(context, flags.progress)
    const { state } = records
    let isWhole = false
    try {
      return await withProgress(context, mode, engine.progress, { list: sizes }, async () => {
        const options = { ...fetch, ...fileOptions(flags), ...list, engine, state }
        const run = door.downloadManifest(entries, options)
        for await (const result of run) tellResult(result, records, context)
        const summary = await run.summary
        records.end(summaryRow(summary))
        isWhole = !context.signal.aborted
        return summary
      })
    } finally {
      records.close(isWhole)
    }
  })
  // Entries that were given up because of a signal are no failures of their own.
  context.signal.throwIfAborted()
  tellSummary(summary, flags, context, reportPath)
  return summary.failed > 0 ? exitCodes.someFailed : exitCodes.ok
}

function namesObjects(request: ListRequest, flags: GetFlags): boolean {
  return request.kind === 'manifest' ? flags.cred !== undefined : request.urls.some(isObject)
}

function tellResult(result: ManifestResult, records: Records, context: Context): void {
  const { outcome } = result
  if (!outcome.ok && context.signal.aborted) return
  const { flags, say } = context
  records.add(result)
  if (flags.json) printJson(context, outcome)
  else if (!outcome.ok) say(failedLine(outcome, context))
  else if (flags.quiet) return
  else if (outcome.renamed_from !== undefined) say(renamedLine(outcome, context))
  else if (flags.verbosity > 0) say(goodLine(outcome, context))
}

/** `failed not_found: Cannot …. Check the name; …` */
function failedLine(outcome: Outcome, { style }: Context): string {
  const { error_class = 'failed', error = '', remedy } = outcome
  const told = { code: error_class, message: error, ...(remedy === undefined ? {} : { remedy }) }
  // A bad row's message says which row it is.
  const about = outcome.status === 'invalid' ? undefined : nameOf(outcome)
  return `${style.red('failed')} ${error_class}: ${toLine(told, about)}`
}

function renamedLine(outcome: Outcome, { terminal }: Context): string {
  const { renamed_from = '', path = '' } = outcome
  return `${printable(shownPath(path, terminal.cwd))}  renamed: row ${outcome.index + 1} names it ${printable(renamed_from)}`
}

function goodLine(outcome: Outcome, { terminal }: Context): string {
  const { status, path, size_actual, checksum_type, verified } = outcome
  const name = path === undefined ? nameOf(outcome) : shownPath(path, terminal.cwd)
  const about = [
    status.replaceAll('_', ' '),
    ...(size_actual === undefined ? [] : [formatSize(size_actual)]),
    ...(verified && checksum_type !== undefined ? [`${checksum_type} ok`] : []),
  ]
  return `${printable(name)}  ${about.join(', ')}`
}

function nameOf({ requested_name, object_id, uri, index }: Outcome): string {
  return requested_name ?? object_id ?? uri ?? `entry ${index + 1}`
}

function summaryRow(summary: ManifestSummary): Record<string, unknown> {
  return { summary: { ok: summary.failed === 0, ...summary } }
}

function tellSummary(
  summary: ManifestSummary,
  flags: GetFlags,
  context: Context,
  reportPath: string | undefined,
): void {
  if (context.flags.json) {
    printJson(context, summaryRow(summary))
    return
  }
  if (context.flags.quiet) return
  const { statuses, bytes, transferred, failed, renamed, totalMs } = summary
  const sum = (...names: (keyof typeof statuses)[]) => names.reduce((total, name) => total + (statuses[name] ?? 0), 0)
  const fetched = sum('downloaded', 'resumed', 'unverified')
  const rate = totalMs > 0 ? ` (${formatRate((transferred / totalMs) * 1000)})` : ''
  const rest: [number, string][] = [
    [sum('skipped_complete', 'skipped_size_only'), 'there already'],
    [sum('duplicate'), 'named twice'],
    [renamed, 'renamed'],
    [sum('unverified', 'skipped_size_only'), 'of which nothing but the size could be checked'],
  ]
  const parts = [`${count(fetched, 'file')}, ${formatSize(bytes)} in ${formatDuration(totalMs)}${rate}`]
  for (const [number, what] of rest) if (number > 0) parts.push(`${number.toLocaleString('en-US')} ${what}`)
  if (failed > 0) parts.push(context.style.red(`${failed.toLocaleString('en-US')} FAILED`))
  const report = flags.report ?? reportPath
  const where = failed > 0 && report !== undefined ? `; see ${printable(shownPath(report, context.terminal.cwd))}` : ''
  context.say(`${parts.join(', ')}${where}`)
}
