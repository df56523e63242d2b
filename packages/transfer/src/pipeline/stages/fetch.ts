import { downloadWith } from '../../download.ts'
import type { EngineParts } from '../../engine.ts'
import type { Verification } from '../../integrity/verification.ts'
import { fetchInto } from '../../iterate.ts'
import { type BadRow, isBadRow } from '../../manifest/entry.ts'
import { fileNameFor } from '../../names/file-name.ts'
import type { FetchOptions, FileOptions } from '../../options.ts'
import { redactUrl } from '../../redact.ts'
import type { Resource } from '../../resource.ts'
import { createMemorySink } from '../../sinks/memory.ts'
import { wrongValue } from '../failure.ts'
import type { ItemContext, ItemInFlight } from '../item.ts'
import { A_PLACE, type Located, locatedOf } from '../located.ts'
import { Ended, type Stage, type StageDefinition, type StageOptions, type StageRun } from '../stage.ts'
import { Targets } from './targets.ts'
import { isSameVersion, versionOf } from './version.ts'

/** Of all that a fetch understands, what belongs to an item or to the run is left out. */
type Common = StageOptions & Omit<FetchOptions, 'engine' | 'signal' | 'retries' | 'mirrors' | 'size' | 'range'>

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

interface Fetched {
  /** Redacted. */
  readonly uri: string
  /** Bytes. */
  readonly size: number
  readonly resource: Resource
  readonly verification: Verification
}

/** Content in memory, verified. The bytes lie in shared memory, so that threads read them where they are. */
export interface FetchedBytes extends Fetched {
  readonly bytes: Uint8Array
}

/** Content in a file, verified and durable. */
export interface FetchedFile extends Fetched {
  /** Absolute. */
  readonly path: string
}

type Placed = Located & { readonly uris: readonly string[] }

export function fetchStage(name: string, options: FetchToMemory | FetchToFiles): StageDefinition {
  const isToFiles = 'directory' in options
  const { name: _, concurrency, ordered, retries, timeoutMs } = options
  return {
    kind: 'fetch',
    name,
    options: { concurrency, ordered, retries, timeoutMs },
    about: isToFiles ? `into files in ${options.directory}` : 'into memory',
    start: run => {
      const take = isToFiles ? toFiles(run, options) : toMemory(run, options)
      return { concurrency: 16, run: (value, item) => fetchOne(value, item, take, run.engine, options, name) } as Stage
    },
  }
}

type Take = (placed: Placed, item: ItemInFlight) => Promise<FetchedBytes | FetchedFile>

async function fetchOne(
  value: unknown,
  item: ItemContext,
  take: Take,
  engine: EngineParts,
  options: Common,
  stage: string,
): Promise<FetchedBytes | FetchedFile | Ended> {
  if (value !== null && typeof value === 'object' && isBadRow(value as BadRow)) throw (value as BadRow).error
  const placed = locatedOf(value)
  if (!placed) throw wrongValue(stage, value, A_PLACE)
  const here = item as ItemInFlight
  const earlier = here.earlier?.version
  if (earlier && isSameVersion(earlier, await versionNow(placed, here, engine, options))) {
    return new Ended('unchanged')
  }
  const fetched = await take(placed, here)
  here.version = versionOf(fetched.resource)
  return fetched
}

async function versionNow({ uris, headers }: Placed, item: ItemInFlight, engine: EngineParts, options: Common) {
  const uri = uris[0] as string
  const { probe } = await import('../../probe.ts')
  return versionOf(
    await probe(uri, {
      ...options,
      retries: undefined,
      headers: headersOf(options, headers),
      engine,
      signal: item.signal,
    }),
  )
}

function toMemory({ engine, memory }: StageRun, options: FetchToMemory): Take {
  const { maxItemBytes = 1 << 30 } = options
  return async (placed, item) => {
    await memory.reserve(item, placed.size)
    const [uri = '', ...mirrors] = placed.uris
    const own = {
      ...options,
      retries: undefined,
      ...particulars(placed, options),
      mirrors,
      engine,
      signal: item.signal,
    }
    const fetched = await fetchInto(
      engine,
      uri,
      own,
      () => createMemorySink({ maxBytes: maxItemBytes, isShared: true }),
      undefined,
      ({ size }) => size !== undefined && memory.settle(item, size),
    )
    const { result: bytes, resource, verification } = fetched
    memory.settle(item, bytes.byteLength)
    return { uri: redactUrl(uri), bytes, size: bytes.byteLength, resource, verification }
  }
}

function toFiles({ engine }: StageRun, options: FetchToFiles): Take {
  const targets = new Targets(options.directory)
  return async (placed, item) => {
    const target = await targets.take(pathOf(placed, item, options), item)
    const [uri = '', ...mirrors] = placed.uris
    const { size, headers, range, checksums } = particulars(placed, options)
    const { ifExists = 'overwrite' } = options
    const own = { ...options, retries: undefined, ifExists, signal: item.signal, checksums }
    const result = await downloadWith(engine, uri, { path: target }, own, {
      mirrors,
      size,
      headers,
      range,
      root: targets.directory,
    })
    const { path, bytes, resource, verification } = result
    item.outputs.push({ path, size: bytes })
    return { uri: result.uri, path, size: bytes, resource, verification }
  }
}

function pathOf(placed: Placed, item: ItemContext, { path }: FetchToFiles): string {
  if (path) return path(placed, item as ItemContext<never>)
  return placed.path ?? fileNameFor({ url: placed.uris[0] as string })
}

function particulars({ size, headers, range, checksums }: Placed, options: Common) {
  return {
    size,
    range,
    headers: headersOf(options, headers),
    checksums: [...(options.checksums ?? []), ...(checksums ?? [])],
  }
}

function headersOf({ headers }: Common, own: Located['headers']): Located['headers'] {
  return own ? { ...headers, ...own } : headers
}
