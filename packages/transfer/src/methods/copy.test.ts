import { execFileSync } from 'node:child_process'
import { chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { ManualClock } from '../../test/manual-clock.ts'
import { describeMethod } from '../../test/method-suite.ts'
import type { MethodItem } from '../method.ts'
import { createCopyMethod } from './copy.ts'

const offered = {
  hostnames: ['other', hostname()],
  transfer_attempted: false,
  transfer_complete: false,
  start_time_transfer: null,
  bytes_transfer: null,
}

describeMethod('createCopyMethod()', {
  async make() {
    const place = await mkdtemp(join(tmpdir(), 'arriero-copy-'))
    const sources = join(place, 'sources')
    await mkdir(sources)
    return {
      method: createCopyMethod(),
      open: () => createCopyMethod(),
      offered,
      unusable: { ...offered, hostnames: [] },
      sources,
      target: name => join(place, 'staging', name),
      arrived: name => join(place, 'staging', name),
      [Symbol.asyncDispose]: () => rm(place, { recursive: true }),
    }
  },
})

describe('createCopyMethod()', () => {
  let place: string
  const at = (name: string) => join(place, name)
  const method = createCopyMethod()

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'arriero-copy-'))
    await mkdir(at('staging'))
  })
  afterEach(() => rm(place, { recursive: true }))

  async function file(name: string, content = testData(100)): Promise<MethodItem> {
    await writeFile(at(name), content)
    return { source: at(name), target: at(`staging/${name}`), size: content.length, isTree: false }
  }

  async function tree(name: string, content: Readonly<Record<string, Uint8Array>>): Promise<MethodItem> {
    await mkdir(at(name))
    for (const [member, bytes] of Object.entries(content)) await writeFile(join(at(name), member), bytes)
    const size = Object.values(content).reduce((sum, { length }) => sum + length, 0)
    return { source: at(name), target: at(`staging/${name}`), size, isTree: true }
  }

  test('the state has the fields of the wire, and what it did not know stays', async () => {
    const clock = new ManualClock(Date.UTC(2026, 10, 20, 22, 3, 37))
    const item = await file('one')
    const state = { ...offered, from_tomorrow: [1] }
    const onProgress = () => clock.advance(2500)
    const after = await createCopyMethod({ clock }).transfer([item], { state, onProgress })
    expect(after).toEqual({
      hostnames: offered.hostnames,
      transfer_attempted: true,
      transfer_complete: true,
      start_time_transfer: '2026-11-20T22:03:37.000Z',
      end_time_transfer: '2026-11-20T22:03:39.500Z',
      bytes_transfer: 100,
      from_tomorrow: [1],
    })
    expect(await method.details(after)).toEqual({
      taskId: 'local_2026-11-20T22:03:39.500Z',
      sourceEndpoint: hostname(),
      destinationEndpoint: hostname(),
      startTime: '2026-11-20T22:03:37.000Z',
      endTime: '2026-11-20T22:03:39.500Z',
      duration: 2.5,
      bytes: 100,
      bandwidth: 40,
    })
  })

  test('files are 0664 and directories 0775, in the group of the staging area, whatever the mask and the source say', async () => {
    const group = process.getuid?.() === 0 ? 12345 : process.getegid!()
    await chown(at('staging'), -1, group)
    const mask = process.umask(0o077)
    try {
      const large = testData(2 ** 20 + 1)
      const items = [await file('one'), await tree('tree', { member: large })]
      await mkdir(at('tree/inner'), { mode: 0o700 })
      const deep = items.map(item => ({ ...item, target: item.target.replace('staging/', 'staging/a/b/') }))
      await method.transfer(deep, { state: offered })
    } finally {
      process.umask(mask)
    }
    const found = async (name: string) => {
      const { mode, gid } = await stat(at(`staging/a/${name}`))
      return [mode & 0o777, gid]
    }
    expect(await found('b/one')).toEqual([0o664, group])
    expect(await found('b/tree/member')).toEqual([0o664, group])
    for (const name of ['', 'b', 'b/tree', 'b/tree/inner']) expect(await found(name)).toEqual([0o775, group])
  })

  test.each([
    ['a link', (path: string) => symlink('/etc/hostname', path)],
    ['a link to a directory', (path: string) => symlink('/etc', path)],
    ['a pipe', async (path: string) => void execFileSync('mkfifo', [path])],
  ])('%s in a tree, or instead of a file, is never sent', async (_, make) => {
    const inTree = await tree('tree', { good: testData(10) })
    await make(at('tree/odd'))
    const state = await method.transfer([inTree], { state: offered })
    expect(await method.status(state)).toMatchObject({ status: 'failed', reason: expect.stringContaining('tree/odd') })
    await make(at('alone'))
    const alone = { source: at('alone'), target: at('staging/alone'), size: 0, isTree: false }
    expect(await method.status(await method.transfer([alone], { state: offered }))).toMatchObject({ status: 'failed' })
    expect((await readdir(at('staging'))).filter(name => !name.startsWith('.'))).toEqual([])
  })

  test('nothing is begun after the first that fails', async () => {
    const items = [await file('a'), { ...(await file('b')), source: at('missing') }, await file('c')]
    const state = await createCopyMethod({ itemsAtOnce: 1 }).transfer(items, { state: offered })
    expect(await method.status(state)).toMatchObject({ status: 'failed', reason: expect.stringContaining('missing') })
    expect(await readdir(at('staging'))).toEqual(['a'])
  })

  test('what has the name and another size is never replaced', async () => {
    const item = await file('one')
    await writeFile(item.target, 'precious')
    const state = await method.transfer([item], { state: offered })
    expect(await method.status(state)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('must be free'),
    })
    expect(await readFile(item.target, 'utf8')).toBe('precious')
  })

  test.each([true, false])('a source of another size than was announced is not published (tree: %s)', async isTree => {
    const item = isTree ? await tree('x', { y: testData(10) }) : await file('x')
    const state = await method.transfer([{ ...item, size: item.size + 1 }], { state: offered })
    expect(await method.status(state)).toMatchObject({ status: 'failed', reason: expect.stringContaining('bytes') })
    await expect(lstat(item.target)).rejects.toThrow('ENOENT')
  })

  test('a tree that was broken off is gone on with: what was copied is not copied again, and nothing is left over', async () => {
    const members = Object.fromEntries([...'abcdefgh'].map(name => [name, testData(2 ** 20 + 5)]))
    const item = await tree('tree', members)
    const breaking = new AbortController()
    // In the middle of a member.
    const onProgress = (bytes: number) => bytes > 4.5 * 2 ** 20 && breaking.abort(new Error('killed'))
    await expect(method.transfer([item], { state: offered, signal: breaking.signal, onProgress })).rejects.toThrow(
      'killed',
    )
    const [left] = await readdir(at('staging'))
    const kept = await Promise.all(
      (await readdir(at(`staging/${left}`))).map(
        async name => [name, (await stat(at(`staging/${left}/${name}`))).ino] as const,
      ),
    )
    expect(kept.length).toBeGreaterThan(2)
    // As a kill leaves it: a temporary of a member, which has no end.
    await writeFile(at(`staging/${left!.slice(0, -16)}0123456789abcdef`), 'half')
    let moved = 0
    const state = await method.transfer([item], { state: offered, onProgress: bytes => (moved = bytes) })
    expect(await method.status(state)).toEqual({ status: 'complete' })
    expect(moved).toBe(item.size)
    expect(await readdir(at('staging'))).toEqual(['tree'])
    for (const [name, ino] of kept) expect((await stat(at(`staging/tree/${name}`))).ino).toBe(ino)
    for (const [name, bytes] of Object.entries(members)) {
      expect((await readFile(at(`staging/tree/${name}`))).equals(bytes)).toBe(true)
    }
  })

  test('the same batch twice at once ends well for both', async () => {
    const items = await Promise.all([...'abcdef'].map(name => file(name, testData(300_000))))
    const states = await Promise.all([1, 2, 3].map(() => method.transfer(items, { state: offered })))
    for (const state of states) expect(await method.status(state)).toEqual({ status: 'complete' })
    expect((await readdir(at('staging'))).sort()).toEqual([...'abcdef'])
  })

  test('a source that is written meanwhile is not published', async () => {
    const item = await file('one', testData(5 * 2 ** 20))
    let isWritten = false
    const onProgress = () => {
      if (!isWritten) execFileSync('touch', [item.source])
      isWritten = true
    }
    const state = await method.transfer([item], { state: offered, onProgress })
    expect(await method.status(state)).toMatchObject({ status: 'failed', reason: expect.stringContaining('changed') })
    expect(await readdir(at('staging'))).toEqual([])
  })
})
