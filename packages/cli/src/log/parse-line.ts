/** Reads a line of either log format into one shape. */
import type { EventLevel } from '../engine.ts'

export interface LogLine {
  readonly level: EventLevel
  /** As it was written: ISO 8601, UTC. */
  readonly time: string
  /** Our stage, or retriever's actor. */
  readonly stage: string
  /** Our event, or retriever's log id. */
  readonly event: string | undefined
  readonly text: string
  readonly file: string | undefined
  readonly format: 'arriero' | 'retriever'
}

export const levels = ['TRACE', 'DEBUG', 'INFO_VERBOSE', 'INFO', 'WARN', 'ERROR'] as const satisfies EventLevel[]

/** Undefined: it is no line of a log. */
export function parseLogLine(text: string): LogLine | undefined {
  const line = objectIn(text)
  if (!line) return undefined
  const level = levels.find(level => level === line.level)
  if (!level) return undefined
  if (isText(line.ts) && isText(line.stage) && isText(line.event)) {
    const { ts: time, stage, event } = line
    return { level, time, stage, event, text: said(line), file: textOf(line.file), format: 'arriero' }
  }
  if (isText(line.timestamp) && isText(line.actor) && isText(line.log)) {
    const { timestamp: time, actor: stage, log: text } = line
    const { file } = (line.tags ?? {}) as { file?: unknown }
    return { level, time, stage, event: textOf(line.log_id), text, file: textOf(file), format: 'retriever' }
  }
  return undefined
}

/** `retry data.nc [0, 8388608) delayMs=250` */
function said({ event, file, part, fields }: Record<string, unknown>): string {
  const words = [String(event), ...(isText(file) ? [file] : [])]
  const { start, end } = (part ?? {}) as Record<string, unknown>
  if (start !== undefined) words.push(`[${start}, ${end})`)
  for (const [key, value] of Object.entries((fields ?? {}) as object)) {
    words.push(`${key}=${isText(value) ? value : JSON.stringify(value)}`)
  }
  return words.join(' ')
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const textOf = (value: unknown) => (isText(value) ? value : undefined)
