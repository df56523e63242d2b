/** Flags of every command that can keep a log of what happened. */
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import type { TransferEvent } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { type LogFormat, logFormats, openEventLog } from '../event-log.ts'

export interface LogFlags {
  readonly log?: string
  readonly logFormat?: LogFormat
}

export function addLogOptions(command: Command): Command {
  return command
    .addOption(new Option('--log <FILE>', 'append every event to this file, as JSON lines; see arriero log view'))
    .addOption(new Option('--log-format <FORMAT>', 'how --log writes them (default: arriero)').choices(logFormats))
}

/** Takes events to the log that was asked for; undefined if none was. */
export function eventLog({ log, logFormat }: LogFlags, context: Context): ((event: TransferEvent) => void) | undefined {
  if (log !== undefined) return openEventLog(log, logFormat ?? 'arriero', context)
  if (logFormat !== undefined) throw new ProgramError('Usage', '--log-format needs the --log that it speaks of.')
  return undefined
}
