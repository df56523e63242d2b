import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { phasesOf } from './phases.ts'
import { parseTime, readProfile } from './read-profile.ts'
import { summarise } from './summarise.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-profile-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** As the reference wrote it at first: no per_cpu, a time without zone, integers among the figures. */
const reference = {
  timestamp: '2021-03-01T12:00:00.123456',
  cpu_avg: 12.5,
  free_mem: 3,
  net_sent: 0,
  net_recv: 2.5,
  disk_read: 0,
  disk_write: 110.25,
  disk_iops: 400,
  proc_mem: 250.1,
  proc_count: 9,
}

async function written(text: string): Promise<string> {
  const path = join(folder, 'x.profile')
  await writeFile(path, text)
  return path
}

const lineOf = (sample: object) => `${JSON.stringify(sample)}\n`

test('readProfile() reads both versions of the reference, and keeps fields that it does not know', async () => {
  const second = { ...reference, per_cpu: [10, 15], gpu: 3 }
  const path = await written(`${lineOf(reference)}\n${lineOf(second)}`)
  expect(await readProfile(path)).toEqual({ samples: [reference, second], isCut: false })
})

test.each(Object.keys(reference))('a line without %s is refused by file, line and field', async name => {
  const path = await written(lineOf(reference) + lineOf({ ...reference, [name]: undefined }))
  await expect(readProfile(path)).rejects.toMatchObject({
    code: 'Usage',
    message: `Cannot read the profile ${path}, line 2: ${name} is missing`,
  })
})

test.each([
  ['[]', 'it is no JSON object'],
  ['null', 'it is no JSON object'],
  ['timestamp,cpu_avg', 'it is not JSON'],
  [JSON.stringify({ ...reference, timestamp: 'yesterday' }), 'timestamp is no time'],
  [JSON.stringify({ ...reference, timestamp: 5 }), 'timestamp is no time'],
  [JSON.stringify({ ...reference, net_recv: '2' }), 'net_recv must be a number or null'],
  [JSON.stringify({ ...reference, per_cpu: [1, 'x'] }), 'per_cpu must be a list of numbers'],
  [JSON.stringify({ ...reference, marks: [{ name: 'x' }] }), 'marks must be a list of names and times'],
])('the line %s is refused: %s', async (line, problem) => {
  const path = await written(`${line}\n`)
  await expect(readProfile(path)).rejects.toThrow(`${path}, line 1: ${problem}`)
})

test('the last line may be cut off, as a kill leaves it, and may lack its end; others may not', async () => {
  const line = lineOf(reference)
  const cut = await readProfile(await written(line + line.slice(0, 40)))
  expect([cut.samples.length, cut.isCut]).toEqual([1, true])
  const whole = await readProfile(await written(line + line.trimEnd()))
  expect([whole.samples.length, whole.isCut]).toEqual([2, false])
  await expect(readProfile(await written(`${line.slice(0, 40)}\n${line}`))).rejects.toThrow('line 1: it is not JSON')
})

test('a profile of many lines is read whole, wherever its pieces end', async () => {
  const { samples } = await readProfile(await written(lineOf({ ...reference, name: 'é'.repeat(50) }).repeat(2000)))
  expect(samples).toHaveLength(2000)
  expect(samples.at(-1)!.name).toBe('é'.repeat(50))
})

test('a file that is not there is a matter of the disk', async () => {
  await expect(readProfile(join(folder, 'none'))).rejects.toMatchObject({ code: 'Disk' })
})

test('parseTime() takes a time without zone as UTC', () => {
  const expected = Date.UTC(2021, 2, 1, 12, 0, 0, 123)
  for (const text of ['2021-03-01T12:00:00.123456', '2021-03-01 12:00:00.123', '2021-03-01T13:00:00.123+01:00']) {
    expect(parseTime(text)).toBe(expected)
  }
})

test('summarise() has the metrics of the reference first, in its order, then those of ours that are there', () => {
  const later = { ...reference, timestamp: '2021-03-01T12:00:02.623456', net_recv: 3.5, items_done: 7, conns: 2 }
  const { durationMs, samples, metrics } = summarise([reference, later])
  expect([durationMs, samples]).toEqual([2500, 2])
  const own = Object.keys(reference).slice(1)
  expect(metrics.map(({ name }) => name)).toEqual([...own, 'items_done', 'conns'])
  expect(metrics[3]).toEqual({
    name: 'net_recv',
    unit: 'Gbit/s',
    values: { avg: 3, max: 3.5, min: 2.5, median: 3, first: 2.5, p5: 2.5, p95: 3.5 },
  })
  expect(metrics.at(-2)).toMatchObject({ unit: undefined, values: { avg: 7 } })
})

test('summarise() says of what nobody knew that it is unknown, and of nothing nothing', () => {
  const { metrics } = summarise([{ ...reference, disk_iops: null }])
  expect(metrics.find(({ name }) => name === 'disk_iops')!.values).toBeUndefined()
  expect(() => summarise([])).toThrow(RangeError)
})

test('phasesOf() gives each phase up to the next one, the last up to the last sample', () => {
  const mark = (name: string, second: number) => ({ name, at: `2021-03-01T12:00:0${second}.000Z` })
  const at = (second: number, marks?: { name: string; at: string }[]) => ({
    ...reference,
    timestamp: `2021-03-01T12:00:0${second}.000`,
    ...(marks && { marks }),
  })
  const phases = phasesOf([at(1), at(2, [mark('list', 1), mark('fetch', 2)]), at(5), at(6, [mark('verify', 6)])])
  expect(phases.map(({ name, from, to }) => [name, to - from])).toEqual([
    ['list', 1000],
    ['fetch', 4000],
    ['verify', 0],
  ])
  expect(phasesOf([])).toEqual([])
})
