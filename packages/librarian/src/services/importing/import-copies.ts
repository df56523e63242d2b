/** Copies at this site: looked for, not read; with their lines in the stores' trails. */
import { fileNameProblem, type Instant, instantOf } from '@arriero/api'
import type { Insertable } from 'kysely'
import type { File } from '../../catalogue/operations/instances.ts'
import { unread } from '../../catalogue/operations/instances.ts'
import type { InstanceTable } from '../../catalogue/schema.ts'
import type { RowOf } from '../../legacy/installation.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { commitLineOf } from '../commit/commit-line.ts'
import { each, type Import } from './import.ts'
import { instanceColumns } from './tables.ts'

type InstanceRow = RowOf<typeof instanceColumns>

interface Placed {
  readonly site: SiteStore
  readonly file: File
  readonly row: Insertable<InstanceTable>
  /** Its bytes are there. */
  readonly isThere: boolean
}

export async function importCopies(work: Import): Promise<void> {
  const { from, catalogue, report, signal, clock } = work
  await each(from, 'instances', instanceColumns, report, async rows => {
    signal?.throwIfAborted()
    const files = await catalogue.rebuilding.known({ names: [...new Set(rows.map(({ file_name }) => file_name))] })
    const byName = new Map(files.map(file => [file.name, file]))
    const placed = (await Promise.all(rows.map(row => place(row, byName.get(row.file_name), work)))).flatMap(
      copy => copy ?? [],
    )
    const orders = await catalogue.importing.insertCopies({ rows: placed.map(({ row }) => row) })
    const time = instantOf(new Date(clock.wallNow()))
    const lines = placed.map((copy, index) => ({ ...copy, line: lineOf(copy, orders[index]!, time) }))
    for (const [site, own] of Map.groupBy(lines, ({ site }) => site)) {
      await site.store.appendTrail(own.filter(({ isThere }) => isThere).map(({ line }) => line))
    }
  })
}

/** Undefined: it is left out, and the report says why. */
async function place(
  row: InstanceRow,
  file: File | undefined,
  { stores, report }: Import,
): Promise<Placed | undefined> {
  const leaveOut = (why: string) => void report.problems.push(`copy ${row.id} of ${row.file_name} was left out: ${why}`)
  const site = stores.byId(row.store_id)
  if (!site) return leaveOut(`there is no store ${row.store_id}`)
  if (!file || fileNameProblem(row.file_name) !== undefined) return leaveOut('its file was')
  const path = site.store.pathOf(row.file_name)
  if (path !== row.path)
    report.problems.push(`copy ${row.id} of ${row.file_name}: it was at ${row.path}, it is looked for at ${path}`)
  const found = await site.store.stat(row.file_name).catch(() => undefined)
  const isThere = found?.kind === file.kind && (file.kind === 'tree' || found.size === file.size)
  if (!isThere && row.available)
    report.problems.push(`copy ${row.id} of ${row.file_name}: ${found ? 'other bytes lie' : 'nothing lies'} at ${path}`)
  return {
    site,
    file,
    isThere,
    row: {
      id: row.id,
      path,
      file_name: row.file_name,
      store_id: row.store_id,
      deletion_policy: row.deletion_policy === 'ALLOWED' ? 'ALLOWED' : 'DISALLOWED',
      created_time: row.created_time,
      available: row.available ? 1 : 0,
      state: 'never-checked',
      ...unread,
    },
  }
}

function lineOf({ file, row }: Placed, order: number, time: Instant): TrailRecord {
  return commitLineOf(file, { order, time, is_attested: true, deletion_policy: row.deletion_policy })
}
