/** How our own program is set for a run. */
import type { ConfigurationRecord } from './record.ts'
import { hideSecrets } from './show-command.ts'

export interface Configuration {
  /** Unique in a run. */
  readonly name: string
  /** Undefined: left to the program. */
  readonly connections?: number | undefined
  /** Bytes. */
  readonly partSize?: number | undefined
  /** For digests: the transfer itself has one thread. */
  readonly threads?: number | undefined
  /** More flags of `get`. */
  readonly args: readonly string[]
}

export interface Axes {
  readonly connections: readonly (number | undefined)[]
  readonly partSizes: readonly (number | undefined)[]
  readonly threads: readonly (number | undefined)[]
}

/** What a user gets who sets nothing. */
export const defaults: Configuration = { name: 'defaults', args: [] }

/** Every combination, after the defaults, which everybody wants to know about. */
export function sweep({ connections, partSizes, threads }: Axes): Configuration[] {
  const grid = threads.flatMap(threads =>
    connections.flatMap(connections => partSizes.map(partSize => named({ connections, partSize, threads, args: [] }))),
  )
  return [defaults, ...grid.filter(({ name }) => name !== defaults.name)]
}

function named(settings: Omit<Configuration, 'name'>): Configuration {
  const flags = flagsOf(settings)
  return { name: flags.length === 0 ? defaults.name : nameOf(settings), ...settings }
}

/** `4 × 8MiB`, as the axes of the heat map have it. */
function nameOf({ connections, partSize, threads }: Omit<Configuration, 'name'>): string {
  const size = partSize === undefined ? 'auto' : spellSize(partSize)
  const more = threads === undefined ? '' : `, ${threads} thread${threads === 1 ? '' : 's'}`
  return `${connections ?? 'auto'} × ${size}${more}`
}

/** As they are typed behind `arriero get`. */
export function flagsOf({ connections, partSize, threads, args }: Omit<Configuration, 'name'>): string[] {
  return [
    ...(connections === undefined ? [] : ['--connections', String(connections)]),
    ...(partSize === undefined ? [] : ['--part-size', spellSize(partSize)]),
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
    ...args,
  ]
}

/** As it is written down. */
export function configurationRecord(configuration: Configuration): ConfigurationRecord {
  const { name, connections, partSize, threads, args } = configuration
  return {
    ...{ name, connections: connections ?? null, part_size: partSize ?? null, threads: threads ?? null },
    args: hideSecrets(args),
  }
}

const units = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const

/** The shortest spelling that loses nothing: 8388608 is `8MiB`. */
export function spellSize(bytes: number): string {
  const unit = units.find(([, factor]) => bytes >= factor && bytes % factor === 0)
  return unit ? `${bytes / unit[1]}${unit[0]}` : String(bytes)
}
