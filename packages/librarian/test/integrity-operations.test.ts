/** The rows of readings, holds, repairs and proofs of others, on both databases. */
import { describe, expect, test } from 'vitest'
import type { NewReading } from '../src/catalogue/operations/readings.ts'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertPeer, insertRemote } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const id = (letter: string) => letter.repeat(32)

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  /** Files with a copy on each of two stores; copies have odd numbers on the first. */
  async function opened(names: readonly string[] = ['a']): Promise<TrialCatalogue> {
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
    for (const name of names) {
      for (const row of [insertFile(name, 1), insertInstance(name, 1), insertInstance(name, 2)]) {
        await catalogue.trial.write(row)
      }
    }
    return catalogue
  }

  const good = (instanceId: number): NewReading => ({
    instanceId,
    outcome: 'ok',
    medium: 'medium',
    sha256: `${'0'.repeat(63)}1`,
    size: 1,
    checksum: 'xxh3:::1',
    fingerprint: `f${instanceId}`,
  })

  describe(`${label}: first digests`, () => {
    const sha256 = '7'.repeat(64)
    const undigested = `INSERT INTO file (name, create_time, size, checksum, kind, is_attested, uploader, source)
      VALUES ('run', '2026-01-01T00:00:00.000000Z', 3, 'md5:::1', 'tree', 1, 'ada', 'far')`

    test('numbers are for copies in use of files without one; what has one keeps it, and its manifest', async () => {
      await using catalogue = await opened(['a'])
      for (const row of [undigested, insertInstance('run', 1), insertInstance('run', 2)])
        await catalogue.trial.write(row)
      await catalogue.trial.write(`UPDATE instance SET available = 0 WHERE file_name = 'run' AND store_id = 2`)
      const names = ['a', 'run', 'nothing']
      const [first] = (await catalogue.rebuilding.takeOrders({ count: 1 })) as [number]
      const { files } = await catalogue.digests.begin({ names })
      expect(files).toMatchObject([{ file: { name: 'run', sha256: null }, copies: [{ store_id: 1 }] }])
      expect(files[0]!.copies).toHaveLength(1)
      expect(files[0]!.copies[0]!.order).toBeGreaterThan(first)
      await catalogue.digests.finish({ files: [{ name: 'run', sha256, manifest: 'one' }] })
      await catalogue.digests.finish({ files: [{ name: 'run', sha256: '8'.repeat(64), manifest: 'other' }] })
      expect((await catalogue.instances.ofFile({ name: 'run' }))!.file.sha256).toBe(sha256)
      expect(await catalogue.instances.treeOf({ name: 'run' })).toBe('one')
      expect((await catalogue.digests.begin({ names })).files).toEqual([])
      expect((await catalogue.digests.begin({ names: [] })).files).toEqual([])
    })
  })

  describe(`${label}: the order of a scrub`, () => {
    const page = {
      storeId: 1,
      before: '2999-01-01T00:00:00.000000Z',
      overdueBefore: '2000-01-01T00:00:00.000000Z',
      limit: 2,
    }
    const namesOf = (copies: readonly { file: { name: string } }[]) => copies.map(({ file }) => file.name)

    test('begins with what nobody has read, goes on with what was read longest ago, and ends', async () => {
      await using catalogue = await opened(['a', 'b', 'c', 'd', 'e'])
      // d, then a, not within one tick of the database's clock.
      for (const instanceId of [7, 1]) {
        await catalogue.readings.record({ by: 'here', readings: [good(instanceId)] })
        const now = await catalogue.trial.now()
        await expect.poll(() => catalogue.trial.now(), { interval: 1 }).not.toBe(now)
      }
      const first = await catalogue.scrubbing.due(page)
      expect(namesOf(first)).toEqual(['b', 'c'])
      const second = await catalogue.scrubbing.due({ ...page, after: first.at(-1)!.cursor })
      expect(namesOf(second)).toEqual(['e', 'd'])
      const third = await catalogue.scrubbing.due({ ...page, after: second.at(-1)!.cursor })
      expect(namesOf(third)).toEqual(['a'])
      expect(third[0]).toMatchObject({ isOverdue: false, instance: { id: 1, store_id: 1, state: 'ok' } })
      expect(await catalogue.scrubbing.due({ ...page, after: third[0]!.cursor })).toEqual([])
      expect(
        namesOf(
          await catalogue.scrubbing.due({
            ...page,
            before: await catalogue.scrubbing.ago({ seconds: 3600 }),
            limit: 9,
          }),
        ),
      ).toEqual(['b', 'c', 'e'])
    })

    test('a page is found by a walk along the index: no sort, and no look at every row', async () => {
      await using catalogue = await opened()
      const many = (select: string) =>
        `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000) SELECT ${select} FROM n`
      const time = '2026-01-01T00:00:00.000000Z'
      for (const statement of [
        `INSERT INTO file (name, create_time, size, checksum, kind, is_attested, uploader, source)
         ${many(`'many/' || n, '${time}', 1, 'xxh3:::1', 'file', 1, 'ada', 'far'`)}`,
        // Few of them are unread.
        `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state, checksum_time)
         ${many(`'/s/many/' || n, 'many/' || n, 1, 'DISALLOWED', '${time}', 1, 'ok', CASE WHEN n < 4990 THEN '${time.slice(0, -5)}' || (n + 1000) || 'Z' END`)}`,
        'ANALYZE',
      ]) {
        await catalogue.trial.write(statement)
      }
      for (const after of [undefined, { time: null, id: 4995 }, { time, id: 1000 }]) {
        const plans = await catalogue.trial.scrubPlans({ ...page, after, limit: 512 })
        expect(plans).toHaveLength(after?.time === time ? 1 : 2)
        for (const plan of plans) {
          expect(plan).toContain('instance_scrub')
          expect(plan).not.toMatch(/Sort|TEMP B-TREE|Seq Scan on instance|SCAN instance/)
        }
      }
    })

    test('what was found missing is not the first again, and what is out of use is none', async () => {
      await using catalogue = await opened(['a', 'b', 'c'])
      const missing = {
        ...good(1),
        outcome: 'missing' as const,
        checksum: null,
        size: null,
        sha256: null,
        fingerprint: null,
      }
      await catalogue.readings.record({ by: 'here', readings: [missing] })
      await catalogue.deletions.withdraw({ instanceId: 3 })
      expect(namesOf(await catalogue.scrubbing.due({ ...page, limit: 9 }))).toEqual(['c', 'a'])
    })

    test('tells the age of the oldest reading, and how many copies nobody has read', async () => {
      await using catalogue = await opened(['a', 'b'])
      expect(await catalogue.scrubbing.ages({ storeIds: [1, 2] })).toEqual({
        oldest: undefined,
        ageSeconds: undefined,
        unread: 4,
      })
      await catalogue.readings.record({ by: 'here', readings: [good(1)] })
      const { checksum_time: oldest } = (await catalogue.instances.get({ id: 1 }))!
      await catalogue.readings.record({ by: 'here', readings: [good(2), good(3)] })
      const ages = await catalogue.scrubbing.ages({ storeIds: [1, 2] })
      expect(ages).toMatchObject({ oldest, unread: 1 })
      expect(ages.ageSeconds).toBeGreaterThanOrEqual(0)
      expect(ages.ageSeconds).toBeLessThan(600)
    })

    test('of recent copies, pages follow the time at which they were made', async () => {
      await using catalogue = await opened(['a', 'b', 'c'])
      const recent = { storeId: 2, withinSeconds: undefined, limit: 2 }
      const first = await catalogue.scrubbing.recent(recent)
      expect(namesOf(first)).toEqual(['a', 'b'])
      expect(namesOf(await catalogue.scrubbing.recent({ ...recent, after: first[1]!.cursor }))).toEqual(['c'])
    })
  })

  test(`${label}: many good readings at once are each a proof, and end what was known as bad`, async () => {
    await using catalogue = await opened(['a', 'b'])
    const bad = { ...good(1), outcome: 'mismatch' as const, checksum: 'xxh3:::2' }
    await catalogue.readings.record({ by: 'here', readings: [bad] })
    expect(await catalogue.instances.corrupt()).toHaveLength(1)
    // One of them is gone meanwhile.
    await catalogue.readings.record({ by: 'here', readings: [good(1), good(3), good(99)] })
    expect(await catalogue.instances.corrupt()).toEqual([])
    for (const instanceId of [1, 3]) {
      expect(await catalogue.instances.get({ id: instanceId })).toMatchObject({
        state: 'ok',
        calculated_checksum: 'xxh3:::1',
        calculated_size: 1,
        fingerprint: `f${instanceId}`,
      })
    }
    const proofs = await catalogue.trial.read(
      'SELECT instance_id, outcome, medium FROM proof ORDER BY outcome, instance_id',
    )
    expect(proofs.map(({ instance_id, outcome }) => [Number(instance_id), outcome])).toEqual([
      [1, 'mismatch'],
      [1, 'ok'],
      [3, 'ok'],
    ])
  })

  describe(`${label}: holds`, () => {
    const deletion = {
      id: id('d'),
      holder: 'one',
      instanceId: 1,
      actor: 'ada',
      reason: '',
      proofInstanceIds: [2],
      evidence: [],
    }

    test('B6: a copy that another librarian counts on cannot begin to go, until it is released or its time is over', async () => {
      await using catalogue = await opened(['a', 'b'])
      const hold = { id: id('a'), instanceId: 1, holder: 'far', seconds: 3600 }
      expect(await catalogue.holds.take(hold)).toBe(true)
      await expect(catalogue.deletions.announce(deletion)).rejects.toMatchObject({ code: 'Busy' })
      expect(await catalogue.holds.release({ ids: [hold.id], holder: 'other' })).toEqual([])
      await expect(catalogue.deletions.announce(deletion)).rejects.toMatchObject({ code: 'Busy' })
      expect(await catalogue.holds.release({ ids: [hold.id, id('b')], holder: 'far' })).toEqual([hold.id])
      // Its time is over by the database's clock.
      await catalogue.holds.take({ ...hold, id: id('b'), seconds: -1 })
      expect(await catalogue.holds.isHeld({ instanceId: 1 })).toBe(false)
      await catalogue.deletions.announce(deletion)
      expect(await catalogue.deletions.begin(deletion)).toMatchObject({ state: 'deleting' })
    })

    test('B6: a copy that goes, or is to go, is nobody’s proof', async () => {
      await using catalogue = await opened()
      await catalogue.deletions.announce(deletion)
      expect(await catalogue.holds.take({ id: id('c'), instanceId: 1, holder: 'far', seconds: 60 })).toBe(false)
      await catalogue.deletions.begin(deletion)
      expect(await catalogue.holds.take({ id: id('a'), instanceId: 1, holder: 'far', seconds: 60 })).toBe(false)
      expect(await catalogue.holds.take({ id: id('b'), instanceId: 2, holder: 'far', seconds: 60 })).toBe(true)
    })
  })

  describe(`${label}: repairs`, () => {
    const begin = { id: id('a'), holder: 'one', instanceId: 1, actor: 'ada', found: 'mismatch' } as const
    const held = { id: id('a'), holder: 'one' }
    const done = { ...held, by: 'here', checksum: 'xxh3:::1', size: 1, sha256: `${'0'.repeat(63)}1`, fingerprint: 'f' }

    test('go forward only, each by its holder, and leave a good copy, a proof and an entry in the audit', async () => {
      await using catalogue = await opened()
      await catalogue.readings.record({
        by: 'here',
        readings: [{ ...good(1), outcome: 'mismatch', checksum: 'xxh3:::2' }],
      })
      expect(await catalogue.repairs.bad({ after: 0, limit: 9 })).toMatchObject([{ id: 1, state: 'mismatch' }])
      await catalogue.repairs.begin(begin)
      expect(await catalogue.repairs.finish(done)).toBe(false)
      const next = { ...held, source: 'store second', sha256: done.sha256 }
      expect(await catalogue.repairs.replacing({ ...next, holder: 'other' })).toBe(false)
      expect(await catalogue.repairs.replacing(next)).toBe(true)
      expect(await catalogue.intents.know({ ids: [held.id] })).toEqual(['live'])
      expect(await catalogue.repairs.finish(done)).toBe(true)
      expect(await catalogue.repairs.finish(done)).toBe(false)
      expect(await catalogue.repairs.fail({ ...held, why: 'late' })).toBe(false)
      expect(await catalogue.repairs.bad({ after: 0, limit: 9 })).toEqual([])
      expect(await catalogue.instances.corrupt()).toEqual([])
      expect(await catalogue.intents.know({ ids: [held.id] })).toEqual(['finished'])
      expect(await catalogue.audit.verify({})).toMatchObject({ checked: 1 })
      await expect(catalogue.trial.write(`DELETE FROM repair`)).rejects.toThrow()
    })

    test('one of a copy at a time, and another process takes over what was left', async () => {
      await using catalogue = await opened()
      await catalogue.repairs.begin(begin)
      await expect(catalogue.repairs.begin({ ...begin, id: id('b') })).rejects.toMatchObject({ code: 'Busy' })
      await catalogue.repairs.begin({ ...begin, id: id('c'), instanceId: 2 })
      expect(await catalogue.repairs.takeOver({ id: id('a'), holder: 'two', from: 'other' })).toBeUndefined()
      expect(await catalogue.repairs.takeOver({ id: id('a'), holder: 'two', from: 'one' })).toMatchObject({
        state: 'begun',
      })
      expect(await catalogue.repairs.fail({ ...held, why: 'late' })).toBe(false)
      expect(await catalogue.repairs.fail({ id: id('a'), holder: 'two', why: 'test' })).toBe(true)
      expect(await catalogue.repairs.interrupted()).toMatchObject([{ id: id('c') }])
    })
  })

  test(`${label}: proofs of others are kept, of librarians that are known`, async () => {
    await using catalogue = await opened()
    await catalogue.trial.write(insertPeer(1))
    for (const store of [4, 5]) await catalogue.trial.write(insertRemote('a', 1, store))
    expect(await catalogue.remoteProofs.holdersOf({ name: 'a' })).toEqual(['peer-1'])
    const proof = { fileName: 'a', librarian: 'peer-1', storeId: 4, medium: 'peer-challenge', outcome: 'ok' } as const
    await catalogue.remoteProofs.record({ proofs: [proof, { ...proof, librarian: 'nobody' }] })
    expect(await catalogue.remoteProofs.ofFile({ name: 'a', limit: 9 })).toMatchObject([{ store_id: 4, outcome: 'ok' }])
    await expect(catalogue.trial.write(`UPDATE remote_proof SET outcome = 'missing'`)).rejects.toThrow()
  })
}
