/**
 * How long somebody waits who opens the dashboard in a browser that was never there: from the navigation until what the page is
 * for is drawn. Each view is that of a new profile, and of figures that the server has to compute anew.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from '@playwright/test'
import type { Figure } from '../librarian/case.ts'
import type { DashboardCase, DashboardOptions } from './case.ts'
import { type Login, logIn } from './log-in.ts'
import type { Site } from './site.ts'

interface View {
  readonly what: string
  /** Below `/dashboard`. */
  readonly path: string
  /** There is when the page is complete; nothing that loads may be left then. */
  readonly marks: readonly string[]
}

const target = '≤ 1 s'
/** What the server keeps of an overview is older then. */
const FORGOTTEN_MS = 3000
const PATIENCE_MS = 60_000

export const benchFirstView: DashboardCase = async (site, options) => {
  const login = await logIn(site.served.url, { username: site.served.user, password: site.served.password })
  const overview = {
    what: 'Overview',
    path: '/',
    marks: ['.glance .tile-answer', '.chart canvas', 'main table tbody tr', '.shares .number'],
  }
  const views: readonly View[] = [
    overview,
    { what: 'Files, first rows', path: '/files', marks: ['.files table tbody tr'] },
    { what: 'a file’s page', path: `/files/${await nameOf(site)}`, marks: ['main dl', 'main table tbody tr'] },
  ]
  const first = await look({ site, options, login, view: overview })
  const took = views.map((): number[] => [])
  for (let round = 0; round < options.rounds; round++) {
    for (const [at, view] of views.entries()) {
      await sleep(FORGOTTEN_MS)
      took[at]!.push(await look({ site, options, login, view }))
    }
  }
  return [
    { what: 'Overview, the first after the start', unit: 's', values: [first], target },
    ...views.map(({ what }, at): Figure => ({ what, unit: 's', values: took[at]!, target })),
  ]
}

/** Of the newest file: it has a history. */
async function nameOf({ served }: Site): Promise<string> {
  const [newest] = await served.librarian.search.file({ max_results: 1 })
  if (!newest) throw new Error('there is no file')
  return newest.name
}

interface Look {
  readonly site: Site
  readonly options: DashboardOptions
  readonly login: Login
  readonly view: View
}

/** Seconds. */
async function look({ site, options, login, view }: Look): Promise<number> {
  const profile = await mkdtemp(join(options.directory, 'profile-'))
  const { url } = site.served
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: options.browser,
      args: ['--no-sandbox'],
      viewport: { width: 1280, height: 1600 },
    })
    try {
      const [name = '', value = ''] = login.cookie.split('=')
      await context.addCookies([{ name, value, url, httpOnly: true, sameSite: 'Strict' }])
      await context.addInitScript(noteWhenDrawn, view.marks)
      const page = context.pages()[0] ?? (await context.newPage())
      await page.goto(`${url}/dashboard${view.path}`, { waitUntil: 'commit' })
      const drawn = await page.waitForFunction(() => (globalThis as Noted).drawnAt, undefined, { timeout: PATIENCE_MS })
      return Number(await drawn.jsonValue()) / 1000
    } finally {
      await context.close()
    }
  } finally {
    await rm(profile, { recursive: true, force: true })
  }
}

interface Noted {
  /** Ms since the navigation began. */
  drawnAt?: number
}

/** Runs in the page, before anything of its own. */
function noteWhenDrawn(marks: readonly string[]): void {
  const page = globalThis as unknown as Noted & {
    document: { querySelector(selector: string): object | null }
    MutationObserver: new (told: () => void) => { observe(target: object, options: object): void; disconnect(): void }
    requestAnimationFrame(then: () => void): void
  }
  const { document } = page
  const isComplete = () =>
    marks.every(mark => document.querySelector(mark)) && !document.querySelector('.loading, [aria-busy]')
  const observer = new page.MutationObserver(() => {
    if (!isComplete()) return
    observer.disconnect()
    // The second frame begins when the first one has been drawn.
    page.requestAnimationFrame(() => page.requestAnimationFrame(() => (page.drawnAt = performance.now())))
  })
  observer.observe(document, { subtree: true, childList: true, attributes: true })
}
