/** Debian's Chromium, driven by Playwright, which never brings a browser of its own. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type RunningChromium, startChromium } from '../../servers/chromium.ts'
import { findProgram } from '../../servers/find-program.ts'
import { openTab, type Tab, type TabOptions } from './tab.ts'

/** A tab of its own, as another person's: no cookies, unless they are given. */
export type OpenTab = (options: TabOptions) => Promise<Tab>

/** What holds in a browser; where there is none, that is said. One browser serves all tests of a suite. */
export function describeInBrowser(name: string, claims: (open: OpenTab) => void): void {
  if (!findProgram('chromium')) {
    test.skip(`NOT RUN ${name}: chromium is not installed; run scripts/install-servers.sh`, () => {})
    return
  }
  let running: RunningChromium | undefined
  describe('Chromium', () => {
    beforeAll(async () => {
      running = await startChromium()
    })
    afterAll(() => running?.[Symbol.asyncDispose]())
    claims(options => openTab(running!.browser, options))
  })
}
