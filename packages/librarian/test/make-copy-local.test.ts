/** Copies from store to store on real disks, and of trees: as in memory, and readable without us. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import type { Store } from '../src/stores/store.ts'
import { LocalPlace } from './local-place.ts'
import { openCopies } from './open-copies.ts'
import { newGround } from './world.ts'

async function openDisks() {
  const places = [await LocalPlace.make(), await LocalPlace.make()]
  const stores = new Map<string, Store>()
  for (const [at, name] of ['main', 'second'].entries()) stores.set(name, await places[at]!.open())
  const ground = await newGround([...stores.keys()])
  const world = await openCopies({ ground, wrapStore: ({ name }) => stores.get(name)! })

  async function keep(name: string, content: MemoryContent) {
    const id = randomUUID()
    const store = world.stores.byName('main')!
    await store.store.openStaging(id, 'upload')
    await places[0]!.stage(id, 'upload', content)
    const { size, checksum } = await describeContent(content, undefined)
    const origin = { from: 'staging' as const, id, uploadName: 'upload' }
    const common = { deletionPolicy: 'DISALLOWED' as const, uploader: 'ada', source: 'ada' }
    await world.commits.commit({ name, store, origin, size, checksum, ...common })
    const { file, instances } = (await ground.catalogue.instances.ofFile({ name }))!
    return { file, from: instances[0]!, to: world.stores.byName('second')! }
  }

  return {
    ...world,
    places,
    keep,
    async [Symbol.asyncDispose]() {
      for (const place of places) await place[Symbol.asyncDispose]()
    },
  }
}

test('a file and a tree are copied to another disk, with lines in its trail and its check list', async () => {
  await using disks = await openDisks()
  const bytes = new Uint8Array(randomBytes(3_000_000))
  const members = new Map<string, Uint8Array | null>([
    ['empty', null],
    ['sub', null],
    ['sub/größe.txt', new Uint8Array(randomBytes(70_000))],
    [`${'long/'.repeat(30)}name`, new Uint8Array([1])],
    ['none', new Uint8Array()],
  ])
  for (const path of [...members.keys()].filter(path => path.startsWith('long/'))) {
    const parts = path.split('/').slice(0, -1)
    for (let end = 1; end <= parts.length; end++) members.set(parts.slice(0, end).join('/'), null)
  }
  for (const [name, content] of [
    ['night/a', bytes],
    ['night/run', members],
  ] as const) {
    const { instanceId } = await disks.maker.make(await disks.keep(name, content))
    expect(await disks.copyOf(name, 2)).toMatchObject({
      id: instanceId,
      state: 'ok',
      path: `${disks.places[1]!.root}/${name}`,
    })
  }
  const { root } = disks.places[1]!
  expect(await readFile(join(root, 'night/a'))).toEqual(Buffer.from(bytes))
  expect(await readFile(join(root, 'night/run/sub/größe.txt'))).toEqual(Buffer.from(members.get('sub/größe.txt')!))
  const lines = await Array.fromAsync(disks.stores.byName('second')!.store.readTrail())
  expect(lines.map(({ action, name }) => [action, name])).toEqual([
    ['commit', 'night/a'],
    ['commit', 'night/run'],
  ])
  expect(await disks.catalogue.clones.open()).toEqual([])
}, 60_000)

test('A4: what lies there under the name and is something else stays, and the clone fails', async () => {
  await using disks = await openDisks()
  const request = await disks.keep('a', new Uint8Array(randomBytes(1000)))
  await writeFile(join(disks.places[1]!.root, 'a'), 'foreign')
  await expect(disks.maker.make(request)).rejects.toMatchObject({ code: 'FileExists' })
  expect(await readFile(join(disks.places[1]!.root, 'a'), 'utf8')).toBe('foreign')
  expect(await disks.copyOf('a', 2)).toBeUndefined()
  expect(await disks.catalogue.clones.get({ id: 1 })).toMatchObject({
    status: 'FAILED',
    reason: expect.stringMatching(/a/),
  })
  expect(await Array.fromAsync(disks.stores.byName('second')!.store.spools())).toEqual([])
}, 60_000)
