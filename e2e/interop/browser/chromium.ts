/** Debian's Chromium, driven by Playwright, which never brings a browser of its own. */
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from '@playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openTab, type Tab, type TabOptions } from './tab.ts'

export function findChromium(): string | undefined {
  const directories = (process.env.PATH ?? '').split(':').filter(Boolean)
  return directories.map(directory => join(directory, 'chromium')).find(isExecutable)
}

/** A tab of its own, as another person's: no cookies, unless they are given. */
export type OpenTab = (options: TabOptions) => Promise<Tab>

/** What holds in a browser; where there is none, that is said. One browser serves all tests of a suite. */
export function describeInBrowser(name: string, claims: (open: OpenTab) => void): void {
  const program = findChromium()
  if (!program) {
    test.skip(`NOT RUN ${name}: chromium is not installed; run scripts/install-servers.sh`, () => {})
    return
  }
  let running: RunningBrowser | undefined
  describe('Chromium', () => {
    beforeAll(async () => {
      running = await startChromium(program)
    })
    afterAll(() => running?.[Symbol.asyncDispose]())
    claims(options => openTab(running!.browser, options))
  })
}

interface RunningBrowser extends AsyncDisposable {
  readonly browser: Browser
}

/** All that it writes by itself goes with it. */
async function startChromium(program: string): Promise<RunningBrowser> {
  const home = await mkdtemp(join(tmpdir(), 'arriero-chromium-'))
  const close = () => rm(home, { recursive: true, force: true, maxRetries: 5 })
  try {
    const browser = await chromium.launch({
      executablePath: program,
      // As root, which build machines often are, it has no sandbox. What it opens here is ours.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
      env: { ...process.env, HOME: home, TMPDIR: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    })
    return {
      browser,
      async [Symbol.asyncDispose]() {
        await browser.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
