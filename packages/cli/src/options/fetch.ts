/** Flags of every command that asks a server for something. */
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Context } from '../context.ts'
import { type EngineOptions, type FetchOptions, type Hooks, loadEngine } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { eventPrinter, printedLevel } from '../events.ts'
import { parseCount, parseDuration, parsePositiveSize, parseRate, parseSize } from '../units.ts'
import { collect } from './collect.ts'
import { addCommonsOptions, type CommonsFlags, commonsOptions } from './commons.ts'
import { type GsFlags, gsOptions, userProjectOption } from './gs.ts'
import { parseHeaders, secretHeadersIn } from './headers.ts'
import type { HooksFlags } from './hooks.ts'
import { eventLog, type LogFlags } from './log.ts'
import { netrcCredentials } from './netrc.ts'
import { readText } from './read-text.ts'
import { addS3Options, type S3Flags, s3Options } from './s3.ts'
import { addSftpOptions, type SftpFlags, sftpOptions } from './sftp.ts'

export interface FetchFlags extends CommonsFlags, GsFlags, HooksFlags, LogFlags, S3Flags, SftpFlags {
  readonly header?: readonly string[]
  readonly netrc?: boolean
  readonly connections?: number
  readonly partSize?: number
  readonly threads?: number
  readonly maxMemory?: number
  readonly limitRate?: number
  readonly retries?: number
  readonly lowSpeed?: number
  readonly timeout?: number
  readonly keepEncoding?: boolean
  readonly allowDowngrade?: boolean
  readonly allowUnverifiedLength?: boolean
  readonly etagPolicy?: 'strict' | 'size+mtime' | 'ignore-if-checksum'
  readonly insecure?: boolean
  readonly ca?: string
}

/** An option whose value is converted, and refused with the flag's name. */
export function valued<T>(flags: string, description: string, parse: (text: string, flag: string) => T): Option {
  const flag = /--[\w-]+/.exec(flags)![0]
  return new Option(flags, description).argParser(text => parse(text, flag))
}

function addServerOptions(command: Command): Command {
  command
    .optionsGroup('Access:')
    .addOption(
      new Option('--header <NAME: VALUE>', 'send a header; repeatable; @FILE reads them from a file').argParser(
        collect,
      ),
    )
    .addOption(new Option('--netrc', 'use ~/.netrc for the hosts that you name (default: no credentials)'))
    .addOption(new Option('--anonymous', 'send no credentials, whatever is configured'))
  return addSftpOptions(addS3Options(addNetworkOptions(command)))
}

/** What holds whichever server is asked. */
export function addNetworkOptions(command: Command): Command {
  return command
    .addOption(userProjectOption())
    .addOption(new Option('--ca <FILE>', 'trust these certificate authorities (PEM) as well'))
    .addOption(new Option('--insecure', 'accept any certificate; anybody may then have changed the bytes'))
    .addOption(new Option('--allow-downgrade', 'follow redirects from https to http'))
}

/** Every kind of access that a command for URLs has. */
export function addAccessOptions(command: Command): Command {
  return addCommonsOptions(addServerOptions(command))
}

export function addSpeedOptions(command: Command): Command {
  return command
    .optionsGroup('Speed and patience:')
    .addOption(
      valued('--connections <N>', 'most connections per server (default: as many as help, up to 16)', parseCount),
    )
    .addOption(
      valued('--part-size <SIZE>', 'bytes per request, e.g. 8MiB (default: chosen on the way)', parsePositiveSize),
    )
    .addOption(valued('--threads <N>', 'threads for slow digests (default: one per core, at most 4)', parseCount))
    .addOption(
      valued(
        '--max-memory <SIZE>',
        'most memory for buffers (default: as needed, at most 1GiB or a quarter of what is free)',
        parsePositiveSize,
      ),
    )
    .addOption(valued('--limit-rate <SIZE>', 'bytes per second, for everything together, e.g. 2MiB', parseRatePositive))
    .addOption(valued('--retries <N>', 'attempts for a part that gets nowhere (default: 8)', parseRetries))
    .addOption(
      valued('--low-speed <SIZE>', 'give up a connection slower than this per second (default: 1KiB)', parseRate),
    )
    .addOption(
      valued('--timeout <TIME>', 'longest silence, e.g. 30s (default: 10 s to connect, then 30 s)', parseDuration),
    )
}

export function addAnswerOptions(command: Command): Command {
  return command
    .addOption(new Option('--keep-encoding', 'store a compressed answer as it was sent'))
    .addOption(new Option('--allow-unverified-length', 'accept an answer whose end only the closed connection tells'))
    .addOption(
      new Option('--etag-policy <POLICY>', 'how entity tags that differ between a server’s nodes are taken').choices([
        'strict',
        'size+mtime',
        'ignore-if-checksum',
      ]),
    )
}

function parseRatePositive(text: string, flag: string): number {
  return parsePositiveSize(text.replace(/\/s$/i, ''), flag)
}

function parseRetries(text: string, flag: string): number {
  return parseCount(text, flag, 0)
}

export function engineOptions(flags: FetchFlags, context: Context): EngineOptions {
  const { connections, threads, maxMemory, limitRate, timeout, insecure, ca } = flags
  return {
    connections,
    hashWorkers: threads,
    memoryBudget: maxMemory,
    limitRate,
    // Deadlines follow progress: a total would kill long transfers that are healthy.
    timeouts: timeout === undefined ? undefined : { connectMs: timeout, firstByteMs: timeout, idleMs: timeout },
    insecure,
    ca: ca === undefined ? undefined : readText(ca, '--ca'),
    proxyFromEnvironment: true,
    onEvent: both(eventPrinter(context), eventLog(flags, context)),
    eventLevel: flags.log === undefined ? printedLevel(context) : 'TRACE',
  }
}

/** Undefined when nobody listens, so that the engine need not tell. */
function both<T>(first: Listener<T> | undefined, second: Listener<T> | undefined): Listener<T> | undefined {
  if (!first || !second) return first ?? second
  return event => {
    first(event)
    second(event)
  }
}

type Listener<T> = (event: T) => void

/** What goes with a request. `urls` are those that the person named: only their hosts get credentials. */
export function fetchOptions(flags: FetchFlags, context: Context, urls: Iterable<string>): FetchOptions {
  const { connections, partSize, retries, lowSpeed, keepEncoding, allowDowngrade } = flags
  refuseContradictions(flags)
  const headers = flags.header && parseHeaders(flags.header)
  return {
    signal: context.signal,
    headers,
    secretHeaders: headers && secretHeadersIn(headers),
    concurrency: connections,
    partSize,
    retries,
    lowSpeedLimit: lowSpeed,
    keepEncoding,
    allowDowngrade,
    trustCommons: flags.trustCommons,
    allowUnverifiedLength: flags.allowUnverifiedLength,
    etagPolicy: flags.etagPolicy,
    commons: once(async () => commonsOptions(flags, context, await loadEngine())),
    s3: s3Options(flags, context.terminal.env),
    hooks: hooksFor(flags, context, urls),
    gs: gsOptions(flags),
    sftp: sftpOptions(flags),
  }
}

/** The user's own come first: what they say of credentials holds. */
function hooksFor(flags: FetchFlags, context: Context, urls: Iterable<string>): readonly Hooks[] | undefined {
  const { netrc, userHooks = [] } = flags
  const ours = netrc ? [{ credentials: netrcCredentials(context.terminal.env, urls) }] : []
  return netrc || userHooks.length > 0 ? [...userHooks, ...ours] : undefined
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

function refuseContradictions(flags: FetchFlags): void {
  if (flags.anonymous && flags.netrc) throw new ProgramError('Usage', '--anonymous and --netrc contradict each other.')
}

export { collect, parseSize }
