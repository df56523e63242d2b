/** `arriero serve`: finds the settings, runs the server, says what a person needs to go on. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Ready, Settings } from '@arriero/librarian'
import { type Context, printJson, printLine } from '../context.ts'
import { printable } from '../text.ts'
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
  readonly rebuild?: boolean
  readonly directories: 'none' | 'leaf'
}

type Door = typeof import('@arriero/librarian')

/** Resolves when the server has stopped. */
export async function runServe(flags: ServeFlags, context: Context): Promise<void> {
  // Here and not at the top: it is most of the program.
  const door = await import('@arriero/librarian')
  const { settings, settingsPath } = findSettings(door, flags, context)
  const log = door.createLog({ level: settings.logLevel, name: settings.name, write: lineWriter(context) })
  if (flags.rebuild) {
    await rebuild(door, { settings, log, signal: context.signal, directories: flags.directories }, context)
    return
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
    onReady: ready => tell(ready, settingsPath, context),
  })
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

interface Found {
  readonly settings: Settings
  /** Of settings that are to be edited; undefined where they are the environment's. */
  readonly settingsPath: string | undefined
}

function findSettings(door: Door, flags: ServeFlags, { terminal: { env, cwd } }: Context): Found {
  const { host, port, role } = flags
  const data = flags.data === undefined ? undefined : resolve(cwd, flags.data)
  const overrides = Object.fromEntries(
    Object.entries({ host, port, role, data_directory: data }).filter(([, value]) => value !== undefined),
  )
  if (flags.config !== undefined) {
    const path = resolve(cwd, flags.config)
    return { settings: door.loadSettings({ env, path, overrides }), settingsPath: path }
  }
  if (hasSettings(env))
    return { settings: door.loadSettings({ env, overrides }), settingsPath: env.LIBRARIAN_CONFIG_PATH }
  const { settingsPath } = door.makeDataDirectory(data ?? resolve(cwd, 'arriero-data'), {
    random: randomBytes,
    host,
    port,
  })
  return { settings: door.loadSettings({ env, path: settingsPath, overrides }), settingsPath }
}

function hasSettings(env: Readonly<Record<string, string | undefined>>): boolean {
  return Object.keys(env).some(name => /^librarian_(server_|config_path$)/i.test(name) && env[name])
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
