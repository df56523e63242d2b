import type { Command } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import { type Resource, withEngine } from '../engine.ts'
import { classOf, tellItem, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { resourceRow } from '../get/outcome.ts'
import { readSources } from '../get/request.ts'
import { warnOfInsecure } from '../get/warnings.ts'
import { addAccessOptions, addSpeedOptions, engineOptions, type FetchFlags, fetchOptions } from '../options/fetch.ts'
import { pad, printable, withoutSecrets } from '../text.ts'
import { formatSize } from '../units.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.argument('<url...>', 'what to ask for')
  addAccessOptions(command)
  addSpeedOptions(command)
  command.addHelpText(
    'after',
    `
Examples:
  arriero stat https://data.example.org/ocean.nc
  arriero stat --json https://example.org/a.nc https://example.org/b.nc

No body is taken. What is shown is what the server says, not what was verified.`,
  )
  command.action(run(stat))
}

async function stat(operands: string[], flags: FetchFlags, context: Context): Promise<number> {
  const urls = readSources(operands)
  const fetch = fetchOptions(flags, context, urls)
  warnOfInsecure(flags, context)
  return withEngine(engineOptions(flags, context), async (engine, door) => {
    let failed = 0
    for (const url of urls) {
      try {
        show(withoutSecrets(url), await door.probe(url, { ...fetch, engine }), context)
      } catch (error) {
        // A single one is answered where all errors are, with its own exit code.
        if (urls.length === 1 || context.signal.aborted) throw error
        failed++
        showFailure(withoutSecrets(url), error, context)
      }
    }
    return failed > 0 ? exitCodes.someFailed : exitCodes.ok
  })
}

function show(uri: string, resource: Resource, context: Context): void {
  if (context.flags.json) {
    printJson(context, { ok: true, uri, ...resourceRow(resource) })
    return
  }
  printLine(context, printable(uri))
  for (const [label, value] of rowsOf(resource)) printLine(context, `  ${pad(label, 14)}${printable(value)}`)
}

/** Label and value of everything that is known. */
export function rowsOf(resource: Resource): [string, string][] {
  const { size, ranges, etag, lastModified, version, checksums, name, contentType, contentEncoding } = resource
  const rangesText = { yes: 'yes, parts can be fetched at once', no: 'no, one stream', unproven: 'not proven' }
  const rows: [string, string | undefined][] = [
    ['size', size === undefined ? 'unknown' : `${size.toLocaleString('en-US')} bytes (${formatSize(size)})`],
    ['ranges', rangesText[ranges]],
    ['entity tag', etag && `${etag.value}${etag.isWeak ? ' (weak)' : ''}`],
    ['last modified', lastModified === undefined ? undefined : new Date(lastModified).toISOString()],
    ['version', version],
    ['type', contentType],
    ['encoding', contentEncoding],
    ['name', name],
    ...checksums.map(each => checksumRow(each)),
  ]
  return rows.filter((row): row is [string, string] => row[1] !== undefined)
}

function checksumRow({ algorithm, value, coverage, origin }: Resource['checksums'][number]): [string, string] {
  return [algorithm, `${value} (${coverage === 'object' ? '' : `${coverage}, `}${origin})`]
}

function showFailure(uri: string, error: unknown, context: Context): void {
  const told = tellItem(error)
  if (context.flags.json) {
    printJson(context, { ok: false, uri, error: told })
    return
  }
  context.say(`${context.style.red('failed')} ${classOf(told)}: ${toLine(told)}`)
}
