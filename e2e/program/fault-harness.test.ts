/** The fault harness itself: whatever ends it, nothing that it has started goes on. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { whyNoStrace } from '../faults/strace.ts'
import { nodePath, startProcess } from '../program.ts'

const run = new URL('../faults/run.ts', import.meta.url).pathname
const name = 'ends the servers and tracers that it has started, and leaves no files'
const reason = whyNoStrace()

if (reason) test.skip(`NOT RUN the fault harness ${name}: ${reason}`, () => {})
else {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`the fault harness, on ${signal}, ${name}`, { timeout: 120_000 }, async () => {
      const place = await mkdtemp(join(tmpdir(), 'arriero-harness-'))
      const { process: harness, outcome } = startProcess(nodePath, [run, '--only', 'slow disk'], {
        env: { TMPDIR: place },
      })
      // The server and the strace that holds its syncs back.
      await expect.poll(() => commandsWith(place), { timeout: 60_000 }).toEqual(['node', 'strace'])
      harness.kill(signal)
      await outcome
      await expect.poll(() => commandsWith(place), { timeout: 10_000 }).toEqual([])
      expect(await readdir(place)).toEqual([])
      await rm(place, { recursive: true })
    })
  }
}

/** Of processes whose arguments name the place: what runs, each once. */
async function commandsWith(place: string): Promise<string[]> {
  const found = new Set<string>()
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (text.includes(place)) found.add(text.split('\0')[0]!.split('/').at(-1)!)
  }
  return [...found].sort()
}
