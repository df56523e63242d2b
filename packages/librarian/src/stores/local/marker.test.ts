import { readFileSync, writeFileSync } from 'node:fs'
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalPlace } from '../../../test/local-place.ts'
import { keeperOf } from '../../../test/store-suite.ts'
import { layoutOf } from './layout.ts'
import { claimMarker, createMarker, type Marker, readMarker, takeMarkerOver } from './marker.ts'

let place: LocalPlace
beforeEach(async () => {
  place = await LocalPlace.make()
})
afterEach(() => place[Symbol.asyncDispose]())

const layout = () => layoutOf(place.root, place.staging)
const [ours, theirs] = [keeperOf('ours'), keeperOf('theirs')]

async function marker(): Promise<Marker> {
  const found = await readMarker(layout())
  if ('reason' in found) throw new Error(found.reason)
  return found
}

const privateFiles = async () =>
  (await readdir(layout().private, { withFileTypes: true })).filter(entry => entry.isFile()).map(({ name }) => name)

test('of many first uses at once one UUID and one keeper remain, and nothing beside them', async () => {
  const keepers = Array.from({ length: 8 }, (_, n) => keeperOf(`n${n}`))
  const uuids = await Promise.all(keepers.map(keeper => createMarker('one', place.root, keeper)))
  const { uuid, keeper } = await marker()
  expect(new Set(uuids)).toEqual(new Set([uuid]))
  expect(keepers).toContainEqual(keeper)
  expect(await privateFiles()).toEqual(['marker.json'])
})

test('a marker that cannot be read is not made anew', async () => {
  await createMarker('one', place.root, ours)
  await writeFile(layout().marker, '{"uuid":')
  await expect(createMarker('one', place.root, ours)).rejects.toMatchObject({
    code: 'Configuration',
    message: expect.stringContaining('cannot be read'),
  })
  expect(await readFile(layout().marker, 'utf8')).toBe('{"uuid":')
})

test('who reads the marker while it is replaced reads all of the old one or all of the new one', async () => {
  const uuid = await createMarker('one', place.root, ours)
  let isDone = false
  const reading = (async () => {
    const seen = new Set<string | undefined>()
    while (!isDone) {
      const found = await marker()
      expect(found.uuid).toBe(uuid)
      seen.add(found.keeper?.librarian)
    }
    return seen
  })()
  for (let n = 0; n < 50; n++) await takeMarkerOver(layout(), n % 2 === 0 ? theirs : ours)
  isDone = true
  expect([...(await reading)].every(one => one === 'ours' || one === 'theirs')).toBe(true)
  expect(await privateFiles()).toEqual(['marker.json'])
})

test('a claim that a crash has left is finished by its catalogue, and keeps out another one', async () => {
  await createMarker('one', place.root)
  await writeFile(join(layout().private, 'claim.json'), JSON.stringify({ ...(await marker()), keeper: ours }))
  expect(await claimMarker(layout(), theirs)).toMatchObject(ours)
  expect((await marker()).keeper).toBeUndefined()
  expect(await claimMarker(layout(), ours)).toMatchObject(ours)
  expect((await marker()).keeper).toEqual(ours)
  expect(await claimMarker(layout(), theirs)).toMatchObject(ours)
  expect(await privateFiles()).toEqual(['marker.json'])
})

test('whoever is only looking leaves a marker without a keeper as it is', async () => {
  await createMarker('one', place.root)
  const before = await readFile(layout().marker)
  const store = await place.open({ keeper: ours, mayClaim: false })
  expect(await store.state()).toMatchObject({ available: true })
  expect((await readFile(layout().marker)).equals(before)).toBe(true)
})

test('a line of the trail that is written while the store changes hands is not told as done (A2)', async () => {
  const before = await place.open({ keeper: ours })
  const time = '2026-11-20T22:03:37.619866Z'
  const told = { checksum: 'md5:::x', is_attested: true, create_time: time, uploader: 'a', source: 'b', order: 1 }
  const content = { kind: 'file', size: 3, sha256: '0'.repeat(64), deletion_policy: 'DISALLOWED' } as const
  await before.appendTrail([{ action: 'commit', time, name: 'before', ...content, ...told }])
  // It is asked for its name when the store was looked at and the line is about to be written.
  const during = {
    action: 'commit',
    time,
    ...content,
    ...told,
    get name() {
      const there = JSON.parse(readFileSync(layout().marker, 'utf8'))
      writeFileSync(layout().marker, JSON.stringify({ ...there, keeper: theirs }))
      return 'during'
    },
  } as const
  await expect(before.appendTrail([during])).rejects.toMatchObject({ code: 'StoreUnavailable' })
  const after = await place.open({ keeper: theirs })
  expect((await Array.fromAsync(after.readTrail())).map(({ name }) => name)).toContain('before')
})

test('a store whose marker was put aside and linked back is the same store', async () => {
  const uuid = await createMarker('one', place.root, ours)
  const aside = join(place.place, 'aside')
  await link(layout().marker, aside)
  await rm(layout().marker)
  const store = await place.open({ keeper: ours, createMarker: false })
  expect(await store.state()).toMatchObject({ available: false })
  await link(aside, layout().marker)
  expect(await store.state()).toMatchObject({ available: true, uuid })
})

test('a path that is not there is no store, and is not made: the remedy says how, as a shell takes it', async () => {
  const absent = join(place.root, "o'clock", 'a b')
  await expect(createMarker('one', absent, ours)).rejects.toMatchObject({
    code: 'Configuration',
    message: expect.stringMatching(/it does not exist$/),
    remedy: expect.stringContaining(`mkdir -p '${place.root}/o'\\''clock/a b'`),
  })
  await writeFile(join(place.root, 'f'), '')
  await expect(createMarker('one', join(place.root, 'f'), ours)).rejects.toThrow(/must be a directory/)
  expect((await readdir(place.root)).sort()).toEqual(['f'])
})
