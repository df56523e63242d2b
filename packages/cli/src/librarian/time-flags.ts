import { type Command, Option } from 'commander'
import { loadClient } from './client.ts'

export interface TimeFlags {
  readonly since?: string
  readonly until?: string
}

export function addTimeOptions(command: Command, what: string): Command {
  return command
    .addOption(new Option('--since <TIME>', `${what} then or later: 2026-11-20, yesterday, '2 days ago', … (UTC)`))
    .addOption(new Option('--until <TIME>', `${what} then or earlier; a day counts to its end`))
}

/** The window that the flags mean. */
export async function timesFrom({ since, until }: TimeFlags) {
  const { parseTime } = await loadClient()
  const now = Date.now()
  return {
    since: since === undefined ? undefined : parseTime(since, { now }),
    until: until === undefined ? undefined : parseTime(until, { now, day: 'end' }),
  }
}
