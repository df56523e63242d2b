/** The whole manual as a librarian serves it, in a browser: nothing is refused by its policy, nothing is wider than a phone. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from '@playwright/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createManualFeature } from '../../../packages/librarian/src/features/manual.ts'
import { type RawApp, startRawApp } from '../../../packages/librarian/test/raw-app.ts'
import { buildManual } from '../../../scripts/build-manual.ts'
import { type RunningChromium, startChromium } from '../../servers/chromium.ts'
import { findProgram } from '../../servers/find-program.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const sizes = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const
const reference = ['api/', 'api/modules/_arriero_transfer.html', 'api/functions/_arriero_transfer.download.html']

if (findProgram('chromium')) claims()
else test.skip('NOT RUN manual: chromium is not installed; run scripts/install-servers.sh', () => {})

function claims(): void {
  let folder!: string
  let app!: RawApp
  let chromium!: RunningChromium

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'arriero-manual-'))
    await buildManual(folder)
    const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
    await promisify(execFile)(process.execPath, [typedoc, '--out', join(folder, 'api')], { cwd: root })
    app = await startRawApp({ rawRoutes: createManualFeature(folder).rawRoutes ?? [] })
    chromium = await startChromium()
  }, 400_000)
  afterAll(async () => {
    await chromium?.[Symbol.asyncDispose]()
    await app?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function openTab(colorScheme: 'light' | 'dark', size: keyof typeof sizes) {
    const context = await chromium.browser.newContext({
      colorScheme,
      viewport: sizes[size],
      isMobile: size === 'phone',
    })
    const page = await context.newPage()
    return { page, faults: watch(page, app.origin), [Symbol.asyncDispose]: () => context.close() }
  }

  for (const theme of ['light', 'dark'] as const) {
    for (const size of ['desk', 'phone'] as const) {
      test(`${theme}, ${size}: every page shows all of itself, and asks for nothing that it may not have`, async () => {
        await using tab = await openTab(theme, size)
        const names = (await readdir(folder)).filter(name => name.endsWith('.html'))
        expect(names.length).toBeGreaterThan(25)
        for (const name of [...names, ...reference]) {
          await tab.page.goto(`${app.origin}/docs/${name}`, { waitUntil: 'load' })
          await tab.page.locator('h1').first().waitFor()
          expect(await lookAt(tab.page), name).toEqual({ wider: 0, lost: [] })
        }
        expect(tab.faults).toEqual([])
      }, 120_000)
    }
  }

  test('the reference is searched, and leads back to the manual', async () => {
    await using tab = await openTab('light', 'desk')
    const { page } = tab
    await page.goto(`${app.origin}/docs/api/`)
    await page.locator('#tsd-search-trigger').click()
    await page.locator('#tsd-search-input').pressSequentially('downloadAll')
    await page.locator('#tsd-search-results a', { hasText: 'transfer.downloadAll' }).first().click()
    await page.waitForURL(/_arriero_transfer\.downloadAll\.html/)
    await page.getByRole('link', { name: 'Manual' }).first().click()
    await page.waitForURL(`${app.origin}/docs/index.html`)
    expect(tab.faults).toEqual([])
  })
}

/** What a person would see in the browser's console in red, and all that was asked of somebody else. */
function watch(page: Page, origin: string): string[] {
  const faults: string[] = []
  page.on('console', message => message.type() === 'error' && faults.push(`${page.url()}: ${message.text()}`))
  page.on('pageerror', error => faults.push(`${page.url()}: ${error.message}`))
  page.on('response', answer => answer.status() >= 400 && faults.push(`${answer.status()} ${answer.url()}`))
  page.on('request', request => {
    if (!/^data:/.test(request.url()) && new URL(request.url()).origin !== origin) faults.push(request.url())
  })
  return faults
}

/** Read by the browser: by how many pixels the page is wider than its window, and pictures that are not there. */
const look = `({
  wider: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
  lost: [...document.images].filter(image => !image.complete || image.naturalWidth === 0).map(image => image.src),
})`

function lookAt(page: Page): Promise<{ wider: number; lost: string[] }> {
  return page.evaluate(look)
}
