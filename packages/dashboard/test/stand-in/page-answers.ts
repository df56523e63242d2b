import { type AnswerInput, endpoints, LibrarianError, transferStatuses } from '@arriero/api'
import { proposals } from './files.ts'
import type { Give } from './give.ts'
import { naive } from './overview.ts'
import { audit, disks, errors, sites, tasks, transfers, trash, users } from './pages.ts'

const { dashboard, admin, destruction, search, error } = endpoints

/** What the lists ask; what is changed stays changed until the stand-in ends. */
export function giveLists(give: Give): void {
  giveTransfers(give)
  giveSites(give)
  giveUsers(give)
  give(search.error, ({ severity, category, include_resolved }) =>
    errors.filter(
      each =>
        (include_resolved || !each.cleared) &&
        (severity ?? each.severity) === each.severity &&
        (category ?? each.category) === each.category,
    ),
  )
  give(error.clear, ({ id }) => {
    const row = errors.find(each => each.id === id)!
    Object.assign(row, { cleared: true, cleared_time: naive(Date.now()) })
    return { id, cleared: true, cleared_time: naive(Date.now()) }
  })
  give(endpoints.tasks.list, () => ({ tasks }))
  give(endpoints.tasks.run, ({ id }) => Object.assign(tasks.find(each => each.id === id)!, { state: 'running' }))
  give(endpoints.sneakernet.list, ({ disk_id }) => ({
    disks: disks.filter(each => (disk_id ?? each.disk_id) === each.disk_id),
  }))
  give(endpoints.sneakernet.items, ({ disk_id }) => ({ items: itemsOf(disk_id), next: null }))
  give(endpoints.sneakernet.giveUp, ({ disk_id }) => {
    const disk = disks.find(each => each.disk_id === disk_id)!
    const failed = disk.in_transit + disk.arrived
    Object.assign(disk, { state: 'given-up', in_transit: 0, arrived: 0, failed })
    return { disk_id, failed_transfers: failed }
  })
  give(dashboard.audit, ({ actor, action, subject, limit, after }) => {
    const found = audit.filter(
      each =>
        (actor ?? each.actor) === each.actor &&
        (action ?? each.action) === each.action &&
        (subject ?? each.subject) === each.subject,
    )
    const { rows, ...rest } = paged(found, { limit, after })
    return { entries: rows, ...rest, chain: { time: naive(Date.now()), is_whole: true, entries: 12_044, broken: null } }
  })
  give(admin.trashList, ({ store_name }) => ({
    trash: trash.filter(each => (store_name ?? each.store_name) === each.store_name),
    next: null,
  }))
  give(destruction.list, () => ({
    destructions: [...proposals].map(([file_name, proposal]) => ({ file_name, ...proposal })),
  }))
}

function giveTransfers(give: Give): void {
  give(dashboard.transfers, ({ direction, state, librarian_name, limit, after }) => {
    const found = transfers.filter(
      each => each.direction === direction && (librarian_name ?? each.librarian_name) === each.librarian_name,
    )
    const counts = Object.fromEntries(
      Object.keys(transferStatuses).map(name => [name, found.filter(each => each.state === name).length]),
    ) as AnswerInput<typeof dashboard.transfers>['counts']
    const { rows, ...rest } = paged(
      found.filter(each => (state ?? each.state) === each.state),
      { limit, after },
    )
    return { counts, transfers: rows, ...rest }
  })
  give(dashboard.transfer, ({ direction, id }) => {
    const transfer = transfers.find(each => each.direction === direction && each.id === id)
    if (!transfer) throw new LibrarianError('NotFound', `There is no transfer ${id}.`)
    const began = Date.parse(`${transfer.start_time}Z`)
    return {
      transfer,
      remote_id: 511,
      store_name: direction === 'in' ? 'disk-01' : null,
      checksum: 'md5:::9e107d9d372bb6826bd81d3542a419d6',
      batch:
        direction === 'out' ? { id: 77, files: 512, bytes: 4e9, retries: 2, next_time: naive(Date.now() + 9e5) } : null,
      timeline: [
        { time: transfer.start_time, what: 'started', detail: '' },
        { time: naive(began + 4000), what: 'queued', detail: 'batch 77 of 512 files' },
        { time: naive(began + 60_000), what: 'moving', detail: 'http' },
        { time: naive(began + 180_000), what: transfer.state.toLowerCase(), detail: transfer.reason ?? '' },
      ],
    }
  })
  give(dashboard.transferRetry, ({ id }) => ({ direction: 'out' as const, id }))
}

function giveSites(give: Give): void {
  give(dashboard.sites, () => ({ site_name: 'La Silla, archive', sites }))
  give(admin.transferStatusChange, ({ librarian_name, transfers_enabled }) => {
    Object.assign(sites.find(each => each.librarian_name === librarian_name)!, { enabled: transfers_enabled })
    return { librarian_name, transfers_enabled }
  })
  give(admin.librariansAdd, ({ librarian_name }) => ({
    success: !sites.some(each => each.librarian_name === librarian_name),
    already_exists: sites.some(each => each.librarian_name === librarian_name),
    ping_success: true,
  }))
  give(admin.librariansRemove, ({ librarian_name }) => {
    sites.splice(
      sites.findIndex(each => each.librarian_name === librarian_name),
      1,
    )
    return { success: true, number_of_transfers_removed: 0 }
  })
  give(admin.storesList, () =>
    ['disk-01', 'disk-02', 'disk-03'].map(name => ({
      name,
      store_type: 'local',
      free_space: 0,
      ingestable: true,
      available: true,
      enabled: true,
    })),
  )
  give(admin.storesStateChange, ({ store_name, enabled }) => ({ store_name, enabled, success: true }))
}

function giveUsers(give: Give): void {
  type Listed = AnswerInput<typeof endpoints.users.list>['users'][number]
  give(endpoints.users.list, () => ({
    users: [...users].map(([username, permission]) => ({ username, permission }) as Listed),
    next: null,
  }))
  give(endpoints.users.create, ({ username }) => {
    if (users.has(username)) throw new LibrarianError('Conflict', 'There is a user of this name.')
    users.set(username, 1)
    return { success: true, username }
  })
  give(endpoints.users.update, ({ username }) => ({ success: true, username }))
  give(endpoints.users.delete, ({ username }) => {
    users.delete(username)
    return { success: true, username }
  })
}

function itemsOf(diskId: string): AnswerInput<typeof endpoints.sneakernet.items>['items'] {
  const isOut = disks.find(each => each.disk_id === diskId)?.direction === 'out'
  return Array.from({ length: 12 }, (_, index) => ({
    name: `night-013/frame-${index}.fits`,
    size: 8_392_320,
    transfer_id: 70 + index,
    transfer_status: isOut ? ('ONGOING' as const) : null,
    state: isOut ? null : ('done' as const),
    reason: null,
  }))
}

interface Page {
  readonly limit: number
  readonly after?: string | undefined
}

function paged<Row>(found: readonly Row[], { limit, after }: Page) {
  const from = Number(after ?? 0)
  const more = from + limit < found.length
  return { rows: found.slice(from, from + limit), more, next: more ? String(from + limit) : null }
}
