import type { Context } from './context.ts'
import type { TransferEvent } from './engine.ts'
import { jsonLine, printable } from './text.ts'

const rank: Readonly<Record<TransferEvent['level'], number>> = {
  TRACE: 3,
  DEBUG: 2,
  INFO_VERBOSE: 1,
  INFO: 1,
  WARN: 0,
  ERROR: 0,
}

/**
 * Prints events as -v asks: warnings always, -v information, -vv everything but what happens per chunk.
 * Undefined when nothing would be printed, so that the engine need not make them.
 */
export function eventPrinter({ flags, say }: Context): ((event: TransferEvent) => void) | undefined {
  if (flags.quiet) return undefined
  return event => {
    if (rank[event.level] > flags.verbosity) return
    say(eventLine(event))
  }
}

/** `12:04:31.250 WARN fetch retry data.nc [0, 8388608) {"delayMs":250}` */
export function eventLine({ ts, level, stage, event, file, part, fields }: TransferEvent): string {
  const words = [ts.slice(11, 23), level, stage, event]
  if (file !== undefined) words.push(printable(file))
  if (part) words.push(`[${part.start}, ${part.end})`)
  if (fields && Object.keys(fields).length > 0) words.push(jsonLine(fields))
  return words.join(' ')
}
