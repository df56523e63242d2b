/** Files that the librarian fetches itself (ours). */
import { type AnswerInput, endpoints } from '@arriero/api'
import type { Job } from '../catalogue/operations/jobs.ts'
import type { Ingest } from '../services/ingest/ingest.ts'
import { type Route, route } from './route.ts'

const { ingest } = endpoints

export function ingestRoutes(service: Ingest): Route[] {
  return [
    route(ingest.create, async (request, { caller }) =>
      jobAnswer(
        await service.create(
          {
            entries: request.entries?.map(({ name, uri, mirrors, size, checksum }) => ({
              name,
              uris: [uri, ...mirrors],
              size,
              checksum,
            })),
            manifestUri: request.manifest_uri,
            manifestForm: request.manifest_form,
            prefix: request.prefix,
            uploader: request.uploader,
            deletionPolicy: request.deletion_policy,
            allowUnattested: request.allow_unattested,
            credentials: request.credentials,
          },
          caller,
        ),
      ),
    ),
    route(ingest.status, async ({ job_id, item_statuses, after, max_results: limit = MOST }, { caller }) => {
      const job = await service.get(job_id, caller)
      const items = await service.items(job_id, { statuses: item_statuses, after, limit: limit + 1 }, caller)
      const page = items.slice(0, limit)
      return {
        job: jobAnswer(job),
        items: page.map(({ position, name, status, attempts, reason }) => ({
          position,
          name,
          status,
          attempts,
          reason,
        })),
        next: items.length > limit ? (page.at(-1)?.position ?? null) : null,
      }
    }),
    route(
      ingest.list,
      async ({ statuses, owner, create_time_window, after, max_results: limit = MOST }, { caller }) => {
        const [from, to] = create_time_window ?? []
        const jobs = await service.list({ statuses, owner, from, to, after, limit: limit + 1 }, caller)
        const page = jobs.slice(0, limit)
        return { jobs: page.map(jobAnswer), next: jobs.length > limit ? (page.at(-1)?.id ?? null) : null }
      },
    ),
    route(ingest.cancel, async ({ job_id }, { caller }) => jobAnswer(await service.cancel(job_id, caller))),
  ]
}

/** Items of a page, where the caller does not say. */
const MOST = 100

function jobAnswer(job: Job): AnswerInput<typeof ingest.create> {
  const { id, owner, status, created, started, ended, reason, total, done, failed, bytes } = job
  return {
    job_id: id,
    owner,
    status,
    created_time: created,
    started_time: started,
    ended_time: ended,
    reason,
    total,
    done,
    failed,
    bytes,
  }
}
