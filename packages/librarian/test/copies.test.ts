/** Reading copies, deleting one, adding one that is there: over a catalogue and stores in memory. */
import { expect, test } from 'vitest'
import { Act } from '../src/services/act.ts'
import { createCopiesHealth } from '../src/services/copies/copies-health.ts'
import { reconcile } from '../src/services/recovery/reconcile.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import { fallAt } from './fall.ts'
import { openCopies } from './open-copies.ts'
import { ada, bytesOf } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })

test('validate() reads what has rotted and looks as before where that is asked for', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  world.store.rot('a', bytesOf('evil'))
  expect((await world.validation.validate('a')).copies).toMatchObject([{ isSame: true }])
  const { copies } = await world.validation.validate('a', { isFresh: true })
  expect(copies).toMatchObject([{ isSame: false, state: 'mismatch' }])
})

test('validate() answers from the cache while the file looks the same, and reads when it does not', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  expect((await world.validation.validate('a')).copies).toMatchObject([{ isSame: true, size: 4, state: 'ok' }])
  expect(world.reads()).toBe(0)
  world.store.damage('a', bytesOf('evil'))
  expect((await world.validation.validate('a')).copies).toMatchObject([{ isSame: false, state: 'mismatch' }])
  // A bad read is made twice before it is a verdict.
  expect(world.reads()).toBe(2)
})

test('a damaged copy is known by its instance, and no longer once a read is good again', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  world.store.damage('a', bytesOf('evil'))
  await world.validation.validate('a')
  expect(await world.ground.catalogue.instances.corrupt()).toMatchObject([{ file_name: 'a', count: 2 }])
  world.store.damage('a', bytesOf('good'))
  expect((await world.validation.validate('a')).copies).toMatchObject([{ isSame: true }])
  expect(await world.ground.catalogue.instances.corrupt()).toEqual([])
})

test('copies that are known to be bad are counted for those who watch, without names, until a read is good', async () => {
  const world = await openCopies()
  const health = createCopiesHealth(world.ground.catalogue)
  for (const name of ['a', 'b', 'c']) await world.upload(name, bytesOf('good'))
  expect(await health()).toEqual({ concerns: [] })
  for (const name of ['a', 'b']) world.store.damage(name, bytesOf('evil'))
  world.store.lose('c')
  for (const name of ['a', 'b', 'c']) await world.validation.validate(name)
  expect(await health()).toEqual({
    concerns: ['copies with other bytes than recorded: 2', 'copies that are missing: 1'],
  })
  world.store.damage('a', bytesOf('good'))
  await world.validation.validate('a')
  expect(await health()).toEqual({
    concerns: ['copies with other bytes than recorded: 1', 'copies that are missing: 1'],
  })
})

test('reconcile() tells when damage was found, not only when the copy was registered', async () => {
  const world = await openCopies()
  const { catalogue } = world.ground
  const damage = async () => {
    const findings = await reconcile(world.stores.all[0]!, catalogue)
    return findings.map(({ difference, since, found }) => ({ difference, since, found }))
  }
  await world.upload('a', bytesOf('good'))
  world.store.damage('a', bytesOf('evil'))
  expect(await damage()).toEqual([])
  await world.validation.validate('a')
  const since = (await world.copyOf('a'))!.created_time
  const found = await catalogue.readings.badSince({ instanceId: (await world.copyOf('a'))!.id })
  expect(found! > since).toBe(true)
  expect(await damage()).toEqual([{ difference: 'not-ok', since, found }])
  await world.validation.validate('a')
  expect(await damage()).toEqual([{ difference: 'not-ok', since, found }])
  world.store.damage('a', bytesOf('good'))
  await world.validation.validate('a')
  expect(await damage()).toEqual([])
})

test('a tree that differs in one member is told by that member’s name', async () => {
  const world = await openCopies()
  const tree = (second: string) =>
    new Map([
      ['a.txt', bytesOf('first')],
      ['sub/b.txt', bytesOf(second)],
    ])
  await world.upload('run', tree('other'))
  world.store.damage('run', tree('rehto'))
  const [copy] = (await world.validation.validate('run')).copies
  expect(copy).toMatchObject({ state: 'mismatch', isSame: false })
  expect(copy!.reason).toMatch(/^sub\/b\.txt must have the SHA-256 [0-9a-f]{64}, has [0-9a-f]{64}$/)
  world.store.damage(
    'run',
    new Map([
      ['a.txt', bytesOf('first')],
      ['c', bytesOf('new')],
    ]),
  )
  expect((await world.validation.validate('run')).copies[0]!.reason).toBe(
    'c was not there; sub is missing; sub/b.txt is missing',
  )
})

test('what cannot be read is told, and is not what is missing; both are not ok', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.upload('b', bytesOf('good'))
  world.store.damage('a', bytesOf('good'))
  world.store.makeUnreadable('a')
  world.store.lose('b')
  expect(await world.validation.validate('a')).toMatchObject({
    copies: [{ state: 'unreadable', isSame: false, checksum: '' }],
    absent: [],
  })
  expect(await world.validation.validate('b')).toMatchObject({ copies: [], absent: [{ state: 'missing' }] })
  expect(await world.copyOf('b')).toMatchObject({ state: 'missing' })
  await expect(world.validation.validate('c')).rejects.toEqual(code('NotFound'))
})

test('a copy on a store that is not there says nothing about the bytes', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  world.store.unavailableBecause = 'unplugged'
  expect(await world.validation.validate('a')).toMatchObject({ copies: [], absent: [{ state: 'unavailable' }] })
  // No row changes, so that it is served again as soon as the disk is back.
  expect(await world.copyOf('a')).toMatchObject({ state: 'ok' })
  world.store.unavailableBecause = undefined
  expect(await world.validation.validate('a')).toMatchObject({ copies: [{ isSame: true }], absent: [] })
})

test('B1: the last good copy is never deleted', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  const { id } = (await world.copyOf('a'))!
  await expect(world.admin.deleteLocal(id, { deletesFile: true }, ada)).rejects.toEqual(code('KeepsLastCopy'))
  expect(await world.store.stat('a')).toBeDefined()
  expect(await world.copyOf('a')).toMatchObject({ available: 1 })
})

test('B3: a bad copy among the others keeps this one, however many are good', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  await world.copyTo(3, 'a')
  world.ground.stores[2]!.damage('a', bytesOf('evil'))
  const { id } = (await world.copyOf('a'))!
  await expect(world.gate.remove({ instanceId: id, actor: 'ada', reason: 'test' })).rejects.toEqual(
    code('KeepsLastCopy'),
  )
  world.ground.stores[2]!.damage('a', bytesOf('good'))
  world.ground.stores[2]!.makeUnreadable('a')
  await expect(world.gate.remove({ instanceId: id, actor: 'ada', reason: 'test' })).rejects.toEqual(
    code('KeepsLastCopy'),
  )
  expect(await world.store.stat('a')).toBeDefined()
})

test('C1: a copy that was good an hour ago counts only as it is read now', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id } = (await world.copyOf('a'))!
  await world.gate.remove({ instanceId: id, actor: 'ada', reason: 'test' })
  expect(world.reads()).toBe(1)
})

test('remove() moves the bytes to the trash, with its reason, its line in the trail, and the other copy kept', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  await world.copyTo(2, 'a')
  const { id } = (await world.copyOf('a'))!
  const deletion = await world.gate.remove({ instanceId: id, actor: 'ada', reason: 'test' })
  expect(await world.store.stat('a')).toBeUndefined()
  expect(await world.copyOf('a')).toBeUndefined()
  expect(await Array.fromAsync(world.store.removed())).toEqual([{ id: deletion.id, place: 'trash' }])
  expect((await Array.fromAsync(world.store.readTrail())).map(({ action }) => action)).toEqual(['commit', 'trash'])
  const other = (await world.copyOf('a', 2))!
  await expect(world.gate.remove({ instanceId: other.id, actor: 'ada', reason: 'test' })).rejects.toEqual(
    code('KeepsLastCopy'),
  )
})

test('B6: two deletes at once, each with the other as its proof, leave one copy', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  const second = await world.copyTo(2, 'a')
  const { id } = (await world.copyOf('a'))!
  const ends = await Promise.allSettled([
    world.gate.remove({ instanceId: id, actor: 'ada', reason: 'test' }),
    world.gate.remove({ instanceId: second, actor: 'ada', reason: 'test' }),
  ])
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect((await world.ground.catalogue.instances.ofFile({ name: 'a' }))!.instances).toHaveLength(1)
})

test('a delete that is killed at any call keeps a copy for every row, and can be asked for again', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at += 1) {
      const setUp = await openCopies()
      await setUp.upload('a', bytesOf('good'))
      await setUp.copyTo(2, 'a')
      const { id } = (await setUp.copyOf('a'))!
      const fall = fallAt({ at, how: 'kill', when })
      const { ground } = setUp
      const dying = await openCopies({ ground, wrapCatalogue: fall.wrapCatalogue, wrapStore: fall.wrapStore })
      await Promise.race([dying.gate.remove({ instanceId: id, actor: 'ada', reason: 'test' }), fall.died])
      if (fall.fallen() === undefined) break
      const next = await openCopies({ ground, dead: new Set([dying.holder]) })
      await next.gate.recover()
      const copy = await next.copyOf('a')
      const where = `${when} ${fall.fallen()}`
      expect(copy?.available ?? 'gone', where).toBe((await next.store.stat('a')) ? 1 : 'gone')
      if (copy) await next.gate.remove({ instanceId: id, actor: 'ada', reason: 'again' })
      expect(await next.copyOf('a'), where).toBeUndefined()
      expect(await next.ground.stores[1]!.stat('a'), where).toBeDefined()
    }
  }
})

test('without its bytes a copy is only taken out of use: the row goes on naming them', async () => {
  const world = await openCopies()
  await world.upload('a', bytesOf('good'))
  const { id } = (await world.copyOf('a'))!
  await world.admin.deleteLocal(id, { deletesFile: false }, ada)
  expect(await world.copyOf('a')).toMatchObject({ available: 0 })
  expect(await world.store.stat('a')).toBeDefined()
  await expect(world.admin.deleteLocal(999, { deletesFile: false }, ada)).rejects.toEqual(code('NotFound'))
})

test('A3, F4: add_file killed at any call ends as done, with its entry, or as if it had not been asked', async () => {
  const content = bytesOf('found')
  const { size, checksum } = await describeContent(content, undefined)
  const act = () => new Act({ actor: 'admin', action: 'admin/add_file', subject: 'f' })
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at += 1) {
      const { ground } = await openCopies()
      ground.stores[0]!.damage('f', content)
      const fall = fallAt({ at, how: 'kill', when })
      const dying = await openCopies({ ground, wrapCatalogue: fall.wrapCatalogue, wrapStore: fall.wrapStore })
      const path = ground.stores[0]!.pathOf('f')
      const from = { uploader: 'u', source: 's', createTime: '2020-01-01T00:00:00.000000Z' }
      const request = { name: 'f', size, checksum, path, storeName: 'main', ...from }
      await Promise.race([dying.addFile(request, act()), fall.died])
      if (fall.fallen() === undefined) break
      const next = await openCopies({ ground, dead: new Set([dying.holder]) })
      const other = await openCopies({ ground, dead: new Set([dying.holder]) })
      await Promise.all([next.recovery.recover(), other.recovery.recover()])
      const where = `${when} call ${at}, ${fall.fallen()}`
      const isKept = (await ground.catalogue.instances.ofFile({ name: 'f' })) !== undefined
      expect(await ground.catalogue.audit.list({}), where).toHaveLength(isKept ? 1 : 0)
      await next.addFile(request, act())
      expect(await next.copyOf('f'), where).toMatchObject({ state: 'ok', available: 1 })
      expect(await ground.catalogue.audit.list({}), where).toHaveLength(1)
      expect(await next.store.stat('f'), where).toBeDefined()
      expect(await Array.fromAsync(next.store.removed()), where).toEqual([])
    }
  }
})

test('add_file registers what lies in its place, once it was read and compared', async () => {
  const world = await openCopies()
  const content = bytesOf('found')
  const { size, checksum } = await describeContent(content, undefined)
  const request = {
    name: 'old/f',
    createTime: '2020-01-01T00:00:00.000000Z',
    size,
    checksum,
    uploader: 'u',
    source: 's',
    path: world.store.pathOf('old/f'),
    storeName: 'main',
  }
  await expect(world.addFile(request)).rejects.toEqual(code('StagedNotFound'))
  world.store.damage('old/f', content)
  await expect(world.addFile({ ...request, size: 4 })).rejects.toEqual(code('Mismatch'))
  await expect(world.addFile({ ...request, path: '/etc/passwd' })).rejects.toEqual(code('StagedNotFound'))
  await expect(world.addFile({ ...request, storeName: 'none' })).rejects.toEqual(code('UnknownStore'))
  expect(await world.addFile(request)).toBe('added')
  expect(await world.addFile(request)).toBe('already-exists')
  const { file } = (await world.ground.catalogue.instances.ofFile({ name: 'old/f' }))!
  expect(file).toMatchObject({ create_time: request.createTime, uploader: 'u', source: 's', is_attested: 1 })
  expect(await Array.fromAsync(world.store.readTrail())).toMatchObject([
    { name: 'old/f', create_time: request.createTime },
  ])
})
