/** One file with its copies everywhere, their proofs, and what has happened to it. */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { FileRecord } from '../../catalogue/operations/files.ts'
import type { FileHistory, LastProof, LastRemoteProof } from '../../catalogue/operations/histories.ts'
import { type ShownProposal, shownProposal } from '../destructions.ts'
import { eventsOf, type FileEvent } from './file-events.ts'
import type { SiteWatch } from './site-watch.ts'

export interface DescribedCopy {
  readonly copy: FileRecord['instances'][number]
  readonly storeName: string
  readonly proof: LastProof | undefined
}

export interface DescribedRemote {
  readonly copy: FileRecord['remote_instances'][number]
  readonly proof: LastRemoteProof | undefined
  /** Null: nobody has asked that librarian yet. */
  readonly reachable: boolean | null
}

export interface FileDescription {
  readonly file: FileRecord
  /** That can be confirmed now. */
  readonly proposal: ShownProposal | undefined
  readonly copies: readonly DescribedCopy[]
  readonly remote: readonly DescribedRemote[]
  /** Newest first. */
  readonly events: readonly FileEvent[]
}

export interface DescribeFileOptions {
  readonly catalogue: Pick<Catalogue, 'files' | 'histories' | 'destructions' | 'stores' | 'peers'>
  readonly sites: Pick<SiteWatch, 'reachable'>
}

/** @throws LibrarianError `NotFound` */
export type DescribeFile = (name: string, options: { isAdmin: boolean }) => Promise<FileDescription>

export function createDescribeFile({ catalogue, sites }: DescribeFileOptions): DescribeFile {
  return async (name, { isAdmin }) => {
    const file = await catalogue.files.find({ name })
    if (!file) throw new LibrarianError('NotFound', `There is no file ${name}`)
    const [history, stores, peers, proposed] = await Promise.all([
      catalogue.histories.of({ name }),
      catalogue.stores.list(),
      catalogue.peers.list(),
      isAdmin ? catalogue.destructions.ofFile({ name }) : undefined,
    ])
    const storeNames = new Map(stores.map(({ id, name: store }) => [id, store]))
    const byName = new Map(peers.map(peer => [peer.name, peer]))
    return {
      file,
      proposal: proposed && shownProposal(proposed),
      copies: file.instances.map(copy => ({
        copy,
        storeName: storeNames.get(copy.store_id) ?? '',
        proof: history.proofs.find(proof => proof.instance_id === copy.id),
      })),
      remote: file.remote_instances.map(copy => {
        const peer = byName.get(copy.librarian_name)
        return { copy, proof: remoteProof(history, copy), reachable: peer ? sites.reachable(peer) : null }
      }),
      events: eventsOf(file, history, { isAdmin }),
    }
  }
}

function remoteProof(
  { remoteProofs }: FileHistory,
  { librarian_id, store_id }: FileRecord['remote_instances'][number],
): LastRemoteProof | undefined {
  return remoteProofs.find(proof => proof.librarian_id === librarian_id && proof.store_id === store_id)
}
