/** Copies elsewhere, and what has ended. A row that names what was left out, or was never there, is left out as well. */
import { fileNameProblem } from '@arriero/api'
import { each, type Import } from './import.ts'
import * as tables from './tables.ts'

export async function importRest(work: Import): Promise<void> {
  const { from, catalogue, random, report, stores, peerIds } = work
  const { importing } = catalogue
  const isStore = (id: number | null) => id === null || stores.byId(id) !== undefined
  await each(from, 'remote_instances', tables.remoteInstanceColumns, report, async rows => {
    const known = await knownFiles(rows, work)
    const whole = rows.filter(row => known.has(row.file_name) && peerIds.has(row.librarian_id))
    if (whole.length < rows.length)
      report.problems.push(
        `${rows.length - whole.length} copies elsewhere were left out: their file or librarian is not there`,
      )
    await importing.insert({ table: 'remote_instance', rows: whole })
  })
  await each(from, 'incoming_transfers', tables.incomingColumns, report, async rows => {
    const whole = rows.filter(
      row => isStore(row.store_id) && fileNameProblem(row.store_path ?? row.upload_name) === undefined,
    )
    const token = () => random(16).toString('hex')
    await importing.insert({
      table: 'incoming_transfer',
      rows: whole.map(row => tables.incomingOf(row, { token: token() })),
    })
  })
  await each(from, 'outgoing_transfers', tables.outgoingColumns, report, async rows => {
    const known = await knownFiles(rows, work)
    const whole = rows.filter(({ file_name }) => file_name === null || known.has(file_name))
    await importing.insert({ table: 'outgoing_transfer', rows: whole.map(tables.outgoingOf) })
  })
  await each(from, 'clone_transfers', tables.cloneColumns, report, async rows => {
    const whole = rows.filter(row => isStore(row.source_store_id) && isStore(row.destination_store_id))
    await importing.insert({ table: 'clone_transfer', rows: whole.map(tables.cloneOf) })
  })
  await each(from, 'errors', tables.errorColumns, report, async rows =>
    importing.insert({ table: 'error', rows: rows.map(tables.errorOf) }),
  )
  await each(from, 'corrupt_files', tables.corruptColumns, report, async rows =>
    importing.insert({ table: 'corrupt_file', rows: rows.map(tables.corruptOf) }),
  )
}

async function knownFiles(
  rows: readonly { readonly file_name: string | null }[],
  { catalogue }: Import,
): Promise<ReadonlySet<string>> {
  const names = [...new Set(rows.flatMap(({ file_name }) => file_name ?? []))]
  return new Set((await catalogue.rebuilding.known({ names })).map(({ name }) => name))
}
