/** Errors of the program itself, and how any error is told: as one line, or as JSON. */
import { exitCodeOf, exitCodeOfLibrarian, exitCodes } from './exit-codes.ts'
import { systemReason } from './system-error.ts'
import { printable, withoutSignatures } from './text.ts'

/** What the program reports on purpose. Codes are the engine's; `BrokenPipe` and `Interrupted` exist only here. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
  readonly code: string
  /** One sentence on what the reader can do. */
  readonly remedy: string | undefined
  readonly exitCode: number

  constructor(
    code: string,
    message: string,
    details: { remedy?: string | undefined; cause?: unknown; exitCode?: number | undefined } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.remedy = details.remedy
    this.exitCode = details.exitCode ?? exitCodeOf(code)
  }
}

/** An error as it is told, whoever threw it. */
export interface Told {
  /** In the spelling of reports: `not_found`. */
  readonly code: string
  /** Finer than the code, where there is more to say: `cred_expired`. */
  readonly reason?: string
  readonly message: string
  readonly remedy?: string
  readonly exitCode: number
  readonly url?: string
  readonly file?: string
  readonly status?: number
  readonly attempts?: number
  readonly algorithm?: string
  readonly expected?: string
  readonly actual?: string
}

export type ToldItem = Omit<Told, 'exitCode'>

const toldDetails = ['reason', 'url', 'file', 'status', 'attempts', 'algorithm', 'expected', 'actual'] as const

/**
 * Errors of the engine and of librarians are known by their shape, so that telling one loads neither.
 */
export function tell(error: unknown): Told {
  if (!(error instanceof Error)) return { code: 'unexpected', message: String(error), exitCode: exitCodes.someFailed }
  if (error instanceof ProgramError) {
    const { code, message, remedy, exitCode } = error
    return { code: spelled(code), message, ...(remedy === undefined ? {} : { remedy }), exitCode }
  }
  if (error.name === 'TransferError' && 'code' in error && typeof error.code === 'string') {
    const { code, message, remedy, details } = error as Error & {
      code: string
      remedy?: string
      details?: Record<string, unknown>
    }
    const extra = toldDetails.filter(key => details?.[key] !== undefined).map(key => [key, details?.[key]])
    return {
      code: spelled(code),
      message,
      ...(remedy === undefined ? {} : { remedy }),
      exitCode: exitCodeOf(code),
      ...Object.fromEntries(extra),
    }
  }
  if (error.name === 'LibrarianError' && 'code' in error && typeof error.code === 'string') {
    const { code, message, remedy } = error as Error & { code: string; remedy?: string }
    const exitCode = exitCodeOfLibrarian(code)
    return { code: spelled(code), message, ...(remedy === undefined ? {} : { remedy }), exitCode }
  }
  if ('syscall' in error && 'code' in error) {
    const file = 'path' in error ? String(error.path) : undefined
    return {
      code: 'disk',
      message: systemReason(error),
      remedy: 'Check the path and its permissions.',
      exitCode: exitCodes.localIo,
      ...(file === undefined ? {} : { file }),
    }
  }
  return {
    code: 'unexpected',
    message: `${error.name}: ${error.message}`,
    remedy: 'This should not happen; please report it with the output of -vv.',
    exitCode: exitCodes.someFailed,
  }
}

/** As the engine spells codes in its reports. */
function spelled(code: string): string {
  return code.replace(/\B[A-Z]/g, '_$&').toLowerCase()
}

/** The word that a line begins with: the finer one, as reports have it. */
export function classOf({ code, reason }: Pick<Told, 'code' | 'reason'>): string {
  return reason ?? code
}

/** The same for one item of several, which has no exit code. */
export function tellItem(error: unknown): ToldItem {
  const { exitCode: _, ...told } = tell(error)
  return told
}

/** `message. remedy`, on one line, safe to print; what it is about comes first if the message does not name it. */
export function toLine(told: ToldItem, about = told.file ?? told.url): string {
  const { message, url, file, remedy } = told
  const says = (name: string | undefined) => name !== undefined && message.includes(name.replace(/\/$/, ''))
  const isNamed = about === undefined || [about, url, file].some(says)
  const parts = [`${isNamed ? '' : `${about}: `}${sentence(message)}`, remedy]
  return printable(withoutSignatures(parts.filter(part => part !== undefined).join(' ')))
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

/** The stack of an error and of what caused it, for -vv. */
export function stackOf(error: unknown): string {
  const lines: string[] = []
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    lines.push(`${depth === 0 ? '' : 'caused by '}${at.stack ?? at.message}`)
  }
  // Line by line: a stack is the one text whose line breaks are ours.
  return lines.join('\n').split('\n').map(printable).join('\n')
}
