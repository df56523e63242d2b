/** The upstream's half: what it knows of a downstream, piece by piece, so that millions are nowhere whole in memory. */
import { toNaive, transferStatuses } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'

export interface TellOptions {
  readonly catalogue: Pick<Catalogue, 'downstream'>
  /** The downstream's name. */
  readonly librarian: string
  /** Only what is younger. */
  readonly ageSeconds: number
  /** Our own name: as whose the downstream knows these files. */
  readonly source: string
}

const PAGE = 1000

/** Pieces of one JSON document. @throws LibrarianError `UnknownLibrarian`, before the first piece */
export async function* tellDownstream(options: TellOptions): AsyncIterable<string> {
  const { catalogue, source } = options
  yield* inList(
    '{"file_info":[',
    pagesOf(options, page => catalogue.downstream.copies(page)),
    row => ({
      name: row.name,
      store_id: row.store_id,
      copy_time: toNaive(row.copy_time),
      size: row.size,
      checksum: row.checksum,
      uploader: row.uploader,
      source,
    }),
  )
  yield* inList(
    '],"transfer_info":[',
    pagesOf(options, page => catalogue.downstream.transfers(page)),
    row => ({
      source_id: row.id,
      destination_id: row.remote_transfer_id,
      status: transferStatuses[row.status],
      transfer_size: row.transfer_size,
      transfer_checksum: row.transfer_checksum,
      transfer_manager_name: row.transfer_manager_name,
      start_time: toNaive(row.start_time),
      file_name: row.file_name,
      source,
      uploader: row.uploader,
      dest_path: row.dest_path,
    }),
  )
  yield ']}\n'
}

type Page = Parameters<Catalogue['downstream']['copies']>[0]

async function* pagesOf<Row extends { readonly id: number }>(
  { librarian, ageSeconds: seconds }: TellOptions,
  ask: (page: Page) => Promise<readonly Row[]>,
): AsyncIterable<readonly Row[]> {
  for (let after = 0; ; ) {
    const rows = await ask({ librarian, seconds, after, limit: PAGE })
    yield rows
    // A page may be shorter than asked for: of some rows the other has nothing.
    const last = rows.at(-1)
    if (!last) return
    after = last.id
  }
}

async function* inList<Row>(
  head: string,
  pages: AsyncIterable<readonly Row[]>,
  shown: (row: Row) => object,
): AsyncIterable<string> {
  let before = head
  for await (const rows of pages) {
    if (rows.length === 0) continue
    yield before + rows.map(row => JSON.stringify(shown(row))).join(',')
    before = ','
  }
  if (before === head) yield head
}
