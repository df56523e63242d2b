import { type FileProgress, type Progress, TransferError } from '@arriero/transfer'
import type { Librarian } from '../librarian.ts'
import { copyLocally } from './copy-locally.ts'
import type { LocalItem } from './local-item.ts'
import type { Method } from './method.ts'
import { openFile } from './open-file.ts'
import { openTree } from './open-tree.ts'
import { PIECE, sendByTus } from './tus.ts'

export interface SendOptions {
  readonly file: FileProgress
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly waitMs?: number | undefined
  /** Whether an earlier run may have sent something. */
  readonly isContinued: boolean
}

/** Resolves to the bytes that an earlier run had sent. */
export async function sendBytes(
  librarian: Librarian,
  item: LocalItem,
  stagingLocation: string,
  method: Method,
  options: SendOptions,
): Promise<number> {
  const { file, progress, signal } = options
  const onBytes = (count: number) => progress.landed(file, count)
  if (method.kind === 'local') {
    await copyLocally(item, stagingLocation, { signal, onBytes })
    return 0
  }
  await using outgoing =
    item.kind === 'tree'
      ? openTree(item, { mostMembers: method.provider.max_members })
      : await openFile(item.members[0]!)
  let held = 0
  await sendByTus(outgoing, {
    fetch: librarian.fetch,
    url: uploadUrl(librarian, method.provider.url),
    authorization: librarian.authorization,
    isFresh: !options.isContinued,
    pieceSize: Math.min(PIECE, method.provider.max_chunk_bytes ?? PIECE),
    onBytes,
    onHeld(count) {
      held = count
      file.held += count
      progress.held += count
    },
    signal,
    waitMs: options.waitMs,
    patienceMs: librarian.patience?.laterMs,
    onWait: librarian.tellWait,
  })
  return held
}

/** A path is one at the same librarian, behind the same prefix; only its own origin gets bytes and login (reliability F1). */
function uploadUrl({ connection }: Librarian, told: string): URL {
  const url = told.startsWith('/') ? URL.parse(connection.url + told) : URL.parse(told)
  if (url?.origin === new URL(connection.url).origin) return url
  throw new TransferError('Protocol', `Cannot send bytes for ${connection.url}: it names another server for them`)
}

/** `a/b.fits` → `b.fits` */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
