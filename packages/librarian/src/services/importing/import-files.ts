/** Files, with their kind: that is only to be seen where they lie. */
import { fileNameProblem } from '@arriero/api'
import type { FileKind } from '../../catalogue/schema.ts'
import type { RowOf } from '../../legacy/installation.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { each, type Import, type ImportReport } from './import.ts'
import { fileColumns } from './tables.ts'

type FileRow = RowOf<typeof fileColumns>

export async function importFiles(work: Import): Promise<void> {
  const { from, catalogue, report, signal } = work
  await each(from, 'files', fileColumns, report, async rows => {
    signal?.throwIfAborted()
    const named = rows.filter(row => isNamed(row, work))
    const kinds = await Promise.all(named.map(({ name }) => kindOf(name, work)))
    const values = named.map((row, index) => ({
      ...row,
      sha256: null,
      kind: kinds[index]!,
      // It was compared when it came; that nobody here has seen it is in the state of its copies.
      is_attested: 1 as const,
      first_uploader: null,
    }))
    await catalogue.importing.insert({ table: 'file', rows: values })
  })
}

function isNamed({ name }: FileRow, { report }: Import): boolean {
  const problem = fileNameProblem(name)
  if (problem !== undefined) report.problems.push(`file ${name} was left out: ${problem}`)
  return problem === undefined
}

/** As the first store has it; all that have it take it over. */
async function kindOf(name: string, { stores, report }: Import): Promise<FileKind> {
  const found = await Promise.all(stores.all.map(site => sealAt(site, name, report)))
  const [kind] = found.filter(one => one !== undefined)
  if (kind !== undefined) return kind
  report.problems.push(`file ${name}: no store here has it, so it was taken for a file and no directory`)
  return 'file'
}

async function sealAt(site: SiteStore, name: string, report: ImportReport): Promise<FileKind | undefined> {
  try {
    return (await site.store.seal(name))?.kind
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    report.problems.push(`${site.store.pathOf(name)} could not be taken over: ${why}`)
    return undefined
  }
}
