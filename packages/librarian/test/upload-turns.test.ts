/** Turns of writing an upload in the catalogue, on both databases, and the loop that keeps them for a process. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { loadPathFunctions } from '@arriero/transfer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { openCatalogue } from '../src/catalogue/open.ts'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { createSharedTurns } from '../src/services/byte-uploads/shared-turns.ts'
import { openStore } from '../src/stores/open-store.ts'
import { LocalPlace } from './local-place.ts'
import { startPostgres, type TestPostgres } from './postgres.ts'

let directory!: string
let postgres: TestPostgres | undefined
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-turns-'))
  postgres = await startPostgres()
  await loadPathFunctions(['xxh3', 'sha256'])
}, 60_000)
afterAll(async () => {
  await postgres?.end()
  await rm(directory, { recursive: true })
})

const engines = [
  ['SQLite', async () => join(directory, `${randomBytes(4).toString('hex')}.db`)],
  ['PostgreSQL', async () => await postgres?.createDatabase()],
] as const

describe.each(engines)('%s: turns of an upload', (_, urlOf) => {
  async function open(): Promise<Catalogue | undefined> {
    const url = await urlOf()
    return url === undefined ? undefined : await openCatalogue({ url })
  }

  test('one has the turn until it gives it back; numbers rise, and the next hears whether the one before may still write', async () => {
    const catalogue = await open()
    if (!catalogue) return
    await using turns = catalogue
    const { uploadTurns } = turns
    const ask = { token: 'a', seconds: 30 }
    expect(await uploadTurns.take({ ...ask, holder: 'one' })).toEqual({ outcome: 'yours', turn: 1, before: undefined })
    expect(await uploadTurns.take({ ...ask, holder: 'two' })).toEqual({ outcome: 'taken', turn: 1, holder: 'one' })
    await uploadTurns.end({ token: 'a', holder: 'one', turn: 1 })
    expect(await uploadTurns.take({ ...ask, holder: 'two' })).toEqual({ outcome: 'yours', turn: 2, before: undefined })
    // An end that comes late ends nothing.
    await uploadTurns.end({ token: 'a', holder: 'one', turn: 1 })
    expect(await uploadTurns.keep({ holder: 'two', seconds: -1, turns: [{ token: 'a', turn: 2 }] })).toEqual(['a'])
    expect(await uploadTurns.take({ ...ask, holder: 'one' })).toEqual({ outcome: 'yours', turn: 3, before: 'two' })
    expect(await uploadTurns.keep({ holder: 'two', seconds: 30, turns: [{ token: 'a', turn: 2 }] })).toEqual([])
    const dead = { holder: 'one', turn: 3 }
    expect(await uploadTurns.take({ ...ask, holder: 'two', dead: { ...dead, turn: 2 } })).toMatchObject({
      outcome: 'taken',
    })
    expect(await uploadTurns.take({ ...ask, holder: 'two', dead })).toEqual({
      outcome: 'yours',
      turn: 4,
      before: 'one',
    })
  })

  test('a wish is heard by others than who has it, and what is kept of uploads that have ended is removed', async () => {
    const catalogue = await open()
    if (!catalogue) return
    await using turns = catalogue
    const { uploadTurns } = turns
    await uploadTurns.take({ token: 'a', holder: 'one', seconds: 30 })
    await uploadTurns.want({ token: 'a', holder: 'two', seconds: 30 })
    expect(await uploadTurns.wanted({ tokens: ['a', 'b'], holder: 'one' })).toEqual(['a'])
    expect(await uploadTurns.wanted({ tokens: ['a', 'b'], holder: 'two' })).toEqual([])
    expect(await uploadTurns.forget()).toBe(0)
    await uploadTurns.end({ token: 'a', holder: 'one', turn: 1 })
    await uploadTurns.want({ token: 'a', holder: 'two', seconds: -1 })
    expect(await uploadTurns.forget()).toBe(2)
    expect(await uploadTurns.take({ token: 'a', holder: 'one', seconds: 30 })).toMatchObject({ turn: 1 })
  })

  test('who wants to write is let in when the other has stopped, refused as Locked where it does not, and told when its own turn is lost', async () => {
    const catalogue = await open()
    if (!catalogue) return
    await using turns = catalogue
    const common = { catalogue: turns, clock: systemClock, log: silentLog, isDead: () => false }
    await using one = createSharedTurns({ ...common, holder: 'one' })
    await using two = createSharedTurns({ ...common, holder: 'two' })
    const asked = Promise.withResolvers<void>()
    const first = await one.enter('a', () => asked.resolve())
    const second = two.enter('a', () => {})
    await asked.promise
    await first[Symbol.asyncDispose]()
    expect(await second).toMatchObject({ number: 2, isTakenOver: false })

    await using hasty = createSharedTurns({ ...common, holder: 'three', patienceMs: 300 })
    await expect(hasty.enter('a', () => {})).rejects.toMatchObject({ code: 'Locked', retryAfterSeconds: 1 })

    await using short = createSharedTurns({ ...common, holder: 'four', leaseSeconds: 3 })
    const lost = Promise.withResolvers<Error>()
    await short.enter('b', lost.resolve)
    const { uploadTurns } = turns
    await uploadTurns.take({ token: 'b', holder: 'five', seconds: 30, dead: { holder: 'four', turn: 1 } })
    expect((await lost.promise).message).toMatch(/another process/)
  }, 30_000)
})

test('a process that writes on after its turn was taken over harms nothing: the other one goes on in a file of its own', async () => {
  const [root, staging] = [join(directory, 'files'), join(directory, 'staging')]
  await Promise.all([mkdir(root), mkdir(staging)])
  const settings = { name: 's', type: 'local', data: { store_path: root, staging_path: staging, reserve: 0 } }
  await using one = await openStore(settings, { createMarker: true })
  await using two = await openStore(settings)
  const id = 'spool'
  {
    await using spool = await one.openSpool(id, { turn: 1 })
    expect(await spool.append(Readable.from([Buffer.from('first,')]))).toBe(6)
  }
  {
    // Whoever gave its turn back does not write any more; the other one knows how far it came.
    expect(await two.spoolOffset(id)).toBe(6)
    await using spool = await two.openSpool(id, { turn: 2 })
    expect(await spool.append(Readable.from([Buffer.from('second,')]))).toBe(13)
  }
  await using stale = await one.openSpool(id, { turn: 3 })
  expect(stale.offset).toBe(13)
  await using fresh = await two.openSpool(id, { turn: 4, isTakenOver: true })
  expect(await stale.append(Readable.from([Buffer.from('stale and longer')]))).toBe(29)
  expect(await two.spoolOffset(id)).toBe(13)
  expect(await fresh.append(Readable.from([Buffer.from('third')]))).toBe(18)
  expect(await one.spoolOffset(id)).toBe(18)
  const work = { id: '0'.repeat(32), token: 1, origin: { from: 'spool', id }, size: 18, checksum: undefined } as const
  const [prepared] = await one.prepare([work])
  if (!prepared?.ok) throw prepared?.error
  await one.publish([{ ...work, name: 'kept', kind: 'file', sha256: prepared.value.sha256 }])
  await using kept = await one.open('kept')
  const pieces: Uint8Array[] = []
  for await (const piece of kept.read(0, kept.size)) pieces.push(piece)
  expect(Buffer.concat(pieces).toString()).toBe('first,second,third')
})

test('A4: an append that is refused at its end takes nothing back from what was committed meanwhile, by another process too', async () => {
  await using place = await LocalPlace.make()
  const [one, two] = [await place.open(), await place.open()]
  const content = randomBytes(1 << 20)
  for (const committing of [one, two]) {
    const id = randomBytes(16).toString('hex')
    const refused = Promise.withResolvers<void>()
    async function* body() {
      yield content
      await refused.promise
    }
    await using spool = await one.openSpool(id, { turn: 1 })
    const appended = spool.append(body(), { accept: () => false })
    await expect.poll(async () => (await readFile(spool.path)).equals(content)).toBe(true)
    const work = { id, token: 1, origin: { from: 'spool', id }, size: content.length, checksum: undefined } as const
    const [prepared] = await committing.prepare([work])
    if (!prepared?.ok) throw prepared?.error
    await committing.publish([{ ...work, name: id, kind: 'file', sha256: prepared.value.sha256 }])
    refused.resolve()
    await expect(appended).rejects.toMatchObject({ code: 'Conflict' })
    expect((await readFile(join(place.root, id))).equals(content)).toBe(true)
  }
})
