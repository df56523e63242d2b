import { fileNameProblem, LibrarianError } from '@arriero/api'
import type { PathDigester, PathFunction } from '@arriero/transfer'
import { assertUnchanged, type LocalItem, readItem } from './local-item.ts'

/** A file or tree to be uploaded, and its name there. */
export interface UploadRequest {
  /** A local file or directory. */
  readonly path: string
  /** What the librarian shall call it: relative, `/`-separated. */
  readonly name: string
}

/** What is known of an item before the server hears of it. */
export interface Prepared {
  readonly request: UploadRequest
  readonly item: LocalItem
  /** Wire form. */
  readonly checksum: string
}

export interface PrepareOptions {
  /** Digest that the librarian keeps. Default `xxh3`, the one of 128 bits. */
  readonly checksum?: PathFunction | undefined
  readonly links?: 'refuse' | 'follow' | undefined
  readonly digester: PathDigester
  readonly signal: AbortSignal
  /** Told how large the item is, before its bytes are read. */
  readonly onSize?: ((size: number) => void) | undefined
}

/** Reads the item once, in full: the sender's digest goes with it through every hop (reliability A7). */
export async function prepare(request: UploadRequest, options: PrepareOptions): Promise<Prepared> {
  const { checksum: name = 'xxh3', links = 'refuse', digester, signal, onSize } = options
  refuseName(request.name)
  const item = await readItem(request.path, { links, signal })
  onSize?.(item.size)
  const { digests } = await digester.digest(item.root, { functions: [name], links, signal })
  // What was digested is what was looked at, or the identities that guard the sending would be of other bytes.
  await assertUnchanged(request.path, item, { links, signal })
  return { request, item, checksum: `${name}:::${digests[name]}` }
}

function refuseName(name: string): void {
  const problem = fileNameProblem(name)
  if (problem === undefined) return
  throw new LibrarianError('BadName', `Cannot upload as ${JSON.stringify(name)}: ${problem}.`)
}
