/** From librarian to librarian: what the receiver of clones answers (librarian 10.3, 10.4). */
import { type AnswerInput, endpoints } from '@arriero/api'
import type { Checkins, Ids } from '../services/clones/checkins.ts'
import type { Announcement, Clones, Pair, StagedClone } from '../services/clones/clones.ts'
import { offerProviders } from '../services/uploads/offer-providers.ts'
import type { UploadProvider } from '../services/uploads/uploads.ts'
import { type Route, route } from './route.ts'

const { clone, checkin } = endpoints

export interface CloneRoutesOptions {
  readonly clones: Clones
  readonly checkins: Checkins
  /** Of single clones, after the stores' own managers. */
  readonly providers: readonly UploadProvider[]
}

export function cloneRoutes({ clones, checkins, providers }: CloneRoutesOptions): Route[] {
  return [
    route(clone.stage, async ({ source, ...request }, { caller }) => {
      const { store, free, clones: staged } = await clones.stage({ ...announcementOf(request), source }, caller)
      const one = staged[0]!
      return {
        available_bytes_on_store: Math.trunc(free),
        store_name: store.name,
        ...stagedAnswer(one),
        transfer_providers: offerProviders(one.transfer, store, providers) as StageAnswer['transfer_providers'],
      }
    }),
    route(clone.batchStage, async ({ source, total_size: total, uploads }, { caller }) => {
      const announced = { source, total, clones: uploads.map(announcementOf) }
      const { store, free, clones: staged, methods } = await clones.stageMany(announced, caller)
      return {
        available_bytes_on_store: Math.trunc(free),
        store_name: store.name,
        uploads: staged.map(stagedAnswer),
        async_transfer_providers: methods,
      }
    }),
    route(clone.ongoing, async (request, { caller }) => {
      await clones.ongoing(pairOf(request), caller)
      return request
    }),
    route(clone.staged, async (request, { caller }) => {
      await clones.staged(pairOf(request), caller)
      return request
    }),
    route(clone.fail, async ({ reason, ...request }, { caller }) => {
      await clones.fail({ ...pairOf(request), reason }, caller)
      return request
    }),
    route(clone.pull, async ({ transfers }, { caller }) => {
      const { accepted, refused } = await clones.pull(transfers.map(pairOf), caller)
      return {
        accepted: [...accepted],
        refused: refused.map(({ id, reason }) => ({ destination_transfer_id: id, reason })),
      }
    }),
    route(checkin.update, async ({ new_status, ...request }, { caller }) => {
      const { modified, unmodified, reasons } = await checkins.update(idsOf(request), new_status, caller)
      return {
        modified_source_transfer_ids: [...modified.outgoing],
        modified_destination_transfer_ids: [...modified.incoming],
        unmodified_source_transfer_ids: [...unmodified.outgoing],
        unmodified_destination_transfer_ids: [...unmodified.incoming],
        reasons: [...reasons],
      }
    }),
    route(checkin.status, async (request, { caller }) => {
      const { outgoing, incoming } = await checkins.status(idsOf(request), caller)
      return {
        source_transfer_status: Object.fromEntries(outgoing),
        destination_transfer_status: Object.fromEntries(incoming),
      }
    }),
  ]
}

type StageAnswer = AnswerInput<typeof clone.stage>

interface WirePair {
  readonly source_transfer_id: number
  readonly destination_transfer_id: number
}

function pairOf({ source_transfer_id, destination_transfer_id }: WirePair): Pair {
  return { sourceTransferId: source_transfer_id, destinationTransferId: destination_transfer_id }
}

function idsOf(request: {
  readonly source_transfer_ids: readonly number[]
  readonly destination_transfer_ids: readonly number[]
}): Ids {
  return { outgoing: request.source_transfer_ids, incoming: request.destination_transfer_ids }
}

function announcementOf(request: {
  readonly upload_size: number
  readonly upload_checksum: string
  readonly upload_name: string
  readonly destination_location: string
  readonly uploader: string
  readonly source_transfer_id: number
}): Announcement {
  return {
    size: request.upload_size,
    checksum: request.upload_checksum,
    uploadName: request.upload_name,
    name: request.destination_location,
    uploader: request.uploader,
    sourceTransferId: request.source_transfer_id,
  }
}

function stagedAnswer({ transfer, stagingName, stagingLocation }: StagedClone) {
  return {
    staging_name: stagingName,
    staging_location: stagingLocation,
    upload_name: transfer.upload_name,
    destination_location: transfer.store_path,
    source_transfer_id: transfer.source_transfer_id!,
    destination_transfer_id: transfer.id,
  }
}
