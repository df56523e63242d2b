/** Operations of administration, on both databases. */
import { describe, expect, test } from 'vitest'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertPeer, insertRemote } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  describe(`${label}: operations of administration`, () => {
    test('accounts: names are taken once and for ever, versions rise, the last administrator stays', async () => {
      await using catalogue = await open()
      const { accounts } = catalogue
      const ada = { username: 'ada', authToken: 'hash', level: 'ADMIN' as const }
      expect([await accounts.create(ada), await accounts.create(ada)]).toEqual([true, false])
      expect(await accounts.find({ username: 'ada' })).toEqual({ ...ada, version: 1 })
      await expect(accounts.update({ username: 'ada', level: 'NONE' })).rejects.toMatchObject({ code: 'Conflict' })
      await expect(accounts.remove({ username: 'ada' })).rejects.toMatchObject({ code: 'Conflict' })
      expect((await accounts.find({ username: 'ada' }))?.version).toBe(1)
      await accounts.create({ ...ada, username: 'ben' })
      expect(await accounts.countAdmins()).toBe(2)
      expect([await accounts.remove({ username: 'ada' }), await accounts.remove({ username: 'ada' })]).toEqual([
        true,
        false,
      ])
      expect([await accounts.find({ username: 'ada' }), await accounts.create(ada)]).toEqual([undefined, false])
      expect(await accounts.update({ username: 'ada', authToken: 'x' })).toBe(false)
      expect(await accounts.list({ limit: 9 })).toEqual([{ username: 'ben', level: 'ADMIN' }])
    })

    test('accounts: of two administrators who remove each other at once, one stays', async () => {
      await using catalogue = await open()
      const { accounts } = catalogue
      for (const username of ['ada', 'ben']) await accounts.create({ username, authToken: 'h', level: 'ADMIN' })
      const ends = await Promise.allSettled(['ada', 'ben'].map(username => accounts.remove({ username })))
      expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(await accounts.countAdmins()).toBe(1)
    })

    test('stores: of one whose disk is lost every copy is missing, with a proof of it, and the next disk may be another', async () => {
      await using catalogue = await open()
      const store = { ingestable: true, type: 'local', data: {}, transferManagers: {} }
      const named = ['lost', 'other'].map(name => ({ ...store, name }))
      const [lost, other] = await catalogue.stores.synchronise({ stores: named })
      for (const { id } of [lost!, other!]) await catalogue.stores.setUuid({ id, uuid: `disk ${id}` })
      await catalogue.trial.write(insertFile('f'))
      for (const { id } of [lost!, other!]) await catalogue.trial.write(insertInstance('f', id))
      expect(await catalogue.stores.loseDisk({ id: lost!.id, by: 'here' })).toBe(1)
      const { instances } = (await catalogue.instances.ofFile({ name: 'f' }))!
      expect(instances.map(({ store_id, state }) => [store_id, state])).toEqual([
        [lost!.id, 'missing'],
        [other!.id, 'ok'],
      ])
      expect(await catalogue.readings.badSince({ instanceId: instances[0]!.id })).toBeDefined()
      await catalogue.stores.setUuid({ id: lost!.id, uuid: 'a new disk' })
      await expect(catalogue.stores.setUuid({ id: other!.id, uuid: 'a new disk' })).rejects.toMatchObject({
        code: 'Configuration',
      })
    })

    test('errors: one row per condition until it is cleared', async () => {
      await using catalogue = await open()
      const error = { severity: 'critical', category: 'store_full', message: 'm', caller: null } as const
      const [first, second] = [await catalogue.errors.raise(error), await catalogue.errors.raise(error)]
      expect([first.isNew, second]).toEqual([true, { ...first, isNew: false }])
      await catalogue.errors.clear({ id: first.id })
      await expect(catalogue.errors.clear({ id: first.id })).rejects.toMatchObject({ code: 'Conflict' })
      await expect(catalogue.errors.clear({ id: 999 })).rejects.toMatchObject({ code: 'NotFound' })
      const third = await catalogue.errors.raise({ ...error, caller: 'c' })
      const found = await catalogue.errors.search({ includeResolved: true, severity: 'critical', limit: 9 })
      expect(found.map(({ id, cleared }) => [id, cleared])).toEqual([
        [third.id, false],
        [first.id, true],
      ])
    })

    test('stores: known ones are kept or taken over; another disk is refused', async () => {
      await using catalogue = await open()
      const store = { name: 's', ingestable: true, type: 'local', data: { a: 1 }, transferManagers: {} }
      const [row] = await catalogue.stores.synchronise({ stores: [store] })
      await catalogue.stores.synchronise({ stores: [{ ...store, data: { a: 2 } }] })
      expect(await catalogue.stores.find({ name: 's' })).toMatchObject({ id: row?.id, data: { a: 1 }, enabled: true })
      await catalogue.stores.synchronise({ stores: [{ ...store, data: { a: 2 } }], overwrite: true })
      expect(await catalogue.stores.find({ name: 's' })).toMatchObject({ id: row?.id, data: { a: 2 } })
      await catalogue.stores.setUuid({ id: row!.id, uuid: 'one' })
      await catalogue.stores.setUuid({ id: row!.id, uuid: 'one' })
      await expect(catalogue.stores.setUuid({ id: row!.id, uuid: 'two' })).rejects.toMatchObject({
        code: 'Configuration',
      })
      expect([
        await catalogue.stores.setEnabled({ name: 's', enabled: false }),
        await catalogue.stores.setEnabled({ name: 'x', enabled: false }),
      ]).toEqual([true, false])
    })

    test('manifests and peers: one open transfer per copy; removing the peer ends them', async () => {
      await using catalogue = await open()
      await catalogue.stores.synchronise({
        stores: [{ name: 's', ingestable: true, type: 'local', data: {}, transferManagers: {} }],
      })
      const rows = [
        insertFile('a', 1),
        insertFile('b', 2),
        insertInstance('a', 1),
        insertInstance('b', 1, 2),
        insertPeer(1),
        insertRemote('a', 1),
      ]
      for (const row of rows) await catalogue.trial.write(row)
      const order = { storeName: 's', destination: 'peer-1', disableStore: true, markUnavailable: true }
      let made = 0
      const make = async (changed: Partial<typeof order> = {}) => {
        const id = String(++made).padStart(32, '0')
        const manifest = await catalogue.manifest.make({ ...order, ...changed, id })
        return await catalogue.manifest.page({ manifest, after: 0, limit: 10 })
      }
      await expect(make({ destination: 'x' })).rejects.toMatchObject({
        code: 'UnknownLibrarian',
      })
      expect((await catalogue.stores.find({ name: 's' }))?.enabled).toBe(true)
      const first = await make({ markUnavailable: false })
      const again = await make()
      expect(first.map(({ name, transferId }) => [name, typeof transferId])).toEqual([
        ['a', 'number'],
        ['b', 'number'],
      ])
      expect(again).toEqual(first)
      expect(await make()).toEqual([])
      const removed = await catalogue.peers.remove({ name: 'peer-1', failTransfers: true })
      expect(removed).toMatchObject({ forgottenCopies: 1, failed: [{ remoteId: null }, { remoteId: null }] })
      expect(await catalogue.peers.remove({ name: 'peer-1', failTransfers: true })).toBeUndefined()
    })
  })
}
