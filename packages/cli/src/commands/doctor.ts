import { type Command, Option } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import type { Finding } from '../doctor/finding.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { styleFor } from '../terminal.ts'
import { pad, printable } from '../text.ts'
import type { Run } from './define.ts'

interface DoctorFlags {
  readonly dir: string
  readonly catalogue?: boolean
  readonly deployment?: boolean
  readonly url?: string
  readonly ready?: string
  readonly config?: string
  readonly data?: string
}

export function define(command: Command, run: Run): void {
  command.addOption(new Option('-d, --dir <DIR>', 'the directory that downloads go to').default('.', 'here'))
  command.addOption(
    new Option('--catalogue', 'compare a librarian’s stores with its catalogue instead; changes nothing'),
  )
  command.addOption(
    new Option(
      '--deployment',
      'say why a librarian does not start or not work: database, stores, key, other librarians; changes nothing',
    ).conflicts('catalogue'),
  )
  command.addOption(
    new Option(
      '--url <URL>',
      'the address by which users reach a librarian: looks at its proxy and certificate; with --deployment, too',
    ),
  )
  command.addOption(
    new Option('--ready <URL>', 'ask a running librarian only whether it can do its work').conflicts([
      'catalogue',
      'deployment',
    ]),
  )
  command.addOption(new Option('--config <FILE>', 'of a librarian: its settings'))
  command.addOption(new Option('--data <DIR>', 'of a librarian: its data directory (default: as arriero serve)'))
  command.addHelpText(
    'after',
    `
Examples:
  arriero doctor
  arriero doctor -d /scratch/me --json
  arriero doctor --catalogue --config arriero.yaml
  arriero doctor --deployment --config arriero.yaml --url https://data.org
  arriero doctor --url https://librarian.example.org
  arriero doctor --quiet --ready http://127.0.0.1:8080

Writes a small file in the directory and removes it. Exit code 1 when something
is broken; warnings are no failure. Exit code 2 when --catalogue or --deployment
could not look at all of it: no librarian is here, or its server runs. Run
--deployment as the user, and on the machine or in the container, of the server.`,
  )
  command.action(run(doctor))
}

async function doctor(_operands: string[], flags: DoctorFlags, context: Context): Promise<number> {
  const findings = await findingsOf(flags, context)
  const levels = new Set<Finding['level']>()
  for await (const finding of findings) {
    levels.add(finding.level)
    if (!(context.flags.quiet && finding.level === 'ok')) show(finding, context)
  }
  if (levels.has('fail')) return exitCodes.someFailed
  return levels.has('unknown') ? exitCodes.usage : exitCodes.ok
}

function findingsOf(flags: DoctorFlags, context: Context): Promise<AsyncIterable<Finding>> {
  const { ready } = flags
  for (const url of [flags.url, ready]) demandHttp(url)
  if (ready !== undefined) return askReady(ready, context)
  if (flags.deployment || flags.url !== undefined) return examineServer(flags, context)
  return flags.catalogue ? examineStores(flags, context) : examineMachine(flags, context)
}

function demandHttp(url: string | undefined): void {
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return
  throw new ProgramError('Usage', `The address must begin with http:// or https://, got ${url}`)
}

async function askReady(url: string, { signal }: Context): Promise<AsyncIterable<Finding>> {
  const { examineReadiness } = await import('../doctor/readiness.ts')
  return examineReadiness(url, signal)
}

async function examineServer(flags: DoctorFlags, context: Context): Promise<AsyncIterable<Finding>> {
  const { examineDeployment, examineProxy } = await import('../doctor/deployment.ts')
  return flags.deployment ? examineDeployment(flags, context) : examineProxy(flags.url!, context)
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
