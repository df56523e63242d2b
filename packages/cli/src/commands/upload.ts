import { basename, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { loadEngine } from '../engine.ts'
import { ProgramError, tell } from '../errors.ts'
import {
  type LibrarianFlags,
  librarianOption,
  patientRetries,
  type UploadOutcome,
  withLibrarian,
} from '../librarian/client.ts'
import { createOutcomes, type Done } from '../librarian/outcomes.ts'
import { uploadRequests } from '../librarian/upload-requests.ts'
import { valued } from '../options/fetch.ts'
import { progressMode, progressModes, withProgress } from '../progress/with-progress.ts'
import { formatSize, parseCount } from '../units.ts'
import type { Run } from './define.ts'

export interface UploadFlags extends LibrarianFlags {
  readonly each?: boolean
  readonly deletion?: 'allowed' | 'disallowed'
  readonly checksum?: 'xxh3' | 'sha256' | 'sha512' | 'sha1' | 'md5'
  readonly followLinks?: boolean
  readonly concurrency?: number
  readonly report?: string
  readonly progress?: (typeof progressModes)[number]
}

export function define(command: Command, run: Run): void {
  command
    .argument('<path...>', 'files or directories, and last the name that the librarian shall know')
    .usage('<path> <name>  |  <path>… <prefix>/')
    .addOption(librarianOption())
    .addOption(new Option('--each', 'of a directory: every file under a name of its own (default: one tree)'))
    .addOption(
      new Option('--deletion <POLICY>', 'may the librarian delete its copy by its rules').choices([
        'allowed',
        'disallowed',
      ]),
    )
    .addOption(
      new Option('--checksum <ALG>', 'digest that goes with it for ever (default: xxh3)').choices([
        'xxh3',
        'sha256',
        'sha512',
        'sha1',
        'md5',
      ]),
    )
    .addOption(
      new Option('--follow-links', 'below a directory, send the files that links lead to (default: refuse links)'),
    )
    .addOption(valued('--concurrency <N>', 'files at once (default: 4)', parseCount))
    .addOption(new Option('--report <FILE>', 'write what became of each, as JSON lines'))
    .addOption(new Option('--progress <KIND>', 'bar on a terminal, else plain lines').choices(progressModes))
  command.addHelpText(
    'after',
    `
Examples:
  arriero upload ocean.nc 2026/ocean.nc
  arriero upload *.nc 2026/
  arriero upload night-1 observations/night-1
  arriero upload --each night-1 observations/

With several paths the last operand is what comes before their own names, with a
slash at its end or without. A directory becomes one tree under one name. It is
done when the librarian has read every byte and answered; the same command again
continues, and passes over what is there already. Nothing is ever replaced.`,
  )
  command.action(run(upload))
}

async function upload(operands: string[], flags: UploadFlags, context: Context): Promise<number> {
  if (operands.length < 2) {
    throw new ProgramError('Usage', 'Two are needed: what to upload, and the name that the librarian shall know.')
  }
  return uploadEach(operands, flags, context)
}

async function uploadEach(operands: readonly string[], flags: UploadFlags, context: Context): Promise<number> {
  const { each: isEach = false, followLinks } = flags
  const isSingle = operands.length === 2 && !isEach
  context.onInterrupt = () =>
    'The same command again goes on: what is kept is passed over, what went over HTTP is continued, a local copy begins anew.'
  const engine = await loadEngine()
  const outcomes = createOutcomes(context, 'uploaded', flags)
  const requests = uploadRequests(operands, { isEach, followLinks, onRefused: outcomes.fail })
  try {
    return await withLibrarian(
      flags,
      context,
      async (librarian, door) => {
        const progress = new engine.Progress()
        const begun = performance.now()
        await withProgress(context, progressMode(context, flags.progress), progress, { isSingle }, async () => {
          const run = door.uploadAll(librarian, requests, {
            deletion: flags.deletion === 'allowed' ? 'ALLOWED' : 'DISALLOWED',
            checksum: flags.checksum,
            links: flags.followLinks ? 'follow' : 'refuse',
            concurrency: flags.concurrency,
            records: door.createResumeRecords(door.uploadStateDirectory(context.terminal.env)),
            progress,
            signal: context.signal,
          })
          for await (const outcome of run) {
            if (outcome.ok) outcomes.succeed(doneOf(outcome, performance.now() - begun))
            else outcomes.fail(outcome.request.name, isSingle ? withSlashHint(outcome, context) : outcome.error)
          }
        })
        return outcomes.end()
      },
      { retries: patientRetries },
    )
  } finally {
    outcomes.close()
  }
}

/** Whoever names what others lie below, and no slash, most likely means to put it there, too. */
function withSlashHint({ request, error }: Extract<UploadOutcome, { ok: false }>, { terminal }: Context): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'FileExists' && 'fields' in error)) return error
  const { existing } = error.fields as { readonly existing?: { readonly name?: unknown } }
  if (!String(existing?.name ?? '').startsWith(`${request.name}/`)) return error
  const own = basename(resolve(terminal.cwd, request.path))
  return new ProgramError('FileExists', error.message, {
    remedy: `Names begin with ${request.name}/ already: with a slash, ${request.name}/, it becomes ${request.name}/${own}.`,
    exitCode: tell(error).exitCode,
    cause: error,
  })
}

function doneOf({ uploaded }: Extract<UploadOutcome, { ok: true }>, ms: number): Done {
  const { name, size, status, checksum, kind, method, held } = uploaded
  const algorithm = checksum.split(':::')[0]
  const isNew = status === 'uploaded'
  const notes = [
    `${formatSize(size)}${isNew ? ` in ${(ms / 1000).toFixed(1)} s` : ''}`,
    isNew ? `kept by the librarian, ${algorithm} ok` : `was there already, ${algorithm} is the same`,
    ...(held > 0 ? [`${formatSize(held)} of it sent earlier`] : []),
  ]
  return {
    name,
    size,
    isNew,
    line: notes.join(', '),
    row: { name, path: uploaded.path, kind, size, checksum, status, method, held },
  }
}
