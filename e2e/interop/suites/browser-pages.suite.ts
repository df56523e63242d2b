/** Every page in a browser: light and dark, at a desk and on a phone, with a file whose name is markup. */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser } from '../browser/chromium.ts'
import { type FullSite, markup, oddName, openFullSite } from '../browser/full-site.ts'
import { type Size, sizeNames, type Tab, type Theme, themes } from '../browser/tab.ts'

const screenshots = fileURLToPath(new URL('../../out/browser/', import.meta.url))

interface Visited {
  readonly name: string
  readonly path: (site: FullSite) => string
  /** What must be there before the page is looked at. */
  readonly shows: string | RegExp
}

const fixed = (path: string) => () => path

/** `markup` where the odd name, or a text with it, must be seen. */
const visited: readonly Visited[] = [
  { name: 'overview', path: fixed('/'), shows: 'chile' },
  { name: 'files', path: fixed('/files'), shows: markup },
  { name: 'file', path: () => `/files/${oddName.split('/').map(encodeURIComponent).join('/')}`, shows: markup },
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
})

/**
 * WCAG 2, A and AA, as far as a program can judge; what keeps nobody from anything is left out. In other colours nothing else
 * than the contrast can differ.
 */
async function faultsForAll(page: Page, theme: Theme): Promise<string[]> {
  // Without frames in the page, axe need not open another one to put its findings together.
  const axe = new AxeBuilder({ page }).setLegacyMode()
  const chosen =
    theme === 'light' ? axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']) : axe.withRules('color-contrast')
  const { violations } = await chosen.analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
    )
}

/** What is wider than its place: on the page, or in a table that would have to be moved sideways. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const isCut = each => each.scrollWidth > each.clientWidth
    const cut = [document.documentElement, ...document.querySelectorAll('.table-frame')].filter(isCut)
    return cut.map(each => 'cut off: ' + each.tagName + ' ' + each.innerText.slice(0, 60))
  })()`)
}
