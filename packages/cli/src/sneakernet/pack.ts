import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Context, printJson, warn } from '../context.ts'
import { withEngine } from '../engine.ts'
import { classOf, ProgramError, tellItem, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, patientRetries, withLibrarian } from '../librarian/client.ts'
import { progressMode, type progressModes, withProgress } from '../progress/with-progress.ts'
import { count, printable } from '../text.ts'
import { formatSize } from '../units.ts'

export interface PackFlags extends LibrarianFlags {
  readonly to: string
  readonly disk: string
  readonly store?: string
  readonly files?: string
  readonly label?: string
  readonly progress?: (typeof progressModes)[number]
}

export async function pack(_: string[], flags: PackFlags, context: Context): Promise<number> {
  const { signal, terminal } = context
  context.onInterrupt = () => 'The same command again goes on: what was read back from the disk stays.'
  const directory = resolve(terminal.cwd, flags.disk)
  const names = flags.files === undefined ? undefined : await namesIn(flags.files, context)
  const order = { destination: flags.to, directory, store: flags.store, label: flags.label, names }
  return await withEngine({ proxyFromEnvironment: true }, engine =>
    withLibrarian(
      flags,
      context,
      async (librarian, door) => {
        const mode = progressMode(context, flags.progress)
        const onFailed = (name: string, error: unknown) => tellFailed(name, error, context)
        const onShort = ({ files, needed, room }: Short) =>
          warn(
            context,
            `the disk has too little room for all: ${count(files, 'file')} need ${formatSize(needed)}, it has ${formatSize(room)}, ${formatSize(needed - room)} too few; what has room is packed.`,
          )
        const options = { engine, progress: engine.progress, signal, onFailed, onShort }
        const report = await withProgress(context, mode, engine.progress, { isSingle: false }, () =>
          door.packDisk(librarian, order, options),
        )
        tellPacked(report, flags, context)
        return report.failed > 0 ? exitCodes.someFailed : exitCodes.ok
      },
      { retries: patientRetries },
    ),
  )
}

type Short = Parameters<NonNullable<Parameters<typeof import('@arriero/client').packDisk>[2]['onShort']>>[0]
type Report = Awaited<ReturnType<typeof import('@arriero/client').packDisk>>

function tellPacked(report: Report, { to, disk }: PackFlags, context: Context): void {
  const { files, bytes, medium, left } = report
  if (context.flags.json) printJson(context, { ok: report.failed === 0, ...report })
  if (medium === 'cache') {
    warn(
      context,
      'this disk lets nobody read past memory: the files were compared, perhaps not as the medium has them.',
    )
  }
  if (context.flags.json || context.flags.quiet) return
  const packed = `disk ${report.disk} is packed for ${printable(to)}: ${count(files, 'file')}, ${formatSize(bytes)}`
  context.say(`${packed}; unmount ${printable(disk)} before it is unplugged`)
  if (left.files > 0) {
    context.say(
      `${count(left.files, 'file')}, ${formatSize(left.bytes)}, had no room: the same command with another empty disk takes them`,
    )
  }
}

function tellFailed(name: string, error: unknown, context: Context): void {
  const told = tellItem(error)
  if (context.flags.json) printJson(context, { ok: false, name, error: told })
  else context.say(`${context.style.red('failed')} ${classOf(told)}: ${toLine(told, printable(name))}`)
}

/** Read anew each time; what comes through a pipe is kept. */
async function namesIn(list: string, { terminal }: Context): Promise<() => AsyncIterable<string>> {
  if (list !== '-') return () => linesOf(createReadStream(resolve(terminal.cwd, list)), list)
  const kept: string[] = []
  for await (const name of linesOf(process.stdin, 'stdin')) kept.push(name)
  return async function* () {
    yield* kept
  }
}

async function* linesOf(input: NodeJS.ReadableStream, list: string): AsyncGenerator<string> {
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') yield line
    }
  } catch (cause) {
    throw new ProgramError('Usage', `Cannot read ${list} for --files: ${(cause as Error).message}`, { cause })
  }
}
