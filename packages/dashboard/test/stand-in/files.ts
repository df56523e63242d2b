import { createHash } from 'node:crypto'
import { type AnswerInput, type endpoints, LibrarianError } from '@arriero/api'
import { naive } from './overview.ts'

type FilesAnswer = AnswerInput<typeof endpoints.dashboard.files>
type FileAnswer = AnswerInput<typeof endpoints.dashboard.file>
type Row = FilesAnswer['files'][number]

const DAY = 86_400_000
const states = ['ok', 'ok', 'ok', 'ok', 'mismatch', 'unavailable', 'never-checked'] as const
const hostile = '<img src=x onerror=alert(1)>.fits'

/** `night-001/frame-0001.fits` and so on, and one with a name that is an attack. */
export const rows: readonly Row[] = Array.from({ length: 100_000 }, (_, index) => ({
  file_name:
    index === 7
      ? hostile
      : `night-${pad(Math.floor(index / 500), 3)}/frame-${pad(index % 500, 4)}-${index % 3 === 0 ? 'bias' : 'science'}.fits`,
  size: 8_392_320 + (index % 977) * 4096,
  create_time: naive(Date.UTC(2026, 10, 22) - index * 61_000),
  uploader: index % 4 === 0 ? 'telescope' : 'ada',
  source: 'camera-2',
  copies: 1 + (index % 2),
  remote_copies: index % 3,
  state: states[index % states.length] ?? 'ok',
}))

export function findFiles({
  query,
  limit,
  after,
}: {
  query: string
  limit: number
  after?: string | undefined
}): FilesAnswer {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const found = rows.filter(({ file_name }) => words.every(word => file_name.toLowerCase().includes(word)))
  const from = Number(after ?? 0)
  const files = found.slice(from, from + limit)
  const more = from + limit < found.length
  return { files, total: found.length, more, next: more ? String(from + limit) : null }
}

export function describeFile(name: string, sees: { readonly paths: boolean }): FileAnswer {
  const row = rows.find(({ file_name }) => file_name === name)
  if (!row) throw new LibrarianError('NotFound', 'This file does not exist in the librarian.')
  const sha256 = createHash('sha256').update(name).digest('hex')
  const now = Date.now()
  const proof = { time: naive(now - 12 * DAY), medium: 'medium', by: 'scrub', outcome: 'ok' as const }
  return {
    file: {
      ...row,
      checksum: `md5:::${createHash('md5').update(name).digest('hex')}`,
      sha256,
      kind: 'file',
      is_attested: true,
      first_uploader: 'telescope',
      proposed_destruction: proposals.get(name) ?? null,
    },
    instances: [
      copy(1, 'disk-01', { name, proof, ...sees }),
      {
        ...copy(2, 'disk-02', { name, proof: { ...proof, time: naive(now - 61 * DAY), outcome: 'mismatch' }, ...sees }),
        state: 'mismatch',
      },
      { ...copy(3, 'disk-03', { name, proof: null, ...sees }), state: 'never-checked', available: false },
    ],
    remote: [
      {
        librarian_name: 'nyx',
        store_id: 1,
        time: naive(now - 20 * DAY),
        sender: 'here',
        proof: { ...proof, medium: 'peer-challenge', by: 'nyx' },
        reachable: true,
      },
      {
        librarian_name: 'erebus',
        store_id: 4,
        time: naive(now - 19 * DAY),
        sender: 'nyx',
        proof: null,
        reachable: false,
      },
    ],
    history: [
      { time: naive(now - 12 * DAY), what: 'proof', who: 'scrub', detail: 'disk-01: ok' },
      { time: naive(now - 20 * DAY), what: 'sent', who: 'nyx', detail: 'by http, 8.00 MiB in 2 s' },
      { time: row.create_time, what: 'kept', who: 'telescope', detail: 'on disk-01' },
      { time: row.create_time, what: 'uploaded', who: 'telescope', detail: 'by tus' },
    ],
  }
}

export type Proposal = NonNullable<FileAnswer['file']['proposed_destruction']>

/** By file. */
export const proposals = new Map<string, Proposal>()

interface CopyOptions {
  readonly name: string
  readonly proof: FileAnswer['instances'][number]['proof']
  readonly paths: boolean
}

function copy(id: number, store: string, { name, proof, paths }: CopyOptions): FileAnswer['instances'][number] {
  return {
    instance_id: id,
    store_name: store,
    path: paths ? `/data/${store}/${name}` : null,
    created_time: naive(Date.UTC(2026, 10, 2)),
    state: 'ok',
    available: true,
    deletion_policy: id === 1 ? 'DISALLOWED' : 'ALLOWED',
    proof,
  }
}

function pad(n: number, digits: number): string {
  return String(n).padStart(digits, '0')
}
