/** What a librarian of release 5.0.1 sends again in place of a bad copy, over the wire (librarian 10.10, 11.4, 11.9; reliability B5). */
import { expect, test } from 'vitest'
import type { Upstream } from '../src/services/repair/upstream.ts'
import type { MemoryStore } from '../src/stores/memory.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import { nobody } from './open-integrity.ts'
import { startGiver, startTaker, type Taker, type TakerOptions, until } from './two-librarians.ts'
import { bytesOf, newGround, openWorld, type WorldGround } from './world.ts'

const fromGiver = { caller: { name: 'a', level: 'READAPPEND' } } as const

async function contentOf(store: MemoryStore, name: string): Promise<string> {
  await using open = await store.open(name)
  return Buffer.concat(await Array.fromAsync(open.read(0, open.size))).toString()
}

async function quarantined(store: MemoryStore): Promise<number> {
  return (await Array.fromAsync(store.removed())).filter(({ place }) => place === 'quarantine').length
}

/** A copy of `a/b`, which came from librarian `a`, is bad. */
async function damaged(): Promise<WorldGround> {
  const ground = await newGround()
  const world = await openWorld({ ground })
  await world.upload('a/b', bytesOf('good'), fromGiver)
  world.store.damage('a/b', bytesOf('evil'))
  return ground
}

/** As release 5.0.1 does within `corrupt/resend`: announces, says that it is on its way, and gives the receiver's number. */
function askToSend(of: () => Taker, numbers = numbersFrom(41)): Upstream {
  return {
    ...nobody,
    candidates: async ({ source }) => [source],
    askToSend: async (_, name) => await announceAgain(of(), name, numbers()),
  }
}

function numbersFrom(first: number): () => number {
  let next = first
  return () => next++
}

async function announceAgain({ asGiver }: Taker, name: string, number: number, content = 'good'): Promise<number> {
  const { size, checksum } = await describeContent(bytesOf(content), undefined)
  const upload = { upload_size: size, upload_checksum: checksum, upload_name: name, destination_location: name }
  const uploads = [{ ...upload, uploader: 'ada', source_transfer_id: number }]
  const staged = await asGiver.clone.batchStage({ source: 'a', total_size: size, uploads })
  const ids = staged.uploads.map(one => one.destination_transfer_id)
  await asGiver.checkin.update({ source_transfer_ids: [], destination_transfer_ids: ids, new_status: 1 })
  return ids[0]!
}

/** The rest of what the sender does, from its background process. */
async function put({ world, asGiver }: Taker, content: string): Promise<void> {
  const [row] = await world.ground.catalogue.uploads.list({ statuses: ['ONGOING'], limit: 1 })
  world.store.stage(row!.staging_path!, row!.upload_name, bytesOf(content))
  await asGiver.checkin.update({ source_transfer_ids: [], destination_transfer_ids: [row!.id], new_status: 2 })
}

async function startAsker(options: Omit<TakerOptions, 'upstream'>): Promise<Taker> {
  const taker: Taker = await startTaker({ ...options, upstream: askToSend(() => taker) })
  return taker
}

const repairIt = ({ repair }: Taker) => repair.repairFile('a/b', { actor: 'task:repair' })

test('B5, trap 3: it takes the place of the bad copy, which is kept until then and after, and its sender is told', async () => {
  await using giver = await startGiver({ files: {} })
  const ground = await damaged()
  const { store } = await openWorld({ ground })
  await using taker = await startAsker({ giverPort: giver.app.port, ground })
  taker.start()
  expect(await repairIt(taker)).toMatchObject([{ outcome: 'requested' }])
  expect(await contentOf(store, 'a/b')).toBe('evil')
  // Nobody asks twice while it is on its way.
  expect(await repairIt(taker)).toMatchObject([{ outcome: 'requested' }])
  await put(taker, 'good')
  expect(await contentOf(store, 'a/b')).toBe('evil')
  expect(await taker.run('recieve_clone')).toMatchObject({ counts: { received: 1, failed: 0, left: 0 } })
  expect(await contentOf(store, 'a/b')).toBe('good')
  expect(await quarantined(store)).toBe(1)
  await until(() => giver.completed.length === 1)
  expect(giver.completed).toMatchObject([{ source_transfer_id: 41, store_id: 1 }])
  expect(await repairIt(taker)).toMatchObject([{ outcome: 'good' }])
  expect(await Array.fromAsync(store.stagings())).toEqual([])
  expect(await ground.catalogue.instances.corrupt()).toEqual([])
})

test('what comes wrong fails its transfer, its sender hears of it, the bad copy stays, and it is asked for again', async () => {
  await using giver = await startGiver({ files: {} })
  const ground = await damaged()
  const { store } = await openWorld({ ground })
  await using taker = await startAsker({ giverPort: giver.app.port, ground })
  taker.start()
  await repairIt(taker)
  await put(taker, 'liar')
  expect(await taker.run('recieve_clone')).toMatchObject({ counts: { received: 0, failed: 1 } })
  await until(() => giver.failed.length === 1)
  expect([await contentOf(store, 'a/b'), await quarantined(store)]).toEqual(['evil', 0])
  expect(await Array.fromAsync(store.stagings())).toEqual([])
  expect(await repairIt(taker)).toMatchObject([{ outcome: 'requested' }])
  await put(taker, 'good')
  await taker.run('recieve_clone')
  expect(await contentOf(store, 'a/b')).toBe('good')
})

test('what nobody asked for is refused as ever: of a good copy, of another content, and a second time', async () => {
  await using giver = await startGiver({ files: {} })
  const ground = await damaged()
  await using taker = await startAsker({ giverPort: giver.app.port, ground })
  const refused = expect.objectContaining({ code: 'FileExists' })
  await expect(announceAgain(taker, 'a/b', 1)).rejects.toEqual(refused)
  await repairIt(taker)
  await expect(announceAgain(taker, 'a/b', 2, 'other')).rejects.toEqual(refused)
  await expect(announceAgain(taker, 'a/b', 3)).rejects.toEqual(refused)
})

test('it lands on the store of the bad copy alone, also where nothing new may land', async () => {
  await using giver = await startGiver({ files: {} })
  const ground = await newGround(['archive', 'main'])
  const world = await openWorld({ ground })
  await world.upload('a/b', bytesOf('good'), fromGiver)
  world.store.damage('a/b', bytesOf('evil'))
  await using taker = await startAsker({ giverPort: giver.app.port, ground })
  Object.assign(taker.world.stores.byName('archive')!, { ingestable: false })
  await repairIt(taker)
  expect(await ground.catalogue.uploads.list({ statuses: ['ONGOING'], limit: 9 })).toMatchObject([{ store_id: 1 }])
  await put(taker, 'good')
  expect(await taker.run('recieve_clone')).toMatchObject({ counts: { received: 1 } })
  expect(await contentOf(world.store, 'a/b')).toBe('good')
})

test('A3: killed between the repair and the end of its transfer, the next life completes the transfer', async () => {
  await using giver = await startGiver({ files: {} })
  const ground = await damaged()
  await using first = await startAsker({ giverPort: giver.app.port, ground })
  await repairIt(first)
  await put(first, 'good')
  const [row] = await ground.catalogue.uploads.list({ statuses: ['STAGED'], limit: 1 })
  const origin = { from: 'staging', id: row!.staging_path!, uploadName: 'a/b' } as const
  await first.repair.takeReplacement({ fileName: 'a/b', transferId: row!.id, librarian: 'a', storeId: 1, origin })
  await using second = await startAsker({ giverPort: giver.app.port, ground })
  second.start()
  expect(await second.run('recieve_clone')).toMatchObject({ counts: { received: 1 } })
  await until(() => giver.completed.length === 1)
  expect(await quarantined(second.world.store)).toBe(1)
})
