/** A line of the log as those read it who tell people of it. */

export interface LogRecord {
  readonly level: string
  /** UTC, ISO 8601. */
  readonly time?: string
  readonly msg?: string
  /** Which part of the server. */
  readonly caller?: string
  readonly path?: string
  readonly code?: string
  readonly request?: string
  readonly transfer?: number
  readonly err?: { readonly type?: string; readonly message?: string }
}

const ranks: Readonly<Record<string, number>> = {
  trace: 0,
  debug: 1,
  info: 2,
  success: 2,
  warn: 3,
  warning: 3,
  error: 4,
  fatal: 5,
  critical: 5,
}

/** Greater is worse, in any case and by the names of both programs. Undefined: no such level. */
export function rankOf(level: string): number | undefined {
  return Object.hasOwn(ranks, level.toLowerCase()) ? ranks[level.toLowerCase()] : undefined
}

/** Undefined: the line is none of the log's. */
export function parseRecord(line: string): LogRecord | undefined {
  try {
    const record: unknown = JSON.parse(line)
    return typeof record === 'object' && record !== null && 'level' in record ? (record as LogRecord) : undefined
  } catch {
    return undefined
  }
}

/** What happened, in one text: the message, and why where that says more. */
export function textOf({ msg = '', err }: LogRecord): string {
  return err?.message && err.message !== msg ? `${msg} (${err.message})` : msg
}

/** Where: route, kind of trouble, request. */
export function placeOf({ path, code, err, transfer, request }: LogRecord): string {
  const of = transfer === undefined ? undefined : `transfer ${transfer}`
  return [path, code ?? err?.type, of, request].filter(part => part !== undefined).join(' ') || '-'
}
