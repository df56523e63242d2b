import { statSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contentOf } from '../../test/source-suite.ts'
import { Batch, type Sync } from './batch.ts'
import type { Outcome, PublishJob } from './job.ts'

const memory = contentOf(1 << 20)
let directory: string
let staging: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-batch-'))
  staging = join(directory, '.arriero')
  await mkdir(staging)
})
afterEach(() => rm(directory, { recursive: true }))

let next = 0
function job(name: string, rest: Partial<PublishJob> = {}): PublishJob {
  const id = next++
  return {
    id,
    content: { address: id, length: 1000 },
    temp: join(staging, `t${id}`),
    final: join(directory, name),
    conflict: 'error',
    mtimeMs: undefined,
    isDurable: true,
    ...rest,
  }
}

/** Stages and publishes; the outcomes by job, and what was on the disk when they were told. */
function publish(jobs: readonly PublishJob[], batch = new Batch(memory)): Map<number, Outcome> {
  for (const one of jobs) batch.stage(one)
  const outcomes = new Map<number, Outcome>()
  batch.publish(told => {
    for (const one of told) outcomes.set(one.id, one)
  })
  expect(outcomes.size).toBe(jobs.length)
  return outcomes
}

/** Records what is synced, and does it or fails as told. */
function recordingSync(fail: Partial<Record<keyof Sync, boolean>> = {}) {
  const calls: { what: keyof Sync; path: string }[] = []
  const act = (what: keyof Sync) => (path: string) => {
    calls.push({ what, path })
    if (fail[what] && what !== 'fileSystem') throw Object.assign(new Error('i/o error'), { code: 'EIO' })
    return fail[what] !== true
  }
  const sync: Sync = { file: act('file'), directory: act('directory'), fileSystem: act('fileSystem') }
  return { sync, of: (what: keyof Sync) => calls.filter(call => call.what === what).map(({ path }) => path) }
}

describe('Batch', () => {
  test('gives each file its name with exactly its bytes, and leaves no temporary name', async () => {
    const jobs = ['a', 'b.txt', 'empty'].map(name =>
      job(name, name === 'empty' ? { content: { address: 0, length: 0 } } : {}),
    )
    const outcomes = publish(jobs)
    for (const { id, final, content } of jobs) {
      expect(outcomes.get(id)).toEqual({ id, path: final })
      const { address, length } = content as NonNullable<PublishJob['content']>
      expect((await readFile(final)).equals(memory.subarray(address, address + length))).toBe(true)
    }
    expect(await readdir(staging)).toEqual([])
  })

  test('shows no name before everything is on stable storage (A1)', async () => {
    const { sync, of } = recordingSync()
    const batch = new Batch(memory, {
      ...sync,
      file: path => {
        // Until the last of them is synced, nothing of this batch is visible.
        expect(publishedNames()).toEqual([])
        sync.file(path)
      },
    })
    const publishedNames = () => jobs.filter(({ final }) => exists(final))
    const jobs = ['a', 'b', 'c'].map(name => job(name))
    publish(jobs, batch)
    expect(of('file')).toEqual(jobs.map(({ temp }) => temp))
    expect(publishedNames()).toHaveLength(3)
  })

  test('tells of success only after the directories are synced, once each (A2)', () => {
    const { sync, of } = recordingSync()
    const batch = new Batch(memory, sync)
    for (const name of ['x/a', 'x/b', 'y/z/c']) batch.stage(job(name))
    batch.publish(() => {
      const paths = ['x', 'y/z', 'y', '.'].map(name => join(directory, name))
      expect(of('directory').toSorted()).toEqual(paths.toSorted())
    })
  })

  test('syncs fewer than 24 files one by one, and more by their file system', () => {
    for (const [count, files, systems] of [
      [1, 1, 0],
      [23, 23, 0],
      [24, 0, 1],
      [100, 0, 1],
    ] as const) {
      const { sync, of } = recordingSync()
      publish(
        [...Array(count).keys()].map(index => job(`${count}-${index}`)),
        new Batch(memory, sync),
      )
      expect(of('file')).toHaveLength(files)
      expect(of('fileSystem')).toHaveLength(systems)
    }
  })

  test('syncs one by one where the file system as a whole cannot be synced', () => {
    const { sync, of } = recordingSync({ fileSystem: true })
    publish(
      [...Array(30).keys()].map(index => job(`${index}`)),
      new Batch(memory, sync),
    )
    expect(of('file')).toHaveLength(30)
  })

  test.skipIf(!exists('/dev/shm'))('syncs every file system that files lie on, not only the first', async () => {
    const other = await mkdtemp('/dev/shm/arriero-batch-')
    try {
      const { sync, of } = recordingSync()
      const here = [...Array(24).keys()].map(index => job(`here-${index}`))
      const there = [...Array(24).keys()].map(index =>
        job('', { temp: join(other, `t${index}`), final: join(other, `f${index}`) }),
      )
      publish([...here, ...there], new Batch(memory, sync))
      expect(of('fileSystem').toSorted()).toEqual([staging, other].toSorted())
      const second = recordingSync()
      publish(
        [...here.map(one => job(`again-${one.id}`)), job('', { temp: join(other, 'x'), final: join(other, 'y') })],
        new Batch(memory, second.sync),
      )
      expect(second.of('fileSystem')).toEqual([staging])
      expect(second.of('file')).toEqual([join(other, 'x')])
    } finally {
      await rm(other, { recursive: true })
    }
  })

  test('really syncs, by each of its ways', () => {
    for (const count of [2, 24]) {
      const outcomes = publish([...Array(count).keys()].map(index => job(`real-${count}-${index}`)))
      for (const outcome of outcomes.values()) expect(outcome).toHaveProperty('path')
    }
  })

  test('without durability syncs nothing', () => {
    const { sync, of } = recordingSync()
    publish(
      [...Array(30).keys()].map(index => job(`${index}`, { isDurable: false })),
      new Batch(memory, sync),
    )
    expect([...of('file'), ...of('fileSystem'), ...of('directory')]).toEqual([])
  })

  test('a file whose sync fails is condemned: no name, no debris, an error', async () => {
    const { sync } = recordingSync({ file: true })
    const one = job('condemned')
    expect(publish([one], new Batch(memory, sync)).get(one.id)).toMatchObject({
      failure: { code: 'EIO', action: 'sync' },
    })
    expect(await readdir(directory)).toEqual(['.arriero'])
    expect(await readdir(staging)).toEqual([])
  })

  test('success is not told when a directory could not be synced', () => {
    const { sync } = recordingSync({ directory: true })
    const one = job('a')
    expect(publish([one], new Batch(memory, sync)).get(one.id)).toMatchObject({ failure: { code: 'EIO' } })
  })

  test('never replaces a name that is taken; the others of the batch are published', async () => {
    await writeFile(join(directory, 'taken'), 'mine')
    await mkdir(join(directory, 'dir'))
    await symlink('/nowhere', join(directory, 'dangling'))
    const jobs = ['taken', 'dir', 'dangling', 'free'].map(name => job(name))
    const outcomes = [...publish(jobs).values()].toSorted((a, b) => a.id - b.id)
    expect(outcomes.slice(0, 3)).toMatchObject(Array(3).fill({ failure: { code: 'EEXIST' } }))
    expect(outcomes[3]).toHaveProperty('path')
    expect(await readFile(join(directory, 'taken'), 'utf8')).toBe('mine')
    expect(await readdir(staging)).toEqual([])
  })

  test('two files of one batch for one name: one wins', () => {
    const outcomes = [...publish([job('same'), job('same')]).values()]
    expect(outcomes.filter(outcome => 'path' in outcome)).toHaveLength(1)
  })

  test('overwrite replaces a file at once, but never a directory', async () => {
    await writeFile(join(directory, 'old'), 'old')
    await mkdir(join(directory, 'dir'))
    const jobs = ['old', 'dir', 'new'].map(name => job(name, { conflict: 'overwrite' }))
    const outcomes = publish(jobs)
    expect(outcomes.get(jobs[0]!.id)).toHaveProperty('path')
    expect(outcomes.get(jobs[1]!.id)).toHaveProperty('failure')
    expect((await readFile(join(directory, 'old'))).length).toBe(1000)
    expect(await readdir(staging)).toEqual([])
  })

  test.skipIf(!exists('/dev/shm'))('copies where the target lies on another file system', async () => {
    const other = await mkdtemp('/dev/shm/arriero-batch-')
    try {
      await writeFile(join(other, 'old'), 'old')
      await writeFile(join(other, 'taken'), 'mine')
      const jobs = [
        job('', { final: join(other, 'new') }),
        job('', { final: join(other, 'old'), conflict: 'overwrite' }),
        job('', { final: join(other, 'taken') }),
      ]
      const outcomes = publish(jobs)
      expect(outcomes.get(jobs[0]!.id)).toHaveProperty('path')
      expect(outcomes.get(jobs[1]!.id)).toHaveProperty('path')
      expect(outcomes.get(jobs[2]!.id)).toMatchObject({ failure: { code: 'EEXIST' } })
      expect((await readdir(other)).toSorted()).toEqual(['new', 'old', 'taken'])
      expect((await readFile(join(other, 'old'))).length).toBe(1000)
      expect(await readFile(join(other, 'taken'), 'utf8')).toBe('mine')
      expect(await readdir(staging)).toEqual([])
    } finally {
      await rm(other, { recursive: true })
    }
  })

  test('rename finds the next free number, before the extension', async () => {
    await writeFile(join(directory, 'a.tar.gz'), '')
    await writeFile(join(directory, 'a.tar (1).gz'), '')
    const jobs = [1, 2, 3].map(() => job('a.tar.gz', { conflict: 'rename' }))
    const paths = [...publish(jobs).values()].map(outcome => 'path' in outcome && outcome.path)
    expect(paths).toEqual([2, 3, 4].map(number => join(directory, `a.tar (${number}).gz`)))
    const plain = job('noext', { conflict: 'rename' })
    expect(publish([plain]).get(plain.id)).toMatchObject({ path: join(directory, 'noext') })
  })

  test('a name that is already ours, after a lost answer, is success', async () => {
    const one = job('mine')
    const batch = new Batch(memory)
    batch.stage(one)
    const { linkSync } = await import('node:fs')
    linkSync(one.temp, one.final)
    const told: Outcome[] = []
    batch.publish(outcomes => told.push(...outcomes))
    expect(told).toEqual([{ id: one.id, path: one.final }])
  })

  test('publishes a file that holds its bytes already, and sets the time that was asked for', async () => {
    const part = join(directory, 'big.part')
    await writeFile(part, 'content')
    publish([job('big', { content: undefined, temp: part }), job('timed', { mtimeMs: 1_000_000_000_000 })])
    expect(await readFile(join(directory, 'big'), 'utf8')).toBe('content')
    // Whoever made it removes it, together with its journal.
    expect(exists(part)).toBe(true)
    expect((await stat(join(directory, 'timed'))).mtimeMs).toBe(1_000_000_000_000)
  })

  test('a part that could not be published stays, for a later run', async () => {
    const part = join(directory, 'big.part')
    await writeFile(part, 'content')
    await writeFile(join(directory, 'big'), 'taken')
    publish([job('big', { content: undefined, temp: part })])
    expect(await readFile(part, 'utf8')).toBe('content')
  })

  test('makes its private directory again when somebody removed it', async () => {
    await rm(staging, { recursive: true })
    const one = job('a')
    expect(publish([one]).get(one.id)).toHaveProperty('path')
    expect((await stat(staging)).mode & 0o777).toBe(0o700)
  })

  test('of several processes that want one name, exactly one gets it', async () => {
    const rounds = 20
    const crew = 4
    const gate = new Int32Array(new SharedArrayBuffer(8))
    const workers = [...Array(crew).keys()].map(
      number =>
        new Worker(racer, {
          eval: true,
          workerData: { number, rounds, gate, directory, staging, batch: new URL('./batch.ts', import.meta.url).href },
        }),
    )
    const results = workers.map(
      worker =>
        new Promise<(string | undefined)[]>((resolve, reject) => {
          worker.on('message', resolve)
          worker.on('error', reject)
        }),
    )
    for (let round = 0; round < rounds; round++) {
      while (Atomics.load(gate, 1) < crew * (round + 1)) await new Promise(resolve => setTimeout(resolve, 1))
      Atomics.add(gate, 0, 1)
      Atomics.notify(gate, 0)
    }
    const won = await Promise.all(results)
    for (let round = 0; round < rounds; round++) {
      const winners = won.flatMap((mine, number) => (mine[round] ? [number] : []))
      expect(winners).toHaveLength(1)
      const content = await readFile(join(directory, `race-${round}`))
      expect(content.every(byte => byte === (winners[0] as number) + 1)).toBe(true)
      expect(content.length).toBe(50_000)
    }
    expect(await readdir(staging)).toEqual([])
  })
})

/** Publishes the same names as the others, as near to the same moment as threads can. */
const racer = `
const { workerData, parentPort } = require('node:worker_threads')
const { number, rounds, gate, directory, staging } = workerData
import(workerData.batch).then(({ Batch }) => {
  const batch = new Batch(new Uint8Array(50_000).fill(number + 1))
  const won = []
  for (let round = 0; round < rounds; round++) {
    batch.stage({
      id: round,
      content: { address: 0, length: 50_000 },
      temp: staging + '/' + number + '-' + round,
      final: directory + '/race-' + round,
      conflict: 'error',
      isDurable: false,
    })
    Atomics.add(gate, 1, 1)
    Atomics.wait(gate, 0, round)
    batch.publish(([outcome]) => won.push(outcome.path))
  }
  parentPort.postMessage(won)
})
`

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
