/** Every page in a browser: light and dark, at a desk and on a phone, with a file whose name is markup. */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect as seen } from '@playwright/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser } from '../browser/chromium.ts'
import { type FullSite, markup, oddName, openFullSite } from '../browser/full-site.ts'
import { cutOff, faultsForAll } from '../browser/look.ts'
import { admin, type Size, sizeNames, type Tab, themes } from '../browser/tab.ts'

const screenshots = fileURLToPath(new URL('../../out/browser/', import.meta.url))

interface Visited {
  readonly name: string
  readonly path: (site: FullSite) => string
  /** What must be there before the page is looked at. */
  readonly shows: string | RegExp
}

const oddPath = `/files/${oddName.split('/').map(encodeURIComponent).join('/')}`
const fixed = (path: string) => () => path

/** `markup` where the odd name, or a text with it, must be seen. */
const visited: readonly Visited[] = [
  { name: 'overview', path: fixed('/'), shows: 'chile' },
  { name: 'files', path: fixed('/files'), shows: markup },
  { name: 'file', path: fixed(oddPath), shows: markup },
  { name: 'transfers', path: fixed('/transfers'), shows: markup },
  { name: 'transfer', path: ({ transfer }) => `/transfers/out/${transfer}`, shows: markup },
  { name: 'upload', path: fixed('/upload'), shows: 'Drop files here' },
  { name: 'errors', path: fixed('/errors'), shows: markup },
  { name: 'stores', path: fixed('/stores'), shows: 'files' },
  { name: 'sites', path: fixed('/sites'), shows: 'does not answer' },
  { name: 'tasks', path: fixed('/tasks'), shows: 'scrub' },
  { name: 'sneakernet', path: fixed('/sneakernet'), shows: markup },
  { name: 'disk', path: ({ disk }) => `/sneakernet/${disk}`, shows: markup },
  { name: 'trash', path: fixed('/trash'), shows: markup },
  { name: 'destructions', path: fixed('/destructions'), shows: markup },
  { name: 'users', path: fixed('/users'), shows: 'READONLY' },
  { name: 'audit', path: fixed('/audit'), shows: markup },
]

describeInBrowser('browser-pages', openTab => {
  let site: FullSite
  let tabs: readonly (readonly [Size, Tab])[] = []
  beforeAll(async () => {
    await mkdir(screenshots, { recursive: true })
    site = await openFullSite()
    const { url } = site.peru
    tabs = await Promise.all(sizeNames.map(async size => [size, await openTab({ url, size })] as const))
  }, 180_000)
  afterAll(async () => {
    await Promise.all(tabs.map(([, tab]) => tab[Symbol.asyncDispose]()))
    await site?.[Symbol.asyncDispose]()
  })

  test.each(visited)(
    '$name: whole, without a fault, readable by all, light and dark, at a desk and on a phone',
    async ({ name, path, shows }) => {
      const look = async ([size, tab]: readonly [Size, Tab]) => {
        const { page, faults } = tab
        faults.length = 0
        await tab.open(path(site))
        await page.locator('main').getByText(shows).first().waitFor()
        await expect.poll(() => page.locator('.loading').count()).toBe(0)
        for (const theme of themes) {
          await page.emulateMedia({ colorScheme: theme })
          await page.screenshot({ path: `${screenshots}${name}-${theme}-${size}.png`, fullPage: true })
          faults.push(...(await faultsForAll(page, theme)))
        }
        faults.push(...(await cutOff(page)))
        if (await page.evaluate('window.hasRun')) faults.push('the markup in a name was run')
        return faults.map(fault => `${size}: ${fault}`)
      }
      expect((await Promise.all(tabs.map(look))).flat()).toEqual([])
    },
  )

  test.each(sizeNames)('the login, the menu and the dialogs are whole and readable by all: %s', async size => {
    await using tab = await openTab({ url: site.peru.url, size, isLoggedIn: false })
    const { page } = tab
    const look = async (name: string) => {
      const faults: string[] = []
      for (const theme of themes) {
        await page.emulateMedia({ colorScheme: theme })
        await page.screenshot({ path: `${screenshots}${name}-${theme}-${size}.png` })
        faults.push(...(await faultsForAll(page, theme)))
      }
      expect([...faults, ...(await cutOff(page))], name).toEqual([])
    }
    await page.goto('/dashboard/')
    await page.getByLabel('User name').fill(admin.username)
    await page.getByLabel('Password').fill('not this one')
    await page.keyboard.press('Enter')
    await seen(page.getByRole('alert')).toBeVisible()
    await look('login')
    await page.getByLabel('Password').fill(admin.password)
    await page.keyboard.press('Enter')
    await seen(page.getByRole('heading', { name: 'Overview' })).toBeVisible()

    if (size === 'phone') {
      await page.getByRole('button', { name: 'Menu' }).click()
      await look('menu')
    }
    await tab.open(oddPath)
    await page.getByRole('button', { name: 'Delete the copy on files' }).click()
    await seen(page.getByText(/It may (not )?go/)).toBeVisible({ timeout: 20_000 })
    await look('delete')
    await tab.open('/users')
    await page.getByRole('button', { name: 'Add a user' }).click()
    await look('add-user')
    await page.keyboard.press('Escape')
    await tab.open('/sites')
    await page.getByRole('button', { name: 'Remove chile' }).click()
    await look('remove-site')
    expect(await page.evaluate('window.hasRun')).toBeUndefined()
  })
})
