/** `--hooks`: the user's own code at every stage of a transfer. */
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { type Hooks, type HooksOption, loadEngine, type MadeHooks, type Progress } from '../engine.ts'
import { ProgramError, tell } from '../errors.ts'
import { formatDuration } from '../units.ts'

export interface HooksFlags {
  /** The user's file. */
  readonly hooks?: string
  /** What was made of it; no flag. */
  readonly userHooks?: readonly Hooks[]
}

export function addHooksOption(command: Command): Command {
  return command
    .optionsGroup('Your own code:')
    .addOption(new Option('--hooks <FILE>', 'run the hooks that this module exports by default (.ts, .js)'))
}

/** Makes what `--hooks` names, lends it to a command, and closes it whatever happens. */
export async function withUserHooks<Flags extends HooksFlags>(
  flags: Flags,
  context: Context,
  use: (flags: Flags) => Promise<number>,
): Promise<number> {
  if (flags.hooks === undefined) return use(flags)
  const { objects, close } = await makeUserHooks(flags.hooks)
  let code: number
  try {
    code = await use({ ...flags, userHooks: objects })
  } catch (error) {
    // What went wrong first is what is reported.
    await close(context.signal).catch(() => {})
    throw error
  }
  await close(context.signal)
  return code
}

/** With -v: which hooks took how long. */
export function tellHooks({ hooks: clock }: Progress, { flags, say }: Context): void {
  if (flags.verbosity === 0 || flags.quiet || clock.times === undefined) return
  const each = Object.entries(clock.times).map(([name, { calls, ms }]) => `${name} ${formatDuration(ms)} (${calls}×)`)
  say(`hooks: ${formatDuration(clock.ms)} in all: ${each.join(', ')}`)
}

async function makeUserHooks(path: string): Promise<MadeHooks> {
  const { defaultExportOf, loadUserModule } = await import('../user-module.ts')
  const module = await loadUserModule(path)
  const must = 'an object of hooks, an array of them, or a class or function that makes one'
  const { makeHooks } = await loadEngine()
  const exported = defaultExportOf(module, must, isHooks)
  return makeHooks(exported).catch(error => {
    if (tell(error).code !== 'usage') throw error
    const { message, remedy } = tell(error)
    throw new ProgramError('Usage', message.replace('these hooks', `the hooks of ${path}`), { remedy, cause: error })
  })
}

function isHooks(value: unknown): value is HooksOption {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}
