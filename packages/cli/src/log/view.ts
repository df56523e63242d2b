/** Which lines of a log a person sees, and how, as retriever's viewer does: `LEVEL - time - actor - text`. */
import type { Style } from '../terminal.ts'
import { printable } from '../text.ts'
import { type LogLine, levels } from './parse-line.ts'

export interface LogFilter {
  /** This level and those above it. */
  readonly level?: (typeof levels)[number] | undefined
  readonly stage?: string | undefined
  readonly event?: string | undefined
  /** A part of the name. */
  readonly file?: string | undefined
  /** Keep the noisy kinds as well. */
  readonly isAll?: boolean | undefined
}

/** What retriever's own viewer drops: what its chunker receives and sends, and its watcher's ticks. */
const noisy = /^chunker_?(?:message_?)?(?:received|sent|receive|send)$|^(?:actor_?)?watcher_?update$/

export function isShown(line: LogLine, filter: LogFilter): boolean {
  const { level, stage, event, file, isAll } = filter
  if (level !== undefined && levels.indexOf(line.level) < levels.indexOf(level)) return false
  if (stage !== undefined && line.stage.toLowerCase() !== stage.toLowerCase()) return false
  if (event !== undefined) return line.event === event && isAbout(line, file)
  return (isAll || !isNoisy(line)) && isAbout(line, file)
}

/** Only of retriever's lines: our own kinds are asked for by level. */
function isNoisy({ format, event }: LogLine): boolean {
  if (format !== 'retriever' || event === undefined) return false
  return event === 'part' || noisy.test(event.toLowerCase().replaceAll(/[\s.-]+/g, '_'))
}

function isAbout({ file, text }: LogLine, wanted: string | undefined): boolean {
  return wanted === undefined || (file ?? text).includes(wanted)
}

const short: Readonly<Partial<Record<LogLine['level'], string>>> = { INFO_VERBOSE: 'INFOV' }

export function formatLine({ level, time, stage, text }: LogLine, style: Style): string {
  const line = printable(`${short[level] ?? level} - ${clockOf(time)} - ${stage} - ${text}`)
  if (level === 'ERROR') return style.red(line)
  if (level === 'WARN') return style.yellow(line)
  return level.startsWith('INFO') ? style.blue(line) : line
}

/** `12:04:31.250`: of a run one wants the time of day; whatever is no time is shown as it is. */
function clockOf(time: string): string {
  return /T(\d\d:\d\d:\d\d(?:\.\d+)?)/.exec(time)?.[1] ?? time
}
