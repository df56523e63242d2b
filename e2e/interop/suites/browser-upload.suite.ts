/** Bytes that go in by the browser come out of it the same; and what others do is seen as it happens. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { expect as seen } from '@playwright/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testBytes } from '../../program/server.ts'
import { describeInBrowser } from '../browser/chromium.ts'
import { openSite, type Site } from '../browser/sites.ts'

const size = 9_000_001

describeInBrowser('browser-upload', openTab => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  }, 120_000)
  afterAll(() => site?.[Symbol.asyncDispose]())

  test('a file that is dropped is read by a worker, arrives proven, and is downloaded byte for byte', async () => {
    await using tab = await openTab({ url: site.peru.url })
    const { page, faults } = tab
    await tab.open('/upload')
    await page.getByLabel('Folder at the librarian').fill('by hand')
    const worker = page.waitForEvent('worker')
    await drop(page, 'dropped.bin', size)
    expect((await worker).url()).toContain('digest')
    const row = page.getByRole('row').filter({ hasText: 'by hand/dropped.bin' })
    await seen(row).toContainText('kept', { timeout: 60_000 })

    await row.getByRole('link').click()
    await seen(page.getByText('compared with what arrived')).toBeVisible()
    const bytes = testBytes(size)
    await seen(page.getByText(createHash('sha256').update(bytes).digest('hex'))).toBeVisible()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('dropped.bin')
    expect((await readFile(await download.path())).equals(bytes)).toBe(true)
    expect(faults).toEqual([])
  })

  test('a name that is taken by other bytes is not taken again, and that is said', async () => {
    await site.upload({ 'taken/one.bin': 'what was there first' })
    await using tab = await openTab({ url: site.peru.url })
    const { page } = tab
    await tab.open('/upload')
    await page.getByLabel('Folder at the librarian').fill('taken')
    await drop(page, 'one.bin', 1000)
    const row = page.getByRole('row').filter({ hasText: 'taken/one.bin' })
    await seen(row).toContainText('failed', { timeout: 30_000 })
    await seen(row).toContainText('it is kept already')
  })

  test('what is uploaded elsewhere is seen on pages that are open, without loading them again', async () => {
    await using overview = await openTab({ url: site.peru.url })
    await using files = await openTab({ url: site.peru.url })
    await using transfers = await openTab({ url: site.peru.url })
    await overview.open('/')
    await files.open('/files')
    await transfers.open('/transfers?direction=in')
    const tabs = [overview, files, transfers]
    for (const { page } of tabs) {
      await seen(page.getByText('live', { exact: true })).toBeVisible()
      await page.evaluate('window.isSame = true')
    }
    const before = await overview.page.getByText(/came in \(\d+ files?\)/).textContent()
    await site.upload({ 'live/new.fits': 'new' })
    await seen(files.page.getByRole('link', { name: 'live/new.fits' })).toBeVisible({ timeout: 20_000 })
    await seen(transfers.page.getByRole('link', { name: 'live/new.fits' })).toBeVisible({ timeout: 20_000 })
    await seen(overview.page.getByText(before!)).toBeHidden({ timeout: 20_000 })
    for (const { page } of tabs) expect(await page.evaluate('window.isSame')).toBe(true)
  })

  test('a task that ends is seen to have ended', async () => {
    await using tab = await openTab({ url: site.peru.url })
    const { page } = tab
    await tab.open('/tasks')
    const row = page.getByRole('row').filter({ hasText: 'scrub' }).first()
    await seen(row).toBeVisible()
    await page.evaluate('window.isSame = true')
    const { tasks } = await site.api.tasks.list({})
    const { id } = tasks.find(({ kind }) => kind === 'scrub')!
    await site.api.tasks.run({ id })
    await seen(row.getByText('done')).toBeVisible({ timeout: 30_000 })
    expect(await page.evaluate('window.isSame')).toBe(true)
  })
})

/** The bytes that `testBytes()` makes, as a file that a person lets go of over the page. */
async function drop(page: Page, name: string, length: number): Promise<void> {
  const dataTransfer = await page.evaluateHandle(`(() => {
    const bytes = new Uint8Array(${length})
    for (let i = 0; i < ${length}; i++) bytes[i] = (131 * i + 17 * (i >> 8) + 7 * (i >> 16)) & 255
    const transfer = new DataTransfer()
    transfer.items.add(new File([bytes], ${JSON.stringify(name)}))
    return transfer
  })()`)
  await page.getByText('Drop files here').dispatchEvent('drop', { dataTransfer })
}
