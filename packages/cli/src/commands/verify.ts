import { type Command, Option } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import { withEngine } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { openReport } from '../get/report.ts'
import { valued } from '../options/fetch.ts'
import { addChecksumOptions, checksumsFrom, type ProofFlags } from '../options/file.ts'
import { addProfileOptions, type ProfileFlags, withProfile } from '../profile/with-profile.ts'
import { progressMode, progressModes, withProgress } from '../progress/with-progress.ts'
import { printable } from '../text.ts'
import { parseCount } from '../units.ts'
import { candidatesOf, filesOf } from '../verify/candidates.ts'
import { checkAll, type State, type Verdict } from '../verify/check.ts'
import type { Run } from './define.ts'

export interface VerifyFlags extends ProofFlags, ProfileFlags {
  readonly manifest?: string
  readonly input?: string
  readonly dir?: string
  readonly concurrency?: number
  readonly report?: string
  readonly progress?: (typeof progressModes)[number]
}

export function define(command: Command, run: Run): void {
  command
    .argument('[file...]', 'file to compare with --checksum')
    .usage('--manifest LIST [-d DIR]  |  <file> --checksum ALG:HEX')
    .optionsGroup('What to read:')
    .addOption(new Option('-m, --manifest <FILE>', 'a list as for get, or lines of sha256sum and the like; - is stdin'))
    .addOption(new Option('-i, --input <FILE>', 'the same, by getm’s other name'))
    .addOption(new Option('-d, --dir <DIR>', 'where the files of the list are (default: here)'))
  addChecksumOptions(command)
  command
    .optionsGroup('Output:')
    .addOption(valued('--concurrency <N>', 'files at once (default: one per core, at most 4)', parseCount))
    .addOption(new Option('--report <FILE>', 'write the verdict on each file, as JSON lines'))
    .addOption(new Option('--progress <KIND>', 'bar on a terminal, else plain lines').choices(progressModes))
  addProfileOptions(command)
  command.addHelpText(
    'after',
    `
Examples:
  arriero verify --manifest list.json -d data
  arriero verify --manifest SHA256SUMS
  arriero verify ocean.nc --checksum sha256:9f86d081884c7d65…

Every file is ok, mismatch, missing, unreadable or unverifiable (nothing to
compare with). Exit code 0 only when all are ok. Nothing is changed.`,
  )
  command.action(run(verify))
}

async function verify(files: string[], flags: VerifyFlags, context: Context): Promise<number> {
  const list = flags.manifest ?? flags.input
  refuseContradictions(files, list, flags)
  context.onInterrupt = () => 'Nothing was changed.'
  return withEngine({}, async (engine, door) => {
    const candidates =
      list === undefined
        ? filesOf(
            files,
            checksumsFrom(flags, door).map(text => door.parseChecksumArgument(text)),
            flags.size,
          )
        : candidatesOf(list, flags.dir ?? '.', context, door)
    const totals: Record<State, number> = { ok: 0, mismatch: 0, missing: 0, unreadable: 0, unverifiable: 0 }
    const report = flags.report === undefined ? undefined : openReport(flags.report)
    const progress = new door.Progress()
    const mode = progressMode(context, flags.progress)
    let last: Verdict | undefined
    try {
      const read = async () => {
        const options = { engine, door, progress, signal: context.signal, concurrency: flags.concurrency }
        for await (const verdict of checkAll(candidates, options)) {
          totals[verdict.state]++
          last = verdict
          report?.add(rowOf(verdict))
          tellVerdict(verdict, context)
        }
      }
      await withProfile(context, flags, { engine, door, progress, phase: 'verify' }, () =>
        withProgress(context, mode, progress, { isSingle: files.length === 1 }, read),
      )
      report?.add({ summary: summaryOf(totals) })
    } finally {
      report?.close()
    }
    if (list !== undefined || files.length > 1) tellSummary(totals, context)
    return files.length === 1 && last ? exitCodeFor[last.state] : exitCodeForAll(totals)
  })
}

const exitCodeFor: Readonly<Record<State, number>> = {
  ok: exitCodes.ok,
  mismatch: exitCodes.mismatch,
  missing: exitCodes.notFound,
  unreadable: exitCodes.localIo,
  unverifiable: exitCodes.mismatch,
}

function exitCodeForAll(totals: Readonly<Record<State, number>>): number {
  const { listed, ok } = summaryOf(totals)
  // A list without a single row proves nothing: most likely it was the wrong file.
  if (listed === 0) throw new ProgramError('Usage', 'The list has no files.')
  return ok === listed ? exitCodes.ok : exitCodes.someFailed
}

function refuseContradictions(files: readonly string[], list: string | undefined, flags: VerifyFlags): void {
  const refuse = (message: string) => {
    throw new ProgramError('Usage', message)
  }
  if (flags.manifest !== undefined && flags.input !== undefined) refuse('--manifest and --input are the same.')
  if (list !== undefined && files.length > 0) refuse('Files and --manifest contradict each other.')
  if (list === undefined && files.length === 0) refuse('Nothing to verify: give a file or --manifest.')
  if (list !== undefined && (flags.checksum ?? flags.size) !== undefined) {
    refuse('A list has its own checksums: --checksum and --size speak of one file.')
  }
  if (list === undefined && flags.checksum === undefined) {
    refuse('Nothing to compare with: give --checksum ALG:HEX or --manifest.')
  }
  if (files.length > 1) refuse('--checksum speaks of one file; use --manifest for several.')
  if (list === undefined && flags.dir !== undefined) refuse('--dir belongs to --manifest.')
}

function tellVerdict(verdict: Verdict, context: Context): void {
  const { flags, terminal, style, say } = context
  if (flags.json) {
    printJson(context, rowOf(verdict))
    return
  }
  const { name, state, reason } = verdict
  const detail = reason === undefined ? '' : ` (${printable(reason)})`
  if (state === 'ok') {
    // Like sha256sum -c, on stdout; a long list of good news is for those who ask.
    if (!flags.quiet) printVerdict(`${printable(name)}: ok${detail}`, context)
    return
  }
  const line = `${printable(name)}: ${state.toUpperCase()}${detail}`
  // On a terminal both would show the same line twice.
  if (terminal.stdout.isTTY || flags.quiet) say(style.red(line))
  else printLine(context, line)
}

/** Through the bars, when stdout is the same terminal. */
function printVerdict(line: string, context: Context): void {
  if (context.terminal.stdout.isTTY) context.say(line)
  else printLine(context, line)
}

function rowOf({ name, path, state, reason, size, verification, reads }: Verdict): Record<string, unknown> {
  return { ok: state === 'ok', name, path, state, reason, size, reads, checks: verification?.checks }
}

function summaryOf(totals: Readonly<Record<State, number>>) {
  const listed = Object.values(totals).reduce((sum, n) => sum + n, 0)
  return { listed, ...totals }
}

function tellSummary(totals: Readonly<Record<State, number>>, context: Context): void {
  const summary = summaryOf(totals)
  if (context.flags.json) {
    printJson(context, { summary })
    return
  }
  if (context.flags.quiet) return
  const parts = Object.entries(totals).filter(([state, n]) => n > 0 || state === 'ok')
  const text = `${summary.listed.toLocaleString('en-US')} listed: ${parts.map(([state, n]) => `${n} ${state}`).join(', ')}`
  context.say(summary.ok === summary.listed ? context.style.green(text) : context.style.red(text))
}
