/** What is synced before what, and what a failed sync means (reliability 7.1 to 7.6). */
import { existsSync, realpathSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../test/store-suite.ts'
import type { Context } from './context.ts'
import { createContext } from './context.ts'
import { copyName, layoutOf } from './layout.ts'
import { createMarker } from './marker.ts'
import { perform } from './perform.ts'
import { type Durability, systemDurability } from './sync-all.ts'
import type { PublishJob, TakeJob } from './task.ts'

let place: string
let root: string
beforeEach(async () => {
  place = realpathSync(await mkdtemp(join(tmpdir(), 'arriero-durability-')))
  root = join(place, 'store')
  await mkdir(root)
  await mkdir(join(place, 'staging'))
  await createMarker('one', root)
})
afterEach(() => rm(place, { recursive: true }))

/** Does what the system does, tells of it by real paths, and fails where it is told to. */
function watched(onSync: (path: string) => void): Context {
  const durability: Durability = {
    path(path) {
      onSync(realpathSync(path))
      systemDurability.path(path)
    },
    fileSystem: directory => {
      onSync(`all of ${directory}`)
      return systemDurability.fileSystem(directory)
    },
  }
  const modes = { file: 0o440, directory: 0o550, owner: undefined }
  return createContext({ layout: layoutOf(root, join(place, 'staging')), modes, canClone: false }, { durability })
}

const ioError = () => Object.assign(new Error('i/o error'), { code: 'EIO' })

async function stage(count: number): Promise<TakeJob[]> {
  const jobs: TakeJob[] = []
  for (let index = 0; index < count; index++) {
    const id = crypto.randomUUID()
    await mkdir(join(place, 'staging', id))
    await writeFile(join(place, 'staging', id, 'f'), `content ${index}`)
    const copy = copyName(newId(), 1, '0123456789abcdef')
    const size = `content ${index}`.length
    jobs.push({ copy, what: 'f', from: 'staging', segments: [id, 'f'], size, checksum: undefined })
  }
  return jobs
}

async function takenBy(context: Context, count: number, nameOf: (index: number) => string): Promise<PublishJob[]> {
  const answers = await perform('take', await stage(count), context)
  return answers.map((answer, index) => {
    if (!answer.ok) throw new Error(answer.error.message)
    const { copy, kind, size, sha256 } = answer.value
    return { id: copy.slice(1, 33), token: 1, name: nameOf(index), kind, size, sha256, copies: [copy], isKnown: true }
  })
}

const copiesOf = (jobs: readonly PublishJob[]) => jobs.map(({ copies, kind }) => ({ copy: copies[0]!, kind }))

describe('secure', () => {
  test('syncs few copies one by one and many by one barrier, and the directory of their names', async () => {
    const synced: string[] = []
    const context = watched(path => void synced.push(path))
    const few = await takenBy(context, 3, index => `${index}`)
    await perform('secure', copiesOf(few), context)
    const work = join(root, '.arriero/work')
    expect(synced).toEqual([...few.map(({ copies }) => join(work, copies[0]!)), work])
    synced.length = 0
    await perform('secure', copiesOf(await takenBy(context, 30, index => `${index}`)), context)
    expect(synced).toEqual([`all of ${work}`])
  })

  test('a copy whose sync fails is condemned and gone, and only that one', async () => {
    const probe = watched(() => {})
    const jobs = await takenBy(probe, 3, index => `${index}`)
    const context = watched(path => {
      if (path.endsWith(jobs[1]!.copies[0]!)) throw ioError()
    })
    const answers = await perform('secure', copiesOf(jobs), context)
    expect(answers.map(({ ok }) => ok)).toEqual([true, false, true])
    expect((await readdir(join(root, '.arriero/work'))).toSorted()).toEqual(
      [jobs[0]!.copies[0]!, jobs[2]!.copies[0]!].toSorted(),
    )
  })

  test('where a common barrier fails nobody knows which of them it was, so all are condemned', async () => {
    const jobs = await takenBy(
      watched(() => {}),
      30,
      index => `${index}`,
    )
    const context = watched(path => {
      if (path.startsWith('all of')) throw ioError()
    })
    const answers = await perform('secure', copiesOf(jobs), context)
    expect(answers.every(({ ok }) => !ok)).toBe(true)
    expect(await readdir(join(root, '.arriero/work'))).toEqual([])
  })
})

describe('publish', () => {
  test('syncs each directory once for a call, new ones up to the root, when all names are given', async () => {
    const synced: string[] = []
    const names = ['a/b/one', 'a/b/two', 'a/c/three', 'four']
    const context = watched(path => {
      for (const name of names) expect(existsSync(join(root, name))).toBe(true)
      synced.push(path)
    })
    const jobs = await takenBy(context, 4, index => names[index]!)
    const answers = await perform('publish', jobs, context)
    expect(answers.every(({ ok }) => ok)).toBe(true)
    expect(synced.toSorted()).toEqual([root, join(root, 'a'), join(root, 'a/b'), join(root, 'a/c')])
    // What is known to be durable is not synced again.
    synced.length = 0
    names.push('a/b/five')
    await perform('publish', await takenBy(context, 1, () => 'a/b/five'), context)
    expect(synced).toEqual([join(root, 'a/b')])
  })

  test('a name that could not be made durable is taken back, and its copy stays; others keep theirs', async () => {
    const jobs = await takenBy(
      watched(() => {}),
      2,
      index => ['good/f', 'bad/f'][index]!,
    )
    let isFailing = true
    const context = watched(path => {
      if (isFailing && path === join(root, 'bad')) throw ioError()
    })
    const answers = await perform('publish', jobs, context)
    expect(answers).toMatchObject([{ ok: true }, { ok: false, error: { message: expect.stringContaining('EIO') } }])
    expect(existsSync(join(root, 'bad/f'))).toBe(false)
    expect(await readdir(join(root, '.arriero/work'))).toEqual([jobs[1]!.copies[0]])
    isFailing = false
    expect(await perform('publish', [jobs[1]!], context)).toMatchObject([{ ok: true }])
    expect(await readFile(join(root, 'bad/f'), 'utf8')).toBe('content 1')
  })
})

test('trash makes the name in the trash durable before the other is removed, and then the removal', async () => {
  const quiet = watched(() => {})
  await perform('publish', await takenBy(quiet, 1, () => 'd/f'), quiet)
  const synced: string[] = []
  await perform(
    'trash',
    { name: 'd/f', id: 'one' },
    watched(path => void synced.push(path)),
  )
  expect(synced[0]).toBe(join(root, '.arriero/trash'))
  expect(synced).toContain(join(root, 'd'))
})
