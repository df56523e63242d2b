/** What the steps of an import share (`import-installation.ts`). */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Clock } from '../../clock.ts'
import type { ColumnType, Installation, RowOf } from '../../legacy/installation.ts'
import type { Stores } from '../../stores/stores.ts'
import { inPages } from '../recovery/in-pages.ts'

export interface ImportOptions {
  readonly from: Installation
  readonly catalogue: Pick<Catalogue, 'importing' | 'rebuilding' | 'audit'>
  /** Called when the rows of the stores are there. */
  readonly openStores: () => Promise<Stores>
  /** What is under way there is given up here. Default: it is refused. */
  readonly dropsOpen: boolean
  /** Whether the credentials of a peer can be read with the key of the settings. */
  readonly readsCredentials: (authenticator: string) => boolean
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
  /** Of who imports, for the audit. */
  readonly actor: string
  readonly signal?: AbortSignal | undefined
}

export interface ImportReport {
  /** Rows taken over, by their table there. */
  readonly counts: Record<string, number>
  /** What a person should look at: rows left out, bytes that are not there. */
  readonly problems: string[]
}

/** What its steps share. */
export interface Import extends Omit<ImportOptions, 'openStores'> {
  readonly stores: Stores
  /** Of the librarians that were taken over. */
  readonly peerIds: ReadonlySet<number>
  readonly report: ImportReport
}

const PAGE = 500

/** Pages of a table, counted. */
export async function each<Columns extends Readonly<Record<string, ColumnType>>>(
  from: Installation,
  table: string,
  columns: Columns,
  { counts }: ImportReport,
  take: (rows: RowOf<Columns>[]) => Promise<void>,
): Promise<void> {
  counts[table] = 0
  for await (const page of inPages(from.rows(table, columns), PAGE)) {
    await take(page)
    counts[table] += page.length
  }
}
