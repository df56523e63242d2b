/** Files of a job that the librarian fetches itself. */
import { call, checksumOf, type Door, refused, type Sending, type Told } from '../commit/client.ts'
import { bytesOf, type CommitWorkload, fewOf, fileOf } from '../commit/workloads.ts'
import { whenAll } from './clone.ts'

export interface Origin {
  readonly url: string
  /** By path. */
  readonly files: Map<string, Buffer>
}

export function ingestWorkloads(origin: Origin): readonly CommitWorkload[] {
  const send: CommitWorkload['send'] = (door, sendings) => sendByJob(door, sendings, origin)
  const shape = { isFirst: false, hasOneAnswer: false, isByItself: true, send }
  return [
    { name: 'file', ...shape, uploadsOf: prefix => [fileOf(prefix)] },
    {
      name: 'several',
      ...shape,
      uploadsOf: prefix => [...fewOf(prefix), { name: `${prefix}/large`, content: bytesOf(prefix, 3 << 20, 7) }],
    },
  ]
}

/** The job of these, as far as its number was told. */
const jobs = new WeakMap<Sending, string>()

async function sendByJob(door: Door, sendings: readonly Sending[], origin: Origin): Promise<readonly Told[]> {
  const [first] = sendings
  try {
    if (!jobs.has(first!)) {
      const begun = await call(door, 'ingest', { entries: sendings.map(({ upload }) => entryOf(upload, origin)) })
      if (begun.status >= 300) return sendings.map(() => refused(begun))
      jobs.set(first!, (begun.body as { job_id: string }).job_id)
    }
    return await whenAll(door, () => askAfter(door, first!, sendings))
  } catch (error) {
    return sendings.map(() => ({ outcome: 'unknown', reason: String((error as Error).cause ?? error) }))
  }
}

function entryOf({ name, content }: Sending['upload'], { url, files }: Origin) {
  const bytes = Buffer.from(content as Uint8Array)
  files.set(`/${name}`, bytes)
  return { name, uri: `${url}/${name}`, size: bytes.length, checksum: checksumOf(bytes) }
}

async function askAfter(door: Door, first: Sending, sendings: readonly Sending[]): Promise<readonly Told[]> {
  const statuses = ['pending', 'done', 'exists', 'failed']
  const answer = await call(door, 'ingest/status', { job_id: jobs.get(first), item_statuses: statuses })
  if (answer.status >= 300) return sendings.map(() => refused(answer))
  const { job, items } = answer.body as {
    job: { status: string; reason: string | null }
    items: { name: string; status: string; reason: string | null }[]
  }
  // What failed for good is asked for anew.
  if (job.status === 'failed') jobs.delete(first)
  return sendings.map(({ upload }) => {
    const { status, reason = null } = items.find(({ name }) => name === upload.name) ?? { status: 'not listed yet' }
    if (status === 'done') return { outcome: 'acknowledged' }
    if (status === 'exists') return { outcome: 'exists' }
    return { outcome: 'unknown', reason: `${job.status} ${job.reason}, ${status} ${reason}` }
  })
}
