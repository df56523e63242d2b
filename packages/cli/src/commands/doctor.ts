import { type Command, Option } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import type { Finding } from '../doctor/finding.ts'
import { exitCodes } from '../exit-codes.ts'
import { styleFor } from '../terminal.ts'
import { pad, printable } from '../text.ts'
import type { Run } from './define.ts'

interface DoctorFlags {
  readonly dir: string
}

export function define(command: Command, run: Run): void {
  command.addOption(new Option('-d, --dir <DIR>', 'the directory that downloads go to').default('.', 'here'))
  command.addHelpText(
    'after',
    `
Examples:
  arriero doctor
  arriero doctor -d /scratch/me --json

Writes a small file in the directory and removes it. Exit code 1 when something
is broken; warnings are no failure.`,
  )
  command.action(run(doctor))
}

async function doctor(_operands: string[], flags: DoctorFlags, context: Context): Promise<number> {
  const { examine } = await import('../doctor/examine.ts')
  let isHealthy = true
  for await (const finding of examine(flags.dir, context)) {
    if (finding.level === 'fail') isHealthy = false
    if (!(context.flags.quiet && finding.level === 'ok')) show(finding, context)
  }
  return isHealthy ? exitCodes.ok : exitCodes.someFailed
}

function show({ check, level, found, next }: Finding, context: Context): void {
  if (context.flags.json) {
    printJson(context, { check, level, found, next })
    return
  }
  const style = styleFor(context.terminal.stdout, context.terminal.env)
  const paint = { ok: style.green, warn: style.yellow, fail: style.red }[level]
  printLine(context, `${paint(pad(level, 5))} ${pad(check, 16)} ${printable(found)}`)
  if (next !== undefined) printLine(context, `${' '.repeat(23)}-> ${printable(next)}`)
}
