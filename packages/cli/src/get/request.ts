/** What `get` was asked for, from its arguments alone: nothing is looked at, nothing is asked. */
import { homedir } from 'node:os'
import { join, sep } from 'node:path'
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
  const { urls, target } = splitOperands(operands, manifest !== undefined)
  const named = oneOf(flags.output, flags.filepath, '--output', '--filepath')
  if (named !== undefined && target !== undefined) {
    throw usage(`The target is given twice: '${show(target)}' and '${show(named)}'.`)
  }
  const output = named ?? target
  if (output === '') throw usage('The target must not be empty.')
  if (manifest !== undefined) return readManifestRequest(manifest, urls, output, flags, home)
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

/** The URLs, and the last operand when it is none: getm's documented `getm URL FILE`. */
function splitOperands(operands: readonly string[], hasManifest: boolean) {
  const stranger = operands.findIndex((operand, index) => !hasScheme(operand) && index !== operands.length - 1)
  if (stranger !== -1) throw notUrl(operands[stranger]!)
  const last = operands.at(-1)
  if (last === undefined || hasScheme(last)) return { urls: operands, target: undefined }
  if (operands.length === 1 && !hasManifest) throw notUrl(last)
  return { urls: operands.slice(0, -1), target: last }
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
  const [scheme, path] = /^([a-z0-9+.-]+):(?:\/\/[^/]*\/?)?(.*)$/is.exec(uri)?.slice(1) ?? []
  if (scheme === undefined || path === undefined || !LISTING.has(scheme.toLowerCase())) return false
  return path === '' || path.endsWith('/') || (!isObject(uri) && /[*?[]/.test(path))
}

const LISTING = new Set(['s3', 'gs', 'ftp', 'ftps', 'sftp', 'file', 'drs', 'dos'])

function notUrl(operand: string): ProgramError {
  const shown = show(withoutSecrets(operand))
  const looksLikeHost = /^(localhost|[\w-]+(\.[\w-]+)+)(:\d+)?\//.test(operand)
  return usage(`'${shown}' is no URL: it has no scheme.${looksLikeHost ? ` Did you mean https://${shown}?` : ''}`)
}

/** For commands that take nothing but URLs. */
export function refuseStrangers(operands: readonly string[]): void {
  const stranger = operands.find(operand => !hasScheme(operand))
  if (stranger !== undefined) throw new ProgramError('Usage', notUrl(stranger).message)
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
  return new ProgramError('Usage', message, { remedy: 'See: arriero get --help' })
}
