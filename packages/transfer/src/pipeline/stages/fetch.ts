import { isBadRow, type Row } from '../../manifest/entry.ts'
import type { FetchOptions } from '../../options.ts'
import { probe } from '../../probe.ts'
import { wrongValue } from '../failure.ts'
import type { ItemInFlight } from '../item.ts'
import { A_PLACE, locatedOf, type Placed } from '../located.ts'
import { Ended, type Stage, type StageDefinition, type StageRun } from '../stage.ts'
import type { FetchToFiles, FetchToMemory, OptionsFor } from './fetch-options.ts'
import { toFiles } from './fetch-to-files.ts'
import { toMemory } from './fetch-to-memory.ts'
import type { Fetched, Take } from './fetched.ts'
import { isSameVersion, versionOf } from './version.ts'

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

async function fetchOne(value: unknown, item: ItemInFlight, take: Take<Fetched>, optionsFor: OptionsFor) {
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
