/** Real kills: whatever the moment, a name has its whole content or is not there, and the same batch ends well afterwards. */
import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { hasProgram } from '../../test/find-program.ts'
import type { Method, MethodItem } from '../method.ts'
import { createCopyMethod } from './copy.ts'
import { createRsyncMethod } from './rsync.ts'

const program = fileURLToPath(new URL('../../test/programs/try-transfer.ts', import.meta.url))
const MIB = 2 ** 20

let place: string
const at = (name: string) => join(place, name)

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'arriero-killed-'))
  await mkdir(at('tree'))
})
afterEach(() => rm(place, { recursive: true }))

async function batch(): Promise<MethodItem[]> {
  const names = [1, 2, 3, 4].map(number => `file-${number}`)
  for (const [index, name] of names.entries()) await writeFile(at(name), testData(3 * MIB + index))
  const members = [1, 2, 3, 4].map(number => `member-${number}`)
  for (const [index, name] of members.entries()) await writeFile(at(`tree/${name}`), testData(2 * MIB + index))
  return [
    ...names.map((name, index) => ({
      source: at(name),
      target: at(`to/${name}`),
      size: 3 * MIB + index,
      isTree: false,
    })),
    { source: at('tree'), target: at('to/tree'), size: 8 * MIB + 6, isTree: true },
  ]
}

/** Whether it was killed before its end, in the moment when so many bytes had been moved. */
async function killAfter(bytes: number, words: readonly string[]): Promise<boolean> {
  // Its temporary files go with ours.
  const environment = { ...process.env, TMPDIR: place }
  const child = spawn(process.execPath, [program, ...words], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface(child.stdout)) if (Number(line) >= bytes) child.kill('SIGKILL')
  return (
    child.signalCode === 'SIGKILL' ||
    (await new Promise(resolve => child.once('close', (_, signal) => resolve(signal === 'SIGKILL'))))
  )
}

async function expectWholeOrAbsent(items: readonly MethodItem[], { treesToo }: { treesToo: boolean }): Promise<void> {
  for (const { source, target, isTree } of items) {
    const pairs = isTree
      ? (await readdir(target).catch(() => [])).map(name => [join(source, name), join(target, name)] as const)
      : [[source, target] as const]
    if (isTree && treesToo && pairs.length > 0) expect(pairs).toHaveLength(4)
    for (const [from, to] of pairs.filter(([from]) => !from.includes('.arriero-'))) {
      const found = await readFile(to).catch(() => undefined)
      if (found) expect(found.equals(await readFile(from)), to).toBe(true)
    }
  }
}

async function expectEnd(method: Method, items: readonly MethodItem[], state: Readonly<Record<string, unknown>>) {
  expect(await method.status(await method.transfer(items, { state }))).toEqual({ status: 'complete' })
  expect((await readdir(at('to'))).sort()).toEqual(['file-1', 'file-2', 'file-3', 'file-4', 'tree'])
  expect((await readdir(at('to/tree'))).sort()).toEqual(['member-1', 'member-2', 'member-3', 'member-4'])
  await expectWholeOrAbsent(items, { treesToo: true })
}

test('createCopyMethod() is killed again and again, and ends well', async () => {
  const items = await batch()
  const state = { hostnames: [hostname()] }
  const words = ['local', JSON.stringify(state), JSON.stringify(items)]
  let kills = 0
  for (const bytes of [1, 2 * MIB, 5 * MIB, 9 * MIB, 13 * MIB, 16 * MIB, 19 * MIB]) {
    if (await killAfter(bytes, words)) kills++
    await expectWholeOrAbsent(items, { treesToo: true })
  }
  expect(kills).toBeGreaterThan(2)
  await expectEnd(createCopyMethod(), items, state)
})

if (!hasProgram('rsync')) test.skip('NOT RUN rsync: it is not installed; run scripts/install-servers.sh', () => {})
else
  test('createRsyncMethod() is killed again and again, its rsync ends with it, and all ends well', async () => {
    const items = await batch()
    const state = { hostname: hostname() }
    await writeFile(at('paced'), '#!/bin/sh\nexec rsync --bwlimit=1m "$@"\n')
    await chmod(at('paced'), 0o755)
    const words = ['rsync', JSON.stringify(state), JSON.stringify(items), at('paced')]
    let kills = 0
    for (const bytes of [1, 2 * MIB]) {
      if (await killAfter(bytes, words)) kills++
      // By itself it would be at it for twenty seconds.
      await expect.poll(() => processesWith(place), { timeout: 10_000 }).toEqual([])
      expect((await readdir(place)).filter(name => name.startsWith('arriero-rsync-'))).toEqual([])
      await expectWholeOrAbsent(items, { treesToo: false })
    }
    expect(kills).toBe(2)
    await expectEnd(createRsyncMethod(), items, state)
  })

/** Processes whose command line has this in it. */
async function processesWith(text: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(ids.map(id => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter(line => line.includes(text))
}
