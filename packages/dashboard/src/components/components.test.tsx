import { LibrarianError } from '@arriero/api'
import { expect, test } from 'vitest'
import { draw, textOf } from '../../test/drawn.tsx'
import { NameTyped } from './name-typed.tsx'
import { StateOf, stateOf } from './state.tsx'
import { type Column, Table } from './table.tsx'
import { Bytes, Time } from './texts.tsx'

interface Row {
  readonly name: string
  readonly size: number
}

const columns: readonly Column<Row>[] = [
  { key: 'name', label: 'Name', isTitle: true, cell: row => row.name, sort: row => row.name },
  { key: 'size', label: 'Size', align: 'end', cell: row => <Bytes of={row.size} /> },
  { key: 'act', label: '', cell: () => <button type="button">Go</button> },
]
const common = { caption: 'Things', columns, keyOf: (row: Row) => row.name, empty: 'Nothing is here.' }

test('a table says when it waits, when it has nothing, and when it failed', () => {
  expect(textOf(draw(<Table {...common} rows={undefined} />))).toBe('Loading…')
  expect(textOf(draw(<Table {...common} rows={[]} />))).toBe('Nothing is here.')
  const error = new LibrarianError('Busy', 'It has too much to do')
  const failed = textOf(draw(<Table {...common} rows={undefined} error={error} again={() => {}} />))
  expect(failed).toBe(`It has too much to do ${error.remedy} Try again`)
})

test('a table keeps its rows while a later call fails', () => {
  const error = new LibrarianError('Busy', 'It has too much to do')
  const text = textOf(draw(<Table {...common} rows={[{ name: 'a', size: 1 }]} error={error} />))
  expect(text).toContain('It has too much to do')
  expect(text).toContain('a 1 B')
})

test('a table is one for readers of screens too, where its rows are drawn as cards', () => {
  const html = draw(<Table {...common} rows={[{ name: 'a', size: 2048 }]} />)
  expect(html).toContain('<caption class="unseen">Things</caption>')
  expect(html).toMatch(/<th[^>]*scope="col"[^>]*role="columnheader"/)
  expect(html).toMatch(/<td[^>]*role="cell"[^>]*data-label="Size"/)
  expect(textOf(html)).toContain('What can be done')
})

test('a name that is to be typed stands there to the letter, and nothing can be pressed before', () => {
  const name = '<b>night</b>/a  b.fits'
  const html = draw(<NameTyped name={name} what="Delete it" onConfirm={async () => {}} onCancel={() => {}} />)
  expect(html).not.toContain('<b>night')
  expect(html).toMatch(/<button[^>]*type="submit"[^>]*disabled[^>]*>Delete it/)
})

test('states have a word and a mark of their own; unknown ones are shown as they came', () => {
  expect(textOf(draw(<StateOf state="mismatch" />))).toBe('wrong bytes')
  expect(draw(<StateOf state="mismatch" />)).toContain('aria-hidden="true"')
  expect(stateOf('constructor')).toEqual({ tone: 'idle', label: 'constructor' })
})

test('times tell how long ago and when, by machine too', () => {
  const html = draw(<Time at="2026-11-22T02:00:00.123456" />)
  expect(textOf(html)).toBe('2 h ago 2026-11-22 02:00 UTC')
  expect(html).toContain('2026-11-22T02:00:00.123Z')
  expect(textOf(draw(<Time at={null} />))).toBe('– none')
})
