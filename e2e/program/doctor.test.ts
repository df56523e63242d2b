/** `arriero doctor --catalogue`: whose catalogue it looks at, and what it says where it cannot. */
import { mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arriero, type Outcome } from '../program.ts'
import { cleanEnvironment } from './clean-environment.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

let folder!: string
let site: RunningLibrarian | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-doctor-'))
})
afterEach(async () => {
  await site?.stop()
  site = undefined
  await rm(folder, { recursive: true, force: true })
})

const doctor = (...args: string[]): Promise<Outcome> =>
  arriero(['doctor', '--catalogue', '--json', ...args], { cwd: folder, env: cleanEnvironment })

const findingsOf = ({ stdout }: Outcome): { check: string; level: string; found: string; next?: string }[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

test('where no librarian is, it says so and what to do, and leaves nothing', async () => {
  const { code, stdout } = await doctor()
  expect(code).toBe(2)
  expect(stdout).toMatch(/Cannot find a librarian.*--config.*--data/)
  expect(await readdir(folder)).toEqual([])
})

test('a catalogue that is gone is not made anew', async () => {
  site = await startLibrarian(folder)
  await site.stop()
  const data = join(folder, 'data')
  for (const name of await readdir(data)) if (name.startsWith('catalogue.db')) await rm(join(data, name))
  const before = await readdir(data)
  const { code, stdout } = await doctor('--data', 'data')
  expect([code, stdout]).toEqual([2, expect.stringMatching(/catalogue\.db: there is none".*--restore newest/)])
  expect(await readdir(data)).toEqual(before)
}, 60_000)

test('it looks where the server looks; while that runs it tells of the backups and that nothing was compared', async () => {
  site = await startLibrarian(folder)
  const busy = await doctor('--data', 'data')
  expect(busy.code, busy.stderr).toBe(2)
  expect(findingsOf(busy)[0]?.check).toMatch(/backup/)
  expect(findingsOf(busy).at(-1)).toMatchObject({
    check: 'catalogue',
    level: 'unknown',
    found: expect.stringMatching(/not compared: process \d+ .* has the catalogue open/),
    next: expect.stringContaining('Stop that server'),
  })
  await site.stop()
  const agreed = await doctor('--data', 'data')
  expect(agreed.code, agreed.stderr + agreed.stdout).toBe(0)
  expect(findingsOf(agreed).at(-1)).toMatchObject({ level: 'ok', found: 'stores and catalogue agree' })

  // Found without a word, as the server finds it; and it is this one's store that is looked at.
  await rename(join(folder, 'data'), join(folder, 'arriero-data'))
  await symlink('arriero-data', join(folder, 'data'))
  await writeFile(join(folder, 'data', 'files', 'stray'), 'not registered')
  const strayed = await doctor()
  expect(strayed.code, strayed.stderr).toBe(1)
  expect(findingsOf(strayed)).toContainEqual(
    expect.objectContaining({ check: 'bytes-without-row', level: 'fail', found: expect.stringContaining('stray') }),
  )
}, 60_000)
