import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from '@playwright/test'
import { findProgram } from './find-program.ts'

export interface RunningChromium extends AsyncDisposable {
  readonly browser: Browser
}

/**
 * Debian's Chromium, for pages of ours. What it writes by itself goes with it.
 *
 * @throws where it is not installed
 */
export async function startChromium(): Promise<RunningChromium> {
  const executablePath = findProgram('chromium')
  if (executablePath === undefined) throw new Error('Chromium must be installed: apt-get install chromium')
  const home = await mkdtemp(join(tmpdir(), 'arriero-chromium-'))
  const removeHome = () => rm(home, { recursive: true, force: true, maxRetries: 5 })
  try {
    const browser = await chromium.launch({
      executablePath,
      // As root, which build machines often are, it has no sandbox. What it opens here is ours.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
      env: { ...process.env, HOME: home, TMPDIR: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    })
    return {
      browser,
      async [Symbol.asyncDispose]() {
        await browser.close()
        await removeHome()
      },
    }
  } catch (error) {
    await removeHome()
    throw error
  }
}
