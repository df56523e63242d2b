/** One person's tab, which notes all that goes wrong in it. */
import type { Browser, BrowserContext, Page } from '@playwright/test'

export const themes = ['light', 'dark'] as const
export type Theme = (typeof themes)[number]

/** CSS pixels. */
export const sizes = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const
export type Size = keyof typeof sizes
export const sizeNames = Object.keys(sizes) as Size[]

export interface TabOptions {
  /** Of the librarian. */
  readonly url: string
  /** Default light. */
  readonly theme?: Theme
  /** Default desktop. */
  readonly size?: Size
  /** Logged in already, as `admin` with the password of the tests. Default true. */
  readonly isLoggedIn?: boolean
}

export interface Tab extends AsyncDisposable {
  readonly page: Page
  /** What a person would see in the browser's console in red, requests that failed, and all that went elsewhere. */
  readonly faults: string[]
  /** Opens a path below `/dashboard`, and waits for its title. */
  open(path: string): Promise<void>
}

export const admin = { username: 'admin', password: 'admin-password' } as const

export async function openTab(browser: Browser, options: TabOptions): Promise<Tab> {
  const { url, theme = 'light', size = 'desktop', isLoggedIn = true } = options
  const context = await browser.newContext({
    baseURL: url,
    colorScheme: theme,
    viewport: sizes[size],
    isMobile: size === 'phone',
    hasTouch: size === 'phone',
    locale: 'en-GB',
    timezoneId: 'UTC',
  })
  context.setDefaultTimeout(20_000)
  if (isLoggedIn) await logInBeside(context)
  const page = await context.newPage()
  return {
    page,
    faults: watch(page, new URL(url).origin),
    async open(path) {
      await page.goto(`/dashboard${path}`)
      await page.locator('#page-title').waitFor()
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** Without the form: the cookie is the tab's own. */
async function logInBeside(context: BrowserContext): Promise<void> {
  const answer = await context.request.post('/api/v2/session/begin', { data: admin })
  if (!answer.ok()) throw new Error(`Cannot log in: ${answer.status()} ${await answer.text()}`)
}

function watch(page: Page, origin: string): string[] {
  const faults: string[] = []
  page.on('console', message => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', error => faults.push(`thrown: ${error.message}`))
  page.on('requestfailed', request => {
    const why = request.failure()?.errorText
    // Whoever leaves a page, or types on, no longer waits for the answer.
    if (why !== 'net::ERR_ABORTED') faults.push(`failed: ${request.url()}: ${why}`)
  })
  page.on('response', response => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`)
  })
  page.on('request', request => {
    const { protocol, origin: asked } = new URL(request.url())
    if (protocol.startsWith('http') && asked !== origin) faults.push(`elsewhere: ${request.url()}`)
  })
  return faults
}
