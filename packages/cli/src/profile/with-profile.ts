/** `--profile` of every command that moves bytes. */
import { type Command, Option } from 'commander'
import { type Context, warn } from '../context.ts'
import { type Engine, type EngineDoor, type Progress, withEngine } from '../engine.ts'
import { ProgramError, tell, toLine } from '../errors.ts'
import { engineOptions, type FetchFlags } from '../options/fetch.ts'
import { parseDuration } from '../units.ts'

export interface ProfileFlags {
  readonly profile?: string
  /** ms */
  readonly profileInterval?: number
  readonly dryRun?: boolean
}

/** @param flag its name where another tool's `--profile` is something else */
export function addProfileOptions(command: Command, flag = '--profile'): Command {
  return command
    .addOption(new Option(`${flag} <FILE>`, 'record CPU, memory, network and goodput; see arriero profile'))
    .addOption(
      new Option('--profile-interval <TIME>', 'time between samples (default: 100ms)').argParser(text =>
        parseInterval(text, '--profile-interval'),
      ),
    )
}

function parseInterval(text: string, flag: string): number {
  const ms = parseDuration(text, flag)
  if (ms >= 10 && ms <= 3_600_000) return ms
  throw new ProgramError('Usage', `${flag} must be between 10ms and 1h.`)
}

/** Refuses what would record nothing; to be called where flags are read. */
export function checkProfileFlags({ profile, profileInterval, dryRun }: ProfileFlags): void {
  if (profile === undefined && profileInterval !== undefined) {
    throw new ProgramError('Usage', '--profile-interval says how often, but nothing names a file for the profile.')
  }
  if (profile !== undefined && dryRun) {
    throw new ProgramError('Usage', '--dry-run fetches nothing: there would be nothing to profile.')
  }
}

interface Profiled {
  readonly engine: Engine
  readonly door: Pick<EngineDoor, 'createProfiler'>
  /** Whose bytes are the payload. Default: the engine's. */
  readonly progress?: Progress
  /** What the work is, where it is not what the engine's files show. */
  readonly phase?: string
}

/** For the work to tell what it is at: phases, and figures of its own. */
export interface ProfileNotes {
  mark(name: string): void
  readonly counters: Record<string, number>
}

/**
 * Records a profile while `work` runs, if one is wanted. It goes around `withProgress`. A file that cannot be opened is an
 * error before the work begins; one that cannot be written later is a warning.
 */
export async function withProfile<Result>(
  context: Context,
  flags: ProfileFlags,
  { engine, door, progress, phase }: Profiled,
  work: (notes: ProfileNotes) => Promise<Result>,
): Promise<Result> {
  checkProfileFlags(flags)
  const { profile: file, profileInterval: intervalMs } = flags
  if (file === undefined) return work({ mark() {}, counters: {} })
  const onFailure = (error: unknown) => warn(context, `The profile ends here: ${toLine(tell(error))}`)
  const profiler = door.createProfiler({ file, intervalMs, engine, progress, onFailure })
  if (phase !== undefined) profiler.mark(phase)
  profiler.start()
  try {
    return await work(profiler)
  } finally {
    await profiler.end()
  }
}

/** An engine as the flags want it, profiled from its first moment if that is wanted, and closed whatever happens. */
export function withProfiledEngine<Result>(
  flags: FetchFlags & ProfileFlags,
  context: Context,
  use: (engine: Engine, door: EngineDoor, notes: ProfileNotes) => Promise<Result>,
): Promise<Result> {
  return withEngine(engineOptions(flags, context), (engine, door) =>
    withProfile(context, flags, { engine, door }, notes => use(engine, door, notes)),
  )
}
