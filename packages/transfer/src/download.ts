/** One file: where it goes, what is there already, and the fetch in between. */
import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, resolve, sep } from 'node:path'
import { diskError } from './disk-error.ts'
import { type EngineParts, withCall } from './engine.ts'
import { judgeExisting } from './existing.ts'
import { type Names, unknownNames } from './existing-names.ts'
import { fetchResource } from './fetch-resource.ts'
import { endOfOne, tellDone, tellFailed } from './hooks/ends.ts'
import { fileNameFor } from './names/file-name.ts'
import type { DownloadOptions } from './options.ts'
import type { FileProgress } from './progress.ts'
import type { Resource } from './resource.ts'
import type { DownloadResult } from './results.ts'
import { createFileSink, type FileSink } from './sinks/file.ts'
import { tidyLeftovers } from './sinks/leftovers.ts'
import { partPathOf } from './sinks/part-path.ts'
import { transformed } from './sinks/transform.ts'
import { type Particulars, statedChecksums, Task } from './task.ts'

/** Files up to this size are published in groups: one answer brings them whole. */
const SMALL_LIMIT = 8 << 20

/**
 * Fetches `uri` into a file that appears only when it is complete, verified and durable.
 *
 * @param target a file; or a directory (existing, or ending with a separator), which gets the name that the source
 *   suggests; undefined: the current directory. Missing directories are made.
 * @throws TransferError; an abort passes through as the signal's reason. Calling again resumes where that is safe.
 * @example
 * ```ts
 * const { path, verification } = await download('https://example.org/m31.fits', 'data/', {
 *   checksums: ['sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
 * })
 * ```
 */
export function download(
  uri: string,
  target: string | undefined,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  const fetching = async (engine: EngineParts, opened: DownloadOptions) =>
    downloadWith(engine, uri, await whereTo(target), opened)
  return withCall(options, fetching, ended => endOfOne('result' in ended ? ended.result.bytes : undefined))
}

/** A file whose name is known, or a directory that gets the name that the source suggests. */
export type Place = { readonly path: string } | { readonly directory: string }

export interface DownloadContext extends Particulars {
  /** The directory that holds the private staging of small files; default: the file's own. */
  readonly root?: string | undefined
  /** What a run over many files knows of its directories. */
  readonly names?: Names | undefined
  /** In place of the name that the source suggests; may have directories. */
  pathFor?(name: string): string
  /** The final path is known; a throw fails the file. */
  onPath?(path: string): void
  /** The head of the first answer tells how large it is. */
  onSize?(bytes: number | undefined): void
  /** Its bytes have landed: a connection is free for the next file. */
  onFetched?(): void
}

/** `download` within an engine that lives on. */
export async function downloadWith(
  engine: EngineParts,
  uri: string,
  place: Place,
  options: DownloadOptions,
  context: DownloadContext = {},
): Promise<DownloadResult> {
  const task = new Task(engine, uri, options, { ...context, isNamed: 'path' in place })
  const file = engine.progress.start(task.shownUri, task.size)
  const unexpect = engine.publisher.expect()
  const { names = unknownNames } = context
  let isTold = false
  try {
    const result = await downloadTo(place, { task, options, context, file, names, onFetched })
    isTold = true
    await tellDone(task, result.path, { error: undefined, bytes: result.bytes, verification: result.verification })
    engine.progress.sized(file, result.bytes)
    engine.progress.finish(file, result.status === 'skipped' ? 'skipped' : 'done')
    return result
  } catch (error) {
    engine.progress.finish(file, 'failed')
    // Told once; and what went wrong first is what is reported.
    if (!isTold) await tellFailed(task, file.name, error, file.received)
    throw error
  } finally {
    unexpect()
  }

  function onFetched(): void {
    context.onFetched?.()
    unexpect()
  }
}

interface Download {
  readonly task: Task
  readonly options: DownloadOptions
  readonly context: DownloadContext
  readonly names: Names
  readonly file: FileProgress
  onFetched(): void
}

async function downloadTo(place: Place, download: Download): Promise<DownloadResult> {
  const { task, options, file, context } = download
  if ('path' in place) {
    file.name = place.path
    context.onPath?.(place.path)
    const { names } = download
    await names.look(place.path)
    const existing = names.mayExist(place.path) ? await judgeExisting(place.path, task, options, file) : undefined
    if (existing) return settleExisting(existing, place.path, download)
    const isRepaired = options.ifExists === 'repair' && names.mayExist(place.path) && isThere(place.path)
    return { ...(await fetchTo(place.path, download)), isRepaired }
  }
  try {
    return await fetchNamed(place.directory, download)
  } catch (error) {
    // The name that the source gave needs a look at the disk first: now that it is known, begin with it.
    if (error instanceof NameLearned) return downloadTo({ path: error.path }, download)
    throw error
  }
}

/**
 * What is there already is acknowledged like what was fetched: durable, whoever was killed before it was (A2), and
 * without what that one left beside it.
 */
async function settleExisting(existing: DownloadResult, path: string, download: Download): Promise<DownloadResult> {
  const { task, options, context, names, onFetched } = download
  const { publisher, stagingFor } = task.engine
  onFetched()
  if (['', '.journal', '.claim'].some(end => names.mayExist(`${partPathOf(path)}${end}`))) {
    // Somebody else's, or nothing that matters to who has the whole file.
    await tidyLeftovers(path).catch(() => {})
  }
  const staging = stagingFor(context.root ?? dirname(path))
  await staging.tidy()
  if (options.durability === 'none') return existing
  const { root } = staging
  const job = { temp: path, final: path, root, isThere: true, conflict: 'error', mtimeMs: undefined } as const
  await publisher.publish({ ...job, content: undefined, isDurable: true })
  return { ...existing, isDurable: true }
}

/** Fetches into a directory: the answer's head tells the name. */
async function fetchNamed(directory: string, download: Download): Promise<DownloadResult> {
  const { names, context } = download
  const name = (resource?: Resource) => fileNameFor({ url: download.task.uri, suggested: resource?.name })
  const guess = resolve(directory, name())
  await names.look(guess)
  let told: string | undefined
  return fetchTo(guess, download, (resource, { hasClaimed }) => {
    // Asked once, also when the transfer has to start over.
    told ??= context.pathFor?.(name(resource)) ?? name(resource)
    const path = resolve(directory, told)
    // What was claimed beside the guess belongs to the guess: under another name nothing of it may be used.
    const partPath = partPathOf(path)
    const isOther = hasClaimed ? path !== guess : names.mayExist(partPath) && isThere(partPath)
    if (isOther || (names.mayExist(path) && isThere(path))) throw new NameLearned(path)
    return path
  })
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    // No name that is too long can be there; whoever wants to make it says so.
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return false
    throw diskError(error, 'write', path)
  }
}

async function fetchTo(
  guess: string,
  { task, options, context, file, names, onFetched }: Download,
  nameOf?: (resource: Resource, sink: FileSink) => string,
): Promise<DownloadResult> {
  let sink: FileSink | undefined
  const fetched = await fetchResource(task, hooks => {
    sink = createFileSink({
      options,
      mayResume: options.resume !== false && !task.range && !hooks?.has('transform'),
      path: guess,
      isGuess: nameOf !== undefined,
      resource: task,
      checksums: statedChecksums(task),
      smallLimit: Math.min(SMALL_LIMIT, task.partSize ?? SMALL_LIMIT, task.engine.slots.budget),
      names,
      publisher: task.engine.publisher,
      staging: task.engine.stagingFor(context.root ?? dirname(guess)),
    })
    const target = sink
    return {
      sink: transformed(target, hooks, task.signal),
      file,
      path: guess,
      onResource: resource => {
        context.onSize?.(resource.size)
        if (!nameOf) return
        const path = nameOf(resource, target)
        context.onPath?.(path)
        target.rename(path)
        file.name = path
      },
      onFetched,
    }
  }).catch(error => {
    if (sink?.kept) task.engine.progress[sink.kept]++
    throw error
  })
  return {
    uri: task.shownUri,
    path: fetched.result.path,
    bytes: fetched.verification.size,
    status: 'downloaded',
    isRepaired: false,
    resumedBytes: sink?.resumedBytes ?? 0,
    networkBytes: fetched.networkBytes,
    isDurable: options.durability !== 'none',
    resource: fetched.resource,
    verification: fetched.verification,
    timings: fetched.timings,
    retries: fetched.retries,
  }
}

/** Where a target as a person writes it leads. */
export async function whereTo(target: string | undefined): Promise<Place> {
  if (target === undefined || target === '') return { directory: process.cwd() }
  const path = resolve(target)
  if (target.endsWith('/') || target.endsWith(sep)) return { directory: path }
  try {
    return (await stat(path)).isDirectory() ? { directory: path } : { path }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { path }
    throw diskError(error, 'write', path)
  }
}

/** Ends a fetch whose name turned out to be one that is there already. */
class NameLearned extends Error {
  readonly path: string

  constructor(path: string) {
    super(`The source names its file ${basename(path)}`)
    this.path = path
  }
}
