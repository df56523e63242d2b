/** `arriero serve`: finds the settings, runs the server, says what a person needs to go on. */
import { resolve } from 'node:path'
import type { Log, MadeAdmin, Ready, Settings, WantedAdmin } from '@arriero/librarian'
import { type Context, printJson, printLine } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { freeHeap } from '../heap.ts'
import { count, printable } from '../text.ts'
import { type FoundSettings, findOrMakeSettings, findSettings } from './find-settings.ts'
import { lineWriter } from './line-writer.ts'
import { loginLines, passwordAdvice, readyText } from './ready-text.ts'
import { takenOverText } from './taken-over-text.ts'

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
  readonly import?: string
  readonly dropOpenTransfers?: boolean
  readonly directories: 'none' | 'leaf'
  readonly restore?: string
  readonly replay?: boolean
  readonly takeOverStores?: boolean
  readonly once?: boolean
  readonly prepare?: boolean
  readonly replaceDisk?: string
  /** Where there is no librarian none is made. */
  readonly mustExist?: boolean
}

type Door = typeof import('@arriero/librarian')

/** Resolves when the server has stopped, or what it was to do instead is done: to whether all of it is well. */
export async function runServe(flags: ServeFlags, context: Context): Promise<boolean> {
  // Here and not at the top: it is most of the program.
  const door = await import('@arriero/librarian')
  const find = isOfOneThere(flags) ? findSettings : findOrMakeSettings
  const { settings, settingsPath } = find(door, flags, context.terminal)
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

/** A new one has nothing to be made again, put back or changed: its directory was mistyped. */
function isOfOneThere({ rebuild, restore, replay, replaceDisk, backupMade, once, mustExist }: ServeFlags): boolean {
  return [rebuild, replay, backupMade, once, mustExist].includes(true) || (restore ?? replaceDisk) !== undefined
}

interface Prepared extends FoundSettings {
  readonly door: Door
  readonly flags: ServeFlags
  readonly context: Context
  readonly log: Log
}

async function runWith(prepared: Prepared): Promise<boolean> {
  const { door, flags, context, settings, settingsPath, log } = prepared
  if (flags.rebuild) return await rebuild(prepared)
  if (flags.import !== undefined) return await importFrom(prepared, flags.import)
  if (flags.takeOverStores && flags.restore === undefined && !flags.replay) {
    throw new ProgramError('Usage', '--take-over-stores goes with --restore or --replay; --rebuild does it anyway')
  }
  if (flags.restore !== undefined || flags.replay) {
    const { restore: file } = flags
    const backup = file === undefined || file === 'newest' ? file : resolve(context.terminal.cwd, file)
    const { restore } = await import('./restore.ts')
    const takesOver = flags.takeOverStores === true
    const givesAdmin = flags.resetAdmin === true
    const { migrateStores: overwriteStores } = flags
    const options = { settings, log, signal: context.signal, backup, takesOver, givesAdmin, overwriteStores }
    const isWell = await restore(door, options, context)
    if (flags.resetAdmin) await giveAdmin(prepared)
    return isWell
  }
  if (flags.replaceDisk !== undefined) {
    const { replaceDisk } = await import('./replace-disk.ts')
    return await replaceDisk(door, { settings, log, store: flags.replaceDisk }, context)
  }
  if (flags.once) {
    const { runOnce } = await import('./run-once.ts')
    const { migrateStores: overwriteStores, backupMade: isBackedUp } = flags
    return await runOnce(door, { settings, log, signal: context.signal, overwriteStores, isBackedUp }, context)
  }
  const { migrateStores: overwriteStores, backupMade: isBackedUp } = flags
  if (flags.prepare) {
    tellAdmin(await door.prepare({ settings, log, admin: adminOf(prepared), overwriteStores, isBackedUp }), context)
    return true
  }
  await door.serve({
    settings,
    log,
    signal: context.signal,
    admin: adminOf(prepared),
    overwriteStores,
    isBackedUp,
    onReady: ready => {
      freeHeap()
      tell(ready, settingsPath, context)
    },
  })
  return true
}

function adminOf({ door, flags, context }: Prepared): WantedAdmin {
  const { admin: username, adminPasswordFile: file, resetAdmin: isReset } = flags
  const password = file && door.readSecretFile(resolve(context.terminal.cwd, file), '--admin-password-file')
  return { username, ...(password ? { password } : {}), isReset }
}

/** Resolves to whether all is as the stores had it. */
async function rebuild(prepared: Prepared): Promise<boolean> {
  const { door, flags, context, settings, log } = prepared
  const { directories } = flags
  const { attested, unattested, problems, takenOver } = await door.rebuildCatalogue({
    settings,
    log,
    signal: context.signal,
    directories,
  })
  if (context.flags.json) printJson(context, { attested, unattested, problems, taken_over: takenOver })
  else {
    for (const store of takenOver) printLine(context, printable(takenOverText(store)))
    for (const problem of problems) printLine(context, printable(problem))
    printLine(
      context,
      `copies by the stores’ own manifests: ${attested}, by reading them: ${unattested}; ${count(problems.length, 'problem')}`,
    )
  }
  // Stores know no users. Left to the next start, the password would go into a service's log.
  await giveAdmin(prepared)
  return problems.length === 0
}

/** Resolves to whether nothing needs a person's look. Users come along, so no administrator is made. */
async function importFrom({ door, flags, context, settings, log }: Prepared, named: string): Promise<boolean> {
  const { importFrom } = await import('./import.ts')
  const { signal } = context
  return await importFrom(door, { settings, log, signal, dropsOpen: flags.dropOpenTransfers === true }, named, context)
}

/** What is done without a server ends with it, so that somebody can log in to the one that is started then. */
async function giveAdmin(prepared: Prepared): Promise<void> {
  const { door, context, settings, log } = prepared
  tellAdmin(await door.giveAdminOffline({ settings, log, admin: adminOf(prepared) }), context)
}

function tellAdmin(made: MadeAdmin | undefined, context: Context): void {
  if (!made) return
  const { username, generated } = made
  const password = generated?.reveal()
  if (context.flags.json) printJson(context, { admin: { username, ...(password === undefined ? {} : { password }) } })
  else if (password !== undefined) {
    for (const line of loginLines(username, password)) printLine(context, printable(line))
    if (!context.flags.quiet) context.say(passwordAdvice)
  }
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
