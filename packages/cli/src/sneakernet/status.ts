import { type Context, printJson, warn } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Librarian, type LibrarianFlags, withLibrarian } from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { statusName } from '../librarian/transfer-status.ts'
import { printable } from '../text.ts'
import { formatSize } from '../units.ts'
import { findDisk } from './find-disk.ts'

export async function status([disk]: string[], flags: LibrarianFlags, context: Context): Promise<number> {
  return await withLibrarian(flags, context, librarian =>
    disk === undefined ? showDisks(librarian, context) : showFiles(librarian, disk, context),
  )
}

async function showDisks({ api }: Librarian, context: Context): Promise<number> {
  const { disks } = await api.sneakernet.list({ max_results: 1000 }, { signal: context.signal })
  if (context.flags.json) for (const disk of disks) printJson(context, disk)
  else if (disks.length === 0) warn(context, 'no disks were packed or read here.')
  else {
    const headings = [
      'Disk',
      'Label',
      'Way',
      'State',
      'Since (UTC)',
      'Files',
      'Size',
      'In transit',
      'Arrived',
      'Confirmed',
      'Failed',
    ]
    const rows = disks.map(each => [
      each.disk_id,
      each.label,
      `${each.direction === 'out' ? 'to' : 'from'} ${each.librarian_name}`,
      each.state,
      shownTime(each.changed_time),
      each.files,
      formatSize(each.bytes),
      each.in_transit,
      each.arrived,
      each.confirmed,
      each.failed,
    ])
    showTable(headings, rows, context)
    for (const { disk_id, state, direction, librarian_name } of disks) {
      if (direction !== 'out' || state !== 'packing') continue
      warn(
        context,
        `disk ${disk_id} for ${printable(librarian_name)} is not packed to its end: arriero sneakernet pack with the same disk goes on, arriero sneakernet give-up ${disk_id} ends it.`,
      )
    }
  }
  return exitCodes.ok
}

async function showFiles(librarian: Librarian, text: string, context: Context): Promise<number> {
  const { api } = librarian
  const disk_id = await findDisk(librarian, text, context.signal)
  const { disks } = await api.sneakernet.list({ disk_id }, { signal: context.signal })
  const [disk] = disks
  const rows: (string | number)[][] = []
  let after: string | undefined
  do {
    const page = await api.sneakernet.items({ disk_id, after, max_results: 1000 }, { signal: context.signal })
    for (const item of page.items) {
      const state = stateOf(item, disk?.state)
      if (context.flags.json) printJson(context, { ...item, disk_state: disk?.state ?? null, is: state })
      else rows.push([item.name, item.size === null ? '' : formatSize(item.size), state, item.reason ?? ''])
    }
    after = page.next ?? undefined
  } while (after !== undefined)
  if (!context.flags.json) {
    if (disk === undefined) warn(context, `no disk ${disk_id} was packed or read here.`)
    else showTable(['Name', 'Size', 'State', 'Why'], rows, context)
  }
  return disk === undefined ? exitCodes.notFound : exitCodes.ok
}

interface Item {
  /** Of a disk that went out; a number of the wire. */
  readonly transfer_status: number | null
  /** Of one that came. */
  readonly state: string | null
  readonly transfer_id: number | null
}

/** The word for a person. */
function stateOf({ transfer_status, state, transfer_id }: Item, disk: string | undefined): string {
  if (state !== null) return state
  if (transfer_id === null || transfer_status === null) return 'packing'
  const status = statusName(transfer_status)
  if (status === 'COMPLETED') return 'confirmed'
  if (status === 'FAILED' || status === 'CANCELLED') return 'failed'
  if (disk === 'reading' || disk === 'read') return 'arrived'
  return disk === 'packed' ? 'in transit' : 'packed'
}
