/** `arriero serve`: finds the settings, runs the server, says what a person needs to go on. */
import { resolve } from 'node:path'
import type { Log, Ready, Settings } from '@arriero/librarian'
import { type Context, printJson, printLine } from '../context.ts'
import { printable } from '../text.ts'
import { type FoundSettings, findOrMakeSettings } from './find-settings.ts'
import { lineWriter } from './line-writer.ts'
import { readyText } from './ready-text.ts'

export interface ServeFlags {
  readonly config?: string
  readonly data?: string
  readonly host?: string
  readonly port?: number
  readonly role?: Settings['role']
  readonly admin: string
  readonly adminPasswordFile?: string
  readonly resetAdmin?: boolean
  readonly migrateStores?: boolean
  readonly backupMade?: boolean
  readonly rebuild?: boolean
  readonly directories: 'none' | 'leaf'
  readonly restore?: string
  readonly replay?: boolean
}

type Door = typeof import('@arriero/librarian')

/** Resolves when the server has stopped, or what it was to do instead is done: to whether all of it is well. */
export async function runServe(flags: ServeFlags, context: Context): Promise<boolean> {
  // Here and not at the top: it is most of the program.
  const door = await import('@arriero/librarian')
  const { settings, settingsPath } = findOrMakeSettings(door, flags, context.terminal)
  const toPerson = lineWriter(context)
  const sinks = door.openLogSinks({ settings, onProblem: message => context.terminal.stderr.write(`${message}\n`) })
  const write = (line: string) => {
    toPerson(line)
    sinks.write(line)
  }
  const log = door.createLog({ level: settings.logLevel, name: settings.name, write })
  try {
    return await runWith({ door, flags, context, settings, settingsPath, log })
  } catch (error) {
    // On stderr the program tells it; in the files it is the last line.
    const toSinks = door.createLog({ level: settings.logLevel, name: settings.name, write: line => sinks.write(line) })
    if (!context.signal.aborted) toSinks.error({ err: error }, 'The server ends')
    throw error
  } finally {
    await sinks.close()
  }
}

interface Prepared extends FoundSettings {
  readonly door: Door
  readonly flags: ServeFlags
  readonly context: Context
  readonly log: Log
}

async function runWith({ door, flags, context, settings, settingsPath, log }: Prepared): Promise<boolean> {
  if (flags.rebuild) {
    await rebuild(door, { settings, log, signal: context.signal, directories: flags.directories }, context)
    return true
  }
  if (flags.restore !== undefined || flags.replay) {
    const { restore: file } = flags
    const backup = file === undefined || file === 'newest' ? file : resolve(context.terminal.cwd, file)
    const { restore } = await import('./restore.ts')
    return await restore(door, { settings, log, signal: context.signal, backup }, context)
  }
  const { adminPasswordFile: file } = flags
  const password =
    file === undefined ? undefined : door.readSecretFile(resolve(context.terminal.cwd, file), '--admin-password-file')
  await door.serve({
    settings,
    log,
    signal: context.signal,
    admin: { username: flags.admin, password, isReset: flags.resetAdmin === true },
    overwriteStores: flags.migrateStores,
    isBackedUp: flags.backupMade,
    onReady: ready => tell(ready, settingsPath, context),
  })
  return true
}

async function rebuild(door: Door, options: Parameters<Door['rebuildCatalogue']>[0], context: Context): Promise<void> {
  const { attested, unattested, problems } = await door.rebuildCatalogue(options)
  if (context.flags.json) {
    printJson(context, { attested, unattested, problems })
    return
  }
  for (const problem of problems) printLine(context, printable(problem))
  printLine(
    context,
    `${attested} copies by the stores’ own manifests, ${unattested} by reading them, ${problems.length} problems`,
  )
}

function tell({ settings, listening, admin }: Ready, settingsPath: string | undefined, context: Context): void {
  const password = admin?.generated?.reveal()
  if (context.flags.json) {
    printJson(context, {
      ready: true,
      name: settings.name,
      role: settings.role,
      url: listening?.url ?? null,
      settings: settingsPath ?? null,
      ...(admin ? { admin: { username: admin.username, ...(password === undefined ? {} : { password }) } } : {}),
    })
    return
  }
  const text = readyText({ settings, listening, admin, password, settingsPath })
  // To stdout, because what goes to stderr is what services keep as their log.
  for (const line of text.result) printLine(context, printable(line))
  if (!context.flags.quiet) for (const line of text.advice) context.say(printable(line))
}
