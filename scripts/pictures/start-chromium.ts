import { type Browser, chromium } from '@playwright/test'
import { findProgram } from './find-program.ts'

/**
 * Debian's Chromium, for pages of ours.
 *
 * @throws where it is not installed
 */
export function startChromium(): Promise<Browser> {
  const executablePath = findProgram('chromium')
  if (executablePath === undefined) throw new Error('Chromium must be installed: apt-get install chromium')
  // As root, which build machines often are, it has no sandbox. What it opens here is ours.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
