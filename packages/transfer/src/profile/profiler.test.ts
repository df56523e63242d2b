import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { memoryEngine } from '../../test/memory-engine.ts'
import { download } from '../download.ts'
import { phasesOf } from './phases.ts'
import { createProfiler } from './profiler.ts'
import { readProfile } from './read-profile.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-profile-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const profilerUrl = JSON.stringify(new URL('./profiler.ts', import.meta.url).href)

/** Runs a module in a process of its own. */
function run(source: string) {
  const args = ['--conditions=source', '--input-type=module', '-e', source]
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000, cwd })
}

test('a download is profiled: every field of the reference and of ours, and its phases', async () => {
  const file = join(folder, 'download.profile')
  const gate = Promise.withResolvers<void>()
  const { engine } = memoryEngine({ 'memory:/a': testData(500_000) }, { onRequest: () => gate.promise })
  let seen = 0
  const onSample = () => {
    if (++seen === 3) gate.resolve()
  }
  const profiler = createProfiler({ file, intervalMs: 10, engine, onSample })
  profiler.counters.items_done = 2
  profiler.start()
  await download('memory:/a', join(folder, 'a'), { engine })
  await profiler.end()
  await profiler.end()
  const { samples, isCut } = await readProfile(file)
  expect(isCut).toBe(false)
  expect(samples.length).toBeGreaterThanOrEqual(3)
  expect(Object.keys(samples[0]!)).toEqual([
    ...['timestamp', 'cpu_avg', 'per_cpu', 'free_mem', 'net_sent', 'net_recv', 'disk_read', 'disk_write'],
    ...['disk_iops', 'proc_mem', 'proc_count', 'loop_lag_ms', 'conns', 'goodput', 'wip_bytes', 'slots_free'],
    ...['retries', 'hedges', 'hash_backlog', 'proc_cpu', 'loop_busy', 'phase', 'marks', 'items_done'],
  ])
  const times = samples.map(({ timestamp }) => Date.parse(timestamp))
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(phasesOf(samples).map(({ name }) => name)).toEqual(['prepare', 'fetch', 'verify', 'publish'])
  const seconds = samples.map(
    ({ timestamp }, n) => (Date.parse(timestamp) - Date.parse(samples[n - 1]?.timestamp ?? timestamp)) / 1000,
  )
  const received = samples.reduce((sum, { goodput }, n) => sum + (goodput! * 1e9 * seconds[n]!) / 8, 0)
  // Timestamps have ms, samples are 10 ms apart.
  expect(received).toBeGreaterThan(250_000)
  expect(received).toBeLessThan(1_000_000)
})

test('what is over before the first interval leaves a sample, and the marks that were made', async () => {
  const file = join(folder, 'short.profile')
  const profiler = createProfiler({ file, intervalMs: 3_600_000 })
  profiler.mark('early')
  profiler.start()
  profiler.mark('work')
  await profiler.end()
  const { samples } = await readProfile(file)
  expect(samples).toHaveLength(1)
  expect(samples[0]!.marks!.map(({ name }) => name)).toEqual(['early', 'work'])
  expect(samples[0]).not.toHaveProperty('goodput')
})

test('a file that cannot be opened is an error before anything begins', () => {
  const start = (file: string) => () => createProfiler({ file }).start()
  expect(start(folder)).toThrow(`Cannot write ${folder}: it is a directory`)
  expect(start(join(folder, 'none', 'x'))).toThrow('its directory is not there')
})

test.runIf(process.platform === 'linux')('a full disk ends the profile, once, and nothing else', async () => {
  const failures: string[] = []
  const failed = Promise.withResolvers<void>()
  const onFailure = (error: Error) => {
    failures.push(error.message)
    failed.resolve()
  }
  const profiler = createProfiler({ file: '/dev/full', intervalMs: 10, onFailure })
  profiler.start()
  await failed.promise
  await profiler.end()
  expect(failures).toEqual(['Cannot write /dev/full: the disk is full (ENOSPC)'])
})

test('intervals that nobody could keep are refused', () => {
  for (const intervalMs of [0, 9, Number.NaN, 1e9]) {
    expect(() => createProfiler({ file: 'x', intervalMs })).toThrow('between 10 and 3600000 ms')
  }
})

test('a profiler does not keep a process alive, and what it has is in the file when that is left', async () => {
  const file = join(folder, 'left.profile')
  const exits = run(`
    const { createProfiler } = await import(${profilerUrl})
    let count = 0
    const onSample = () => { if (++count === 5) setImmediate(() => process.exit(3)) }
    createProfiler({ file: ${JSON.stringify(file)}, intervalMs: 10, onSample }).start()
    setInterval(() => {}, 1000)`)
  expect([exits.status, exits.stderr]).toEqual([3, ''])
  expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(6)
  const forgotten = run(`
    const { createProfiler } = await import(${profilerUrl})
    createProfiler({ file: ${JSON.stringify(file)} }).start()`)
  expect([forgotten.status, forgotten.stderr]).toEqual([0, ''])
})
