/** The catalogue's and the stores' numbers as gauges; what is not known now has no value. */
import type { Registry } from '@prometheus-io/client'
import type { TransferFigures } from '../catalogue/operations/figures.ts'
import type { TransferStatus } from '../catalogue/schema.ts'
import type { Figures } from '../services/figures/figures.ts'
import type { Stores } from '../stores/stores.ts'
import { gaugesOf, one, type Sample } from './gauges.ts'

export interface FigureGaugesOptions {
  readonly registry: Registry
  readonly stores: Pick<Stores, 'byId'>
}

export function createFigureGauges({ registry, stores }: FigureGaugesOptions): (figures: Figures) => void {
  const tellers = [
    copyGauges(registry, stores),
    transferGauges(registry),
    standingGauges(registry),
    storeGauges(registry),
  ]
  const gauge = gaugesOf(registry)
  const up = gauge('arriero_catalogue_up', 'Whether the catalogue answers: 1 or 0.')
  const age = gauge(
    'arriero_figures_age_seconds',
    'How old the numbers of a group are: dear ones are not counted anew for every scrape.',
    'group',
  )
  return figures => {
    for (const tell of tellers) tell(figures)
    up(one(figures.standing ? 1 : 0))
    age(Object.entries(figures).flatMap(([group, seen]) => (seen ? [[{ group }, seen.ageMs / 1000]] : [])))
  }
}

function copyGauges(registry: Registry, stores: Pick<Stores, 'byId'>): (figures: Figures) => void {
  const gauge = gaugesOf(registry)
  const files = gauge('arriero_files', 'Files that the catalogue knows.')
  const copies = gauge(
    'arriero_copies',
    'Copies at this site by store and by what their last full reading found.',
    'store',
    'state',
  )
  const oldest = gauge(
    'arriero_oldest_proof_age_seconds',
    'Age of the oldest proof among the copies in use of a store; copies that nobody has read have none.',
    'store',
  )
  // A store that was taken out of the settings has copies, and is not opened.
  const nameOf = (id: number) => stores.byId(id)?.name ?? `store ${id}`
  return ({ copies: seen }) => {
    files(one(seen?.value.files))
    copies((seen?.value.copies ?? []).map(({ storeId, state, count }) => [{ store: nameOf(storeId), state }, count]))
    oldest((seen?.value.oldest ?? []).map(({ storeId, ageSeconds }) => [{ store: nameOf(storeId) }, ageSeconds]))
  }
}

const directions = ['in', 'out', 'local'] as const satisfies TransferFigures['transfers'][number]['direction'][]
const statuses: readonly TransferStatus[] = ['INITIATED', 'ONGOING', 'STAGED', 'COMPLETED', 'FAILED', 'CANCELLED']

function transferGauges(registry: Registry): (figures: Figures) => void {
  const gauge = gaugesOf(registry)
  const transfers = gauge(
    'arriero_transfers',
    'Transfers that the catalogue remembers: in (uploads and clones), out, local (from store to store); by state.',
    'direction',
    'state',
  )
  const files = gauge(
    'arriero_backlog_files',
    'Files that a librarian lacks and is to get, and those that are on their way to it.',
    'destination',
  )
  const bytes = gauge('arriero_backlog_bytes', 'Bytes of the files that wait for a librarian.', 'destination')
  const oldest = gauge(
    'arriero_backlog_oldest_seconds',
    'How long the oldest of the files that wait for a librarian has waited.',
    'destination',
  )
  return ({ transfers: seen, standing, waiting }) => {
    transfers(seen ? allTransfers(seen.value) : [])
    const all = seen ? [...seen.value.backlog, ...(waiting?.value ?? [])] : []
    const parts = Map.groupBy(all, ({ destination }) => destination)
    // A librarian that lacks nothing has a backlog of nothing, which is worth telling.
    const names = seen ? new Set([...(standing?.value.peers ?? []).map(({ name }) => name), ...parts.keys()]) : []
    const each = [...names].map(destination => [{ destination }, parts.get(destination) ?? []] as const)
    files(each.map(([labels, some]) => [labels, some.reduce((sum, part) => sum + part.files, 0)]))
    bytes(each.map(([labels, some]) => [labels, some.reduce((sum, part) => sum + part.bytes, 0)]))
    oldest(each.map(([labels, some]) => [labels, Math.max(0, ...some.map(part => part.oldestSeconds))]))
  }
}

function allTransfers({ transfers }: TransferFigures): Sample[] {
  const counts = new Map(transfers.map(({ direction, status, count }) => [`${direction} ${status}`, count]))
  return directions.flatMap(direction =>
    statuses.map(
      (status): Sample => [{ direction, state: status.toLowerCase() }, counts.get(`${direction} ${status}`) ?? 0],
    ),
  )
}

const severities = ['CRITICAL', 'ERROR', 'WARNING', 'INFO']

function standingGauges(registry: Registry): (figures: Figures) => void {
  const gauge = gaugesOf(registry)
  const errors = gauge('arriero_errors_open', 'Errors that nobody has cleared.', 'severity')
  const trash = gauge('arriero_trash_copies', 'Deleted copies that can still be restored.')
  const trashOldest = gauge('arriero_trash_oldest_seconds', 'How long the oldest of them has been in the trash.')
  const messages = gauge('arriero_messages_waiting', 'What a librarian has yet to be told.', 'peer')
  const messagesOldest = gauge(
    'arriero_messages_oldest_seconds',
    'How long the oldest message to a librarian has waited.',
    'peer',
  )
  const seen = gauge('arriero_peer_seen_seconds', 'How long ago a librarian last answered this one.', 'peer')
  const heard = gauge('arriero_peer_heard_seconds', 'How long ago a librarian last called this one.', 'peer')
  const enabled = gauge(
    'arriero_peer_transfers_enabled',
    'Whether transfers to a librarian are switched on: 1 or 0.',
    'peer',
  )
  const size = gauge('arriero_catalogue_size_bytes', 'Size of the database.')
  const wal = gauge(
    'arriero_catalogue_wal_bytes',
    'Size of what is not yet merged into the database; of a catalogue in a file.',
  )
  const tasks = taskGauges(registry)
  return ({ standing }) => {
    const value = standing?.value
    const counts = new Map((value?.errors ?? []).map(({ severity, count }) => [severity, count]))
    const waiting = new Map((value?.messages ?? []).map(entry => [entry.peer, entry]))
    const peers = value?.peers ?? []
    const names = [...new Set([...peers.map(({ name }) => name), ...waiting.keys()])]
    errors(value ? severities.map(severity => [{ severity: severity.toLowerCase() }, counts.get(severity) ?? 0]) : [])
    trash(one(value?.trash.copies))
    trashOldest(one(value?.trash.oldestSeconds))
    messages(names.map(peer => [{ peer }, waiting.get(peer)?.count ?? 0]))
    messagesOldest(names.map(peer => [{ peer }, waiting.get(peer)?.oldestSeconds ?? 0]))
    seen(peers.map(({ name: peer, seenSeconds }) => [{ peer }, seenSeconds]))
    heard(peers.map(({ name: peer, heardSeconds }) => [{ peer }, heardSeconds]))
    enabled(peers.map(({ name: peer, isEnabled }) => [{ peer }, Number(isEnabled)]))
    size(one(value?.bytes))
    wal(one(value?.walBytes))
    tasks(standing)
  }
}

const outcomes = ['done', 'partial', 'failed', 'off', 'interrupted']

function taskGauges(registry: Registry): (standing: Figures['standing']) => void {
  const gauge = gaugesOf(registry)
  const last = gauge(
    'arriero_task_last_outcome',
    'What came of the last run of a task: 1 for its outcome, 0 for the others.',
    'kind',
    'task',
    'outcome',
  )
  const duration = gauge(
    'arriero_task_last_duration_seconds',
    'How long the last run of a task took; nothing while it runs.',
    'kind',
    'task',
  )
  const ended = gauge(
    'arriero_task_last_end_timestamp_seconds',
    'When the last run of a task ended, in seconds since 1970.',
    'kind',
    'task',
  )
  const overdue = gauge(
    'arriero_task_overdue_seconds',
    'For how long a task should have begun: others of its kind run, or nobody runs any; 0: it has time, or runs.',
    'kind',
    'task',
  )
  const running = gauge('arriero_task_running', 'Whether a task runs now: 1 or 0.', 'kind', 'task')
  const seconds = (time: string) => Date.parse(time) / 1000
  return standing => {
    const tasks = (standing?.value.tasks ?? []).map(row => ({ ...row, labels: { kind: row.kind, task: row.name } }))
    last(
      tasks.flatMap(({ labels, outcome: own }) =>
        own === null ? [] : outcomes.map((outcome): Sample => [{ ...labels, outcome }, Number(outcome === own)]),
      ),
    )
    duration(
      tasks.flatMap(({ labels, state, started, ended }): Sample[] =>
        state === 'running' || started === null || ended === null ? [] : [[labels, seconds(ended) - seconds(started)]],
      ),
    )
    ended(tasks.flatMap(({ labels, ended }): Sample[] => (ended === null ? [] : [[labels, seconds(ended)]])))
    const now = seconds(standing?.value.now ?? '')
    overdue(
      tasks.flatMap(({ labels, state, next_run: next }): Sample[] =>
        state !== 'waiting' || next === null ? [] : [[labels, Math.max(0, now - seconds(next))]],
      ),
    )
    running(tasks.map(({ labels, state }) => [labels, Number(state === 'running')]))
  }
}

function storeGauges(registry: Registry): (figures: Figures) => void {
  const gauge = gaugesOf(registry)
  const free = gauge('arriero_store_free_bytes', 'What may still be used of a store, after its reserve.', 'store')
  const total = gauge('arriero_store_total_bytes', 'Size of what holds a store.', 'store')
  const available = gauge('arriero_store_available', 'Whether a store is there: 1 or 0.', 'store')
  const enabled = gauge('arriero_store_enabled', 'Whether a store is switched on: 1 or 0.', 'store')
  return ({ stores }) => {
    const all = stores?.value ?? []
    const known = (value: number | undefined, store: string): Sample[] =>
      value === undefined ? [] : [[{ store }, value]]
    free(all.flatMap(({ name, free }) => known(free, name)))
    total(all.flatMap(({ name, total }) => known(total, name)))
    available(all.map(({ name: store, isAvailable }) => [{ store }, Number(isAvailable)]))
    enabled(all.map(({ name: store, isEnabled }) => [{ store }, Number(isEnabled)]))
  }
}
