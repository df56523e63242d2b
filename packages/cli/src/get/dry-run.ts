import { type Context, printJson, printLine } from '../context.ts'
import { type BadRow, type Engine, type EngineDoor, type Entry, withEngine } from '../engine.ts'
import { tell, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { engineOptions, fetchOptions } from '../options/fetch.ts'
import { checksumsFrom, type GetFlags } from '../options/file.ts'
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
  readonly error?: { readonly code: string; readonly message: string } | undefined
}

/** Shows the plan and transfers nothing; with --probe the servers are asked for sizes and names. */
export async function showPlan(
  request: Exclude<GetRequest, { kind: 'stdout' }>,
  flags: GetFlags,
  context: Context,
): Promise<number> {
  return withEngine(engineOptions(flags, context), async (engine, door) => {
    let [files, bytes, unsized, failed] = [0, 0, 0, 0]
    for await (const rows of rowsOf(request, flags, context, door, engine)) {
      for (const row of rows) {
        const planned = await plan(row, request, flags, context, door, engine)
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

async function plan(
  row: Entry | BadRow,
  request: Exclude<GetRequest, { kind: 'stdout' }>,
  flags: GetFlags,
  context: Context,
  door: EngineDoor,
  engine: Engine,
): Promise<PlannedFile> {
  if ('error' in row) return { url: '', target: '', checksums: [], error: tell(row.error) }
  const url = row.uris[0] ?? ''
  const planned = {
    url: withoutSecrets(url),
    size: row.size,
    checksums: row.checksums.map(({ algorithm, value }) => `${algorithm}:${value}`),
  }
  try {
    const resource = flags.probe
      ? await door.probe(url, { ...fetchOptions(flags, context, [url]), headers: row.headers, engine })
      : undefined
    const name = door.fileNameFor({ url, suggested: resource?.name })
    return { ...planned, size: resource?.size ?? row.size, target: targetOf(row, request, name, door) }
  } catch (error) {
    context.signal.throwIfAborted()
    return { ...planned, target: row.path ?? '', error: tell(error) }
  }
}

function targetOf(
  row: Entry,
  request: Exclude<GetRequest, { kind: 'stdout' }>,
  name: string,
  door: Pick<EngineDoor, 'resolveTarget'>,
): string {
  if (request.kind === 'one') {
    const { target } = request
    return target === undefined ? name : target.endsWith('/') ? `${target}${name}` : target
  }
  const path = row.path === undefined ? name : row.path.endsWith('/') ? `${row.path}${name}` : row.path
  return door.resolveTarget(request.directory, path)
}

function tellPlanned(planned: PlannedFile, context: Context): void {
  const { url, target, size, checksums, error } = planned
  if (context.flags.json) {
    printJson(context, { ok: error === undefined, ...planned })
    return
  }
  if (error) {
    context.say(`${context.style.red('failed')} ${error.code}: ${toLine({ ...error, exitCode: 0 })}`)
    return
  }
  const about = [size === undefined ? 'size unknown' : formatSize(size), ...checksums.map(each => each.split(':')[0])]
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
