import { chmod, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commitTo, LocalPlace } from '../../../test/local-place.ts'
import { keeperOf } from '../../../test/store-suite.ts'
import { openStore } from '../open-store.ts'
import { createMarker } from './marker.ts'
import { otherPaths, parseMounts, waysTo } from './mounts.ts'
import { storeAbove, storeBelow } from './nesting.ts'

let directory: string
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'arriero-nesting-')))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function make(...names: string[]): Promise<void> {
  for (const name of names) await mkdir(join(directory, name), { recursive: true })
}

const open = (store: string, staging: string) =>
  openStore(
    {
      name: 'new',
      type: 'local',
      data: { store_path: join(directory, store), staging_path: join(directory, staging), reserve: 0 },
    },
    { createMarker: true, keeper: keeperOf('new') },
  )

describe('a place of a new store (B7)', () => {
  beforeEach(async () => {
    await make('theirs/deep/er', 'staging', 'free')
    await createMarker('theirs', join(directory, 'theirs'), keeperOf('theirs'))
  })

  test.each([
    ['in another store', 'theirs/deep/er', 'staging'],
    ['whose staging area lies in another store', 'free', 'theirs/deep'],
    ['whose staging area is another store', 'free', 'theirs'],
    ['above another store', '.', 'elsewhere'],
  ])('%s is refused, and nothing is written there', async (_, store, staging) => {
    const before = await readdir(directory, { recursive: true })
    await expect(open(store, staging)).rejects.toMatchObject({
      code: 'Configuration',
      message: expect.stringMatching(/Cannot make a store of .*theirs.*is a store itself/),
      remedy: expect.stringContaining('side by side'),
    })
    expect(await readdir(directory, { recursive: true })).toEqual(before)
  })

  test('is found through links', async () => {
    await symlink(join(directory, 'theirs/deep'), join(directory, 'link'))
    await expect(open('link/er', 'staging')).rejects.toThrow(/theirs, which is a store itself/)
    await expect(open('free', 'link')).rejects.toThrow(/theirs, which is a store itself/)
  })

  test('side by side with it is good', async () => {
    await using store = await open('free', 'staging')
    expect(await store.state()).toMatchObject({ available: true })
  })

  test('is not trusted where one may not look', async () => {
    await chmod(join(directory, 'theirs/.arriero'), 0)
    // Root may look everywhere, and then finds it.
    expect(await storeAbove(join(directory, 'theirs/deep'))).toBe(join(directory, 'theirs'))
    await chmod(join(directory, 'theirs/.arriero'), 0o700)
  })
})

describe('a store that others have made one around, or one in', () => {
  let outer: LocalPlace
  beforeEach(async () => {
    outer = await LocalPlace.make()
  })
  afterEach(() => outer[Symbol.asyncDispose]())

  async function makeInner(): Promise<string> {
    const inner = join(outer.root, 'a', 'inner')
    await mkdir(join(inner, 'files'), { recursive: true })
    // As one that was there before the outer one, by hand.
    await createMarker('inner', inner, keeperOf('theirs'))
    await writeFile(join(inner, 'files', 'f'), 'theirs')
    return inner
  }

  test('the inner one is unavailable from its next opening on, and says why', async () => {
    const store = await outer.open()
    expect(await store.state()).toMatchObject({ available: true })
    const inner = await makeInner()
    await make('staging')
    await using opened = await openStore(
      {
        name: 'inner',
        type: 'local',
        data: { store_path: inner, staging_path: join(directory, 'staging'), reserve: 0 },
      },
      { keeper: keeperOf('theirs') },
    )
    expect(await opened.state()).toMatchObject({
      available: false,
      reason: expect.stringContaining(`lies in ${await realpath(outer.root)}`),
    })
  })

  test('the outer one never looks into it, tells it, and puts nothing there', async () => {
    const store = await outer.open()
    await makeInner()
    await commitTo(store, 'a/ours', new Uint8Array(3))
    const seen = await Array.fromAsync(store.scan())
    expect(seen.map(({ shown, kind }) => `${kind} ${shown}`).sort()).toEqual([
      'directory a',
      'file a/ours',
      'store a/inner',
    ])
    for (const name of ['a/inner/new', 'a/inner/files/new', 'a/inner/new/deep']) {
      await expect(commitTo(store, name, new Uint8Array(3)), name).rejects.toMatchObject({
        code: 'FileExists',
        message: expect.stringContaining('root of another store'),
      })
    }
    await expect(commitTo(store, 'a/inner', new Map([['x', new Uint8Array(1)]]))).rejects.toMatchObject({
      code: 'FileExists',
    })
    expect(await readdir(join(outer.root, 'a/inner'))).toEqual(['.arriero', 'files'])
    expect(await readdir(join(outer.root, 'a/inner/files'))).toEqual(['f'])
  })

  test('a tree that holds such a directory is one tree all the same', async () => {
    const store = await outer.open()
    const members = new Map([
      ['.arriero/marker.json', new Uint8Array(2)],
      ['f', new Uint8Array(2)],
    ])
    await commitTo(store, 'tree', members)
    expect((await Array.fromAsync(store.scan())).map(({ kind }) => kind)).not.toContain('store')
  })
})

test('storeBelow() finds a store some levels down, and none where there is none', async () => {
  await make('a/b/c', 'd')
  expect(await storeBelow(directory)).toBeUndefined()
  await createMarker('x', join(directory, 'a/b/c'))
  expect(await storeBelow(directory)).toBe(join(directory, 'a/b/c'))
})

describe('mounts', () => {
  // /data is a disk; /bind shows a part of it, /deep/bind one of its parts, and /data/over is another disk.
  const mounts = parseMounts(
    [
      '20 1 8:1 / / rw - ext4 /dev/sda1 rw',
      '21 20 8:2 / /data rw - ext4 /dev/sdb1 rw',
      '22 20 8:2 /stores/one /bind rw - ext4 /dev/sdb1 rw',
      '23 20 8:2 /stores/one/sub /deep/bind\\040two rw - ext4 /dev/sdb1 rw',
      '24 21 8:3 / /data/over rw - ext4 /dev/sdc1 rw',
      '',
    ].join('\n'),
  )

  test.each([
    ['/bind/sub/x', ['/data/stores/one/sub/x', '/deep/bind two/x']],
    ['/deep/bind two', ['/data/stores/one/sub', '/bind/sub']],
    ['/data/stores/one', ['/bind']],
    ['/data/stores/other', []],
    ['/data/over/stores/one', []],
    ['/bindery', []],
    ['/', []],
  ])('otherPaths() of %s', (path, others) => {
    expect(otherPaths(path, mounts).sort()).toEqual([...others].sort())
  })

  test('waysTo() gives a path that is not there as it is, and a link resolved', async () => {
    expect(await waysTo(join(directory, 'none'))).toEqual([join(directory, 'none')])
    await make('real')
    await symlink('real', join(directory, 'link'))
    expect(await waysTo(join(directory, 'link'))).toContain(join(directory, 'real'))
  })
})
