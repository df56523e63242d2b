/** Lines of the server's log: JSON for machines, short ones for a person who looks on. */
import type { Context } from '../context.ts'
import { printable } from '../text.ts'

export function lineWriter(context: Context): (line: string) => void {
  const { stderr } = context.terminal
  if (context.flags.json || !stderr.isTTY) return line => stderr.write(line)
  return line => context.say(shortLine(line))
}

function shortLine(line: string): string {
  const { time, level, msg, err, name: _, ...rest } = JSON.parse(line) as Record<string, unknown>
  const clock = new Date(String(time)).toTimeString().slice(0, 8)
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const cause = (err as { message?: string } | undefined)?.message
  return printable([clock, level, msg, cause, ...fields].filter(part => part !== undefined).join(' '))
}
