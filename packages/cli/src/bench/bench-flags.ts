/** What `bench` was asked for, made definite; contradictions are refused here. */
import { ProgramError } from '../errors.ts'
import { readSources } from '../get/request.ts'
import type { LogFlags } from '../options/log.ts'
import { pictureType } from '../plot/write-drawing.ts'
import { didYouMean } from '../suggest.ts'
import { formatSize, parseCount, parsePositiveSize } from '../units.ts'
import { type Configuration, sweep } from './configuration.ts'
import { type Destination, type PeerName, peerNames } from './contenders.ts'
import type { OutputFormat } from './output.ts'
import { type TargetName, targetNames } from './targets.ts'

export interface BenchFlags extends LogFlags {
  readonly connections?: string
  readonly partSize?: string
  readonly threads?: string
  readonly config?: string
  readonly compare?: string | true
  readonly to?: Destination
  readonly dir?: string
  readonly targets?: string
  readonly size?: number
  readonly repeat?: number
  readonly maxBytes?: number
  /** ms */
  readonly maxTime?: number
  readonly dryRun?: boolean
  readonly output?: string
  readonly plot?: string
  readonly format?: OutputFormat
}

export interface BenchRequest {
  readonly urls: readonly string[]
  /** Flags of `get` for every run of ours. */
  readonly args: readonly string[]
  readonly targets: readonly TargetName[]
  readonly configurations: readonly Configuration[]
  readonly peers: readonly PeerName[]
  readonly to: Destination
}

/** A local server hashes its content before it begins. */
const mostBytes = 64 * 2 ** 30

/** @throws ProgramError Usage */
export async function readBenchRequest(operands: readonly string[], flags: BenchFlags): Promise<BenchRequest> {
  const { to = 'file', size, dir, plot } = flags
  const begin = operands.findIndex(operand => operand.startsWith('-'))
  const args = begin === -1 ? [] : operands.slice(begin)
  const given = begin === -1 ? operands : operands.slice(0, begin)
  const { peers, urls: swallowed } = readCompare(flags.compare)
  const urls = readSources([...given, ...swallowed])
  const targets = flags.targets === undefined ? [] : listOf(flags.targets, '--targets', toTarget)
  if (urls.length > 0 && targets.length > 0)
    refuse('URLs and --targets contradict each other: measure one after the other.')
  if (urls.length > 0 && size !== undefined) refuse('--size is of a local target: a URL has the size that it has.')
  if (size !== undefined && size > mostBytes) refuse(`--size is at most ${formatSize(mostBytes)}.`)
  if (to !== 'file' && dir !== undefined) refuse(`--dir says where files are written, and --to ${to} writes none.`)
  if (plot !== undefined) pictureType(plot)
  return {
    urls: [...new Set(urls)],
    args,
    targets: urls.length === 0 && targets.length === 0 ? ['plain'] : targets,
    configurations: await readConfigurationFlags(flags),
    peers,
    to,
  }
}

async function readConfigurationFlags(flags: BenchFlags): Promise<Configuration[]> {
  const { connections, partSize, threads, config } = flags
  if (config !== undefined) {
    if ((connections ?? partSize ?? threads) !== undefined) {
      refuse('--config contradicts --connections, --part-size and --threads: it lists whole configurations.')
    }
    return (await import('./config-file.ts')).readConfigurations(config)
  }
  return sweep({
    connections: listOf(connections ?? '1,4,16', '--connections', orAuto(parseCount)),
    partSizes: listOf(partSize ?? '1MiB,8MiB', '--part-size', orAuto(parsePositiveSize)),
    threads: listOf(threads ?? 'auto', '--threads', orAuto(parseCount)),
  })
}

/** Behind `--compare` commander takes the next word for its value, also if that is a URL. */
function readCompare(compare: BenchFlags['compare']): { peers: readonly PeerName[]; urls: readonly string[] } {
  if (compare === undefined) return { peers: [], urls: [] }
  if (compare === true) return { peers: peerNames, urls: [] }
  if (/[/:]/.test(compare)) return { peers: peerNames, urls: [compare] }
  return { peers: listOf(compare, '--compare', toPeer), urls: [] }
}

function listOf<T>(text: string, flag: string, parse: (text: string, flag: string) => T): T[] {
  const words = text.split(',').map(word => word.trim())
  if (words.includes('')) refuse(`${flag} takes values with commas between them, not '${text}'.`)
  return [...new Set(words.map(word => parse(word, flag)))]
}

function orAuto(parse: (text: string, flag: string) => number) {
  return (text: string, flag: string) => (text === 'auto' ? undefined : parse(text, flag))
}

const toPeer = (text: string) => oneOf(text, peerNames, 'program to compare with')
const toTarget = (text: string) => oneOf(text, targetNames, 'local target')

function oneOf<T extends string>(text: string, all: readonly T[], what: string): T {
  const found = all.find(each => each === text)
  return found ?? refuse(`'${text}' is no ${what}: they are ${all.join(', ')}.${didYouMean(text, all)}`)
}

function refuse(message: string): never {
  throw new ProgramError('Usage', message)
}
