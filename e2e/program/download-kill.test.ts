/** Whole processes: the server dies in the middle of a download, and comes back or does not. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { arriero, type Outcome } from '../program.ts'
import { type RunningLibrarian, type SlowWay, startLibrarian, startSlowWay } from './serve.ts'

let folder!: string
let home!: string
let site!: RunningLibrarian
let way!: SlowWay

const size = 96 << 20
const big = randomBytes(size)
const member = (n: number) => createHash('sha512').update(`member ${n}`).digest()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-download-kill-'))
  home = join(folder, 'home')
  await mkdir(home)
  site = await startLibrarian(join(folder, 'data'))
  way = await startSlowWay(site.port, 4 << 20, { slows: 'to client' })
  const password = ['--user', 'admin', '--password-file', site.passwordFile]
  expect((await run(['login', 'here', site.url, ...password])).code).toBe(0)
  expect((await run(['login', 'slow', `http://127.0.0.1:${way.port}`, ...password])).code).toBe(0)
  await writeFile(join(folder, 'big'), big)
  await mkdir(join(folder, 'tree', 'sub'), { recursive: true })
  for (let n = 0; n < 24; n++) {
    const bytes = Buffer.concat([member(n), big.subarray(n << 20, (n + 3) << 20)])
    await writeFile(join(folder, 'tree', n % 2 ? 'sub' : '', `m${n}`), bytes)
  }
  const uploaded = await run(['upload', 'big', 'big', '--librarian', 'here'])
  expect(uploaded.code, uploaded.stderr).toBe(0)
  expect((await run(['upload', 'tree', 'tree', '--librarian', 'here'])).code).toBe(0)
}, 120_000)

afterAll(async () => {
  way?.close()
  await site?.stop()
  await rm(folder, { recursive: true, force: true })
})

let here!: string
let n = 0
beforeEach(async () => {
  here = join(folder, `t${n++}`)
  await mkdir(here)
})

function run(args: readonly string[]): Promise<Outcome> {
  const env = { HOME: home, XDG_STATE_HOME: join(home, 'state'), HL_CLIENT_CONFIG: undefined }
  return arriero(args, { cwd: folder, env: { ...env, ARRIERO_LIBRARIAN: undefined }, timeoutMs: 400_000 })
}

const fetch = (name: string) => run(['download', name, '-d', here, '--librarian', 'slow'])

async function digestsBelow(directory: string): Promise<Record<string, string>> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = names.filter(each => each.isFile()).map(each => join(each.parentPath, each.name))
  const digests = files.map(async path => {
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    return [path.slice(directory.length + 1), digest] as const
  })
  return Object.fromEntries(await Promise.all(digests))
}

describe('a server that is killed while it is read from', () => {
  test('and started again: a large file goes on from where it was, and is proven', async () => {
    const fetching = fetch('big')
    await way.passed(size / 2)
    await site.kill()
    await way.refused()
    await site.start()
    const before = way.total
    const { code, stderr } = await fetching
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/librarian at .*trying again in /)
    expect((await readFile(join(here, 'big'))).equals(big)).toBe(true)
    // Parts under way are lost; those that had arrived are not fetched again.
    expect(way.total - before).toBeLessThan(size * 0.75)
  }, 200_000)

  test('and started again: a tree goes on, and appears whole', async () => {
    const fetching = fetch('tree')
    await way.passed(24 << 20)
    await site.kill()
    await site.start()
    const { code, stderr } = await fetching
    expect(code, stderr).toBe(0)
    expect(await digestsBelow(join(here, 'tree'))).toEqual(await digestsBelow(join(folder, 'tree')))
    expect(await readdir(here)).toEqual(['tree'])
  }, 200_000)

  test('for good: it ends in minutes, says so, and keeps what has arrived', async () => {
    const fetching = fetch('big')
    await way.passed(size / 2)
    await site.kill()
    const begun = performance.now()
    const { code, stderr } = await fetching
    const tookMs = performance.now() - begun
    await site.start()
    expect(code, stderr).toBe(6)
    expect(tookMs).toBeLessThan(300_000)
    expect(stderr).toContain('What has arrived is kept: the same command goes on from there')
    expect((await stat(join(here, 'big.part'))).size).toBeGreaterThan(0)
    const before = way.total
    const again = await fetch('big')
    expect(again.code, again.stderr).toBe(0)
    expect((await readFile(join(here, 'big'))).equals(big)).toBe(true)
    expect(way.total - before).toBeLessThan(size * 0.75)
  }, 400_000)
})
