/** The rows of deletions and of the audit that goes with changes, on both databases. */
import { describe, expect, test } from 'vitest'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const id = 'a'.repeat(32)
const evidence = [{ instance: 2, store: 'second', state: 'ok', medium: 'medium' }]
const deletion = { id, holder: 'one', instanceId: 1, actor: 'ada', reason: 'room', proofInstanceIds: [2], evidence }
const held = { id, holder: 'one' }

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  /** A file with a copy on each of two stores. */
  async function opened(): Promise<TrialCatalogue> {
    const catalogue = await open()
    await catalogue.stores.synchronise({
      stores: ['main', 'second'].map(name => ({
        name,
        ingestable: true,
        type: 'local',
        data: {},
        transferManagers: {},
      })),
    })
    for (const row of [insertFile('a', 1), insertInstance('a', 1), insertInstance('a', 2)]) {
      await catalogue.trial.write(row)
    }
    return catalogue
  }
  /** As the gate does it: announced, begun, and retracted where that failed. */
  const begin = async ({ deletions }: TrialCatalogue, each: typeof deletion) => {
    await deletions.announce(each)
    try {
      return await deletions.begin(each)
    } finally {
      await deletions.retract(each)
    }
  }
  const acts = async (catalogue: TrialCatalogue) =>
    (await catalogue.audit.list({})).toReversed().map(({ actor, action, detail }) => {
      return [actor, action, JSON.parse(detail).outcome]
    })

  describe(`${label}: the audit of changes`, () => {
    test('an entry and its change are there together, or neither is', async () => {
      await using catalogue = await open()
      const act = { actor: 'admin', action: 'users', subject: 'ada', detail: { why: 'test' } }
      const ada = { username: 'ada', authToken: 'hash', level: 'ADMIN' as const }
      expect([
        await catalogue.accounts.create({ ...ada, act }),
        await catalogue.accounts.create({ ...ada, act }),
      ]).toEqual([true, false])
      await expect(catalogue.accounts.remove({ username: 'ada', act })).rejects.toMatchObject({ code: 'Conflict' })
      expect(await acts(catalogue)).toEqual([['admin', 'users', 'done']])
      await Promise.all(
        Array.from({ length: 20 }, (_, n) => catalogue.accounts.create({ ...ada, username: `u${n}`, act })),
      )
      expect(await catalogue.audit.verify({})).toMatchObject({ checked: 21 })
    })
  })

  describe(`${label}: deletions`, () => {
    test('go from the store to the trash, back, and away for ever, each step audited', async () => {
      await using catalogue = await opened()
      const { deletions, trash } = catalogue
      expect(await begin(catalogue, deletion)).toMatchObject({ state: 'deleting', file_name: 'a', actor: 'ada' })
      await expect(begin(catalogue, { ...deletion, id: 'b'.repeat(32) })).rejects.toMatchObject({ code: 'Busy' })
      expect(await deletions.finish({ ...held, holder: 'two' })).toBe(false)
      expect([await deletions.finish(held), await deletions.finish(held)]).toEqual([true, false])
      expect(await catalogue.instances.get({ id: 1 })).toBeUndefined()

      expect(await trash.beginRestore(held)).toMatchObject({ state: 'restoring' })
      await expect(trash.beginRestore(held)).rejects.toMatchObject({ code: 'Conflict' })
      expect(await trash.finishRestore({ ...held, actor: 'ben' })).toBe(true)
      expect(await catalogue.instances.get({ id: 1 })).toMatchObject({ available: 1, state: 'never-checked' })
      expect(await trash.finishRestore({ ...held, actor: 'ben' })).toBe(false)

      const second = { id: 'c'.repeat(32), holder: 'one' }
      await begin(catalogue, { ...deletion, ...second })
      await deletions.finish(second)
      const purge = { ...second, proofInstanceIds: [2], evidence }
      expect(await trash.beginPurge({ ...purge, olderThanSeconds: 3600 })).toBeUndefined()
      expect(await trash.due({ olderThanSeconds: 3600, limit: 10 })).toEqual([])
      expect(await trash.due({ olderThanSeconds: -60, limit: 10 })).toMatchObject([{ id: second.id }])
      await expect(trash.beginPurge({ ...purge, olderThanSeconds: -60, proofInstanceIds: [] })).rejects.toMatchObject({
        code: 'KeepsLastCopy',
      })
      expect(await trash.beginPurge({ ...purge, olderThanSeconds: -60 })).toMatchObject({ state: 'purging' })
      await expect(begin(catalogue, { ...deletion, id: 'd'.repeat(32), instanceId: 2 })).rejects.toMatchObject({
        code: 'Busy',
      })
      expect(await trash.finishPurge({ ...second, actor: 'task:purge' })).toBe(true)
      expect(await acts(catalogue)).toEqual([
        ['ada', 'deletion/trash', 'done'],
        ['ben', 'deletion/restore', 'done'],
        ['ada', 'deletion/trash', 'done'],
        ['task:purge', 'deletion/purge', 'done'],
      ])
      await expect(catalogue.trial.write(`UPDATE trash SET state = 'trashed'`)).rejects.toThrow(/stays so/)
    })

    test('a dead process’s deletion goes to one other, and its own writes match nothing from then on', async () => {
      await using catalogue = await opened()
      await begin(catalogue, deletion)
      const taken = await Promise.all(
        ['two', 'three'].map(holder => catalogue.deletions.takeOver({ id, holder, from: 'one' })),
      )
      const [heir] = taken.filter(row => row !== undefined)
      expect(taken.filter(row => row !== undefined)).toHaveLength(1)
      expect(await catalogue.deletions.finish(held)).toBe(false)
      expect(await catalogue.deletions.cancel({ id, holder: heir!.holder, why: 'test' })).toBe(true)
      expect(await catalogue.instances.get({ id: 1 })).toMatchObject({ available: 1 })
      expect(await acts(catalogue)).toEqual([['ada', 'deletion/trash', 'kept']])
    })

    test('a copy that was withdrawn before stays withdrawn, whether its deletion is given up or undone', async () => {
      await using catalogue = await opened()
      const { deletions, trash, instances } = catalogue
      await catalogue.trial.write(`UPDATE instance SET available = 0, withdrawn_by = 'listing' WHERE id = 1`)
      const withdrawn = { available: 0, withdrawn_by: 'listing' }
      await begin(catalogue, deletion)
      expect(await deletions.cancel({ ...held, why: 'test' })).toBe(true)
      expect(await instances.get({ id: 1 })).toMatchObject(withdrawn)

      const second = { id: 'b'.repeat(32), holder: 'one' }
      await begin(catalogue, { ...deletion, ...second })
      await deletions.finish(second)
      await trash.beginRestore(second)
      expect(await trash.finishRestore({ ...second, actor: 'ben' })).toBe(true)
      expect(await instances.get({ id: 1 })).toMatchObject(withdrawn)
    })

    test('a copy that is withdrawn while it goes stays withdrawn where it stays', async () => {
      await using catalogue = await opened()
      const { deletions, instances, manifest } = catalogue
      const act = { actor: 'ada', action: 'test', subject: 'a', detail: {} }
      await begin(catalogue, deletion)
      await deletions.withdraw({ instanceId: 1, act })
      await deletions.cancel({ ...held, why: 'test' })
      expect(await instances.get({ id: 1 })).toMatchObject({ available: 0, withdrawn_by: null })

      const second = { id: 'b'.repeat(32), holder: 'one' }
      await catalogue.trial.write(`UPDATE instance SET available = 1 WHERE id = 1`)
      await begin(catalogue, { ...deletion, ...second })
      const order = { storeName: 'main', destination: undefined, disableStore: false, markUnavailable: true }
      await manifest.make({ ...order, id: 'listing', act })
      await deletions.cancel({ ...second, why: 'test' })
      expect(await instances.get({ id: 1 })).toMatchObject({ available: 0, withdrawn_by: 'listing' })
    })

    test('the trash is listed by the page, oldest first', async () => {
      await using catalogue = await opened()
      for (let n = 0; n < 5; n++) {
        await catalogue.trial.write(
          `INSERT INTO trash (id, state, holder, instance_id, file_name, store_id, path, deletion_policy, available, actor, reason, proofs, trashed, trail_order)
           VALUES ('${String(n).repeat(32)}', 'trashed', 'x', ${n}, 'a', ${(n % 2) + 1}, '/p', 'ALLOWED', 1, 'ada', 'r', '[]', '2026-01-0${5 - Math.floor(n / 2)}T00:00:00.000000Z', ${n})`,
        )
      }
      const ids = async (after?: { trashed: string; id: string }) =>
        (await catalogue.trash.list({ after, limit: 2 })).map(({ id, trashed }) => ({ id, trashed }))
      const first = await ids()
      const second = await ids(first.at(-1))
      const third = await ids(second.at(-1))
      expect([...first, ...second, ...third].map(row => row.id[0])).toEqual(['4', '2', '3', '0', '1'])
      expect(await catalogue.trash.list({ storeId: 2 })).toHaveLength(2)
    })
  })
}
