/** One file by the engine: with ranges, from what is durable of it, compared with what was announced. */
import { LibrarianError } from '@arriero/api'
import { download, type Engine, TransferError } from '@arriero/transfer'
import type { IncomingTransfer } from '../../../catalogue/operations/uploads.ts'
import type { SiteStore } from '../../../stores/stores.ts'
import type { CommitOrigin } from '../../commit/commits.ts'
import type { PeerConnection } from '../../peer-connections.ts'
import { dataUrl, engineChecksum, headersFor } from './addresses.ts'
import { fetchTree, findTree } from './fetch-tree.ts'
import type { Link } from './link.ts'
import type { PeerRequests } from './peer-requests.ts'

export interface FetchLargeOptions {
  readonly peer: PeerConnection
  readonly requests: PeerRequests
  readonly engine: Engine
  /** Watches over the engine as well. */
  readonly link: Link
  readonly signal: AbortSignal
  /** Its sender has said that it is one. */
  readonly isTree: boolean
}

/**
 * Nothing in an announcement tells a tree from a file: it is met by what its sender answers.
 *
 * @throws TransferError, LibrarianError
 */
export async function fetchLarge(
  transfer: IncomingTransfer,
  place: SiteStore,
  options: FetchLargeOptions,
): Promise<CommitOrigin> {
  const { token, staging_path, store_path: name } = transfer
  let failure: unknown
  if (!options.isTree) {
    try {
      await fetchFile(transfer, place, options)
      return { from: 'spool', id: token, stagingId: staging_path ?? undefined }
    } catch (error) {
      options.signal.throwIfAborted()
      if (!(error instanceof TransferError) || error.retriable) throw error
      failure = error
    }
  }
  const tree = await findTree(name, options)
  if (tree) return await fetchTree(transfer, tree, place, options)
  throw failure ?? new LibrarianError('BadAnswer', `Cannot read the members of ${name}: its sender does not tell them`)
}

async function fetchFile(
  { token, transfer_size: size, transfer_checksum, store_path }: IncomingTransfer,
  { store }: SiteStore,
  { peer, engine, signal }: FetchLargeOptions,
): Promise<void> {
  // What an earlier attempt had fetched whole, and a kill kept from being committed, is looked at before it is fetched again.
  await using spool = await store.openSpool(token, { keepsLater: true })
  await download(dataUrl(peer.connection.address, store_path), spool.path, {
    engine,
    signal,
    headers: headersFor(peer),
    size,
    checksums: [engineChecksum(transfer_checksum)],
    ifExists: 'repair',
  })
}
