/** What `get` was asked for, from its arguments alone: nothing is looked at, nothing is asked. */
import { homedir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ProgramError } from '../errors.ts'
import type { GetFlags } from '../options/file.ts'
import { printable, withoutSecrets } from '../text.ts'

export type GetRequest =
  | { readonly kind: 'one'; readonly url: string; readonly target: string | undefined }
  | { readonly kind: 'stdout'; readonly url: string }
  /** Some may be directories or patterns: what they name is listed. */
  | { readonly kind: 'several'; readonly urls: readonly string[]; readonly directory: string }
  | { readonly kind: 'manifest'; readonly file: string; readonly directory: string }

/** @throws ProgramError Usage for whatever contradicts itself. */
export function readRequest(given: readonly string[], flags: GetFlags, home = homedir()): GetRequest {
  const operands = given.map(asUri)
  if (flags.probe && !flags.dryRun) throw usage('--probe belongs to --dry-run: a download asks the server anyway.')
  const manifest = oneOf(flags.manifest, flags.input, '--manifest', '--input')
  const named = oneOf(flags.output, flags.filepath, '--output', '--filepath')
  const { sources, target } = splitOperands(operands, {
    hasList: manifest !== undefined,
    hasPlace: (named ?? flags.dir) !== undefined,
  })
  if (named !== undefined && target !== undefined) {
    throw usage(`The target is given twice: '${show(target)}' and '${show(named)}'.`)
  }
  const output = named ?? target
  if (output === '') throw usage('The target must not be empty.')
  if (manifest !== undefined) return readManifestRequest(manifest, sources, output, flags, home)
  const urls = sources.map(source => asSource(source, home))
  if (urls.length === 0) throw noUrl(output)
  const [url] = urls as [string, ...string[]]
  if (urls.length > 1 || (flags.glob !== false && namesSeveral(url))) return readSeveral(urls, output, flags, home)
  if (output === '-') {
    refuseWithStdout(flags)
    return { kind: 'stdout', url }
  }
  return { kind: 'one', url, target: targetOf(output, flags.dir, home) }
}

function readManifestRequest(
  file: string,
  urls: readonly string[],
  output: string | undefined,
  flags: GetFlags,
  home: string,
): GetRequest {
  if (urls.length > 0) throw usage('URLs and --manifest contradict each other: give one or the other.')
  if (output !== undefined) {
    throw usage(`A list has a directory and no target '${show(output)}'. Did you mean: -d ${show(output)}?`)
  }
  refuseForOneFileOnly(flags, 'A list')
  return {
    kind: 'manifest',
    file: file === '-' ? file : expandHome(file, home),
    directory: directoryOf(flags.dir, home),
  }
}

function readSeveral(urls: readonly string[], output: string | undefined, flags: GetFlags, home: string): GetRequest {
  if (output === '-') throw usage('-o - takes one URL. To join several: arriero cat URL URL…')
  if (output !== undefined && flags.dir !== undefined) {
    throw usage(`Several URLs have one directory: '${show(flags.dir)}' or '${show(output)}'?`)
  }
  refuseForOneFileOnly(flags, 'Several URLs')
  return { kind: 'several', urls, directory: directoryOf(output ?? flags.dir, home) }
}

/** The sources, and the last operand when it is none: getm's documented `getm URL FILE`. */
function splitOperands(
  operands: readonly string[],
  { hasList, hasPlace }: { readonly hasList: boolean; readonly hasPlace: boolean },
) {
  const earlier = operands.slice(0, -1)
  const stranger = earlier.find(operand => !isSource(operand))
  if (stranger !== undefined) throw notUrl(stranger)
  const last = operands.at(-1)
  if (last === undefined || hasScheme(last)) return { sources: operands, target: undefined }
  if (hasList) return { sources: earlier, target: last }
  if (earlier.length === 0 && !isPath(last)) throw notUrl(last)
  // Among paths the last one looks like the others: then it is what the flags leave over.
  const isOneOfPaths = isPath(last) && earlier.every(isPath)
  if (isOneOfPaths && (earlier.length === 0 || hasPlace)) return { sources: operands, target: undefined }
  if (isOneOfPaths) throw sourceOrTarget(last)
  return { sources: earlier, target: last }
}

function sourceOrTarget(path: string): ProgramError {
  const shown = show(path)
  return usage(
    `Is '${shown}' a source or the target? Write -o ${shown} if it is the target; with -d DIR all are sources.`,
  )
}

function isSource(operand: string): boolean {
  return hasScheme(operand) || isPath(operand)
}

/** A path that can be nothing else: `d/x` may be a host that lacks its scheme, or the name of a target. */
function isPath(operand: string): boolean {
  return /^(?:\.{1,2}|~)?(?:\/(?!\/)|$)/.test(operand) && operand !== ''
}

/** As the engine takes it: paths are whole, and end with a slash where they say themselves that they are directories. */
function asSource(operand: string, home: string): string {
  if (!isPath(operand)) return operand
  const whole = resolve(expandHome(operand, home))
  const path = /(?:^|\/)(?:\.{0,2}|~)$/.test(operand) && whole !== '/' ? `${whole}/` : whole
  // What is behind this sign is not shown of addresses.
  return path.includes('#') ? pathToFileURL(path).href : path
}

/** `data:2026.nc` is a file's name and `C:\\x` a path: only what has `//` counts, and those that may do without. */
export function hasScheme(text: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|(?:file|drs|gdc):)/i.test(text)
}

const GUID = /^(?:(?:dg|drs)\.[0-9a-z-]+\/)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A bare GUID names an object of a data commons. */
export function asUri(operand: string): string {
  return GUID.test(operand) ? `drs:${operand}` : operand
}

/** Whether a URI names an object that only its commons can find. */
export function isObject(uri: string): boolean {
  return /^(?:drs|dos):/i.test(uri)
}

/** Whether a URI is a directory, a prefix or a pattern at a source that can say what it holds. */
export function namesSeveral(uri: string): boolean {
  const [scheme, path] = isPath(uri)
    ? ['file', uri]
    : (/^([a-z0-9+.-]+):(?:\/\/[^/]*\/?)?(.*)$/is.exec(uri)?.slice(1) ?? [])
  if (scheme === undefined || path === undefined || !LISTING.has(scheme.toLowerCase())) return false
  return path === '' || path.endsWith('/') || (!isObject(uri) && /[*?[]/.test(path))
}

const LISTING = new Set(['s3', 'gs', 'ftp', 'ftps', 'sftp', 'file', 'drs', 'dos'])

function notUrl(operand: string): ProgramError {
  const shown = show(withoutSecrets(operand))
  return usage(`'${shown}' is no URL: it has no scheme. ${whatWasMeant(operand, shown)}`)
}

function whatWasMeant(operand: string, shown: string): string {
  if (/^(localhost|[\w-]+(\.[\w-]+)+)(:\d+)?\//.test(operand)) return `Did you mean https://${shown}?`
  const isList = /\.(?:jsonl?|ndjson|[ct]sv|txt|meta4|metalink)$/i.test(operand)
  if (isList) return `For what a list names, say --manifest ${shown}; for the file itself, ./${shown}`
  return `For a file of this machine, write ./${shown}`
}

/** For commands that take nothing but sources. */
export function readSources(given: readonly string[], home = homedir()): string[] {
  const operands = given.map(asUri)
  const stranger = operands.find(operand => !isSource(operand))
  if (stranger !== undefined) throw notUrl(stranger)
  return operands.map(operand => asSource(operand, home))
}

function noUrl(output: string | undefined): ProgramError {
  if (output !== undefined && hasScheme(output)) {
    return usage(`No URL given: ${show(withoutSecrets(output))} was taken as the name of the file. Leave out -O or -o.`)
  }
  return usage('No URL given.')
}

const forOneFileOnly = [
  ['checksum', '--checksum'],
  ['checksumAlgorithm', '--checksum-algorithm'],
  ['size', '--size'],
  ['mirror', '--mirror'],
] as const satisfies readonly (readonly [keyof GetFlags, string])[]

function refuseForOneFileOnly(flags: GetFlags, what: string): void {
  const found = forOneFileOnly.find(([key]) => flags[key] !== undefined)
  if (found) throw usage(`${what} and ${found[1]} contradict each other: it speaks of one file. Use a manifest.`)
}

const notToStdout = [
  ['dir', '--dir'],
  ['ifExists', '--if-exists'],
  ['preserveTime', '--preserve-time'],
  ['dryRun', '--dry-run'],
  ['report', '--report'],
] as const satisfies readonly (readonly [keyof GetFlags, string])[]

function refuseWithStdout(flags: GetFlags): void {
  const found = notToStdout.find(([key]) => flags[key] !== undefined)
  if (found) throw usage(`-o - and ${found[1]} contradict each other: stdout is no file.`)
}

function oneOf(a: string | undefined, b: string | undefined, aName: string, bName: string): string | undefined {
  if (a !== undefined && b !== undefined) throw usage(`${aName} and ${bName} are the same: give one of them.`)
  return a ?? b
}

/** A directory is told by its trailing separator; the engine also looks whether it is there. */
function targetOf(output: string | undefined, dir: string | undefined, home: string): string | undefined {
  if (dir === undefined) return output === undefined ? undefined : expandHome(output, home)
  const directory = directoryOf(dir, home)
  return output === undefined ? `${directory.replace(/[\\/]+$/, '')}${sep}` : join(directory, output)
}

function directoryOf(dir: string | undefined, home: string): string {
  if (dir === '') throw usage('The directory must not be empty.')
  return expandHome(dir ?? '.', home)
}

/** For `--dir=~/data`, which shells leave alone. */
function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
}

const show = printable

function usage(message: string): ProgramError {
  return new ProgramError('Usage', message)
}
