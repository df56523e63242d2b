/** B8: a file is destroyed by two administrators, through the gate, into the trash; over a catalogue in memory and at the wire. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { silentLog } from '../src/log.ts'
import { createDestructions } from '../src/services/destructions.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import { fallAt } from './fall.ts'
import { addUser, openTestHouse } from './house.ts'
import { type CopiesOptions, openCopies } from './open-copies.ts'
import { bytesOf } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })
const ada = { name: 'ada', level: 'ADMIN' } as const
const ben = { name: 'ben', level: 'ADMIN' } as const

async function open(options: CopiesOptions = {}) {
  const world = await openCopies(options)
  const { catalogue, stores, gate } = world
  return {
    ...world,
    destructions: createDestructions({ catalogue, stores, gate, random: randomBytes, log: silentLog }),
  }
}

/** A file with a good copy on each of two stores, and the proposal to destroy it. */
async function openProposed() {
  const world = await open()
  for (const { name } of [ada, ben]) await addUser(world.catalogue, name, 'ADMIN')
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id } = await world.destructions.propose({ fileName: 'a', reason: 'wrong' }, ada)
  return { ...world, proposal: { id, fileName: 'a' } }
}

const copiesOf = async ({ catalogue }: Awaited<ReturnType<typeof open>>) =>
  (await catalogue.instances.ofFile({ name: 'a' }))!.instances.length

/** As if the trash had waited so long. */
async function age({ ground }: Awaited<ReturnType<typeof open>>, days: number): Promise<void> {
  const then = new Date(Date.now() - days * 86_400_000).toISOString().replace('Z', '000Z')
  const trial = ground.catalogue as unknown as { trial: { write(text: string): Promise<unknown> } }
  await trial.trial.write(`UPDATE trash SET trashed = '${then}'`)
}

test('nothing is proposed without a reason, and spaces are none', async () => {
  const world = await open()
  await addUser(world.catalogue, 'ada', 'ADMIN')
  await world.upload('a', bytesOf('good'))
  for (const reason of ['', ' ', '\t\n']) {
    await expect(world.destructions.propose({ fileName: 'a', reason }, ada)).rejects.toEqual(code('BadRequest'))
  }
  expect(await world.destructions.list(10)).toEqual([])
})

test('a proposal moves nothing, and neither does its confirmation by the same administrator or under another name', async () => {
  const world = await openProposed()
  await expect(world.destructions.confirm(world.proposal, ada)).rejects.toEqual(code('Conflict'))
  await expect(world.destructions.confirm({ ...world.proposal, fileName: 'b' }, ben)).rejects.toEqual(
    code('BadRequest'),
  )
  expect(await copiesOf(world)).toBe(2)
  expect(await world.audited()).toEqual([])
})

test('the other one’s confirmation lets all copies go to the trash, the last one too, and the audit has by what', async () => {
  const world = await openProposed()
  const { id } = world.proposal
  const { destroyed, kept } = await world.destructions.confirm(world.proposal, ben)
  expect([destroyed.map(({ storeName }) => storeName), kept]).toEqual([['main', 'second'], []])
  expect(await copiesOf(world)).toBe(0)
  expect(await world.audited()).toMatchObject(
    destroyed.map(({ trashId: trash }) => {
      return { actor: 'ben', action: 'deletion/trash', subject: 'a', trash, destruction: id, reason: 'wrong' }
    }),
  )
  // Again: there is nothing left to do.
  expect(await world.destructions.confirm(world.proposal, ben)).toEqual({ destroyed: [], kept: [] })
})

test('what could not go is named, stays as it was, and goes when it is confirmed again', async () => {
  const world = await openProposed()
  world.ground.stores[1]!.unavailableBecause = 'unplugged'
  const first = await world.destructions.confirm(world.proposal, ben)
  expect(first.destroyed).toMatchObject([{ storeName: 'main' }])
  expect(first.kept).toMatchObject([{ storeName: 'second', why: expect.stringContaining('unplugged') }])
  expect(await world.copyOf('a', 2)).toMatchObject({ available: 1 })
  world.ground.stores[1]!.unavailableBecause = undefined
  expect(await world.destructions.confirm(world.proposal, ben)).toMatchObject({
    destroyed: [{ storeName: 'second' }],
    kept: [],
  })
})

test('it can be undone for 30 days; then the bytes go though no copy remains', async () => {
  const world = await openProposed()
  const { destroyed } = await world.destructions.confirm(world.proposal, ben)
  await age(world, 29)
  expect(await world.gate.purgeDue()).toEqual({ purged: 0, kept: 0 })
  await age(world, 31)
  expect(await world.gate.purgeDue()).toEqual({ purged: 2, kept: 0 })
  for (const store of world.ground.stores) expect(await Array.fromAsync(store.removed())).toEqual([])
  await expect(world.gate.restore({ id: destroyed[0]!.trashId, actor: 'ada' })).rejects.toEqual(code('Conflict'))
})

test('a copy that was brought back ends the agreement: what is left in the trash needs proofs again', async () => {
  const world = await openProposed()
  const { destroyed } = await world.destructions.confirm(world.proposal, ben)
  expect(await world.gate.restore({ id: destroyed[0]!.trashId, actor: 'ada' })).toMatchObject({ state: 'ok' })
  await expect(world.destructions.confirm(world.proposal, ben)).rejects.toEqual(code('Conflict'))
  world.store.damage('a', bytesOf('evil'))
  await age(world, 31)
  expect(await world.gate.purgeDue()).toEqual({ purged: 0, kept: 1 })
  expect(await world.gate.restore({ id: destroyed[1]!.trashId, actor: 'ada' })).toMatchObject({ state: 'ok' })
})

test('its name stays taken: one name never means two contents', async () => {
  const world = await openProposed()
  await world.destructions.confirm(world.proposal, ben)
  await expect(world.upload('a', bytesOf('evil'))).rejects.toEqual(code('FileExists'))
  expect(await copiesOf(world)).toBe(0)
})

test('B6: a copy that another librarian counts on stays', async () => {
  const world = await openProposed()
  const { id: instanceId } = (await world.copyOf('a'))!
  await world.catalogue.holds.take({ id: 'c'.repeat(32), instanceId, holder: 'peru', seconds: 60 })
  const { destroyed, kept } = await world.destructions.confirm(world.proposal, ben)
  expect([destroyed, kept]).toMatchObject([[{ storeName: 'second' }], [{ storeName: 'main', instanceId }]])
  expect(await world.store.stat('a')).toBeDefined()
})

test('killed at any call, a destruction leaves bytes and rows of one mind, and its recovery destroys no further copy', {
  timeout: 60_000,
}, async () => {
  for (let at = 1; ; at += 1) {
    const { ground, proposal } = await openProposed()
    const fall = fallAt({ at, how: 'kill', when: 'after' })
    const { wrapCatalogue, wrapStore } = fall
    const dying = await open({ ground, wrapCatalogue, wrapStore })
    await Promise.race([dying.destructions.confirm(proposal, ben), fall.died])
    if (fall.fallen() === undefined) break
    const where = `call ${at}, ${fall.fallen()}`
    const named = async () => await Promise.all(ground.stores.map(async store => (await store.stat('a')) !== undefined))
    const before = await named()
    const next = await open({ ground, dead: new Set([dying.holder]) })
    await next.gate.recover()
    for (const [store, isNamed] of (await named()).entries()) {
      expect((await next.copyOf('a', store + 1))?.available ?? 0, where).toBe(isNamed ? 1 : 0)
      expect(isNamed || !before[store] || store > 1, where).toBe(true)
    }
    // Where the confirmation had been written, confirming again ends it; where not, it is a confirmation.
    expect((await next.destructions.confirm(proposal, ben)).kept, where).toEqual([])
    expect(await copiesOf(next), where).toBe(0)
    await next.gate.close()
  }
})

test('at the wire: two administrators, an account that one of them has just made, and nobody below them', async () => {
  const main = new MemoryStore({ name: 'main' })
  const store = { id: 1, name: 'main', store: main, ingestable: true, transferManagers: {} }
  await using house = await openTestHouse({ settings: { name: 'here' }, stores: [store] })
  await addUser(house.catalogue, 'ben', 'ADMIN')
  const path = 'admin/destruction'
  const request = { file_name: 'a', reason: 'wrong' }
  expect((await house.post(`${path}/propose`, request)).status).toBe(404)

  await house.catalogue.stores.synchronise({
    stores: [{ name: 'main', ingestable: true, type: 'local', data: {}, transferManagers: {} }],
  })
  main.damage('a', bytesOf('good'))
  const added = await house.post('admin/add_file', {
    ...(await describeContent(bytesOf('good'), undefined)),
    name: 'a',
    create_time: '2020-01-01T00:00:00',
    uploader: 'u',
    source: 's',
    path: main.pathOf('a'),
    store_name: 'main',
  })
  expect(added.status).toBe(200)
  expect((await house.post(`${path}/propose`, request, 'READWRITE')).status).toBeGreaterThanOrEqual(400)
  for (const reason of ['', ' \n']) {
    const refused = await house.post(`${path}/propose`, { ...request, reason })
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([422, expect.stringContaining('must say why')])
  }
  const proposed = await house.post(`${path}/propose`, request)
  expect(proposed.body).toMatchObject({ file_name: 'a', proposed_by: 'admin', reason: 'wrong' })
  const { destruction_id } = proposed.body
  expect((await house.post(`${path}/list`, {}, 'ben')).body.destructions).toMatchObject([{ destruction_id }])

  const confirmation = { destruction_id, file_name: 'a' }
  expect((await house.post(`${path}/confirm`, confirmation)).status).toBe(409)
  const password = 'secret of puppet'
  await house.post('users/create', { username: 'puppet', password, permission: 100 })
  const puppets = await house.post(`${path}/confirm`, confirmation, 'puppet')
  expect([puppets.status, puppets.body.reason]).toEqual([409, expect.stringContaining('within a week')])
  expect(await main.stat('a')).toBeDefined()

  const confirmed = await house.post(`${path}/confirm`, confirmation, 'ben')
  expect(confirmed.body).toMatchObject({ success: true, destroyed: [{ store_name: 'main' }], kept: [] })
  expect(await main.stat('a')).toBeUndefined()
  const { trash } = (await house.post('admin/trash/list', {})).body
  const keptDays = (Date.parse(trash[0].purge_time) - Date.parse(trash[0].deleted_time)) / 86_400_000
  expect([trash[0].trash_id, keptDays]).toEqual([confirmed.body.destroyed[0].trash_id, 30])
  const { trash_id } = trash[0]
  expect((await house.post('admin/trash/restore', { trash_id })).body).toMatchObject({ state: 'ok' })

  const entries = (await house.catalogue.audit.list({ limit: 99 })).toReversed()
  const told = entries.filter(({ action }) => action.startsWith(path) || action.startsWith('deletion'))
  expect(told.map(({ actor, action, detail }) => [actor, action, JSON.parse(detail).outcome])).toEqual([
    ['admin', `${path}/propose`, 'refused'],
    ['admin', `${path}/propose`, 'done'],
    ['admin', `${path}/confirm`, 'refused'],
    ['puppet', `${path}/confirm`, 'refused'],
    ['ben', `${path}/confirm`, 'done'],
    ['ben', 'deletion/trash', 'done'],
    ['admin', 'deletion/restore', 'done'],
  ])
})
