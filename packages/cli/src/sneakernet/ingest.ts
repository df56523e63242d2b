import { resolve } from 'node:path'
import { type Context, printJson, warn } from '../context.ts'
import { loadEngine } from '../engine.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, patientRetries, withLibrarian } from '../librarian/client.ts'
import { createOutcomes, type Outcomes } from '../librarian/outcomes.ts'
import { progressMode, type progressModes, withProgress } from '../progress/with-progress.ts'
import { count, printable } from '../text.ts'
import { formatSize } from '../units.ts'

export interface IngestFlags extends LibrarianFlags {
  readonly receipt?: string
  readonly report?: string
  readonly progress?: (typeof progressModes)[number]
}

export async function ingest([directory = '.']: string[], flags: IngestFlags, context: Context): Promise<number> {
  const { signal, terminal } = context
  context.onInterrupt = () => 'The same command again goes on: what the librarian keeps is passed over.'
  const { Progress } = await loadEngine()
  const outcomes = createOutcomes(context, 'ingested', flags)
  try {
    return await withLibrarian(
      flags,
      context,
      async (librarian, door) => {
        const progress = new Progress()
        const mode = progressMode(context, flags.progress)
        const { disk } = await withProgress(context, mode, progress, { isSingle: false }, () =>
          door.ingestDisk(librarian, resolve(terminal.cwd, directory), {
            progress,
            signal,
            records: door.createResumeRecords(door.uploadStateDirectory(terminal.env)),
            onOutcome: outcome => tell(outcome, outcomes),
            onExtra: path => warn(context, `${printable(path)} is in no list of the disk: it was left alone.`),
            onWait: onceAMinute(files => warn(context, `${count(files, 'file')} wait for the librarian to keep them.`)),
          }),
        )
        if (flags.receipt !== undefined) {
          const path = resolve(terminal.cwd, flags.receipt)
          const files = await door.writeReceipt(librarian, disk, path, signal)
          if (!context.flags.quiet) context.say(`${printable(flags.receipt)}  signed for ${count(files, 'file')}`)
        }
        return outcomes.end()
      },
      { retries: patientRetries },
    )
  } finally {
    outcomes.close()
  }
}

type Outcome = Parameters<Parameters<typeof import('@arriero/client').ingestDisk>[2]['onOutcome']>[0]

function tell(outcome: Outcome, outcomes: Outcomes): void {
  const { name, size, checksum, sha256, kind } = outcome.item
  if (!outcome.ok) return outcomes.fail(name, outcome.error)
  const isNew = outcome.state === 'done'
  const line = `${formatSize(size)}, ${isNew ? 'kept by the librarian' : 'was there already'}, sha256 ok`
  outcomes.succeed({ name, size, isNew, line, row: { name, kind, size, checksum, sha256, status: outcome.state } })
}

function onceAMinute(say: (files: number) => void): (files: number) => void {
  // The first wait is usual, and over in a moment.
  let next = performance.now() + 5000
  return files => {
    if (performance.now() < next) return
    next = performance.now() + 60_000
    say(files)
  }
}

export async function confirm([file = '']: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  const { signal, terminal, flags: common } = context
  return await withLibrarian(flags, context, async (librarian, door) => {
    const { disk, confirmed, refused } = await door.confirmReceipt(librarian, resolve(terminal.cwd, file), signal)
    if (common.json) printJson(context, { ok: refused.length === 0, disk_id: disk, confirmed, refused })
    else {
      for (const name of refused) context.say(`${printable(name)}: no open transfer of this disk`)
      if (!common.quiet) context.say(`disk ${disk}: ${count(confirmed, 'file')} confirmed`)
    }
    return refused.length > 0 ? exitCodes.someFailed : exitCodes.ok
  })
}
