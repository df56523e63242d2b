/** The rows of clones that arrive, of checkins and of messages, on both databases. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Movable, NewClone } from '../src/catalogue/operations/receiving.ts'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertOutgoing } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const admin = { name: 'root', isAdmin: true }
const far = { name: 'far', isAdmin: false }
let counter = 0

function clone(name: string, more: Partial<NewClone> = {}): NewClone {
  const n = ++counter
  const token = n.toString(16).padStart(32, '0')
  const ids = { sourceTransferId: n, stagingId: `00000000-0000-0000-0000-${token.slice(-12)}`, token }
  return {
    name,
    uploadName: name,
    size: 10,
    checksum: `xxh3:::${'0'.repeat(32)}`,
    account: 'far',
    source: 'far',
    firstUploader: 'ada',
    ...ids,
    ...more,
  }
}

const store = { id: 1, free: 1000, hasTrees: true }

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
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
    await catalogue.peers.add({ name: 'far', url: 'https://far', port: 443, authenticator: 'x' })
    return catalogue
  }
  const stage = async (catalogue: TrialCatalogue, clones: NewClone[], total = 0) => {
    return await catalogue.receiving.stage({ clones, total, stores: [store, { ...store, id: 2, free: 5000 }] })
  }
  const stagedIds = async (catalogue: TrialCatalogue, clones: NewClone[]) => {
    const result = await stage(catalogue, clones)
    if (result.outcome !== 'staged') throw new Error(JSON.stringify(result))
    return result.transfers.map(({ id }) => id)
  }

  describe(`${label}: announcing clones`, () => {
    test('all have one store: the first with strictly more room than is said or needed, after what is announced already', async () => {
      await using catalogue = await opened()
      expect(await stage(catalogue, [clone('a'), clone('b')], 980)).toMatchObject({
        outcome: 'staged',
        storeId: 1,
        free: 20,
      })
      // 20 bytes of it are announced now.
      expect(await stage(catalogue, [clone('c')], 980)).toMatchObject({ outcome: 'staged', storeId: 2 })
      expect(await stage(catalogue, [clone('d', { size: 6000 })], 0)).toEqual({ outcome: 'no-room' })
      expect(await stage(catalogue, [clone('e')], 4990)).toEqual({ outcome: 'no-room' })
    })

    test('the order of a call is that of its answer, and who uploaded first is remembered', async () => {
      await using catalogue = await opened()
      const result = await stage(
        catalogue,
        ['z', 'a', 'm'].map(name => clone(name)),
      )
      expect(result).toMatchObject({
        transfers: ['z', 'a', 'm'].map(store_path => ({
          store_path,
          status: 'INITIATED',
          first_uploader: 'ada',
          uploader: 'far',
        })),
      })
    })

    test('what its sender was asked for again goes to the store of the bad copy, once', async () => {
      await using catalogue = await opened()
      const checksum = `xxh3:::${'0'.repeat(32)}`
      await catalogue.trial.write(insertFile('bad', 1, { size: 10, source: 'far', checksum }))
      await catalogue.trial.write(insertInstance('bad', 2))
      const refused = { outcome: 'repeated', repeated: [{ code: 'FileExists' }] }
      expect(await stage(catalogue, [clone('bad')])).toMatchObject(refused)
      await catalogue.replacements.request({ instanceId: 1 })
      for (const other of [{ source: 'other' }, { size: 11 }, { checksum: `xxh3:::${'1'.repeat(32)}` }]) {
        expect(await stage(catalogue, [clone('bad', other)])).toMatchObject(refused)
      }
      const staged = await stage(catalogue, [clone('new'), clone('bad')])
      expect(staged).toMatchObject({
        outcome: 'staged',
        storeId: 2,
        transfers: [{ replaces_instance_id: null }, { replaces_instance_id: 1 }],
      })
      expect(await stage(catalogue, [clone('bad')])).toMatchObject(refused)
      const id = staged.outcome === 'staged' ? staged.transfers[1]!.id : 0
      expect(await catalogue.replacements.expected({ fileName: 'bad' })).toMatchObject([{ incoming_transfer_id: id }])
      // Ended, it may come again; and that one ends well, and says so.
      await catalogue.receiving.fail({ failures: [{ id, reason: 'lost' }] })
      const [again] = await stagedIds(catalogue, [clone('bad')])
      expect(await catalogue.receiving.completeReplacement({ id: again!, manager: 'local' })).toBe(true)
      expect(await catalogue.receiving.completeReplacement({ id: again!, manager: 'local' })).toBe(false)
      expect(await catalogue.uploads.get({ id: again! })).toMatchObject({ status: 'COMPLETED' })
      expect(await catalogue.outbox.waiting()).toMatchObject([{ peer: 'far', count: 2 }])
    })

    test('nothing is announced where one is in the way, and each is told by its kind', async () => {
      await using catalogue = await opened()
      await catalogue.trial.write(insertFile('kept'))
      await catalogue.trial.write(insertFile('tree/of'))
      const [waits, comes] = await stagedIds(catalogue, [clone('waits'), clone('comes')])
      await catalogue.receiving.move({ ids: [comes!], to: 'ONGOING', mover: far, reason: '' })
      const again = ['kept', 'tree', 'waits', 'comes', 'fresh'].map(name => clone(name))
      const result = await stage(catalogue, again)
      expect(result).toMatchObject({
        outcome: 'repeated',
        repeated: [
          { sourceTransferId: again[0]!.sourceTransferId, code: 'FileExists' },
          { code: 'FileExists' },
          { code: 'TransferReplaced', transferId: waits },
          { code: 'TransferOngoing', transferId: comes },
        ],
        ended: [{ id: waits, status: 'FAILED' }],
      })
      const rows = await catalogue.uploads.list({ limit: 10 })
      expect(rows.map(({ store_path, status }) => [store_path, status])).toEqual([
        ['comes', 'ONGOING'],
        ['waits', 'FAILED'],
      ])
      expect(await stage(catalogue, [clone('waits')])).toMatchObject({ outcome: 'staged' })
    })

    test('what came another way ends what its sender had announced of it before, and nobody else’s', async () => {
      await using catalogue = await opened()
      const ids = await stagedIds(catalogue, [clone('waits'), clone('comes'), clone('committed')])
      const [, comes, committed] = ids
      await catalogue.receiving.move({ ids: [comes!], to: 'ONGOING', mover: far, reason: '' })
      await catalogue.trial.write(
        `INSERT INTO intent (id, token, file_name, store_id, origin, size, is_attested, incoming_transfer_id, deletion_policy,
           uploader, source, create_time, started, holder, trail_order)
         VALUES ('${'a'.repeat(32)}', 1, 'first', 1, 'o', 60, 0, ${committed}, 'DISALLOWED',
           'ada', 'ada', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 'h', 1)`,
      )
      const [theirs] = await stagedIds(catalogue, [clone('waits', { source: 'near', account: 'near' })])
      for (const name of ['waits', 'comes', 'committed']) await catalogue.trial.write(insertFile(name))
      const again = ['waits', 'comes', 'committed'].map(name => clone(name))
      expect(await stage(catalogue, again)).toMatchObject({ repeated: again.map(() => ({ code: 'FileExists' })) })
      const rows = await catalogue.uploads.getMany({ ids: [...ids, theirs!] })
      const states = new Map(rows.map(({ id, status }) => [id, status]))
      expect([...ids, theirs!].map(id => states.get(id))).toEqual(['FAILED', 'FAILED', 'INITIATED', 'INITIATED'])
    })

    test("another's announcement of the same is left alone, other bytes under the name are no repetition", async () => {
      await using catalogue = await opened()
      const [theirs] = await stagedIds(catalogue, [clone('n', { source: 'near', account: 'near' })])
      const [ours] = await stagedIds(catalogue, [clone('n')])
      expect((await stage(catalogue, [clone('n', { checksum: `xxh3:::${'1'.repeat(32)}` })])).outcome).toBe('staged')
      expect((await catalogue.uploads.getMany({ ids: [theirs!, ours!] })).map(({ status }) => status)).toEqual([
        'INITIATED',
        'INITIATED',
      ])
    })

    test('a number that its sender gives again ends what had it; negative ones are none', async () => {
      await using catalogue = await opened()
      const [first] = await stagedIds(catalogue, [clone('one', { sourceTransferId: 5 })])
      expect(await stage(catalogue, [clone('two', { sourceTransferId: 5 })])).toMatchObject({ ended: [{ id: first }] })
      await stagedIds(catalogue, [clone('three', { sourceTransferId: -1 })])
      await stagedIds(catalogue, [clone('four', { sourceTransferId: -1 })])
      expect(await catalogue.uploads.list({ statuses: ['INITIATED'], limit: 10 })).toHaveLength(3)
    })
  })

  describe(`${label}: moving transfers`, () => {
    test('only who has to do with them moves them, and uploads are not for those who ask for clones', async () => {
      await using catalogue = await opened()
      const [mine, theirs] = await stagedIds(catalogue, [clone('m'), clone('t', { source: 'near', account: 'near' })])
      const upload = {
        name: 'u',
        uploadName: 'u',
        size: 1,
        checksum: '',
        uploader: 'far',
        source: 'ben',
        stagingId: 's',
        token: 'f'.repeat(32),
      }
      const { outcomes } = await catalogue.uploads.stage({ uploads: [upload], stores: [store] })
      const uploaded = outcomes[0]!.outcome === 'staged' ? outcomes[0]!.transfer.id : 0
      const ids = [mine!, theirs!, uploaded, 4711]
      const move = { ids, to: 'ONGOING' as const, mover: far, reason: '' }
      expect(await catalogue.receiving.move(move)).toMatchObject({
        moved: [{ id: mine, status: 'ONGOING' }],
        unmoved: [
          { id: theirs, why: 'foreign' },
          // Its uploader is whatever its owner said.
          { id: uploaded, why: 'foreign' },
          { id: 4711, why: 'unknown' },
        ],
      })
      expect(
        await catalogue.receiving.move({ ...move, ids: [uploaded], mover: admin, onlyClones: true }),
      ).toMatchObject({
        unmoved: [{ why: 'unknown' }],
      })
      expect(
        await catalogue.receiving.move({ ...move, ids: [uploaded], mover: { name: 'ben', isAdmin: false } }),
      ).toMatchObject({ moved: [{ id: uploaded }] })
    })

    test('whatever is asked in whatever order, states only go forward, and the answer is what was done', async () => {
      await using catalogue = await opened()
      const rank = { INITIATED: 0, ONGOING: 1, STAGED: 2, COMPLETED: 3, FAILED: 3, CANCELLED: 3 }
      const steps = fc.array(
        fc.record({
          to: fc.constantFrom<Movable>('ONGOING', 'STAGED', 'FAILED', 'CANCELLED'),
          picks: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
          mover: fc.constantFrom(far, admin, { name: 'near', isAdmin: false }),
          isOutgoing: fc.boolean(),
        }),
        { maxLength: 12 },
      )
      await fc.assert(
        fc.asyncProperty(steps, async acts => {
          const incoming = await stagedIds(
            catalogue,
            Array.from({ length: 6 }, () => clone(`random/${++counter}`)),
          )
          const outgoing: number[] = []
          for (const _ of incoming) {
            const [row] = await catalogue.trial.write(`${insertOutgoing()} RETURNING id`)
            outgoing.push(Number(row!.id))
          }
          const states = new Map(
            [...incoming.map(id => `i${id}`), ...outgoing.map(id => `o${id}`)].map(key => [key, 'INITIATED']),
          )
          for (const { to, picks, mover, isOutgoing } of acts) {
            const ids = picks.map(pick => (isOutgoing ? outgoing : incoming)[pick]!)
            const move = { ids, to, mover, reason: 'random' }
            const { moved, unmoved } = isOutgoing
              ? await catalogue.checkins.moveOutgoing(move)
              : await catalogue.receiving.move(move)
            expect([...moved, ...unmoved].map(({ id }) => id).toSorted()).toEqual([...new Set(ids)].toSorted())
            for (const { id, status } of moved) {
              const key = `${isOutgoing ? 'o' : 'i'}${id}`
              expect(mover.name).not.toBe('near')
              expect(status).toBe(to)
              expect(rank[to]).toBeGreaterThan(rank[states.get(key) as Movable])
              states.set(key, to)
            }
          }
          const now = await catalogue.checkins.status({ incoming, outgoing, mover: admin })
          const told = [
            ...now.incoming.map(one => [`i${one.id}`, one.status]),
            ...now.outgoing.map(one => [`o${one.id}`, one.status]),
          ]
          expect(new Map(told as [string, string][])).toEqual(states)
        }),
        { numRuns: 15 },
      )
    }, 60_000)
  })

  describe(`${label}: what senders are told`, () => {
    const messages = async (catalogue: TrialCatalogue) =>
      (await catalogue.outbox.dueTo({ peer: 'far', limit: 100 })).map(({ call, body }) => [call, JSON.parse(body)])

    test('a clone that fails here is told to the librarian that sent it, once; nobody else is told anything', async () => {
      await using catalogue = await opened()
      const all = [clone('m'), clone('s', { source: 'stranger' }), clone('n', { sourceTransferId: -1 })]
      const ids = await stagedIds(catalogue, all)
      const failures = ids.map(id => ({ id, reason: 'why' }))
      expect(await catalogue.receiving.fail({ failures })).toHaveLength(3)
      expect(await catalogue.receiving.fail({ failures })).toHaveLength(0)
      expect(await messages(catalogue)).toEqual([
        [
          'checkin/update',
          { source_transfer_ids: [all[0]!.sourceTransferId], destination_transfer_ids: [], new_status: 4 },
        ],
      ])
      expect(await catalogue.outbox.duePeers()).toEqual(['far'])
    })

    test('what its own sender ended is told to nobody', async () => {
      await using catalogue = await opened()
      const ids = await stagedIds(catalogue, [clone('m')])
      await catalogue.receiving.move({ ids, to: 'FAILED', mover: far, reason: 'no' })
      expect(await messages(catalogue)).toEqual([])
    })

    test.each(['local', 'http'])(
      'the commit of a clone and the message of it are one transaction (%s)',
      async manager => {
        await using catalogue = await opened()
        const wanted = clone('m')
        const [transferId] = await stagedIds(catalogue, [wanted])
        const id = 'a'.repeat(32)
        const work = {
          id,
          name: 'm',
          storeId: 1,
          origin: '{}',
          size: 10,
          checksum: wanted.checksum,
          transferId,
          manager,
        } as const
        const told = {
          deletionPolicy: 'DISALLOWED',
          uploader: 'far',
          source: 'far',
          firstUploader: 'ada',
          createTime: undefined,
        } as const
        await catalogue.intents.begin({ holder: 'h', forget: [], works: [{ ...work, ...told }] })
        const sha256 = 'b'.repeat(64)
        await catalogue.intents.prepared({
          holder: 'h',
          works: [{ id, token: 1, kind: 'file', size: 10, checksum: wanted.checksum, sha256, manifest: undefined }],
        })
        // Neither of the two can end it now.
        expect(
          await catalogue.receiving.move({ ids: [transferId!], to: 'FAILED', mover: far, reason: '' }),
        ).toMatchObject({
          unmoved: [{ why: 'busy' }],
        })
        expect(await catalogue.receiving.fail({ failures: [{ id: transferId!, reason: '' }] })).toEqual([])
        expect(await messages(catalogue)).toEqual([])
        await catalogue.intents.finish({
          holder: 'h',
          by: 'here',
          works: [{ id, token: 1, path: '/m', fingerprint: 'f' }],
        })
        const kept = { source_transfer_id: wanted.sourceTransferId, destination_transfer_id: transferId, store_id: 1 }
        // Who had it fetched understands one message of many.
        const message = manager === 'http' ? ['clone/complete_many', { transfers: [kept] }] : ['clone/complete', kept]
        expect(await messages(catalogue)).toEqual([message])
      },
    )
  })

  describe(`${label}: what is to be fetched`, () => {
    test('is what its sender asked for, while it is open, in pages', async () => {
      await using catalogue = await opened()
      const wanted = Array.from({ length: 5 }, (_, n) => clone(`f${n}`))
      const ids = await stagedIds(catalogue, wanted)
      const pairs = ids.slice(0, 4).map((id, n) => ({ id, sourceTransferId: wanted[n]!.sourceTransferId }))
      expect(await catalogue.receiving.pull({ pairs, mover: far })).toMatchObject({
        accepted: ids.slice(0, 4),
        peers: ['far'],
      })
      expect(await catalogue.receiving.pull({ pairs, mover: { name: 'near', isAdmin: false } })).toMatchObject({
        accepted: [],
      })
      await catalogue.receiving.fail({ failures: [{ id: ids[1]!, reason: '' }] })
      expect(await catalogue.receiving.pullPeers()).toEqual(['far'])
      const page = async (after: number) =>
        (await catalogue.receiving.pulled({ peer: 'far', after, limit: 2 })).map(({ id }) => id)
      expect([await page(0), await page(ids[2]!)]).toEqual([[ids[0], ids[2]], [ids[3]]])
      expect(await catalogue.receiving.staged({ after: 0, limit: 10 })).toEqual([])
      expect(await catalogue.receiving.stale({ olderThanSeconds: 60, after: 0, limit: 10 })).toEqual([])
      expect(await catalogue.receiving.stale({ olderThanSeconds: -60, after: 0, limit: 10 })).toHaveLength(4)
    })
  })
}
