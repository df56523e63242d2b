import { type Context, printJson, warn } from '../context.ts'
import type { ManifestResult, ManifestRun, ManifestSummary, Outcome, Progress } from '../engine.ts'
import { exitCodes } from '../exit-codes.ts'
import { fetchOptions } from '../options/fetch.ts'
import { fileOptions, type GetFlags, listOptions } from '../options/file.ts'
import { tellHooks } from '../options/hooks.ts'
import { withProfiledEngine } from '../profile/with-profile.ts'
import { progressMode, withProgress } from '../progress/with-progress.ts'
import { count, printable } from '../text.ts'
import { formatSize } from '../units.ts'
import { checkManifest } from './check-manifest.ts'
import { entriesOf, isPiped, type ListRequest, originsOf, watched } from './entries.ts'
import { createFailures, type Failures } from './failures.ts'
import { nameOf, shownPath } from './outcome.ts'
import { openRecords, type Records } from './records.ts'
import { isObject } from './request.ts'
import { summaryLine, summaryRow } from './summary.ts'
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
  return withProfiledEngine(flags, context, async (engine, door) => {
    context.onInterrupt = () => hintForMany(flags, engine.progress)
    if (request.kind === 'manifest' && !flags.skipInvalid) await checkManifest(request.file, context, door)
    if (isCommons) await door.logIn({ ...fetch, engine })
    const sizes = { bytes: 0, unsized: 0 }
    const entries = watched(entriesOf(request, { fetch: { ...fetch, engine }, flags, context, door }), entry => {
      if (entry.size === undefined) sizes.unsized++
      else sizes.bytes += entry.size
      if (flags.netrc) for (const origin of originsOf(entry)) origins.add(origin)
    })
    const records = openRecords(request, flags, door)
    const { kept, reportPath } = records
    const failures = createFailures(context, reportPath)
    const mode = progressMode(context, flags.progress)
    // Whoever fills a pipe may never end.
    const tellsCancelled = reportPath !== undefined && !(flags.stopOnError && isFromPipe(request))
    const options = { ...fetch, ...fileOptions(flags), ...list, ...kept, engine, tellsCancelled }
    let summary: ManifestSummary | undefined
    try {
      summary = await withProgress(context, mode, engine.progress, { list: sizes }, async () => {
        const run = door.downloadManifest(entries, options)
        await tellAll(run, records, failures, context)
        return run.summary
      })
      records.end(summaryRow(summary))
    } finally {
      failures.end()
      tellHooks(engine.progress, context)
      records.close({ isTold: summary !== undefined, isWhole: isReadWhole(request, context) })
    }
    tellSummary(summary, reportPath, context)
    context.signal.throwIfAborted()
    return exitCodeOf(request, summary)
  })
}

function hintForMany({ resume }: GetFlags, { unproven }: Progress): string {
  if (resume === false) return 'The same command again passes over what is proven, and begins the rest anew.'
  const goesOn = 'The same command again continues from here'
  if (unproven === 0) return `${goesOn}.`
  const some = count(unproven, 'file')
  return `${goesOn}, but begins ${some} anew, whose version nothing proves. --allow-weak-resume trusts size and time.`
}

/** One URL that names nothing, as a pattern may, is not some of several. */
function exitCodeOf(request: ListRequest, { failed, rows, statuses }: ManifestSummary): number {
  if (failed === 0) return exitCodes.ok
  const isSingle = request.kind === 'several' && request.urls.length === 1 && rows === 1
  return isSingle && statuses.not_found === 1 ? exitCodes.notFound : exitCodes.someFailed
}

/** Until the end, or until an interrupted run has told what it leaves. */
async function tellAll(run: ManifestRun, records: Records, failures: Failures, context: Context): Promise<void> {
  const { signal } = context
  const sayWhy = () => warn(context, 'writing down what is left; Ctrl-C again leaves at once.')
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(sayWhy, LONG_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const result of run) tellResult(result, records, failures, context)
  } catch (error) {
    // The summary knows whether there is more to say.
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}

/** An end that takes longer wants an explanation. */
const LONG_MS = 1000

/** Of what came through a pipe, nobody knows how it would have gone on. */
function isReadWhole(request: ListRequest, { signal }: Context): boolean {
  return !signal.aborted || (request.kind === 'manifest' && !isFromPipe(request))
}

function isFromPipe(request: ListRequest): boolean {
  return request.kind === 'manifest' && isPiped(request.file)
}

function namesObjects(request: ListRequest, flags: GetFlags): boolean {
  return request.kind === 'manifest' ? flags.cred !== undefined : request.urls.some(isObject)
}

function tellResult(result: ManifestResult, records: Records, failures: Failures, context: Context): void {
  const { outcome } = result
  const { flags, say } = context
  records.add(result)
  if (flags.json) printJson(context, outcome)
  // What was not done because of a signal is no failure of its own.
  else if (outcome.status === 'cancelled') return
  else if (!outcome.ok) failures.tell(outcome)
  else if (flags.quiet) return
  else if (outcome.renamed_from !== undefined) say(renamedLine(outcome, context))
  else if (flags.verbosity > 0) say(goodLine(outcome, context))
}

function renamedLine(outcome: Outcome, { terminal }: Context): string {
  const { renamed_from = '', path = '' } = outcome
  return `${printable(shownPath(path, terminal.cwd))}  renamed: row ${outcome.index + 1} names it ${printable(renamed_from)}`
}

function goodLine(outcome: Outcome, { terminal }: Context): string {
  const { status, path, size_actual, checksum_type, verified, repaired } = outcome
  const name = path === undefined ? nameOf(outcome) : shownPath(path, terminal.cwd)
  const about = [
    status.replaceAll('_', ' '),
    ...(size_actual === undefined ? [] : [formatSize(size_actual)]),
    ...(verified && checksum_type !== undefined ? [`${checksum_type} ok`] : []),
    ...(repaired ? ['repaired'] : []),
  ]
  return `${printable(name)}  ${about.join(', ')}`
}

function tellSummary(summary: ManifestSummary, report: string | undefined, context: Context): void {
  const { flags, style, say, terminal } = context
  if (flags.json) printJson(context, summaryRow(summary))
  if (flags.json || flags.quiet) return
  const isWorthALook = summary.failed > 0 && report !== undefined
  say(summaryLine(summary, style) + (isWorthALook ? `; see ${printable(shownPath(report, terminal.cwd))}` : ''))
}
