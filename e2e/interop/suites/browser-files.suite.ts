/** Search as one types, among 100,000 files. */
import { expect as seen } from '@playwright/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser } from '../browser/chromium.ts'
import { seededName, seedFiles } from '../browser/seed-files.ts'
import { openSite, type Site } from '../browser/sites.ts'
import { until } from '../browser/until.ts'

const count = 100_000

describeInBrowser('browser-files', openTab => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
    await site.peru.stop()
    seedFiles(site.person.at('peru', 'catalogue.db'), count)
    await site.peru.start()
    await until('names are found by what stands anywhere in them', async () => {
      const { files } = await site.api.dashboard.files({ query: 'frame-099999' })
      return files.length === 1
    })
  }, 180_000)
  afterAll(() => site?.[Symbol.asyncDispose]())

  test('what is typed is found, whether names begin with it or have it anywhere', async () => {
    await using tab = await openTab({ url: site.peru.url })
    const { page, faults } = tab
    await tab.open('/files')
    const rows = page.locator('tbody tr')
    await seen(rows).toHaveCount(50)
    await page.keyboard.type('frame-0432', { delay: 30 })
    await seen(rows.first()).toContainText('frame-0432')
    await seen(rows).toHaveCount(50)
    await page.keyboard.type('17')
    await seen(page.getByRole('status').filter({ hasText: '1 file' })).toBeVisible()
    await seen(rows).toHaveCount(1)
    await seen(rows).toContainText(seededName(43_217))

    await page.getByRole('searchbox').fill('obs/077/')
    await seen(rows).toHaveCount(50)
    await seen(rows.first()).toContainText('obs/077/')
    await page.getByRole('button', { name: 'Show more' }).click()
    await seen(rows).toHaveCount(100)
    await page.getByRole('searchbox').fill('no such name')
    await seen(page.getByText('No file has this in its name: no such name')).toBeVisible()
    expect(faults).toEqual([])
  })

  test('the arrows move among what was found, Enter opens it, and the way back leads to the same search', async () => {
    await using tab = await openTab({ url: site.peru.url })
    const { page } = tab
    const { keyboard } = page
    await tab.open('/files')
    await keyboard.type('obs/012/')
    const links = page.locator('tbody a')
    await seen(links.first()).toContainText('obs/012/')
    await keyboard.press('ArrowDown')
    await seen(links.nth(0)).toBeFocused()
    await keyboard.press('ArrowDown')
    await seen(links.nth(1)).toBeFocused()
    await keyboard.press('ArrowUp')
    await seen(links.nth(0)).toBeFocused()
    await keyboard.press('Escape')
    await seen(page.getByRole('searchbox')).toBeFocused()
    await keyboard.press('ArrowDown')
    await keyboard.press('ArrowDown')
    const name = (await links.nth(1).textContent())!
    await keyboard.press('Enter')
    await seen(page.getByRole('heading', { name, level: 1 })).toBeVisible()
    await page.goBack()
    await seen(page.getByRole('searchbox')).toHaveValue('obs/012/')
    await seen(links.nth(1)).toHaveText(name)
  })
})
