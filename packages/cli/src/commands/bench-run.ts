/** What `bench` runs in a process of its own: fetches one URL and prints what only the inside knows. Hidden. */
import { createHash } from 'node:crypto'
import { type Command, Option } from 'commander'
import type { RunReport } from '../bench/run-report.ts'
import { type Context, printJson } from '../context.ts'
import { type DownloadOptions, type EngineDoor, withEngine } from '../engine.ts'
import { exitCodes } from '../exit-codes.ts'
import { isObject, readSources } from '../get/request.ts'
import { engineOptions, fetchOptions } from '../options/fetch.ts'
import { addGetOptions, checksumsFrom, fileOptions, type GetFlags } from '../options/file.ts'
import type { Run } from './define.ts'

interface RunFlags extends GetFlags {
  readonly to: keyof typeof ways
  readonly digest?: boolean
}

export function define(command: Command, run: Run): void {
  command.argument('<url>')
  addGetOptions(command)
  command.addOption(new Option('--to <WHERE>').choices(['file', 'memory', 'null', 'nothing']).makeOptionMandatory())
  command.addOption(new Option('--digest', 'also print the SHA-256 of what goes to no file'))
  command.action(run(benchRun))
}

async function benchRun(operands: string[], flags: RunFlags, context: Context): Promise<number> {
  const [url] = readSources(operands) as [string]
  const fetch = fetchOptions(flags, context, [url])
  await withEngine(engineOptions(flags, context), async (engine, door) => {
    if (isObject(url)) await door.logIn({ ...fetch, engine })
    const checksums = checksumsFrom(flags, door)
    const options = { ...fetch, ...fileOptions(flags), engine, checksums, mirrors: flags.mirror, size: flags.size }
    const fetched = await ways[flags.to](url, flags, options, door)
    const { peakConnections, retries, hedgedBytes } = engine.progress
    printJson(context, { ...fetched, peakConnections, retries, hedgedBytes } satisfies RunReport)
  })
  return exitCodes.ok
}

type Fetched = Pick<RunReport, 'bytes' | 'ranges' | 'sha256' | 'verifySeconds'>
type Way = (url: string, flags: RunFlags, options: DownloadOptions, door: EngineDoor) => Promise<Fetched>

const ways = {
  async file(url, { output }, options, door) {
    const { bytes, timings } = await door.download(url, output, options)
    return { bytes, verifySeconds: timings.verifyMs / 1000 }
  },
  async memory(url, { digest }, options, door) {
    const bytes = await door.readAll(url, { ...options, maxMemoryBytes: Number.MAX_SAFE_INTEGER })
    return { bytes: bytes.length, sha256: digest ? createHash('sha256').update(bytes).digest('hex') : undefined }
  },
  async null(url, { digest }, options, door) {
    const hash = digest ? createHash('sha256') : undefined
    const take = ({ bytes }: { bytes: Uint8Array }) => void hash?.update(bytes)
    const { verification, timings } = await door.consume(url, take, options)
    return { bytes: verification.size, sha256: hash?.digest('hex'), verifySeconds: timings.verifyMs / 1000 }
  },
  /** Only asks. */
  async nothing(url, _flags, options, door) {
    const { size, ranges } = await door.probe(url, options)
    return { bytes: size, ranges }
  },
} satisfies Readonly<Record<string, Way>>
