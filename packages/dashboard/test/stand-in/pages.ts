/** Made data for the lists of the pages: transfers, sites, errors, tasks, disks, users, the audit, the trash. */
import { randomUUID } from 'node:crypto'
import { type AnswerInput, type endpoints, errorCategories, type ListedDisk, levels } from '@arriero/api'
import { naive } from './overview.ts'

type Transfers = AnswerInput<typeof endpoints.dashboard.transfers>
type TransferRow = Transfers['transfers'][number]
type Site = AnswerInput<typeof endpoints.dashboard.sites>['sites'][number]
type ErrorRow = AnswerInput<typeof endpoints.search.error>[number]
type Task = AnswerInput<typeof endpoints.tasks.list>['tasks'][number]
type AuditEntry = AnswerInput<typeof endpoints.dashboard.audit>['entries'][number]
type Trashed = AnswerInput<typeof endpoints.admin.trashList>['trash'][number]

const MINUTE = 60_000
const DAY = 86_400_000
const start = Date.now()
const hostile = '<img src=x onerror=alert(1)>.fits'
const cycle = ['ONGOING', 'INITIATED', 'COMPLETED', 'FAILED', 'ONGOING', 'STAGED', 'COMPLETED'] as const

export const transfers: readonly (TransferRow & { readonly direction: 'in' | 'out' })[] = Array.from(
  { length: 400 },
  (_, index) => {
    const state = cycle[index % cycle.length]!
    const direction = index % 3 === 0 ? 'in' : 'out'
    const began = start - index * 7 * MINUTE
    const isOver = state === 'COMPLETED' || state === 'FAILED'
    return {
      direction,
      id: 9000 - index,
      file_name: index === 4 ? hostile : `night-${String(300 - (index % 9))}/frame-${1000 + index}-science.fits`,
      librarian_name: direction === 'in' ? (index % 2 ? 'telescope' : 'paranal') : index % 4 === 1 ? 'erebus' : 'nyx',
      state,
      size: 8_392_320 + index * 40_960,
      method: state === 'INITIATED' ? null : 'http',
      start_time: naive(began),
      active_time: state === 'ONGOING' ? naive(start - 4000) : null,
      end_time: isOver ? naive(began + 3 * MINUTE) : null,
      reason: state === 'FAILED' ? 'erebus did not answer for 30 minutes: connect ECONNREFUSED' : null,
      may_retry: direction === 'out' && (state === 'FAILED' || state === 'INITIATED'),
    }
  },
)

const week = (files: number, failed = 0) => ({ files, bytes: files * 9_000_000, failed })
const open = (files: number) => ({ files, bytes: files * 12_000_000 })

export const sites: Site[] = [
  site('nyx', { outgoing: open(1834), sent: week(12_400), received: week(310), incoming: open(2), copies: 912_004 }),
  site('erebus', { reachable: false, outgoing: open(412), sent: week(88, 61), copies: 40_118 }),
  site('hemera', { enabled: false, sent: week(900), copies: 230_000 }),
  site('paranal', { incoming: open(12), received: week(5200, 2) }),
  site('a-librarian-with-a-very-long-name', { reachable: null }),
]

function site(librarian_name: string, changes: Partial<Site>): Site {
  return {
    librarian_name,
    enabled: true,
    reachable: true,
    last_seen: naive(start - (changes.reachable === false ? 3 * DAY : 40_000)),
    last_heard: naive(start - 5 * MINUTE),
    outgoing: open(0),
    incoming: open(0),
    sent: week(0),
    received: week(0),
    copies: 0,
    ...changes,
  }
}

export const errors: ErrorRow[] = Array.from({ length: 9 }, (_, index) => ({
  id: 40 - index,
  severity: (['error', 'critical', 'warning', 'info'] as const)[index % 4]!,
  category: errorCategories[index % errorCategories.length]!,
  message:
    index === 1
      ? `The copy of ${hostile} on disk-02 has other bytes than were kept: it is not served, and will be repaired from nyx.`
      : 'Transfer 8997 to erebus failed: connect ECONNREFUSED after 30 minutes of tries.',
  raised_time: naive(start - index * 47 * MINUTE),
  cleared_time: index === 8 ? naive(start - MINUTE) : null,
  cleared: index === 8,
  caller: index % 2 ? null : 'telescope',
}))

export const tasks: Task[] = [
  task('check_integrity', 'nightly check', { counts: { files: 1200, bad: 0 } }),
  task('send_clone', 'send to erebus', { outcome: 'failed', note: 'erebus does not answer' }),
  task('scrub', 'scrub', { state: 'running', counts: { copies: 90_412, bytes: 812_000_000_000 }, next_time: null }),
  task('consume_queue', 'consume the queue', { outcome: 'partial', counts: { batches: 4 } }),
  task('rolling_deletion', 'rolling deletion', { state: 'off', outcome: null, ended_time: null, next_time: null }),
]

function task(kind: string, name: string, changes: Partial<Task>): Task {
  return {
    id: `${kind}/${name}`,
    kind,
    name,
    state: 'waiting',
    started_time: naive(start - 12 * MINUTE),
    ended_time: naive(start - (changes.state === 'running' ? 60 : 10) * MINUTE),
    outcome: 'done',
    note: null,
    counts: {},
    next_time: naive(start + 48 * MINUTE),
    ...changes,
  }
}

export const disks: ListedDisk[] = [
  disk('box 12', { state: 'packing', files: 380 }),
  disk('box 11', { in_transit: 12_400 }),
  disk('box 10', { state: 'read', arrived: 300, confirmed: 11_100 }),
  disk('', { state: 'read', confirmed: 9000, librarian_name: 'erebus' }),
  disk('box 8', { state: 'given-up', failed: 800 }),
  disk('from Paranal, 4', {
    direction: 'in',
    librarian_name: 'paranal',
    state: 'reading',
    arrived: 200,
    confirmed: 77,
  }),
]

function disk(label: string, changes: Partial<ListedDisk>): ListedDisk {
  const counts = { in_transit: 0, arrived: 0, confirmed: 0, failed: 0, ...changes }
  const files = counts.in_transit + counts.arrived + counts.confirmed + counts.failed
  return {
    disk_id: randomUUID(),
    direction: 'out',
    librarian_name: 'nyx',
    label,
    state: 'packed',
    created_time: naive(start - 9 * DAY),
    changed_time: naive(start - 2 * DAY),
    files,
    bytes: files * 900_000_000,
    ...counts,
  }
}

export const users = new Map<string, number>([
  ['ada', levels.ADMIN],
  ['bo', levels.READONLY],
  ['cyd', levels.ADMIN],
  ['nyx', levels.READAPPEND],
  ['telescope', levels.READAPPEND],
])

const actions = ['users/update', 'admin/instance/delete', 'admin/stores/state_change', 'deletion/purge'] as const

export const audit: readonly AuditEntry[] = Array.from({ length: 130 }, (_, index) => ({
  id: 500 - index,
  time: naive(start - index * 53 * MINUTE),
  actor: index % 4 === 3 ? 'task:rolling_deletion' : index % 3 ? 'ada' : 'cyd',
  action: actions[index % actions.length]!,
  subject: ['bo', `night-012/frame-${index}.fits`, 'disk-03', hostile][index % 4]!,
  detail: JSON.stringify(index % 4 === 1 ? { reason: 'no longer needed here', proofs: 2 } : { outcome: 'done' }),
}))

export const trash: Trashed[] = Array.from({ length: 6 }, (_, index) => ({
  trash_id: `t${index}`,
  file_name: index === 2 ? hostile : `night-012/frame-${index}.fits`,
  store_name: index % 2 ? 'disk-01' : 'disk-02',
  instance_path: `/data/${index}`,
  deleted_by: 'ada',
  reason: 'no longer needed here; two good copies remain',
  deleted_time: naive(start - (6 - index) * DAY),
  purge_time: naive(start + (24 + index) * DAY),
}))
