/** Bringing files in (librarian 10.2). */
import {
  type AnswerInput,
  type Endpoint,
  endpoints,
  errorTable,
  hideOthers,
  LibrarianError,
  type OutcomeFailure,
} from '@arriero/api'
import type { Attempt, Staged, StageRequest, Uploads } from '../services/uploads/uploads.ts'
import { type Route, route } from './route.ts'

const { upload } = endpoints

interface Announced {
  readonly upload_size: number
  readonly upload_checksum: string
  readonly upload_name: string
  readonly destination_location: string
}

export function uploadRoutes(uploads: Uploads): Route[] {
  return [
    route(upload.stage, async (request, { caller }) =>
      stagedAnswer(
        await uploads.stage({ ...stageRequestOf(request, request.uploader), isTree: request.is_tree ?? false }, caller),
      ),
    ),
    route(upload.commit, async (request, { caller }) => {
      await uploads.commit(
        {
          transferId: request.transfer_id,
          storeName: request.store_name,
          name: request.destination_location,
          provider: request.transfer_provider_name,
          deletionPolicy: request.deletion_policy,
        },
        caller,
      )
      return undefined
    }),
    route(upload.batchStage, async ({ uploader, uploads: wanted }, { caller }) => {
      const attempts = await uploads.stageMany(
        wanted.map(one => stageRequestOf(one, uploader)),
        caller,
      )
      return {
        outcomes: attempts.map((attempt, index) =>
          attempt.ok
            ? { success: true as const, ...stagedAnswer(attempt.value) }
            : { ...failureOf(upload.stage, attempt), destination_location: wanted[index]!.destination_location },
        ),
      }
    }),
    route(upload.batchCommit, async ({ commits }, { caller }) => {
      const attempts = await uploads.commitMany(
        commits.map(one => ({
          transferId: one.transfer_id,
          provider: one.transfer_provider_name,
          deletionPolicy: one.deletion_policy,
        })),
        caller,
      )
      return {
        outcomes: attempts.map((attempt, index) => {
          const { transfer_id } = commits[index]!
          return attempt.ok
            ? { success: true as const, transfer_id, name: attempt.value.name }
            : { ...failureOf(upload.batchCommit, attempt), transfer_id }
        }),
      }
    }),
    route(upload.abort, async ({ transfer_id }, { caller }) => {
      await uploads.abort(transfer_id, caller)
      return { success: true as const, transfer_id }
    }),
  ]
}

function stageRequestOf(announced: Announced, uploader: string): StageRequest {
  return {
    size: announced.upload_size,
    checksum: announced.upload_checksum,
    uploadName: announced.upload_name,
    name: announced.destination_location,
    uploader,
  }
}

function stagedAnswer(staged: Staged): AnswerInput<typeof upload.stage> {
  const { transfer } = staged
  return {
    available_bytes_on_store: Math.trunc(staged.free),
    store_name: staged.store.name,
    staging_name: staged.stagingName,
    staging_location: staged.stagingLocation,
    upload_name: transfer.upload_name,
    destination_location: transfer.store_path,
    transfer_providers: staged.providers as AnswerInput<typeof upload.stage>['transfer_providers'],
    transfer_id: transfer.id,
  }
}

/** What the same call for this item alone would have answered. */
function failureOf(endpoint: Pick<Endpoint, 'failures'>, { error }: Attempt<unknown> & { ok: false }) {
  const met =
    error instanceof LibrarianError ? error : new LibrarianError('Internal', 'Something failed that should not')
  const known = hideOthers(met, endpoint)
  return {
    success: false as const,
    status: endpoint.failures?.[known.code]?.status ?? errorTable[known.code].status,
    code: known.code,
    reason: known.message,
    suggested_remedy: known.remedy,
    existing: known.fields.existing as OutcomeFailure['existing'],
  }
}
