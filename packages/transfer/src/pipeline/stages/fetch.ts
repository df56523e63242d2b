import { isBadRow, type Row } from '../../manifest/entry.ts'
import type { FetchOptions, FileOptions } from '../../options.ts'
import { probe } from '../../probe.ts'
import { wrongValue } from '../failure.ts'
import type { ItemContext, ItemInFlight } from '../item.ts'
import { A_PLACE, type Located, locatedOf, type Placed } from '../located.ts'
import { Ended, type Stage, type StageDefinition, type StageOptions, type StageRun } from '../stage.ts'
import { type FetchedFile, toFiles } from './fetch-to-files.ts'
import { type FetchedBytes, toMemory } from './fetch-to-memory.ts'
import { isSameVersion, versionOf } from './version.ts'

/** Of all that a fetch understands, what belongs to an item or to the run is left out. */
type Common = StageOptions &
  Omit<FetchOptions, 'engine' | 'signal' | 'concurrency' | 'retries' | 'mirrors' | 'size' | 'range'>

export interface FetchToMemory extends Common {
  /** Refuse content larger than this. Default 1 GiB. */
  readonly maxItemBytes?: number | undefined
}

export interface FetchToFiles extends Common, Omit<FileOptions, 'ifExists'> {
  /** Where the files go. */
  readonly directory: string
  /** Name of an item's file, relative to the directory. Default: `path` of its place, else the name of its URL. */
  readonly path?: ((located: Located, item: ItemContext<never>) => string) | undefined
  /** What is done when the file is there. Default `overwrite`. */
  readonly ifExists?: FileOptions['ifExists']
}

/** The options of one item's fetch, its own before those of the stage, these before those of the run. */
export type OptionsFor = (placed: Placed, item: ItemInFlight) => FetchOptions

/** Fetches one item's content. */
export type Take = (placed: Placed, item: ItemInFlight) => Promise<FetchedBytes | FetchedFile>

export function fetchStage(name: string, options: FetchToMemory | FetchToFiles): StageDefinition {
  const { name: _, concurrency, ordered, retries, timeoutMs, ...fetch } = options
  const isToFiles = 'directory' in fetch
  return {
    kind: 'fetch',
    name,
    options: { concurrency, ordered, retries, timeoutMs },
    about: isToFiles ? `into files in ${fetch.directory}` : 'into memory',
    start(run: StageRun): Stage {
      const optionsFor: OptionsFor = (placed, item) => merged(run, fetch, placed, item)
      const { take, ...limits } = isToFiles ? toFiles(run, fetch, optionsFor) : toMemory(run, fetch, optionsFor)
      return { ...limits, run: (value, item) => fetchOne(value, item as ItemInFlight, take, optionsFor) }
    },
  }
}

function merged({ engine, fetch }: StageRun, options: FetchOptions, placed: Placed, item: ItemInFlight): FetchOptions {
  const all = { ...fetch, ...options }
  const { size, range, uris } = placed
  return {
    ...all,
    engine,
    signal: item.signal,
    mirrors: uris.slice(1),
    size,
    range,
    headers: placed.headers ? { ...all.headers, ...placed.headers } : all.headers,
    checksums: [...(all.checksums ?? []), ...(placed.checksums ?? [])],
  }
}

async function fetchOne(value: unknown, item: ItemInFlight, take: Take, optionsFor: OptionsFor) {
  if (value !== null && typeof value === 'object' && isBadRow(value as Row)) throw (value as { error: unknown }).error
  const placed = locatedOf(value)
  if (!placed) throw wrongValue(item.stage, value, A_PLACE)
  const earlier = item.earlier?.version
  if (earlier) {
    const now = versionOf(await probe(placed.uris[0], optionsFor(placed, item)))
    if (isSameVersion(earlier, now)) return new Ended('unchanged')
  }
  const fetched = await take(placed, item)
  item.version = versionOf(fetched.resource)
  return fetched
}
