/**
 * The downstream's half: rows that were lost are made again from what the upstream knows, where the bytes agree.
 *
 *   transfers   staged, and not ingested: the transfer again, under the number that the upstream has; ingested: the file
 *   files       looked for in the store; every n-th is read in full and compared
 *
 * Nothing that is there is changed, and what was not read is `never-checked`. What is told and lies nowhere is a problem, not
 * a row: the upstream sends it again once it finds out (librarian 11.6). Unlike in release 5.0.1 one such item ends nothing.
 */
import { checksumsMatch, type Instant, instantOf, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { RebuiltFile } from '../../catalogue/operations/rebuilding.ts'
import type { FileKind } from '../../catalogue/schema.ts'
import type { Clock } from '../../clock.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { inPages } from '../recovery/in-pages.ts'
import { problemOf } from '../recovery/rebuilt-file.ts'
import type { FileInfo, Statement, TransferInfo } from './statement.ts'

export interface TakeOptions {
  readonly catalogue: Pick<Catalogue, 'rebuilding' | 'importing' | 'uploads'>
  readonly site: SiteStore
  readonly statement: Statement
  /** Every so many files one is read in full; 0: none. */
  readonly spotCheck: number
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
  /** Told of each file that was looked at. */
  readonly onFile?: (() => void) | undefined
}

export interface TakeReport {
  files: number
  transfers: number
  /** Known already. */
  known: number
  /** Read in full and right. */
  read: number
  readonly problems: string[]
}

interface Work extends TakeOptions {
  /** Staging directories that are there. */
  readonly staged: ReadonlySet<string>
  readonly report: TakeReport
}

const PAGE = 200

/** @throws LibrarianError `StoreUnavailable` */
export async function takeFromUpstream(options: TakeOptions): Promise<TakeReport> {
  const { site, statement, catalogue } = options
  const state = await site.store.state()
  if (!state.available)
    throw new LibrarianError('StoreUnavailable', `Cannot repair: store ${site.name} must be there: ${state.reason}`, {
      remedy: state.remedy ?? 'Mount its disk; then say the same again.',
    })
  const report: TakeReport = { files: 0, transfers: 0, known: 0, read: 0, problems: [] }
  const staged = new Set(await Array.fromAsync(site.store.stagings()))
  const work: Work = { ...options, staged, report }
  const files = [...statement.file_info]
  for (const transfer of statement.transfer_info) {
    if (await takeTransfer(transfer, work)) continue
    files.push(fileOf(transfer))
  }
  let count = 0
  for await (const page of inPages(files, PAGE)) {
    const found = await Promise.all(
      page.map(file => look(file, options.spotCheck > 0 && count++ % options.spotCheck === 0, work)),
    )
    await registerAll(
      found.flatMap(one => one ?? []),
      work,
    )
  }
  await catalogue.importing.endNumbers()
  return report
}

/** False: its bytes are not staged, so it was ingested before the database was lost, or never came. */
async function takeTransfer(
  transfer: TransferInfo,
  { catalogue, site, staged, random, report }: Work,
): Promise<boolean> {
  if (await catalogue.uploads.get({ id: transfer.destination_id })) {
    report.known += 1
    return true
  }
  const stagingId = stagingIdOf(transfer)
  if (stagingId === undefined || !staged.has(stagingId)) return false
  await catalogue.importing.insert({
    table: 'incoming_transfer',
    rows: [
      {
        id: transfer.destination_id,
        // Nobody knows how far it came: the upstream says so at the next comparison (librarian 11.6).
        status: 'ONGOING',
        uploader: transfer.source,
        upload_name: transfer.file_name,
        source: transfer.source,
        transfer_size: transfer.transfer_size,
        transfer_checksum: transfer.transfer_checksum,
        store_id: site.id,
        transfer_manager_name: transfer.transfer_manager_name,
        start_time: transfer.start_time,
        end_time: null,
        staging_path: stagingId,
        store_path: transfer.file_name,
        active_time: null,
        transfer_data: null,
        source_transfer_id: transfer.source_id,
        deletion_policy: 'DISALLOWED',
        first_uploader: transfer.uploader,
        token: random(16).toString('hex'),
        reason: null,
      },
    ],
  })
  report.transfers += 1
  return true
}

/** The segment of the place between the staging root and the file's name. */
export function stagingIdOf({
  dest_path,
  file_name,
}: Pick<TransferInfo, 'dest_path' | 'file_name'>): string | undefined {
  if (!dest_path.endsWith(`/${file_name}`)) return undefined
  return (
    dest_path
      .slice(0, -file_name.length - 1)
      .split('/')
      .at(-1) || undefined
  )
}

function fileOf({
  file_name: name,
  start_time,
  transfer_size,
  transfer_checksum,
  uploader,
  source,
}: TransferInfo): FileInfo {
  return {
    name,
    store_id: 0,
    copy_time: start_time,
    size: transfer_size,
    checksum: transfer_checksum,
    uploader,
    source,
  }
}

interface Found {
  readonly info: FileInfo
  readonly kind: FileKind
  /** It was read in full, and right. */
  readonly isRead: boolean
}

async function look(info: FileInfo, isToBeRead: boolean, { site, report, onFile }: Work): Promise<Found | undefined> {
  const refuse = (why: string) => void report.problems.push(`${site.name}: ${info.name} ${why}`)
  try {
    const stat = await site.store.seal(info.name)
    if (!stat) return refuse('is kept here by what the upstream knows, and nothing lies there')
    if (stat.kind === 'file' && stat.size !== info.size)
      return refuse(`must have ${info.size} bytes, it has ${stat.size}`)
    if (!isToBeRead) return { info, kind: stat.kind, isRead: false }
    const reading = await site.store.examine(info.name, { kind: stat.kind, checksum: info.checksum })
    if (reading.outcome !== 'read') return refuse(`is ${reading.outcome}: ${reading.reason}`)
    if (reading.size !== info.size || !checksumsMatch(reading.checksum, info.checksum))
      return refuse(`must have ${info.checksum}, it has ${reading.checksum}`)
    report.read += 1
    return { info, kind: stat.kind, isRead: true }
  } catch (error) {
    return refuse(`could not be looked at: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    onFile?.()
  }
}

async function registerAll(found: readonly Found[], { catalogue, site, clock, report }: Work): Promise<void> {
  if (found.length === 0) return
  const known = await catalogue.rebuilding.known({ names: found.map(({ info }) => info.name) })
  const byName = new Map(known.map(file => [file.name, file]))
  // What is known of the same bytes stays: the upstream tells no SHA-256.
  const rows = found.map(one => {
    const file = byName.get(one.info.name)
    const isSame = file?.checksum === one.info.checksum
    return { ...rowOf(site, one), ...(isSame ? { sha256: file.sha256 } : {}) }
  })
  const outcomes = await catalogue.rebuilding.register({ files: rows })
  const added: Found[] = []
  for (const [index, outcome] of outcomes.entries()) {
    const one = found[index]!
    const problem = problemOf(site, rows[index]!, outcome)
    if (problem !== undefined) report.problems.push(problem)
    else if (outcome.outcome === 'known') report.known += 1
    else added.push(one)
  }
  report.files += added.length
  if (added.length === 0) return
  const orders = await catalogue.rebuilding.takeOrders({ count: added.length })
  const time = instantOf(new Date(clock.wallNow()))
  await site.store.appendTrail(added.map((one, index) => lineOf(one, orders[index]!, time)))
}

function rowOf(site: SiteStore, { info, kind, isRead }: Found): RebuiltFile {
  const { name, size, checksum, copy_time, uploader, source } = info
  return {
    name,
    kind,
    size,
    checksum,
    sha256: null,
    isAttested: true,
    createTime: copy_time,
    uploader,
    source,
    firstUploader: null,
    manifest: undefined,
    copy: {
      storeId: site.id,
      path: site.store.pathOf(name),
      available: true,
      state: isRead ? 'ok' : 'never-checked',
      deletionPolicy: 'DISALLOWED',
    },
  }
}

function lineOf({ info, kind }: Found, order: number, time: Instant): TrailRecord {
  const { name, size, checksum, copy_time, uploader, source } = info
  return {
    action: 'commit',
    order,
    time,
    name,
    kind,
    size,
    checksum,
    sha256: null,
    is_attested: true,
    create_time: copy_time,
    uploader,
    source,
    deletion_policy: 'DISALLOWED',
  }
}
