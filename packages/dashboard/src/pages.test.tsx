import { levels } from '@arriero/api'
import { expect, test } from 'vitest'
import { createServices, draw, textOf } from '../test/drawn.tsx'
import { disks, sites, transfers } from '../test/stand-in/pages.ts'
import { Table } from './components/table.tsx'
import { SitesTable } from './pages/sites/sites-table.tsx'
import { Stages } from './pages/sneakernet/stages.tsx'
import { columnsOf } from './pages/transfers/columns.tsx'
import { findPage, mayOpen, pages } from './pages.ts'
import type { Services } from './services.ts'
import { createStore } from './state/store.ts'

test('every page draws its heading before anything has been answered', async () => {
  const uploads = { items: createStore([]) } as unknown as Services['uploads']
  for (const page of pages.filter(({ icon }) => icon !== undefined)) {
    const { default: Shown } = await page.load()
    const html = draw(<Shown rest="" />, createServices({ uploads }))
    expect(html, page.path).toMatch(/<h1[^>]*id="page-title"[^>]*>[^<]/)
  }
})

test('pages that change who may do what are for administrators alone', () => {
  for (const path of ['/users', '/audit', '/trash', '/destructions', '/errors', '/tasks', '/sneakernet']) {
    const { page } = findPage(path)!
    expect([mayOpen(page, levels.READWRITE), mayOpen(page, levels.ADMIN)], path).toEqual([false, true])
  }
})

test('a transfer can be tried again only where the server says so, and only by who may', () => {
  const rows = transfers.filter(({ direction }) => direction === 'out').slice(0, 20)
  const shown = { caption: 'Transfers', rows, keyOf: (row: { readonly id: number }) => row.id, empty: '' }
  const byAdmin = draw(<Table {...shown} columns={columnsOf('out', () => {})} />)
  const byOther = draw(<Table {...shown} columns={columnsOf('out', undefined)} />)
  expect(byAdmin.match(/>Try again</g)).toHaveLength(rows.filter(({ may_retry }) => may_retry).length)
  expect(byOther).not.toContain('Try again')
})

test('a file’s name that is an attack is a text in the list of transfers', () => {
  const rows = transfers.filter(({ file_name }) => file_name?.startsWith('<img'))
  const html = draw(
    <Table caption="" rows={rows} keyOf={({ id }) => id} empty="" columns={columnsOf('out', undefined)} />,
  )
  expect(html).not.toContain('<img')
  expect(textOf(html)).toContain('<img src=x onerror=alert(1)>.fits')
})

test('what the map of sites shows stands in their table as well', () => {
  const text = textOf(draw(<SitesTable sites={sites} again={() => {}} onRemove={undefined} />))
  for (const { librarian_name } of sites) expect(text).toContain(librarian_name)
  for (const word of ['both ways', 'sends to us', 'gets from us', 'does not answer', 'paused', 'not asked yet']) {
    expect(text).toContain(word)
  }
  expect(text).not.toContain('Remove')
})

test('the stage of a disk is told to readers of screens, and one that is lost is at none', () => {
  const inTransit = disks.find(({ in_transit }) => in_transit > 0)!
  expect(draw(<Stages of={inTransit} />)).toMatch(/<li[^>]*aria-current="step"[^>]*>.*?in transit<b>/)
  expect(textOf(draw(<Stages of={{ ...inTransit, state: 'given-up', failed: 3 }} />))).toBe('3 failed')
})
