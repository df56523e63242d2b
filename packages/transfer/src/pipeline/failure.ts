import { TransferError } from '../errors.ts'
import { printable, redactText } from '../redact.ts'
import { WorkerDied } from '../workers/cpu-pool.ts'
import { isThenable } from './stage.ts'

/** What a stage threw, in the engine's words: its own errors stay what they are. */
export function stageError(thrown: unknown, stage: string): TransferError {
  if (thrown instanceof TransferError) return thrown
  const { name, message, code } = asError(thrown)
  if (thrown instanceof WorkerDied) return failed(`${stage}: ${message}`, thrown)
  // A TransferError that was thrown in a thread comes back as data.
  const what = name === 'Error' || name === 'TransferError' ? message : `${name}: ${message}`
  const isCoded = typeof code === 'string' && /^E[A-Z]+$/.test(code) && !message.includes(code)
  return failed(`${stage}: ${what}${isCoded ? ` (${code})` : ''}`, thrown)
}

/** A function gave back what it must not. */
export function wrongValue(stage: string, given: unknown, wanted: string): TransferError {
  // Nobody waits for it: that it fails later must not end the process.
  if (isThenable(given)) given.then(undefined, () => {})
  return failed(`${stage}: its function gave ${shown(given)}; it must give ${wanted}`, undefined)
}

function failed(message: string, cause: unknown): TransferError {
  // What the caller's functions say may hold what they were given.
  return new TransferError('StageFailed', printable(redactText(message)), { cause })
}

/** Whatever it is: some things can neither be read nor be written as text. */
function asError(thrown: unknown): { readonly name: string; readonly message: string; readonly code?: unknown } {
  try {
    if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) }
    const { name, message, code } = thrown as Error & { code?: unknown }
    return { name: String(name), message: String(message), code }
  } catch {
    return { name: 'Error', message: 'it threw what cannot be written as text' }
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (value === null || typeof value !== 'object') return String(value)
  const { name } = value.constructor ?? {}
  return name === undefined || name === 'Object' ? 'an object' : /^[AEIOU]/.test(name) ? `an ${name}` : `a ${name}`
}

/**
 * Where in the caller's own files it was thrown, e.g. `clean.ts:12:9`; undefined when no file of theirs was at work. Only
 * the file's name is given: the path is in the stack.
 */
export function placeOf(thrown: unknown): string | undefined {
  const error = thrown instanceof TransferError ? (thrown.cause ?? thrown) : thrown
  if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined
  for (const line of error.stack.split('\n').slice(1)) {
    const [, file, row, column] =
      /(?: at |\()((?:async )?(?:file:\/\/|\/|[A-Z]:\\)[^()]+?):(\d+):(\d+)\)?$/.exec(line) ?? []
    if (file === undefined || isOurs(file)) continue
    return `${file.slice(file.lastIndexOf('/') + 1)}:${row}:${column}`
  }
  return undefined
}

/** Files of this package and of its dependencies say nothing to who wrote the pipeline. */
function isOurs(file: string): boolean {
  return file.includes('/node_modules/') || file.startsWith(OURS) || file.startsWith(OURS.replace('file://', ''))
}

const OURS = new URL('../', import.meta.url).href

/** The same error with its place in the caller's files, for one that ends the run and has no report. */
export function placed(error: TransferError, thrown: unknown): TransferError {
  const at = error === thrown ? undefined : placeOf(thrown)
  return at === undefined ? error : new TransferError(error.code, `${error.message} (${at})`, error.details)
}
