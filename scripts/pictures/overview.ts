/** Makes docs/pictures/overview.png and its dark twin: the first page of the dashboard of a librarian that works. Needs Chromium. */
import type { Browser } from '@playwright/test'
import { startChromium } from '../../e2e/servers/chromium.ts'
import { pathOf } from './path-of.ts'
import { now, openSiteInUse, type SiteInUse } from './site-in-use.ts'

const pictures = { light: 'overview.png', dark: 'overview-dark.png' } as const

export async function drawOverview(): Promise<void> {
  await using chromium = await startChromium()
  await using site = await openSiteInUse()
  for (const theme of ['light', 'dark'] as const) await draw(chromium.browser, site, theme)
}

async function draw(browser: Browser, { url, password }: SiteInUse, theme: keyof typeof pictures): Promise<void> {
  await using context = await browser.newContext({
    baseURL: url,
    colorScheme: theme,
    viewport: { width: 1360, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
  })
  await context.clock.install({ time: now + 60_000 })
  const answer = await context.request.post('/api/v2/session/begin', { data: { username: 'admin', password } })
  if (!answer.ok()) throw new Error(`Cannot log in: ${answer.status()} ${await answer.text()}`)
  const page = await context.newPage()
  await page.goto('/dashboard/')
  await page.getByText('Oldest proof', { exact: true }).waitFor()
  await page.screenshot({ path: pathOf(pictures[theme]), fullPage: true, animations: 'disabled' })
}
