/** Which configuration to use: the fastest, unless a cheaper one is as fast as far as the runs can tell. */
import { quote } from './command.ts'
import { defaults, flagsOf } from './configuration.ts'
import { type Group, isOurs, isSound } from './groups.ts'
import type { ConfigurationRecord } from './record.ts'
import { hideSecrets } from './show-command.ts'

/** Medians closer than this are not told apart, whatever the runs say. */
const NOISE = 0.05

export interface Recommendation {
  readonly group: Group
  /** Those within the noise of the fastest. */
  readonly tied: readonly Group[]
  readonly fastest: Group
  /** Every one of several: the sweep shows no difference. */
  readonly isAllNoise: boolean
}

/** Undefined when none of our configurations was measured. */
export function recommend(groups: readonly Group[]): Recommendation | undefined {
  const ours = groups.filter(group => isOurs(group) && isSound(group))
  const fastest = ours.toSorted((a, b) => a.wallSeconds.median - b.wallSeconds.median)[0]
  if (!fastest) return undefined
  const tied = ours.filter(group => isWithinNoise(group, fastest))
  const group = tied.toSorted(byCost)[0]!
  return { group, tied, fastest, isAllNoise: ours.length > 1 && tied.length === ours.length }
}

/**
 * Overlapping ranges of at least three runs each, or medians less than 5 % apart. Of one or two runs the range says
 * nothing.
 */
function isWithinNoise(slow: Group, fast: Group): boolean {
  if (slow.wallSeconds.median < fast.wallSeconds.median * (1 + NOISE)) return true
  const isRange = slow.runs >= 3 && fast.runs >= 3
  return isRange && slow.wallSeconds.min <= fast.wallSeconds.max
}

/** Fewer connections burden the server less: those that were used, then those that were allowed. Then less CPU. */
function byCost(a: Group, b: Group): number {
  const costs = [a, b].map(({ peakConnections, configuration, cpuSeconds }) => [
    Number.isNaN(peakConnections) ? usualConnections : peakConnections,
    configuration?.connections ?? usualConnections,
    cpuSeconds.median,
  ])
  const at = costs[0]!.findIndex((cost, index) => cost !== costs[1]![index])
  return at === -1 ? 0 : costs[0]![at]! - costs[1]![at]!
}

/** What is allowed where nothing is said. */
const usualConnections = 16

export interface SentenceOptions {
  /** Of `get`, which the user gave for all configurations. */
  readonly args?: readonly string[] | undefined
}

/** What to do and how sure that is, as sentences. */
export function recommendationLines(groups: readonly Group[], { args = [] }: SentenceOptions = {}): string[] {
  const found = recommend(groups)
  if (!found) return ['Nothing to recommend: no run of ours was right.']
  const { group, tied, fastest, isAllNoise } = found
  const { configuration, gbitPerSecond, peakConnections } = group
  const flags = configuration ? flagsOf(settingsOf(configuration)) : []
  const isDefault = group.label === defaults.name
  const command = ['arriero get …', ...[...hideSecrets(args), ...flags].map(quote)].join(' ')
  const rate = `${gbitPerSecond.median.toFixed(2)} Gbit/s`
  const connections = Number.isNaN(peakConnections) ? '' : ` over ${connectionsText(peakConnections)}`
  const lines = [`Recommended: ${command}${isDefault ? '  (the defaults)' : ''}: ${rate}${connections}.`]
  if (isAllNoise) {
    lines.push(
      `The differences between the ${tied.length} configurations are within the noise of the runs; this is the cheapest of them.`,
    )
  } else if (tied.length > 1 && group !== fastest) {
    const more = ((gbitPerSecond.median / fastest.gbitPerSecond.median - 1) * 100).toFixed(0)
    lines.push(
      `${fastest.label} had the best median, ${fastest.gbitPerSecond.median.toFixed(2)} Gbit/s (${more} %), which is within the noise; this one costs less.`,
    )
  }
  return [...lines, ...aboutDefaults(groups, group), ...aboutConnections(groups), ...aboutRuns(group)]
}

function settingsOf({ connections, part_size, threads, args }: ConfigurationRecord) {
  return {
    ...{ connections: connections ?? undefined, partSize: part_size ?? undefined, threads: threads ?? undefined },
    args,
  }
}

/** Most people will ask: is it worth typing anything? */
function aboutDefaults(groups: readonly Group[], chosen: Group): string[] {
  const plain = groups.find(group => isOurs(group) && isSound(group) && group.label === defaults.name)
  if (!plain || plain === chosen) return []
  const difference = (plain.wallSeconds.median / chosen.wallSeconds.median - 1) * 100
  const isNoise = isWithinNoise(...([plain, chosen].sort(slowFirst) as [Group, Group]))
  const amount = `${Math.abs(difference).toFixed(0)} % ${difference > 0 ? 'slower' : 'faster'}`
  return [
    isNoise
      ? `Without any flags it is as fast, as far as these runs can tell (${amount}).`
      : `Without any flags it is ${amount}.`,
  ]
}

const slowFirst = (a: Group, b: Group) => b.wallSeconds.median - a.wallSeconds.median

function aboutConnections(groups: readonly Group[]): string[] {
  const many = groups.filter(group => isOurs(group) && isSound(group) && (group.configuration?.connections ?? 1) > 1)
  if (many.length === 0 || many.some(({ peakConnections }) => peakConnections !== 1)) return []
  return ['No run used more than one connection: the server gives no parts, or the file is too small for several.']
}

function aboutRuns({ runs, wallSeconds }: Group): string[] {
  return [
    ...(runs < 3 ? ['Fewer than 3 rounds: one disturbed run decides; take more before you rely on it.'] : []),
    ...(wallSeconds.median < SHORT
      ? ['Runs this short measure much of the program’s start: a larger file tells more.']
      : []),
  ]
}

/** Seconds. */
const SHORT = 1

const connectionsText = (n: number) => `${n} connection${n === 1 ? '' : 's'}`
