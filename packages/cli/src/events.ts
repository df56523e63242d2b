import type { Context } from './context.ts'
import type { TransferEvent } from './engine.ts'
import { jsonLine, printable, withoutSignatures } from './text.ts'
import { formatDuration } from './units.ts'

const rank: Readonly<Record<TransferEvent['level'], number>> = {
  TRACE: 3,
  DEBUG: 2,
  INFO_VERBOSE: 1,
  INFO: 1,
  WARN: 0,
  ERROR: 0,
}

/** The least of what `eventPrinter` prints. */
export function printedLevel({ flags }: Context): TransferEvent['level'] {
  return (['WARN', 'INFO_VERBOSE', 'TRACE'] as const)[Math.min(2, flags.verbosity)] ?? 'TRACE'
}

/** On a bad line there are many retries; one now and then says enough. */
const retryEveryMs = 2000

/**
 * Prints events as -v asks: warnings always, as sentences; -v everything of interest, -vv everything, as lines that a
 * program can take apart. Undefined when nothing would be printed, so that the engine need not make them.
 */
export function eventPrinter({ flags, say, style }: Context): ((event: TransferEvent) => void) | undefined {
  if (flags.quiet) return undefined
  if (flags.verbosity > 0) {
    return event => {
      if (rank[event.level] <= flags.verbosity) say(eventLine(event))
    }
  }
  let lastRetry = Number.NEGATIVE_INFINITY
  return event => {
    // Failures are told by whoever hears of them.
    if (rank[event.level] > 0 || event.event === 'failed') return
    if (event.event === 'retry') {
      const now = performance.now()
      if (now - lastRetry < retryEveryMs) return
      lastRetry = now
    }
    say(`${style.yellow('arriero:')} ${eventSentence(event)}`)
  }
}

/** `Trying again in 0.3 s: Cannot fetch …` */
export function eventSentence(event: TransferEvent): string {
  return printable(withoutSignatures(sentenceOf(event)))
}

function sentenceOf({ event, file, fields = {} }: TransferEvent): string {
  const reason = typeof fields.reason === 'string' ? fields.reason : ''
  const about = file === undefined || reason.includes(file) ? '' : `${file}: `
  if (event === 'retry') return `Trying again in ${formatDuration(Number(fields.delayMs))}: ${about}${reason}`
  if (event === 'restarted') return `Starting anew: ${about}${reason}`
  return `${about}${event}${reason === '' ? '' : `: ${reason}`}`
}

/** `12:04:31.250 WARN fetch retry data.nc [0, 8388608) {"delayMs":250}` */
function eventLine({ ts, level, stage, event, file, part, fields }: TransferEvent): string {
  const words = [ts.slice(11, 23), level, stage, event]
  if (file !== undefined) words.push(printable(file))
  if (part) words.push(`[${part.start}, ${part.end})`)
  if (fields && Object.keys(fields).length > 0) words.push(jsonLine(fields))
  return words.join(' ')
}
