/** What a benchmark is going to do, before it does it. */
import { count } from '../text.ts'
import { formatSize } from '../units.ts'
import type { Configuration } from './configuration.ts'
import type { Contender } from './contender.ts'
import { type Destination, ours, type PeerName, peerFor } from './contenders.ts'
import type { Remote } from './peers.ts'
import { showCommand } from './show-command.ts'

/** A file to fetch, known and there. */
export interface Subject {
  /** What records call it. */
  readonly scenario: string
  readonly remote: Remote
  readonly bytes: number
  /** In hex, where it is known beforehand. */
  readonly sha256?: string | undefined
  readonly hasRanges: boolean
  /** On this machine: connections to it can be told from others. */
  readonly port?: number | undefined
}

export interface Planned extends Subject {
  readonly contenders: readonly { readonly contender: Contender; readonly configuration?: Configuration }[]
  /** Peers that cannot take part, and why. */
  readonly absent: readonly { readonly peer: PeerName; readonly why: string }[]
}

export interface Plan {
  readonly to: Destination
  readonly rounds: number
  readonly scenarios: readonly Planned[]
  /** The uncounted ones included. */
  readonly runs: number
  readonly bytes: number
}

export interface PlanOptions {
  readonly to: Destination
  readonly rounds: number
  readonly configurations: readonly Configuration[]
  /** Of `get`, for every configuration. */
  readonly args: readonly string[]
  /** The peers that were asked for, with the version of those that are here. */
  readonly peers: ReadonlyMap<PeerName, string | undefined>
}

export function planBench(subjects: readonly Subject[], options: PlanOptions): Plan {
  const { to, rounds } = options
  const scenarios = subjects.map(subject => planScenario(subject, options))
  const runsOf = ({ contenders }: Planned) => contenders.length * (rounds + 1)
  return {
    to,
    rounds,
    scenarios,
    runs: scenarios.reduce((sum, each) => sum + runsOf(each), 0),
    bytes: scenarios.reduce((sum, each) => sum + runsOf(each) * each.bytes, 0),
  }
}

function planScenario(subject: Subject, { to, configurations, args, peers }: PlanOptions): Planned {
  const { remote } = subject
  const own = configurations.map(configuration => ({
    contender: ours(configuration, { remote, to, args }),
    configuration,
  }))
  const others: { contender: Contender }[] = []
  const absent: { peer: PeerName; why: string }[] = []
  for (const [peer, version] of peers) {
    const found = version === undefined ? 'it is not installed' : peerFor(peer, remote, to)
    if (typeof found === 'string') absent.push({ peer, why: found })
    else others.push({ contender: found })
  }
  return { ...subject, contenders: [...own, ...others], absent }
}

/** Said before anything is measured. */
export function planLines({ to, rounds, scenarios, runs, bytes }: Plan): string[] {
  return [
    ...scenarios.flatMap(({ scenario, bytes, contenders, absent, hasRanges }) => [
      `${scenario}: ${formatSize(bytes)} to ${to}, ${count(contenders.length, 'contender')}`,
      ...(hasRanges ? [] : ['  has no ranges: one connection, whatever --connections says']),
      ...absent.map(({ peer, why }) => `  NOT RUN ${peer}: ${why}`),
    ]),
    `${count(runs, 'run')}, about ${formatSize(bytes)}: one of each to warm up, then ${count(rounds, 'round')}`,
  ]
}

/** For `--dry-run`: also what would be typed. */
export function commandLines({ scenarios }: Plan): string[] {
  return scenarios.flatMap(({ scenario, contenders }) =>
    contenders.map(({ contender }) => `${scenario}  ${showCommand(contender.command('DIR'))}`),
  )
}
