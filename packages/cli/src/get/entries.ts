/** Where the entries of a list come from. */
import { createReadStream, type Stats, statSync } from 'node:fs'
import type { Context } from '../context.ts'
import type { BadRow, EngineDoor, Entry, Listed, ListOptions } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import type { GetFlags } from '../options/file.ts'
import { systemReason } from '../system-error.ts'
import { withoutSecrets } from '../text.ts'
import { type GetRequest, namesSeveral } from './request.ts'

export type ListRequest = Extract<GetRequest, { kind: 'several' | 'manifest' }>

export interface EntriesOptions {
  /** How listings are asked. */
  readonly fetch: ListOptions
  readonly flags: Pick<GetFlags, 'glob'>
  readonly context: Context
  readonly door: Pick<EngineDoor, 'parseManifest' | 'list' | 'rowOfListed'>
}

/** Entries as they are read: transfers start before the end of a list is known. */
export function entriesOf(
  request: ListRequest,
  { fetch, flags, context, door }: EntriesOptions,
): AsyncIterable<readonly (Entry | BadRow)[]> {
  if (request.kind === 'manifest') return readManifest(request.file, context, door)
  return expanded(
    request.urls,
    url => (flags.glob !== false && namesSeveral(url) ? door.list(url, fetch) : undefined),
    door,
  )
}

/** Each URL, or what it names. */
async function* expanded(
  urls: readonly string[],
  listing: (url: string) => AsyncIterable<readonly Listed[]> | undefined,
  door: Pick<EngineDoor, 'rowOfListed'>,
): AsyncGenerator<readonly (Entry | BadRow)[]> {
  let index = 0
  for (const url of urls) {
    const batches = listing(url)
    if (!batches) {
      yield [{ index: index++, uris: [url], checksums: [] }]
      continue
    }
    let isEmpty = true
    for await (const batch of batches) {
      isEmpty = false
      yield batch.map(listed => door.rowOfListed(listed, index++))
    }
    if (isEmpty) yield [nothingNamed(url, index++)]
  }
}

/** A pattern that matches nothing is a failure, or a slip of the keyboard would look like success. */
function nothingNamed(url: string, index: number): BadRow {
  const shown = withoutSecrets(url)
  const message = `Cannot fetch ${shown}: nothing is there of that name`
  const error = new ProgramError('NotFound', message, { remedy: 'Check the name; quote patterns from the shell.' })
  return { index, error: error as unknown as BadRow['error'] }
}

/**
 * The rows of a manifest file, or of stdin for `-`. A file may be read on after the signal, for what an interrupted run
 * leaves; what comes through a pipe ends with it.
 */
export function readManifest(
  file: string,
  { terminal, signal }: Context,
  door: Pick<EngineDoor, 'parseManifest'>,
): AsyncIterable<readonly (Entry | BadRow)[]> {
  const rows = door.parseManifest(file === '-' ? terminal.stdin : readFile(file), {
    name: file === '-' ? 'stdin' : file,
  })
  return isPiped(file) ? untilAborted(rows, signal) : rows
}

/** Whether a list comes from somebody who may keep us waiting, and can be read only once. */
export function isPiped(file: string): boolean {
  const stats = file === '-' ? undefined : statsOf(file)
  return file === '-' || (stats !== undefined && !stats.isFile() && !stats.isDirectory())
}

/** Undefined where whoever opens it will say why it cannot be read. */
export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    // A name that leads nowhere is a slip of the keyboard, not of the disk.
    const isInput = ['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
    throw new ProgramError(isInput ? 'Usage' : 'Disk', `Cannot read the list ${path}: ${systemReason(error)}`, {
      remedy: 'Check the path and its permissions.',
      cause: error,
    })
  }
}

/** Ends with the signal's reason, also while it waits for more. */
async function* untilAborted<T>(batches: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = batches[Symbol.asyncIterator]()
  for (;;) {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>()
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    iterator.next().then(resolve, reject)
    const next = await promise.finally(() => signal.removeEventListener('abort', onAbort))
    if (next.done) return
    yield next.value
  }
}

/** Lets others see what passes, before it is handed on. */
export async function* watched(
  batches: AsyncIterable<readonly (Entry | BadRow)[]>,
  watch: (entry: Entry) => void,
): AsyncGenerator<readonly (Entry | BadRow)[]> {
  for await (const batch of batches) {
    for (const row of batch) if (!('error' in row)) watch(row)
    yield batch
  }
}

/** The origins that an entry names: those that may be given the person's credentials. */
export function originsOf(entry: Entry): string[] {
  return entry.uris.filter(uri => URL.canParse(uri)).map(uri => new URL(uri).origin)
}
