import { type Command, Option } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import type { Finding } from '../doctor/finding.ts'
import { exitCodes } from '../exit-codes.ts'
import { styleFor } from '../terminal.ts'
import { pad, printable } from '../text.ts'
import type { Run } from './define.ts'

interface DoctorFlags {
  readonly dir: string
  readonly catalogue?: boolean
  readonly config?: string
  readonly data?: string
}

export function define(command: Command, run: Run): void {
  command.addOption(new Option('-d, --dir <DIR>', 'the directory that downloads go to').default('.', 'here'))
  command.addOption(
    new Option('--catalogue', 'compare a librarian’s stores with its catalogue instead; changes nothing'),
  )
  command.addOption(new Option('--config <FILE>', 'with --catalogue: settings of the librarian'))
  command.addOption(new Option('--data <DIR>', 'with --catalogue: its data directory (default: as arriero serve)'))
  command.addHelpText(
    'after',
    `
Examples:
  arriero doctor
  arriero doctor -d /scratch/me --json
  arriero doctor --catalogue --config arriero.yaml

Writes a small file in the directory and removes it. Exit code 1 when something
is broken; warnings are no failure. Exit code 2 when --catalogue could not
compare: no librarian is here, or its server runs.`,
  )
  command.action(run(doctor))
}

async function doctor(_operands: string[], flags: DoctorFlags, context: Context): Promise<number> {
  const findings = flags.catalogue ? await examineStores(flags, context) : await examineMachine(flags, context)
  const levels = new Set<Finding['level']>()
  for await (const finding of findings) {
    levels.add(finding.level)
    if (!(context.flags.quiet && finding.level === 'ok')) show(finding, context)
  }
  if (levels.has('fail')) return exitCodes.someFailed
  return levels.has('unknown') ? exitCodes.usage : exitCodes.ok
}

async function examineMachine({ dir }: DoctorFlags, context: Context): Promise<AsyncIterable<Finding>> {
  const { examine } = await import('../doctor/examine.ts')
  return examine(dir, context)
}

async function examineStores(flags: DoctorFlags, context: Context): Promise<AsyncIterable<Finding>> {
  const { examineCatalogue } = await import('../doctor/catalogue.ts')
  return examineCatalogue(flags, context)
}

/** Of `row-without-bytes`, the longest. */
const CHECK_WIDTH = 17

function show({ check, level, found, next }: Finding, context: Context): void {
  if (context.flags.json) {
    printJson(context, { check, level, found, next })
    return
  }
  const style = styleFor(context.terminal.stdout, context.terminal.env)
  const paint = { ok: style.green, warn: style.yellow, fail: style.red, unknown: style.yellow }[level]
  printLine(context, `${paint(pad(level, 7))} ${pad(check, CHECK_WIDTH)} ${printable(found)}`)
  if (next !== undefined) printLine(context, `${' '.repeat(7 + 1 + CHECK_WIDTH + 1)}-> ${printable(next)}`)
}
