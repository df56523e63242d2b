import { type Context, printJson, printLine } from '../context.ts'
import {
  type BadRow,
  type Engine,
  type EngineDoor,
  type Entry,
  type NamePlan,
  type Resource,
  withEngine,
} from '../engine.ts'
import { classOf, type ToldItem, tellItem, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { engineOptions, fetchOptions } from '../options/fetch.ts'
import { checksumsFrom, type GetFlags, listOptions } from '../options/file.ts'
import { checkProfileFlags } from '../profile/with-profile.ts'
import { count, printable, withoutSecrets } from '../text.ts'
import { formatSize } from '../units.ts'
import { entriesOf } from './entries.ts'
import type { GetRequest } from './request.ts'

/** What would be done with one entry. */
interface PlannedFile {
  readonly url: string
  /** As far as it is known without asking the server. */
  readonly target: string
  readonly size?: number | undefined
  readonly checksums: readonly string[]
  /** The name that the list gives, where another is used. */
  readonly renamedFrom?: string | undefined
  /** Index of an earlier row that names the same object: nothing is fetched. */
  readonly duplicateOf?: number | undefined
  /** An earlier row has the name, and --on-conflict says skip. */
  readonly isSkipped?: true
  readonly error?: ToldItem | undefined
}

/** Shows the plan and transfers nothing; with --probe the servers are asked for sizes and names. */
export async function showPlan(
  request: Exclude<GetRequest, { kind: 'stdout' }>,
  flags: GetFlags,
  context: Context,
): Promise<number> {
  checkProfileFlags(flags)
  return withEngine(engineOptions(flags, context), async (engine, door) => {
    let [files, bytes, unsized, failed] = [0, 0, 0, 0]
    const names = door.planNames(request.kind === 'one' ? {} : listOptions(flags, request.directory))
    const probe = (row: Entry) => {
      const [url = ''] = row.uris
      return door.probe(url, { ...fetchOptions(flags, context, [url]), headers: row.headers, engine })
    }
    const { signal } = context
    const planning = { request, names, door, probe: flags.probe ? probe : undefined, signal }
    for await (const rows of rowsOf(request, flags, context, door, engine)) {
      for (const row of rows) {
        const coming = plan(row, planning)
        const planned = coming instanceof Promise ? await coming : coming
        files++
        if (planned.error) failed++
        else if (planned.size === undefined) unsized++
        else bytes += planned.size
        tellPlanned(planned, context)
      }
    }
    const summary = { files, failed, bytes, unsized }
    if (context.flags.json) printJson(context, { summary: { ok: failed === 0, ...summary } })
    else if (!context.flags.quiet) context.say(summaryLine(summary))
    return failed === 0 ? exitCodes.ok : request.kind === 'one' ? exitCodes.usage : exitCodes.someFailed
  })
}

async function* rowsOf(
  request: Exclude<GetRequest, { kind: 'stdout' }>,
  flags: GetFlags,
  context: Context,
  door: EngineDoor,
  engine: Engine,
): AsyncGenerator<readonly (Entry | BadRow)[]> {
  if (request.kind !== 'one') {
    const fetch = { ...fetchOptions(flags, context, request.kind === 'several' ? request.urls : []), engine }
    return yield* entriesOf(request, { fetch, flags, context, door })
  }
  const checksums = checksumsFrom(flags, door).map(text => door.parseChecksumArgument(text))
  yield [{ index: 0, uris: [request.url, ...(flags.mirror ?? [])], size: flags.size, checksums }]
}

interface Planning {
  readonly request: Exclude<GetRequest, { kind: 'stdout' }>
  readonly names: NamePlan
  readonly door: EngineDoor
  /** Asks the source for a size and a name. */
  readonly probe: ((row: Entry) => Promise<Resource>) | undefined
  readonly signal: AbortSignal
}

/** A promise only where a server is asked: lists have millions of rows. */
function plan(row: Entry | BadRow, planning: Planning): PlannedFile | Promise<PlannedFile> {
  if ('error' in row) return { url: '', target: '', checksums: [], error: tellItem(row.error) }
  if (planning.probe) return probed(row, planning, planning.probe)
  return named(row, undefined, planning)
}

async function probed(row: Entry, planning: Planning, probe: NonNullable<Planning['probe']>): Promise<PlannedFile> {
  try {
    return named(row, await probe(row), planning)
  } catch (error) {
    planning.signal.throwIfAborted()
    return { ...about(row), target: row.path ?? '', error: tellItem(error) }
  }
}

function named(row: Entry, resource: Resource | undefined, planning: Planning): PlannedFile {
  const planned = { ...about(row), size: resource?.size ?? row.size }
  const { request, names, door } = planning
  const name = door.fileNameFor({ url: row.uris[0] ?? '', suggested: resource?.name })
  if (request.kind === 'one') return { ...planned, target: targetOf(request.target, name) }
  const first = names.place(row)
  // A URL names itself; of an object only its commons knows the name.
  const isTold = resource !== undefined || row.id === undefined
  const placement = first.status === 'unnamed' && isTold ? names.rename(row, name) : first
  switch (placement.status) {
    case 'placed':
      return {
        ...planned,
        target: door.resolveTarget(request.directory, placement.path),
        renamedFrom: placement.renamedFrom,
      }
    case 'unnamed':
      return { ...planned, target: door.resolveTarget(request.directory, '(named by its commons)') }
    case 'duplicate':
      return { ...planned, target: '', duplicateOf: placement.duplicateOf }
    case 'skipped':
      return { ...planned, target: '', duplicateOf: undefined, isSkipped: true }
    case 'refused':
      return {
        ...planned,
        target: row.path ?? '',
        error: { ...tellItem(placement.error), reason: placement.reason },
      }
  }
}

function about(row: Entry): Omit<PlannedFile, 'target'> {
  return {
    url: withoutSecrets(row.uris[0] ?? ''),
    size: row.size,
    checksums: row.checksums.map(({ algorithm, value }) => `${algorithm}:${value}`),
  }
}

function targetOf(target: string | undefined, name: string): string {
  return target === undefined ? name : target.endsWith('/') ? `${target}${name}` : target
}

function tellPlanned(planned: PlannedFile, context: Context): void {
  const { url, target, size, checksums, renamedFrom, error } = planned
  if (context.flags.json) {
    printJson(context, { ok: error === undefined, ...planned })
    return
  }
  if (error) {
    context.say(`${context.style.red('failed')} ${classOf(error)}: ${toLine(error)}`)
    return
  }
  if (context.flags.quiet) return
  if (target === '') {
    const why = planned.isSkipped
      ? 'an earlier row has its name'
      : `named by row ${(planned.duplicateOf ?? 0) + 1} already`
    printLine(context, `${printable(url)}\n  -> nothing: ${why}`)
    return
  }
  const about = [size === undefined ? 'size unknown' : formatSize(size), ...checksums.map(each => each.split(':')[0])]
  if (renamedFrom !== undefined) about.push(`renamed from ${renamedFrom}`)
  printLine(context, `${printable(url)}\n  -> ${printable(target)}  (${about.join(', ')})`)
}

function summaryLine({
  files,
  failed,
  bytes,
  unsized,
}: Record<'files' | 'failed' | 'bytes' | 'unsized', number>): string {
  const sizes = unsized === 0 ? formatSize(bytes) : `${formatSize(bytes)} and ${count(unsized, 'file')} of unknown size`
  return `${count(files, 'file')}, ${sizes}${failed > 0 ? `, ${failed} unusable` : ''}. Nothing was fetched (--dry-run).`
}
