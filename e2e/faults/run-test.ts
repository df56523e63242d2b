/** Runs a test of the project with more of what it does than `npm test` has time for. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodePath } from '../program.ts'

const { resolve } = createRequire(import.meta.url)
const vitest = join(dirname(resolve('vitest/package.json')), 'vitest.mjs')

/** @param name part of it @returns what was wrong; empty: it passed */
export async function runTest(file: string, name: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const child = spawn(nodePath, [vitest, 'run', file, '-t', name], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that its workers end with it.
    detached: true,
  })
  const endWithUs = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
  process.prependOnceListener('exit', endWithUs)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', bytes => (text += bytes))
  const code = await new Promise(resolve => child.once('close', resolve))
  process.off('exit', endWithUs)
  if (code !== 0) return [text.slice(-2000)]
  // One that was not found has not passed.
  return /Tests\s+1 passed/.test(text) ? [] : [`not one test passed: ${text.slice(-500)}`]
}
