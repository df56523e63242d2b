/** Clones whose bytes somebody has just brought, kept while they wait for it: no task need come by. */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { DeletionPolicy } from '../../catalogue/schema.ts'
import type { Caller } from '../../routes/route.ts'
import { httpProvider } from '../byte-uploads/provider.ts'
import { type CommitCloneOptions, commitClone, storeOf } from '../clones/commit-clone.ts'
import type { CommitOrigin } from '../commit/commits.ts'

export interface WantedClone {
  /** Of the transfer here. */
  readonly id: number
  /** By which provider its bytes came. */
  readonly provider: string
  /** Of the file at its origin; default: now. */
  readonly createTime?: string | undefined
}

export interface KeptClones {
  readonly kept: readonly number[]
  readonly refused: readonly { readonly id: number; readonly reason: string }[]
}

export interface CloneKeeper {
  /** Those of the caller's own account; an administrator keeps any. One that is kept already is kept. */
  keep(wanted: readonly WantedClone[], caller: Caller): Promise<KeptClones>
}

export interface CloneKeeperOptions extends CommitCloneOptions {
  readonly catalogue: Pick<Catalogue, 'uploads' | 'intents' | 'receiving'>
  readonly deletionPolicy: DeletionPolicy
  /** Keeps writers from bytes that came over HTTP. */
  holdBytes(token: string): Promise<AsyncDisposable>
}

export function createCloneKeeper(options: CloneKeeperOptions): CloneKeeper {
  const { catalogue, deletionPolicy, holdBytes } = options

  async function keepOne({ id, provider, createTime }: WantedClone, transfer: IncomingTransfer | undefined) {
    if (!transfer) throw new LibrarianError('NotFound', `There is no transfer ${id}`)
    if (transfer.status === 'COMPLETED') return
    const common = { deletionPolicy, manager: provider, createTime }
    if (provider !== httpProvider.name) {
      const origin = { from: 'staging', id: transfer.staging_path!, uploadName: transfer.upload_name } as const
      await commitClone(transfer, { ...common, origin }, options)
      return
    }
    const origin = httpProvider.originOf(transfer)
    await makeEmptySpool(transfer, origin)
    await commitClone(transfer, { ...common, origin, hold: () => holdBytes(transfer.token) }, options)
  }

  /** Of an empty file nobody need have sent anything. */
  async function makeEmptySpool(transfer: IncomingTransfer, origin: CommitOrigin): Promise<void> {
    if (transfer.transfer_size > 0 || origin.from !== 'spool' || origin.archive !== undefined) return
    await using _ = await storeOf(transfer, options).store.openSpool(origin.id)
  }

  return {
    async keep(wanted, { name, level }) {
      const transfers = await catalogue.uploads.getMany({ ids: wanted.map(({ id }) => id) })
      const own = transfers.filter(
        ({ source_transfer_id, uploader }) => source_transfer_id !== null && (level === 'ADMIN' || uploader === name),
      )
      const byId = new Map(own.map(transfer => [transfer.id, transfer]))
      const ends = await Promise.all(
        wanted.map(async one => {
          try {
            await keepOne(one, byId.get(one.id))
            return { id: one.id, reason: undefined }
          } catch (error) {
            if (error instanceof LibrarianError) return { id: one.id, reason: error.message }
            throw error
          }
        }),
      )
      return {
        kept: ends.flatMap(({ id, reason }) => (reason === undefined ? [id] : [])),
        refused: ends.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }])),
      }
    },
  }
}
