/**
 * Takes over the database of a Python librarian that has ended (librarian 3.14): its users, stores, peers, files and copies,
 * under the numbers that its peers know.
 *
 *   refuse    another release's schema, a catalogue that was used, transfers that are under way
 *   rows      users, stores, peers; then the stores are opened, as at any start
 *   files     with what lies on the stores: whether it is a file or a directory is not in that database. There it gets the
 *             modes of what is committed, so that nothing is put into a directory any more
 *   copies    with a line in the store's trail for each, so that the catalogue could be made of the stores again
 *   rest      copies elsewhere, what ended, errors
 *
 * No byte is moved, copied or changed, and nothing is called good that nobody has read: copies are `never-checked`, and read in the
 * background once the librarian runs. Killed before its end, it is begun again with a new catalogue.
 */
import { instantOf, LibrarianError } from '@arriero/api'
import type { Installation } from '../../legacy/installation.ts'
import { findLastLines } from '../recovery/last-lines.ts'
import { each, type Import, type ImportOptions, type ImportReport } from './import.ts'
import { importCopies } from './import-copies.ts'
import { importFiles } from './import-files.ts'
import { importRest } from './import-rest.ts'
import * as tables from './tables.ts'

/** Schema of release 5.0.1. */
const VERSION = '84785333a677'

/** @throws LibrarianError `Configuration`, `Conflict` */
export async function importInstallation(options: ImportOptions): Promise<ImportReport> {
  const { from, catalogue, dropsOpen, actor, clock } = options
  await refuseOthers(from)
  if (!(await catalogue.importing.isUnused())) {
    throw new LibrarianError('Conflict', 'Cannot import: the catalogue must be new, it has stores, users or files', {
      remedy: 'Name a new database in the settings, or another --data directory.',
    })
  }
  if (!dropsOpen) await refuseOpen(from)
  const report: ImportReport = { counts: {}, problems: [] }
  const peerIds = await importAdministration(options, report)
  const stores = await options.openStores()
  const work: Import = { ...options, stores, peerIds, report }
  try {
    await goOnInTrails(work)
    await importFiles(work)
    await importCopies(work)
    await importRest(work)
    await catalogue.importing.endNumbers()
  } finally {
    await stores[Symbol.asyncDispose]()
  }
  const detail = { ...report.counts, problems: report.problems.length, time: instantOf(new Date(clock.wallNow())) }
  await catalogue.audit.append({ actor, action: 'import', subject: 'catalogue', detail })
  return report
}

async function refuseOthers(from: Installation): Promise<void> {
  const version = await from.version()
  if (version === VERSION) return
  const met = version === undefined ? 'it has no alembic_version' : `it is at ${version}`
  throw new LibrarianError(
    'Configuration',
    `Cannot import: the database must be of release 5.0.1 (${VERSION}), ${met}`,
    {
      remedy: 'Bring it up to 5.0.1 with its own tools first (librarian-server-setup --migrate).',
    },
  )
}

async function refuseOpen(from: Installation): Promise<void> {
  let open = 0
  for await (const row of from.rows('incoming_transfers', { id: 'integer', status: 'text' }))
    if (tables.isOpen(row)) open++
  for await (const row of from.rows('outgoing_transfers', tables.outgoingColumns)) {
    if (tables.isOpen(row) && !tables.isCarried(row)) open++
  }
  if (open === 0) return
  throw new LibrarianError('Conflict', `Cannot import: no transfer may be under way there, ${open} are`, {
    remedy:
      'Stop uploads and sending, let its background tasks finish, then stop it and import; or give them up with ' +
      '--drop-open-transfers: their senders will send again.',
  })
}

/** An import that was killed, or an earlier catalogue, may have left lines: ours come after them. */
async function goOnInTrails({ stores, catalogue }: Import): Promise<void> {
  for (const site of stores.all) {
    const state = await site.store.state()
    if (!state.available) continue
    const { order } = await findLastLines(site)
    await catalogue.rebuilding.raiseOrder({ over: order })
  }
}

async function importAdministration(
  { from, catalogue, readsCredentials }: ImportOptions,
  report: ImportReport,
): Promise<ReadonlySet<number>> {
  const peerIds = new Set<number>()
  const { importing } = catalogue
  await each(from, 'store_metadata', tables.storeColumns, report, async rows =>
    importing.insert({ table: 'store', rows: rows.map(tables.storeOf) }),
  )
  await each(from, 'users', tables.userColumns, report, async rows => {
    const known = rows.flatMap(row => tables.accountOf(row) ?? [])
    for (const { username, auth_level } of rows) {
      if (!known.some(account => account.username === username))
        report.problems.push(`user ${username} was left out: there is no level ${auth_level}`)
    }
    await importing.insert({ table: 'account', rows: known })
  })
  await each(from, 'librarians', tables.librarianColumns, report, async rows => {
    for (const { id, name, authenticator } of rows) {
      peerIds.add(id)
      if (!readsCredentials(authenticator))
        report.problems.push(
          `librarian ${name}: its credentials cannot be read with this encryption_key; use the one from there, or add it again`,
        )
    }
    await importing.insert({ table: 'peer', rows: rows.map(tables.peerOf) })
  })
  return peerIds
}
