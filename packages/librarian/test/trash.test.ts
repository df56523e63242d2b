/** What becomes of deleted copies (reliability B1 to B4, F4): over a catalogue and stores in memory. */
import { expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { rebuild } from '../src/services/recovery/rebuild.ts'
import { fallAt } from './fall.ts'
import { type CopiesOptions, openCopies } from './open-copies.ts'
import { bytesOf, newGround } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })
const by = { actor: 'ada', reason: 'test' }

/** A file on two stores, the first copy of which is deleted. */
async function openDeleted(options: CopiesOptions = {}) {
  const world = await openCopies(options)
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id: instanceId } = (await world.copyOf('a'))!
  const { id } = await world.gate.remove({ ...by, instanceId })
  return { ...world, id, instanceId }
}

const openErrors = async ({ ground }: Awaited<ReturnType<typeof openCopies>>) =>
  await ground.catalogue.errors.search({ includeResolved: false, limit: 100 })

test('F4: the audit has who deleted what, why and by which proofs, and what was refused and why', async () => {
  const world = await openDeleted()
  const second = (await world.copyOf('a', 2))!
  await expect(world.gate.remove({ actor: 'ben', reason: 'room', instanceId: second.id })).rejects.toEqual(
    code('KeepsLastCopy'),
  )
  await expect(world.gate.remove({ ...by, instanceId: 999 })).rejects.toEqual(code('NotFound'))
  expect(await world.audited()).toMatchObject([
    {
      actor: 'ada',
      action: 'deletion/trash',
      subject: 'a',
      reason: 'test',
      trash: world.id,
      proofs: [{ instance: second.id, store: 'second', state: 'ok' }],
      outcome: 'done',
    },
    { actor: 'ben', subject: 'a', reason: 'room', outcome: 'refused', code: 'KeepsLastCopy', proofs: [] },
    { actor: 'ada', subject: '999', outcome: 'refused', code: 'NotFound' },
  ])
})

test('B1: two good copies must remain unless the settings say one', async () => {
  const world = await openCopies({ floor: 2 })
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id: instanceId } = (await world.copyOf('a'))!
  await expect(world.gate.remove({ ...by, instanceId })).rejects.toEqual(code('KeepsLastCopy'))
  await world.copyTo(3, 'a')
  expect(await world.gate.remove({ ...by, instanceId })).toMatchObject({ fileName: 'a' })
})

test('B2: restore() brings the copy back under its name and number, read in full; once', async () => {
  const world = await openDeleted()
  expect(await world.gate.restore({ id: world.id, actor: 'ben' })).toEqual({
    fileName: 'a',
    instanceId: world.instanceId,
    state: 'ok',
  })
  expect(await world.copyOf('a')).toMatchObject({ id: world.instanceId, available: 1, state: 'ok' })
  expect(await world.store.stat('a')).toBeDefined()
  expect((await world.audited()).at(-1)).toMatchObject({ actor: 'ben', action: 'deletion/restore', outcome: 'done' })
  await expect(world.gate.restore({ id: world.id, actor: 'ben' })).rejects.toEqual(code('Conflict'))
  await expect(world.gate.restore({ id: '0'.repeat(32), actor: 'ben' })).rejects.toEqual(code('NotFound'))
  expect((await world.audited()).at(-1)).toMatchObject({ outcome: 'refused', code: 'NotFound' })
})

test('restore() gives a copy that was damaged in the trash back as what it is', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id: instanceId } = (await world.copyOf('a'))!
  world.store.damage('a', bytesOf('evil'))
  const { id } = await world.gate.remove({ ...by, instanceId })
  expect(await world.gate.restore({ id, actor: 'ben' })).toMatchObject({ state: 'mismatch' })
  expect(await world.copyOf('a')).toMatchObject({ state: 'mismatch' })
})

test('B2: the trash is purged after its time, not before, and then cannot be restored', async () => {
  const world = await openDeleted()
  expect(await world.gate.purgeDue()).toEqual({ purged: 0, kept: 0 })
  const later = await openCopies({ ground: world.ground, purgeAfterSeconds: -1 })
  expect(await later.gate.purgeDue()).toEqual({ purged: 1, kept: 0 })
  expect(await Array.fromAsync(world.store.removed())).toEqual([])
  await expect(world.gate.restore({ id: world.id, actor: 'ben' })).rejects.toEqual(code('Conflict'))
  expect((await world.audited()).at(-2)).toMatchObject({
    actor: 'task:purge',
    action: 'deletion/purge',
    proofs: [{ store: 'second', state: 'ok' }],
    outcome: 'done',
  })
})

test('B2: what would be the last good copy is not purged; an alarm says so, and it can be restored', async () => {
  const world = await openDeleted({ purgeAfterSeconds: -1 })
  world.ground.stores[1]!.damage('a', bytesOf('evil'))
  expect(await world.gate.purgeDue()).toEqual({ purged: 0, kept: 1 })
  expect(await world.gate.purgeDue()).toEqual({ purged: 0, kept: 1 })
  const told = (await openErrors(world)).filter(({ caller }) => caller === 'deletion')
  expect(told).toHaveLength(1)
  expect(told[0]!.message).toContain(`arriero trash restore ${world.id}`)
  expect(await world.gate.restore({ id: world.id, actor: 'ben' })).toMatchObject({ state: 'ok' })
})

test('B3: a store that is not there keeps what is in its trash', async () => {
  const world = await openDeleted({ purgeAfterSeconds: -1 })
  world.store.unavailableBecause = 'unplugged'
  expect(await world.gate.purgeDue()).toEqual({ purged: 0, kept: 1 })
  await expect(world.gate.restore({ id: world.id, actor: 'ben' })).rejects.toEqual(code('StoreUnavailable'))
  world.store.unavailableBecause = undefined
  expect(await world.gate.restore({ id: world.id, actor: 'ben' })).toMatchObject({ state: 'ok' })
})

test('B4: the brake stops deletions, raises an alarm, and holds until a person has cleared it', async () => {
  const world = await openCopies()
  const victims: number[] = []
  for (let n = 0; n < 102; n++) {
    await world.upload(`f${n}`, bytesOf(`content ${n}`))
    await world.copyTo(2, `f${n}`)
    victims.push((await world.copyOf(`f${n}`))!.id)
  }
  for (const instanceId of victims.slice(0, 100)) await world.gate.remove({ ...by, instanceId })
  const [next, last] = victims.slice(100) as [number, number]
  await expect(world.gate.remove({ ...by, instanceId: next })).rejects.toEqual(code('TooMany'))
  await expect(world.gate.remove({ ...by, instanceId: next })).rejects.toEqual(code('TooMany'))
  const alarms = (await openErrors(world)).filter(({ severity }) => severity === 'critical')
  expect(alarms).toMatchObject([{ message: expect.stringContaining('brake of store main') }])
  expect(await world.store.stat('f100')).toBeDefined()
  // Other stores go on.
  const elsewhere = (await world.copyOf('f100', 2))!
  expect(await world.gate.remove({ ...by, instanceId: elsewhere.id })).toMatchObject({ fileName: 'f100' })
  await world.ground.catalogue.errors.clear({ id: alarms[0]!.id })
  expect(await world.gate.remove({ ...by, instanceId: last })).toMatchObject({ fileName: 'f101' })
})

const acts = {
  async remove(world: Awaited<ReturnType<typeof openCopies>>, { instanceId }: { id: string; instanceId: number }) {
    await world.gate.remove({ ...by, instanceId })
  },
  async restore(world: Awaited<ReturnType<typeof openCopies>>, { id }: { id: string; instanceId: number }) {
    await world.gate.restore({ id, actor: 'ben' })
  },
  async purge(world: Awaited<ReturnType<typeof openCopies>>) {
    await world.gate.purgeDue()
  },
}

test.each(['remove', 'restore', 'purge'] as const)(
  'A3, F4: killed at any call of a %s, recovery leaves bytes, rows and audit of one mind',
  async what => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; ; at += 1) {
        const setUp = await openDeleted({ purgeAfterSeconds: -1 })
        const { ground, id, instanceId } = setUp
        if (what === 'remove') await setUp.gate.restore({ id, actor: 'ben' })
        const fall = fallAt({ at, how: 'kill', when })
        const { wrapCatalogue, wrapStore } = fall
        const dying = await openCopies({ ground, wrapCatalogue, wrapStore, purgeAfterSeconds: -1 })
        await Promise.race([acts[what](dying, { id, instanceId }), fall.died])
        if (fall.fallen() === undefined) break
        const where = `${what}: ${when} call ${at}, ${fall.fallen()}`
        // Two at once find the same.
        const next = await openCopies({ ground, dead: new Set([dying.holder]) })
        const other = await openCopies({ ground, dead: new Set([dying.holder]) })
        await Promise.all([next.gate.recover(), other.gate.recover()])
        const copy = await next.copyOf('a')
        const isNamed = (await next.store.stat('a')) !== undefined
        const isInTrash = (await Array.fromAsync(next.store.removed())).length > 0
        expect([copy?.available ?? 0, isNamed], where).toEqual(isNamed ? [1, true] : [0, false])
        const rows = (await ground.catalogue.trash.list({})).length
        expect([isInTrash, rows], where).toEqual(isInTrash ? [true, 1] : [false, 0])
        const done = (await next.audited()).filter(({ outcome }) => outcome === 'done').map(({ action }) => action)
        const expected = what === 'remove' ? ['deletion/trash', 'deletion/restore'] : ['deletion/trash']
        const isDone = what === 'restore' ? isNamed : what === 'purge' ? !isInTrash : !isNamed
        const last = { remove: 'deletion/trash', restore: 'deletion/restore', purge: 'deletion/purge' }[what]
        expect(done, where).toEqual(isDone ? [...expected, last] : expected)
        expect(await next.ground.stores[1]!.stat('a'), where).toBeDefined()
      }
    }
  },
)

test('a restore and a purge at once: one of them has it', async () => {
  const world = await openDeleted({ purgeAfterSeconds: -1 })
  const other = await openCopies({ ground: world.ground })
  const [restored, purged] = await Promise.allSettled([
    other.gate.restore({ id: world.id, actor: 'ben' }),
    world.gate.purgeDue(),
  ])
  const isBack = (await world.store.stat('a')) !== undefined
  expect([restored.status, purged]).toEqual([
    isBack ? 'fulfilled' : 'rejected',
    { status: 'fulfilled', value: expect.objectContaining({ purged: isBack ? 0 : 1 }) },
  ])
})

test('G1: a rebuild knows what was restored, and takes no purge of old bytes for the end of newer ones', async () => {
  const world = await openDeleted({ purgeAfterSeconds: -1 })
  await world.gate.restore({ id: world.id, actor: 'ben' })
  await world.upload('b', bytesOf('other'))
  await world.copyTo(2, 'b')
  const { id: instanceId } = (await world.copyOf('b'))!
  await world.gate.remove({ ...by, instanceId })
  await world.gate.purgeDue()
  const empty = await newGround(['main', 'second', 'third'])
  const { stores, clockNow } = { stores: world.stores, clockNow: () => Date.now() }
  const clock = { now: () => performance.now(), wallNow: clockNow, sleep: async () => {} }
  await rebuild({ catalogue: empty.catalogue, stores, clock, directories: 'none' })
  const { instances } = await empty.catalogue.instances.all()
  const onMain = instances.filter(({ store_id }) => store_id === 1)
  expect(onMain.map(({ file_name, available }) => [file_name, available])).toEqual([['a', 1]])
})

test('what an error has interrupted is ended by itself, without a restart and without another call', async () => {
  for (const act of ['remove', 'restore'] as const) {
    // The last change of the catalogue: by then the bytes have moved.
    const call = { remove: 'finish', restore: 'finishRestore' }[act]
    let isAway = false
    const wrapCatalogue = (catalogue: Catalogue) => {
      const failing = (calls: object) =>
        new Proxy(calls, {
          get: (target, key) =>
            key === call && isAway ? () => Promise.reject(new Error('it is away')) : Reflect.get(target, key),
        })
      return Object.create(catalogue, {
        deletions: { value: failing(catalogue.deletions) },
        trash: { value: failing(catalogue.trash) },
      }) as Catalogue
    }
    const world = await openCopies({ wrapCatalogue })
    await world.upload('a', bytesOf('good'))
    await world.copyTo(2, 'a')
    const { id: instanceId } = (await world.copyOf('a'))!
    const removed = act === 'restore' ? await world.gate.remove({ ...by, instanceId }) : undefined
    isAway = true
    await expect(
      removed ? world.gate.restore({ id: removed.id, actor: 'ada' }) : world.gate.remove({ ...by, instanceId }),
    ).rejects.toThrow('it is away')
    expect(await world.ground.catalogue.deletions.interrupted()).toHaveLength(1)
    isAway = false
    await expect.poll(() => world.ground.catalogue.deletions.interrupted()).toEqual([])
    expect((await world.copyOf('a'))?.available).toBe(removed ? 1 : undefined)
    await world.gate.close()
  }
})
