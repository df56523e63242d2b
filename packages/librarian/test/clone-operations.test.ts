/** The rows of copies from store to store, and which copies may go, on both databases. */
import { describe, expect, test } from 'vitest'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertPeer, insertRemote } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const clone = { sourceInstanceId: 1, destinationStoreId: 2, spool: 'a'.repeat(32), holder: 'one', manager: 'local' }
const work = {
  id: 'b'.repeat(32),
  name: 'a',
  storeId: 2,
  origin: '{"from":"spool"}',
  size: 1,
  checksum: 'xxh3:::1',
  transferId: undefined,
  manager: null,
  deletionPolicy: 'ALLOWED' as const,
  uploader: 'ada',
  source: 'site',
  firstUploader: null,
  createTime: '2026-01-01T00:00:00.000001Z',
  isAttested: true,
}
/** As `insertFile` has it. */
const sha256 = '1'.padStart(64, '0')

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  /** Files `a` and `b` on the first of three stores. */
  async function opened(): Promise<TrialCatalogue> {
    const catalogue = await open()
    await catalogue.stores.synchronise({
      stores: ['main', 'second', 'third'].map(name => ({
        name,
        ingestable: true,
        type: 'local',
        data: {},
        transferManagers: {},
      })),
    })
    const rows = [insertFile('a', 1), insertFile('b', 2), insertInstance('a', 1), insertInstance('b', 1)]
    for (const row of rows) await catalogue.trial.write(row)
    return catalogue
  }

  const code = (code: string) => expect.objectContaining({ code })

  describe(`${label}: clone transfers`, () => {
    test('begin once for a store, from a copy that is available and good', async () => {
      await using catalogue = await opened()
      const { clones } = catalogue
      const id = await clones.begin(clone)
      const second = { ...clone, spool: 'c'.repeat(32) }
      await expect(clones.begin(second)).rejects.toEqual(code('Busy'))
      await expect(clones.begin({ ...second, sourceInstanceId: 9 })).rejects.toEqual(code('NotFound'))
      await catalogue.trial.write(`UPDATE instance SET state = 'mismatch' WHERE id = 2`)
      await expect(clones.begin({ ...second, sourceInstanceId: 2 })).rejects.toEqual(code('Conflict'))
      expect(await clones.start({ id, holder: 'two' })).toBe(false)
      expect(await clones.start({ id, holder: 'one' })).toBe(true)
      expect(await catalogue.uploads.know({ names: [clone.spool, second.spool] })).toEqual(['open', 'unknown'])
      expect(await clones.giveUp({ id, holder: 'one', reason: 'test' })).toBe(true)
      expect(await clones.giveUp({ id, holder: 'one', reason: 'again' })).toBe(false)
      expect(await clones.get({ id })).toMatchObject({ status: 'FAILED', reason: 'test' })
      expect(await catalogue.uploads.know({ names: [clone.spool] })).toEqual(['ended'])
    })

    test('a copy appears with its proof and its clone, without touching its file; where there is one there is no second', async () => {
      await using catalogue = await opened()
      const { clones, intents } = catalogue
      const before = (await catalogue.instances.ofFile({ name: 'a' }))!.file
      const id = await clones.begin(clone)
      const copy = { ...work, cloneTransferId: id }
      const begin = async (each: typeof copy) => (await intents.begin({ holder: 'one', works: [each], forget: [] }))[0]!
      expect(await begin({ ...copy, name: 'nothing' })).toMatchObject({ outcome: 'refused', code: 'NotFound' })
      expect(await begin(copy)).toMatchObject({ outcome: 'begun', token: 1 })
      expect(await clones.giveUp({ id, holder: 'one', reason: 'its commit goes on' })).toBe(false)
      expect(await clones.open()).toMatchObject([{ id, isCommitting: true }])
      const prepared = {
        id: copy.id,
        token: 1,
        kind: 'file' as const,
        size: 1,
        checksum: copy.checksum,
        manifest: undefined,
      }
      expect(await intents.prepared({ holder: 'one', works: [{ ...prepared, sha256: 'f'.repeat(64) }] })).toEqual([
        'other',
      ])
      expect(await intents.prepared({ holder: 'one', works: [{ ...prepared, sha256 }] })).toEqual(['go'])
      const published = { id: copy.id, token: 1, path: '/s2/a', fingerprint: 'f' }
      expect(await intents.finish({ holder: 'one', by: 'here', works: [published] })).toEqual([true])
      const { file, instances } = (await catalogue.instances.ofFile({ name: 'a' }))!
      expect(file).toEqual(before)
      expect(instances).toMatchObject([
        { store_id: 1, deletion_policy: 'DISALLOWED' },
        { store_id: 2, deletion_policy: 'ALLOWED', state: 'ok' },
      ])
      expect(await clones.get({ id })).toMatchObject({ status: 'STAGED', destination_instance_id: instances[1]!.id })
      expect(await clones.end({ id, holder: 'one', status: 'COMPLETED' })).toBe(true)
      const again = await clones.begin({ ...clone, spool: 'c'.repeat(32) })
      expect(await begin({ ...copy, id: 'd'.repeat(32), cloneTransferId: again })).toMatchObject({ code: 'Conflict' })
    })

    test('no copy is put where one comes back from the trash, nor the other way round', async () => {
      await using catalogue = await opened()
      const { clones, intents, deletions, trash } = catalogue
      await catalogue.trial.write(insertInstance('a', 2))
      const { instances } = (await catalogue.instances.ofFile({ name: 'a' }))!
      const held = { id: 'e'.repeat(32), holder: 'one' }
      const victim = { ...held, instanceId: instances[1]!.id }
      await deletions.announce(victim)
      await expect(deletions.announce({ ...victim, id: 'f'.repeat(32) })).rejects.toEqual(code('Busy'))
      expect(await catalogue.holds.take({ id: 'h', instanceId: victim.instanceId, holder: 'far', seconds: 60 })).toBe(
        false,
      )
      await deletions.begin({ ...victim, actor: 'ada', reason: 'test', proofInstanceIds: [1], evidence: [] })
      await deletions.finish(held)
      expect(await deletions.announced()).toEqual([])
      const copy = { ...work, cloneTransferId: await clones.begin(clone) }
      await trash.beginRestore(held)
      const begin = async () => (await intents.begin({ holder: 'one', works: [copy], forget: [] }))[0]!
      expect(await begin()).toMatchObject({ outcome: 'refused', code: 'Conflict' })
      await trash.cancelRestore(held)
      expect(await begin()).toMatchObject({ outcome: 'begun' })
      await expect(trash.beginRestore(held)).rejects.toEqual(code('Busy'))
    })

    test('a dead process’s clone goes to one other', async () => {
      await using catalogue = await opened()
      const { clones } = catalogue
      const id = await clones.begin(clone)
      const taken = await Promise.all(['two', 'three'].map(holder => clones.takeOver({ id, holder, from: 'one' })))
      expect(taken.sort()).toEqual([false, true])
      expect(await clones.start({ id, holder: 'one' })).toBe(false)
    })
  })

  describe(`${label}: candidates`, () => {
    test('for copying are good, have no copy there nor one on its way, and are as old as is asked', async () => {
      await using catalogue = await opened()
      const { clones } = catalogue
      const search = { fromStoreId: 1, toStoreIds: [2, 3], after: 0, limit: 10 }
      const names = async (more = {}) => (await clones.candidates({ ...search, ...more })).map(({ file }) => file.name)
      expect(await names()).toEqual(['a', 'b'])
      expect(await names({ after: 1 })).toEqual(['b'])
      expect(await names({ youngerThanSeconds: 60 })).toEqual([])
      expect(await names({ olderThanSeconds: 60 })).toEqual(['a', 'b'])
      await catalogue.trial.write(insertInstance('a', 3))
      await clones.begin({ ...clone, sourceInstanceId: 2 })
      expect(await names()).toEqual([])
      expect(await names({ toStoreIds: [3] })).toEqual(['b'])
    })

    test('for deleting tell how many other stores of librarians are known, each once', async () => {
      await using catalogue = await opened()
      for (const row of [
        insertPeer(1),
        insertPeer(2),
        insertRemote('a', 1, 1),
        insertRemote('a', 1, 2),
        insertRemote('a', 2, 1),
      ]) {
        await catalogue.trial.write(row)
      }
      const search = { storeId: 1, olderThanSeconds: 60, after: 0, limit: 10 }
      const { deletions } = catalogue
      expect(await deletions.candidates(search)).toEqual([
        { id: 1, fileName: 'a', deletionPolicy: 'DISALLOWED', remotes: 3 },
        { id: 2, fileName: 'b', deletionPolicy: 'DISALLOWED', remotes: 0 },
      ])
      await catalogue.trial.write(insertInstance('b', 2))
      expect(await deletions.candidates({ ...search, copiedTo: 2 })).toMatchObject([{ fileName: 'b' }])
      expect(await deletions.candidates({ ...search, olderThanSeconds: 1e9 })).toEqual([])
    })

    test('a deletion that was not announced by this process does not begin', async () => {
      await using catalogue = await opened()
      const { deletions } = catalogue
      await catalogue.trial.write(insertInstance('a', 2))
      const deletion = { id: 'e'.repeat(32), holder: 'one', instanceId: 1, actor: 'ada', reason: 'test', evidence: [] }
      const begin = () => deletions.begin({ ...deletion, proofInstanceIds: [3] })
      await expect(begin()).rejects.toEqual(code('Busy'))
      await deletions.announce(deletion)
      await deletions.retract(deletion)
      await expect(begin()).rejects.toEqual(code('Busy'))
      expect(await catalogue.instances.get({ id: 1 })).toMatchObject({ available: 1 })
    })
  })
}
