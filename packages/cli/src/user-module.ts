/** Modules that a user names on the command line, JavaScript or TypeScript, with errors that say what to mend. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadEngine } from './engine.ts'
import { ProgramError } from './errors.ts'
import { systemReason } from './system-error.ts'

export interface UserModule {
  /** As the user wrote it. */
  readonly path: string
  /** The file's URL, for those who load it again, e.g. in a worker. */
  readonly url: string
  readonly exports: Readonly<Record<string, unknown>>
}

/**
 * Loads it. `import … from '@arriero/transfer'` inside means the program's own engine.
 *
 * @param signal a module may wait for ever before it is there
 * @throws ProgramError Usage: no such file, a syntax error with its line, an import that leads nowhere, a throw
 */
export async function loadUserModule(path: string, signal?: AbortSignal): Promise<UserModule> {
  const url = pathToFileURL(resolve(path)).href
  assertFile(path)
  const { bindEngineImports } = await loadEngine()
  bindEngineImports()
  try {
    return { path, url, exports: await untilAborted(import(url), signal) }
  } catch (error) {
    signal?.throwIfAborted()
    throw userError(`Cannot load ${path}`, error, path)
  }
}

/** What a user's code threw, with its line and with what to mend. */
export function userError(failed: string, error: unknown, path: string): ProgramError {
  const remedy = remedyOf(error) ?? 'Correct the file; -vv shows the stack.'
  return new ProgramError('Usage', `${failed}: ${reasonOf(error, path)}`, { remedy, cause: error })
}

/** Waits for the user's code, but not after the signal. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}

/**
 * The default export, if it is what it must be.
 *
 * @param must for the message: `a pipeline`, `an object of hooks`
 */
export function defaultExportOf<T>(module: UserModule, must: string, is: (value: unknown) => value is T): T {
  const { path, exports } = module
  if (!('default' in exports)) {
    const others = Object.keys(exports)
    const met = others.length > 0 ? `it exports only ${others.slice(0, 5).join(', ')}` : 'it exports nothing'
    throw wrongExport(`Cannot use ${path}: its default export must be ${must}, ${met}`)
  }
  const { default: value } = exports
  if (!is(value)) throw wrongExport(`Cannot use ${path}: its default export must be ${must}, got ${kindOf(value)}`)
  return value
}

function wrongExport(message: string): ProgramError {
  return new ProgramError('Usage', message, { remedy: 'Write: export default …' })
}

function assertFile(path: string): void {
  let problem: string | undefined
  try {
    if (!statSync(path).isFile()) problem = 'it is not a file'
  } catch (error) {
    problem = systemReason(error)
  }
  if (problem === undefined) return
  throw new ProgramError('Usage', `Cannot load ${path}: ${problem}`, { remedy: 'Check the path and its permissions.' })
}

function reasonOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ERR_MODULE_NOT_FOUND':
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return error.message
    default:
      return `${error.message}${shown(placeOf(error, path))}`
  }
}

function remedyOf(error: unknown): string | undefined {
  switch ((error as NodeJS.ErrnoException | undefined)?.code) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return 'Name it .js, .mjs, .ts or .mts.'
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return 'Types are taken away, not compiled: use only what plain JavaScript has.'
    case 'ERR_MODULE_NOT_FOUND':
      return 'Install the package beside the file, or correct the import.'
    default:
      return undefined
  }
}

/** A line of a file, and what stands there where Node has told it. */
interface Place {
  readonly at: string
  readonly source?: string | undefined
}

function shown(place: Place | undefined): string {
  if (!place) return ''
  const { at, source } = place
  return source ? ` (${at}: ${source})` : ` (${at})`
}

function placeOf(error: Error, path: string): Place | undefined {
  const { stack = '' } = error
  return headOf(stack) ?? (error instanceof SyntaxError ? checked(path) : frameOf(stack))
}

/** Node puts the place before the message where it knows it, with the source and carets below the very spot. */
function headOf(text: string): Place | undefined {
  const [head, file, line, first] = /^((?:file:)?\/.*):(\d+)\n(.*)\n/.exec(text) ?? []
  if (head === undefined || file === undefined) return undefined
  const marked = /^(.*)\n\s*\^+/m.exec(text)?.[1]
  return { at: `${plain(file)}:${line}`, source: (marked ?? first)?.trim() }
}

/** The first line of the user's own code that a stack names. */
function frameOf(stack: string): Place | undefined {
  const [, file, line] =
    /\((file:\/\/\/[^()]*):(\d+):\d+\)|at (file:\/\/\/\S*):(\d+):\d+/.exec(stack)?.filter(Boolean) ?? []
  return file === undefined ? undefined : { at: `${plain(file)}:${line}` }
}

/** An error of syntax that was caught has lost its line: only the check as a program tells it. */
function checked(path: string): Place | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 10_000 })
  return headOf(stderr ?? '')
}

function plain(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
