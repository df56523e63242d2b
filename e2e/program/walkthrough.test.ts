/** The manual's walk through three sites, step by step: what its reader types, and what is printed then. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { readPage, startWalk, stepsOf, type Walk } from './walk.ts'

let folder: string
let walk: Walk

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-walk-'))
  walk = await startWalk(folder, [8081, 8082, 8083])
})
afterAll(async () => {
  for (const site of ['peru', 'chile', 'brazil']) {
    const pid = Number(await readFile(join(folder, 'walk', site, 'pid'), 'utf8').catch(() => 0))
    if (pid > 0) end(pid)
  }
  await rm(folder, { recursive: true, force: true })
})

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was ended by the walk.
  }
}

function has(program: string): boolean {
  try {
    execFileSync('which', [program])
    return true
  } catch {
    return false
  }
}

const lacking = ['script', 'curl', 'openssl', 'sha256sum'].filter(program => !has(program))
if (lacking.length > 0) test.skip(`NOT RUN walkthrough: ${lacking.join(', ')} must be installed`, () => {})
else {
  // One leads to the next: what fails first is what is wrong.
  for (const [chapter, steps] of stepsOf(await readPage('walkthrough.md'))) {
    test(`walkthrough: ${chapter}`, async () => {
      for (const step of steps) await walk.step(step)
    }, 300_000)
  }
}
