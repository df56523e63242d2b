/** The first pages of the manual: what they show works, word for word. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCommons } from '../../packages/transfer/test/commons-server.ts'
import { nodePath, type Outcome, programPath, startProcess } from '../program.ts'
import { testBytes } from './server.ts'
import { readPage, startWalk, stepsOf, type Walk } from './walk.ts'
import { workspace } from './workspace.ts'

const w = workspace()

/** Lines of the blocks of `sh`, without the comments behind them. */
function linesOf(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
  return blocks.flatMap(([, block = '']) => block.trimEnd().split('\n')).map(line => line.replace(/ {2,}#.*$/, ''))
}

/** As a shell runs it, with the program by its name. */
function shell(line: string): Promise<Outcome> {
  const prelude = `arriero() { '${nodePath}' '${programPath}' "$@"; }\n`
  const env = { HOME: w.folder, XDG_CACHE_HOME: w.path('cache'), GEN3_API_KEY: '' }
  return startProcess('sh', ['-c', prelude + line], { cwd: w.folder, env }).outcome
}

test('get: every command fetches what it says', async () => {
  for (const name of ['/ocean.nc', '/a.nc', '/b.nc']) w.server.serve(name, { body: testBytes(50_000) })
  w.server.serve('/tides.csv', { body: Buffer.from('1') })
  const lines = linesOf(await readPage('get.md'))
  expect(lines.length).toBeGreaterThan(6)
  for (const line of lines) {
    const { code, stderr } = await shell(line.replaceAll('https://data.example.org', w.server.url))
    expect(code, `${line}\n${stderr}`).toBe(0)
  }
  expect(await w.files()).toEqual(
    expect.arrayContaining(['ocean.nc', 'tides.csv', 'renamed.nc', 'data/ocean.nc', 'many/b.nc', 'list/a.nc']),
  )
}, 60_000)

test('manifest: the dry run fetches nothing, the run does, and what failed can be tried again', async () => {
  await using commons = await startCommons()
  await writeFile(w.path('credentials.json'), JSON.stringify(commons.credentials()), { mode: 0o600 })
  const secret = commons.add({ name: 'secret.bam', authz: ['/programs/secret'] })
  await writeFile(w.path('manifest.json'), JSON.stringify([commons.add({ name: 'a.bam', size: 1000 }).row, secret.row]))
  const [dryRun = '', run = '', again = ''] = linesOf(await readPage('manifest.md'))
  expect(dryRun).toContain('--dry-run')
  expect((await shell(dryRun)).code).toBe(0)
  expect(commons.requestsFor('storage')).toHaveLength(0)
  expect((await shell(run)).code).toBe(1)
  expect(await readFile(w.path('data/a.bam'))).toHaveLength(1000)
  const failed = JSON.parse(await readFile(w.path('data/.transfer/failed-manifest.json'), 'utf8'))
  expect(failed).toHaveLength(1)
  expect(again).toContain('failed-manifest.json')
  expect((await shell(again)).code).toBe(1)
  expect(commons.requestsFor('storage')).toHaveLength(1)
}, 60_000)

describe('a first librarian', async () => {
  let folder: string
  let walk: Walk
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'arriero-first-'))
    walk = await startWalk(folder, [8080])
  })
  afterAll(async () => {
    const pid = Number(await readFile(join(folder, 'walk', 'pid'), 'utf8').catch(() => 0))
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL')
    } catch {
      // The page ends it.
    }
    await rm(folder, { recursive: true, force: true })
  })
  // One leads to the next: what fails first is what is wrong.
  for (const [chapter, steps] of stepsOf(await readPage('first-librarian.md'))) {
    if (steps.length === 0) continue
    test(chapter, async () => {
      for (const step of steps) await walk.step(step)
    }, 120_000)
  }
})
