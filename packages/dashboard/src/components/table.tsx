import type { LibrarianError } from '@arriero/api'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Problem } from './problem.tsx'
import { type Sorting, type SortKey, sortRows } from './sort-rows.ts'

export interface Column<Row> {
  readonly key: string
  /** Empty for a column of buttons. */
  readonly label: string
  readonly cell: (row: Row) => ComponentChildren
  /** Numbers stand at the end. */
  readonly align?: 'end'
  /** It can be sorted by this. */
  readonly sort?: (row: Row) => SortKey
  /** The headline of a row, also where rows are cards. */
  readonly isTitle?: boolean
}

export interface TableProps<Row> {
  /** What is in it, for those who do not see where it stands. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  /** Undefined: they have not come yet. */
  readonly rows: readonly Row[] | undefined
  readonly keyOf: (row: Row) => string | number
  /** Instead of rows, where there are none. */
  readonly empty: ComponentChildren
  readonly error?: LibrarianError | undefined
  readonly again?: (() => void) | undefined
  readonly isLoading?: boolean
}

/** Some browsers forget what a table is once its rows are drawn as cards, unless they are told. */
const roles = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  head: { role: 'columnheader' },
  cell: { role: 'cell' },
} as const

/** Rows in columns; on a narrow screen each row is a card. */
export function Table<Row>({ caption, columns, rows, keyOf, empty, error, again, isLoading = false }: TableProps<Row>) {
  const [sorting, setSorting] = useState<Sorting>()
  const by = columns.find(({ key }) => key === sorting?.key)?.sort
  const shown = rows && by && sorting ? sortRows(rows, by, sorting.isDescending) : rows
  return (
    <div class="table-frame">
      {error && <Problem error={error} again={again} />}
      {!error && rows === undefined && <p class="loading">Loading…</p>}
      {rows?.length === 0 && <p class="empty">{empty}</p>}
      {shown && shown.length > 0 && (
        <table {...roles.table} aria-busy={isLoading || undefined}>
          <caption class="unseen">{caption}</caption>
          <thead {...roles.group}>
            <tr {...roles.row}>
              {columns.map(column => (
                <Head key={column.key} column={column} sorting={sorting} setSorting={setSorting} />
              ))}
            </tr>
          </thead>
          <tbody {...roles.group}>
            {shown.map(row => (
              <tr key={keyOf(row)} {...roles.row}>
                {columns.map(({ key, label, align, isTitle, cell }) => (
                  <td key={key} {...roles.cell} data-label={label} class={classOf(align, isTitle)}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

interface HeadProps<Row> {
  readonly column: Column<Row>
  readonly sorting: Sorting | undefined
  readonly setSorting: (sorting: Sorting) => void
}

function Head<Row>({ column: { key, label, align, sort }, sorting, setSorting }: HeadProps<Row>) {
  const isSorted = sorting?.key === key
  const order = isSorted && (sorting.isDescending ? 'descending' : 'ascending')
  const turn = () => setSorting({ key, isDescending: isSorted ? !sorting.isDescending : align === 'end' })
  return (
    <th scope="col" {...roles.head} class={classOf(align)} aria-sort={order || undefined}>
      {sort ? (
        <button type="button" class="sort" onClick={turn}>
          {label}
          <span aria-hidden="true">{order ? (order === 'ascending' ? '\u00a0▲' : '\u00a0▼') : '\u00a0↕'}</span>
        </button>
      ) : (
        label || <span class="unseen">What can be done</span>
      )}
    </th>
  )
}

function classOf(align: 'end' | undefined, isTitle = false): string | undefined {
  return [align === 'end' && 'end', isTitle && 'title'].filter(Boolean).join(' ') || undefined
}
