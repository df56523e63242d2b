import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogFile, type LogSink } from './log-file.ts'
import { parseRotation } from './rotation.ts'

let folder: string
let path: string
let now: number
let problems: string[]
let sink: LogSink | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-log-'))
  path = join(folder, 'logs', 'server.log')
  now = Date.now()
  problems = []
})
afterEach(async () => {
  await sink?.close()
  await rm(folder, { recursive: true })
})

function open(rotation: string): LogSink {
  const onProblem = (message: string) => void problems.push(message)
  sink = createLogFile(path, { rotation: parseRotation(rotation), clock: { wallNow: () => now }, onProblem })
  return sink
}

const logs = async () => (await readdir(join(folder, 'logs'))).sort()
const textOf = (name: string) => readFile(join(folder, 'logs', name), 'utf8')

test('lines are appended in order, in a directory that is made, and not for everybody', async () => {
  const first = open('1 week')
  for (let at = 0; at < 1000; at++) first.write(`${at}\n`)
  await first.close()
  const second = open('1 week')
  second.write('again\n')
  await second.close()
  const lines = (await textOf('server.log')).split('\n')
  expect(lines).toEqual([...Array.from({ length: 1000 }, (_, at) => String(at)), 'again', ''])
  expect((await stat(path)).mode & 0o007).toBe(0)
})

test('a file that would become too large is put aside, and nothing is lost', async () => {
  const file = open('100 B')
  for (let at = 0; at < 10; at++) {
    file.write(`${String(at).repeat(39)}\n`)
    await file.close()
    now += 1000
  }
  const names = await logs()
  expect(names).toHaveLength(5)
  expect(names.filter(name => /^server\.\d{4}-\d\d-\d\dT\d{9}Z\.log$/.test(name))).toHaveLength(4)
  const all = await Promise.all(names.map(textOf))
  expect(all.join('').split('\n').filter(Boolean).sort()).toEqual(
    Array.from({ length: 10 }, (_, at) => String(at).repeat(39)),
  )
})

test('a file is put aside by its age', async () => {
  const file = open('1 day')
  file.write('old\n')
  await file.close()
  now += 25 * 3_600_000
  file.write('new\n')
  await file.close()
  expect(await logs()).toHaveLength(2)
  expect(await textOf('server.log')).toBe('new\n')
})

test('a file that another program has moved away is begun anew', async () => {
  const file = open('1 GB')
  file.write('one\n')
  await expect.poll(() => textOf('server.log').catch(() => '')).toBe('one\n')
  await rename(path, `${path}.1`)
  file.write('two\n')
  await file.close()
  expect(await textOf('server.log')).toBe('two\n')
  expect(await textOf('server.log.1')).toBe('one\n')
})

test('what cannot be written is told once, and counted when it goes again', async () => {
  await mkdir(path, { recursive: true })
  const file = open('1 week')
  file.write('a\n')
  await file.close()
  file.write('b\n')
  await file.close()
  expect(problems).toEqual([expect.stringMatching(/server\.log cannot be written: EISDIR/)])
  await rm(path, { recursive: true })
  file.write('c\n')
  await file.close()
  expect(await textOf('server.log')).toMatch(
    /^\{"level":"warn","msg":"2 lines of the log were lost before this one"\}\nc\n$/,
  )
})
