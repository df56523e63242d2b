/** Who fetches a scenario: our own program in every configuration, and the peers. */
import { fileURLToPath } from 'node:url'
import type { Command } from './command.ts'
import { type Configuration, flagsOf } from './configuration.ts'
import type { Contender } from './contender.ts'
import * as peers from './peers.ts'

/** Where the bytes of a run go. `null`: nowhere, in order, as with `cat` to /dev/null. */
export const destinations = ['file', 'memory', 'null'] as const
export type Destination = (typeof destinations)[number]

export const peerNames = ['curl', 'aria2c', 'axel', 'wget2', 'rclone', 's5cmd'] as const
export type PeerName = (typeof peerNames)[number]

const programPath = fileURLToPath(new URL('../../bin/arriero.js', import.meta.url))

/** Ourselves, under the Node that runs this. */
export function ourselves(args: readonly string[]): Command {
  return { argv: [process.execPath, programPath, ...args] }
}

export interface OursOptions {
  readonly remote: peers.Remote
  readonly to: Destination
  /** Of `get`, for every configuration. */
  readonly args: readonly string[]
}

export function ours(configuration: Configuration, options: OursOptions): Contender {
  const command = (directory: string) => ourselves(argsOf(configuration, options, directory))
  // To hash what is thrown away would be measured, too: only the run that does not count proves the bytes.
  const warmUp = (directory: string) => ourselves([...argsOf(configuration, options, directory), '--digest'])
  const contender = { label: configuration.name, program: 'arriero', command }
  return options.to === 'file' ? contender : { ...contender, warmUp }
}

function argsOf(configuration: Configuration, { remote, to, args }: OursOptions, directory: string): string[] {
  const { url, caFile } = remote
  return [
    ...['bench-run', url, '--to', to, '--json'],
    ...(to === 'file' ? ['-o', peers.outputOf(directory)] : []),
    ...(caFile === undefined ? [] : ['--ca', caFile]),
    ...args,
    ...flagsOf(configuration),
  ]
}

/** Connections that those get which want to be told: what aria2 allows at most. */
const many = 16

/** The peer as a contender, or why it cannot take part. */
export function peerFor(name: PeerName, remote: peers.Remote, to: Destination): Contender | string {
  const scheme = new URL(remote.url).protocol.slice(0, -1)
  if (to === 'memory') return 'it cannot fetch into memory'
  if (!schemesOf[name].includes(scheme)) return `it does not read ${scheme}: addresses`
  if (to === 'null') return toNull[name]?.(remote) ?? 'it cannot write to stdout'
  if (name === 'rclone' && /[?#]/.test(remote.url)) return 'it takes no address with a query'
  return toFile[name](remote)
}

const schemesOf: Readonly<Record<PeerName, readonly string[]>> = {
  curl: ['http', 'https', 'ftp', 'ftps'],
  aria2c: ['http', 'https', 'ftp'],
  axel: ['http', 'https', 'ftp'],
  wget2: ['http', 'https'],
  rclone: ['http', 'https'],
  s5cmd: ['s3'],
}

const toFile: Readonly<Record<PeerName, (remote: peers.Remote) => Contender>> = {
  curl: peers.curlToFile,
  aria2c: remote => peers.aria2ToFile(remote, many),
  axel: remote => peers.axelToFile(remote, many),
  wget2: peers.wget2ToFile,
  rclone: remote => peers.rcloneToFile(remote, 4),
  s5cmd: peers.s5cmdToFile,
}

const toNull: Readonly<Partial<Record<PeerName, (remote: peers.Remote) => Contender>>> = {
  curl: peers.curlToNull,
  wget2: peers.wget2ToNull,
}
