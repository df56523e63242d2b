/** Where the entries of a list come from. */
import { createReadStream } from 'node:fs'
import type { Context } from '../context.ts'
import type { BadRow, EngineDoor, Entry } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import type { GetRequest } from './request.ts'

export type ListRequest = Extract<GetRequest, { kind: 'several' | 'manifest' }>

/** Entries as they are read: transfers start before the end of a list is known. */
export function entriesOf(
  request: ListRequest,
  context: Context,
  door: Pick<EngineDoor, 'parseManifest'>,
): AsyncIterable<readonly (Entry | BadRow)[]> {
  if (request.kind === 'several')
    return oneBatch(request.urls.map((url, index) => ({ index, uris: [url], checksums: [] })))
  return readManifest(request.file, context, door)
}

/** The rows of a manifest file, or of stdin for `-`. */
export function readManifest(
  file: string,
  context: Context,
  door: Pick<EngineDoor, 'parseManifest'>,
): AsyncIterable<readonly (Entry | BadRow)[]> {
  const input = file === '-' ? context.terminal.stdin : readFile(file, context.signal)
  return door.parseManifest(input, { name: file === '-' ? 'stdin' : file })
}

async function* readFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { signal, highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    if (signal.aborted) throw signal.reason
    // A name that leads nowhere is a slip of the keyboard, not of the disk.
    const isInput = ['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
    throw new ProgramError(isInput ? 'Usage' : 'Disk', `Cannot read the list ${path}: ${(error as Error).message}`, {
      remedy: 'Check the path and its permissions.',
      cause: error,
    })
  }
}

async function* oneBatch(entries: Entry[]): AsyncGenerator<Entry[]> {
  yield entries
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
