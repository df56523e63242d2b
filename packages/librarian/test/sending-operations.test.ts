/** Operations of sending, on both databases. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../src/catalogue/operations/begin-batch.ts'
import type { ClaimedItem } from '../src/catalogue/operations/send-queue.ts'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertPeer, insertRemote, insertStore } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const destination = 'peer-1'
const order = { destination, holder: 'h', seconds: 60 }

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  const opened = async (...statements: string[]) => {
    const catalogue = await open()
    for (const each of [insertStore(1), insertStore(2), insertPeer(1), ...statements]) await catalogue.trial.write(each)
    return catalogue
  }
  const file = (name: string, n: number) => [insertFile(name, n), insertInstance(name, 1, n)]

  /** A batch that is in the queue. */
  async function queued(catalogue: TrialCatalogue, names: readonly string[], firstRemote = 100) {
    const batch = (await catalogue.sending.begin({ ...order, names })) as Batch
    const hold = { destination, token: batch.token }
    const pairs = batch.transfers.map(({ id, name }, n) => ({
      id,
      remoteId: firstRemote + n,
      target: `/stage/${name}`,
    }))
    const item = await catalogue.sending.pair({ hold, method: 'local', state: '{}', pairs, forgetsCopies: false })
    await catalogue.leases.release({ resource: `send:${destination}`, holder: 'h', token: batch.token })
    return { batch, pairs, item: item! }
  }
  const rows = (catalogue: TrialCatalogue, what = '*', table = 'outgoing_transfer') =>
    catalogue.trial.read(`SELECT ${what} FROM ${table} ORDER BY id`)
  const claim = { holder: 'c', seconds: 60 }

  describe(`${label}: operations of sending`, () => {
    test('candidates are the files that the destination lacks and does not get, in pages, the oldest first', async () => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f']
      await using catalogue = await opened(
        ...names.flatMap((name, n) => file(name, n + 1)),
        insertPeer(2),
        insertRemote('b', 1),
        insertRemote('c', 2),
        `INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, instance_id, file_name)
         VALUES ('STAGED', '${destination}', 1, 'x', '2026-01-01T00:00:00.000000Z', 1, 'd'),
                ('FAILED', '${destination}', 1, 'x', '2026-01-01T00:00:00.000000Z', 1, 'e'),
                ('ONGOING', 'peer-2', 1, 'x', '2026-01-01T00:00:00.000000Z', 1, 'f')`,
      )
      const all = { destination, ageInDays: 1_000_000 }
      expect(await catalogue.sending.candidates({ ...all, limit: 10 })).toEqual({ names: ['a', 'c', 'e', 'f'] })
      const pages = []
      for (let after: Parameters<typeof catalogue.sending.candidates>[0]['after']; ; ) {
        const page = await catalogue.sending.candidates({ ...all, after, limit: 2 })
        pages.push(page.names)
        if (!page.next) break
        after = page.next
      }
      expect(pages).toEqual([['a'], ['c'], ['e', 'f'], []])
      expect(await catalogue.sending.candidates({ ...all, ageInDays: 0, limit: 10 })).toEqual({ names: [] })
    })

    test('old open transfers are found by an index, however many have ended', async () => {
      await using catalogue = await opened()
      if (catalogue.engine !== 'sqlite') return
      const plan = await catalogue.trial.read(`EXPLAIN QUERY PLAN
        SELECT id FROM outgoing_transfer WHERE status IN ('INITIATED','ONGOING','STAGED') AND id > 5 ORDER BY id`)
      expect(plan.map(({ detail }) => detail).join()).toContain('outgoing_live')
    })

    test('begin() takes a good copy of each file: preferred stores first, bad and withdrawn copies never', async () => {
      await using catalogue = await opened(
        ...file('a', 1),
        ...file('b', 2),
        ...file('c', 3),
        ...file('d', 4),
        insertInstance('a', 2, 1),
        insertInstance('b', 2, 2),
        `UPDATE instance SET state = 'mismatch' WHERE file_name = 'b' AND store_id = 1`,
        `UPDATE instance SET available = 0 WHERE file_name = 'c'`,
        `UPDATE instance SET state = 'never-checked' WHERE file_name = 'd'`,
      )
      const names = ['a', 'b', 'c', 'd']
      const batch = await catalogue.sending.begin({ ...order, names, preferredStore: 1 })
      expect(batch?.transfers.map(({ path }) => path)).toEqual(['/s1/a', '/s2/b', '/s1/d'])
      expect(batch?.without).toEqual(['c'])
      expect(batch?.transfers[0]).toMatchObject({
        name: 'a',
        size: 1,
        checksum: 'xxh3:::1',
        uploader: 'ada',
        kind: 'file',
      })
      await expect(catalogue.sending.begin({ ...order, destination: 'x', names })).rejects.toMatchObject({
        code: 'UnknownLibrarian',
      })
    })

    test('begin() ends what nobody drives any more, and one at a time makes a batch for a destination', async () => {
      await using catalogue = await opened(...file('a', 1), ...file('b', 2))
      const first = (await catalogue.sending.begin({ ...order, names: ['a'] })) as Batch
      expect(await catalogue.sending.begin({ ...order, holder: 'other', names: ['b'] })).toBeUndefined()
      await catalogue.leases.release({ resource: `send:${destination}`, holder: 'h', token: first.token })
      const second = (await catalogue.sending.begin({ ...order, holder: 'other', names: ['a', 'b'] })) as Batch
      expect(second.transfers.map(({ name }) => name)).toEqual(['a', 'b'])
      const statuses = await rows(catalogue, 'status, end_time')
      expect(statuses.map(({ status }) => status)).toEqual(['FAILED', 'INITIATED', 'INITIATED'])
      expect(statuses[0]?.end_time).toMatch(/Z$/)
      const [pair] = first.transfers.map(({ id }) => ({ id, remoteId: 1, target: '/x/a' }))
      const stale = { hold: { destination, token: first.token }, method: 'local', state: '{}', forgetsCopies: false }
      await expect(catalogue.sending.pair({ ...stale, pairs: [pair!] })).rejects.toMatchObject({ code: 'Conflict' })
    })

    test('of 20 who begin at once one makes the transfers', async () => {
      await using catalogue = await opened(...file('a', 1))
      const begun = await Promise.all(
        Array.from({ length: 20 }, (_, n) => catalogue.sending.begin({ ...order, holder: `h${n}`, names: ['a'] })),
      )
      expect(begun.filter(batch => batch !== undefined)).toHaveLength(1)
      expect(await rows(catalogue)).toHaveLength(1)
    })

    test('pair() keeps the receiver’s numbers with one item; a number given twice ends the older transfer', async () => {
      await using catalogue = await opened(...file('a', 1), ...file('b', 2))
      const { item } = await queued(catalogue, ['a'])
      const again = await queued(catalogue, ['b'])
      expect(again.item.paired).toHaveLength(1)
      expect(await rows(catalogue, 'status, remote_transfer_id, send_queue_id, dest_path, source_path')).toEqual([
        {
          status: 'FAILED',
          remote_transfer_id: 100,
          send_queue_id: item.itemId,
          dest_path: '/stage/a',
          source_path: '/s1/a',
        },
        {
          status: 'INITIATED',
          remote_transfer_id: 100,
          send_queue_id: again.item.itemId,
          dest_path: '/stage/b',
          source_path: '/s1/b',
        },
      ])
    })

    test('transfers that fail are told to the receiver once, by the number that it knows', async () => {
      await using catalogue = await opened(...file('a', 1), ...file('b', 2))
      const { batch } = await queued(catalogue, ['a', 'b'])
      const [a, b] = batch.transfers
      const reason = 'the cable is cut'
      expect(await catalogue.sending.fail({ transfers: [{ id: a!.id }, { id: b!.id }], reason })).toHaveLength(2)
      expect(await catalogue.sending.fail({ transfers: [{ id: a!.id }], reason })).toEqual([])
      const messages = await rows(catalogue, 'peer, call, body', 'message')
      expect(messages.map(({ body, ...rest }) => ({ ...rest, ...JSON.parse(String(body)) }))).toEqual(
        [a!, b!].map(({ id }, n) => ({
          peer: destination,
          call: 'clone/fail',
          source_transfer_id: id,
          destination_transfer_id: 100 + n,
          reason,
        })),
      )
    })

    test('of 20 who claim at once each item goes to one, and what the others write under an old token is refused', async () => {
      await using catalogue = await opened(...['a', 'b', 'c'].flatMap((name, n) => file(name, n + 1)))
      for (const [n, name] of ['a', 'b', 'c'].entries()) await queued(catalogue, [name], n * 10)
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          catalogue.sendQueue.claimWaiting({ holder: `h${n}`, seconds: 60, most: 64 }),
        ),
      )
      const got = claims.filter(each => each !== undefined) as ClaimedItem[]
      expect(got.map(({ item }) => item.id).sort()).toEqual([1, 2, 3])
      const { hold } = got[0]!
      const stale = { ...hold, token: hold.token + 1 }
      await expect(catalogue.sendQueue.begun({ hold: stale, state: '{}', lookSeconds: 0 })).rejects.toMatchObject({
        code: 'Conflict',
      })
      await expect(catalogue.sendQueue.giveUp({ hold: stale, reason: 'x' })).rejects.toMatchObject({ code: 'Conflict' })
      await catalogue.sendQueue.begun({ hold, state: '{"a":1}', lookSeconds: 0 })
    })

    test('the queue waits for paused destinations, pauses after failures, and so many that are being moved', async () => {
      await using catalogue = await opened(...file('a', 1), ...file('b', 2))
      await queued(catalogue, ['a'])
      await queued(catalogue, ['b'], 200)
      await catalogue.peers.setTransfersEnabled({ name: destination, enabled: false })
      expect(await catalogue.sendQueue.claimWaiting({ ...claim, most: 64 })).toBeUndefined()
      await catalogue.peers.setTransfersEnabled({ name: destination, enabled: true })
      const first = (await catalogue.sendQueue.claimWaiting({ ...claim, most: 1 })) as ClaimedItem
      expect(first.open.map(({ file_name }) => file_name)).toEqual(['a'])
      await catalogue.sendQueue.later({ hold: first.hold, seconds: 3600, reason: 'no', counts: true })
      await catalogue.leases.release({ resource: 'send-item:1', holder: 'c', token: first.hold.token })
      const second = (await catalogue.sendQueue.claimWaiting({ ...claim, most: 1 })) as ClaimedItem
      expect(second.item.id).toBe(2)
      const stale = { ...second.hold, token: second.hold.token + 1 }
      await expect(catalogue.sendQueue.begin({ hold: stale })).rejects.toMatchObject({ code: 'Conflict' })
      await catalogue.sendQueue.begin({ hold: second.hold })
      await catalogue.sendQueue.begun({ hold: second.hold, state: '{}', lookSeconds: 0 })
      expect(await catalogue.sendQueue.claimWaiting({ ...claim, most: 1 })).toBe('full')
      expect(await catalogue.sendQueue.claimWaiting({ ...claim, most: 2 })).toBeUndefined()
      expect(await rows(catalogue, 'retries, reason, consumed', 'send_item')).toEqual([
        { retries: 1, reason: 'no', consumed: 0 },
        { retries: 0, reason: null, consumed: 1 },
      ])
      expect((await rows(catalogue, 'status')).map(({ status }) => status)).toEqual(['INITIATED', 'ONGOING'])
    })

    test('a batch that tells of itself is looked at when its time has come, or all of it has ended', async () => {
      await using catalogue = await opened(...file('a', 1), ...file('b', 2))
      const { batch } = await queued(catalogue, ['a', 'b'])
      const { hold } = (await catalogue.sendQueue.claimWaiting({ ...claim, most: 9 })) as ClaimedItem
      await catalogue.sendQueue.begun({ hold, state: '{}', lookSeconds: 3600 })
      await catalogue.leases.release({ resource: 'send-item:1', holder: 'c', token: hold.token })
      expect(await catalogue.sendQueue.claimMoving({ ...claim, after: 0 })).toBeUndefined()
      const ids = batch.transfers.map(({ id }) => id)
      await catalogue.sending.fail({ transfers: [{ id: ids[0]! }], reason: 'no' })
      expect(await catalogue.sendQueue.claimMoving({ ...claim, after: 0 })).toBeUndefined()
      await catalogue.sending.fail({ transfers: [{ id: ids[1]! }], reason: 'no' })
      expect(await catalogue.sendQueue.claimMoving({ ...claim, after: 0 })).toMatchObject({ open: [], completed: 0 })
    })

    test('a batch ends once: staged and failed transfers as told, its record kept, and never claimed again', async () => {
      await using catalogue = await opened(...file('a', 1), ...file('b', 2))
      const { batch } = await queued(catalogue, ['a', 'b'])
      const waiting = (await catalogue.sendQueue.claimWaiting({ ...claim, most: 9 })) as ClaimedItem
      await catalogue.sendQueue.begun({ hold: waiting.hold, state: '{}', lookSeconds: 0 })
      await catalogue.leases.release({ resource: 'send-item:1', holder: 'c', token: waiting.hold.token })
      const moving = (await catalogue.sendQueue.claimMoving({ ...claim, after: 0 })) as ClaimedItem
      expect(moving.bytes).toBe(3)
      const details = {
        task_id: 't',
        source_endpoint_id: 'here',
        destination_endpoint_id: destination,
        start_time: moving.now,
        end_time: moving.now,
        duration_seconds: 0.5,
        bytes_transferred: 3,
        effective_bandwidth_bps: 6,
      }
      const [a, b] = batch.transfers
      const end = { hold: moving.hold, staged: [a!.id], failed: [{ id: b!.id, reason: 'lost' }], details }
      await catalogue.sendQueue.complete(end)
      await expect(catalogue.sendQueue.complete(end)).rejects.toMatchObject({ code: 'Conflict' })
      expect(await rows(catalogue, 'status, reason')).toEqual([
        { status: 'STAGED', reason: null },
        { status: 'FAILED', reason: 'lost' },
      ])
      expect(await rows(catalogue, 'completed, failed', 'send_item')).toEqual([{ completed: 1, failed: 0 }])
      expect(await rows(catalogue, 'task_id, effective_bandwidth_bps', 'completed_transfer')).toEqual([
        { task_id: 't', effective_bandwidth_bps: 6 },
      ])
      expect(await catalogue.sendQueue.claimMoving({ ...claim, after: 0 })).toBeUndefined()
    })

    test('the lease of a batch goes with it, and what was left behind is swept; of those that are open it stays', async () => {
      await using catalogue = await opened(...['a', 'b', 'c'].flatMap((name, n) => file(name, n + 1)))
      for (const [n, name] of ['a', 'b', 'c'].entries()) await queued(catalogue, [name], 100 + n)
      const claims: ClaimedItem[] = []
      for (const _ of [1, 2])
        claims.push((await catalogue.sendQueue.claimWaiting({ ...claim, most: 9 })) as ClaimedItem)
      const leases = async () =>
        (
          await catalogue.trial.read(`SELECT resource FROM lease WHERE resource LIKE 'send-item:%' ORDER BY resource`)
        ).map(({ resource }) => resource)
      expect(await leases()).toEqual(['send-item:1', 'send-item:2'])
      await catalogue.sendQueue.giveUp({ hold: claims[0]!.hold, reason: 'x' })
      expect(await leases()).toEqual(['send-item:2'])
      for (const id of [1, 77])
        await catalogue.leases.acquire({ resource: `send-item:${id}`, holder: 'd', seconds: -1 })
      await catalogue.leases.acquire({ resource: 'send-item:78', holder: 'd', seconds: 60 })
      await catalogue.leases.release({ resource: 'send-item:2', holder: 'c', token: claims[1]!.hold.token })
      expect(await catalogue.sendQueue.sweepLeases()).toBe(2)
      expect(await leases()).toEqual(['send-item:2', 'send-item:78'])
    })

    test('what is on a disk under way is never old; read over there, it is by the day on which it was read', async () => {
      await using catalogue = await opened(...['a', 'b'].flatMap((name, n) => file(name, n + 1)))
      const disk = '11111111-2222-4333-8444-555555555555'
      const stale = async (ageInDays: number) =>
        (await catalogue.outgoing.stale({ ageInDays, after: 0, limit: 9 })).map(({ file_name }) => file_name)
      await queued(catalogue, ['b'])
      await catalogue.outgoingDisks.begin({ id: disk, peer: destination, label: '' })
      await catalogue.outgoingDisks.add({ id: disk, items: [{ name: 'a', instanceId: 1 }] })
      await catalogue.outgoingDisks.seal({ id: disk })
      await catalogue.trial.write(`UPDATE outgoing_transfer SET start_time = '2020-01-01T00:00:00.000000Z'`)
      expect(await stale(1)).toEqual(['b'])
      await catalogue.outgoingDisks.sign({ id: disk, digest: '0'.repeat(64), statement: '' })
      await catalogue.outgoingDisks.heard({ id: disk, peer: destination, state: 'reading' })
      expect(await stale(1)).toEqual(['b'])
      await catalogue.outgoingDisks.heard({ id: disk, peer: destination, state: 'read' })
      expect(await stale(1)).toEqual(['b'])
      await catalogue.trial.write(`UPDATE disk SET changed = '2020-01-02T00:00:00.000000Z'`)
      expect(await stale(1)).toEqual(['b', 'a'])
    })

    test('a librarian that is removed: all that waited for it ends with it where that is asked for, else it waits', async () => {
      for (const failTransfers of [true, false]) {
        await using catalogue = await opened(...['a', 'b'].flatMap((name, n) => file(name, n + 1)), insertPeer(2))
        for (const [n, name] of ['a', 'b'].entries()) await queued(catalogue, [name], 100 + n)
        await catalogue.trial.write(insertRemote('a', 1))
        const held = (await catalogue.sendQueue.claimWaiting({ ...claim, most: 9 })) as ClaimedItem
        const messages = [destination, 'peer-2'].map(peer => ({ peer, call: 'x', body: {}, idempotencyKey: peer }))
        await catalogue.outbox.add({ messages })
        const removed = await catalogue.peers.remove({ name: destination, failTransfers })
        expect(removed).toMatchObject({ forgottenCopies: 1 })
        const told = removed?.failed.map(({ remoteId }) => remoteId).sort()
        expect(told).toEqual(failTransfers ? [100, 101] : [])
        const reason = failTransfers ? 'The librarian peer-1 was removed.' : null
        const status = failTransfers ? 'FAILED' : 'INITIATED'
        expect(await rows(catalogue, 'status, reason')).toEqual([1, 2].map(() => ({ status, reason })))
        const isEnded = failTransfers ? 1 : 0
        expect(await rows(catalogue, 'completed, failed, reason', 'send_item')).toEqual(
          [1, 2].map(() => ({ completed: isEnded, failed: isEnded, reason })),
        )
        const waiting = (await catalogue.outbox.waiting()).map(({ peer }) => peer)
        expect(waiting).toEqual(failTransfers ? ['peer-2'] : [destination, 'peer-2'])
        expect(await catalogue.outbox.duePeers()).toEqual(['peer-2'])
        expect(await rows(catalogue, '*', 'remote_instance')).toEqual([])
        // Who was at work on a batch writes nothing more of what has ended.
        const begun = catalogue.sendQueue.begun({ hold: held.hold, state: '{}', lookSeconds: 0 })
        if (failTransfers) await expect(begun).rejects.toMatchObject({ code: 'Conflict' })
        else await begun
      }
    })

    test('a report completes what is the reporter’s, twice as well as once, and each is judged by itself', async () => {
      await using catalogue = await opened(...['a', 'b', 'c'].flatMap((name, n) => file(name, n + 1)))
      const { batch } = await queued(catalogue, ['a', 'b', 'c'])
      const [a, b, c] = batch.transfers.map(({ id }) => id) as [number, number, number]
      await catalogue.sending.ongoing({ ids: [a, b] })
      const clones = [
        { id: a, remoteId: 100, storeId: 7 },
        { id: b, remoteId: 999, storeId: 7 },
        { id: c, remoteId: 102, storeId: 7 },
        { id: 12_345, remoteId: 1, storeId: 7 },
      ]
      const report = { clones, destination, sender: 'here' }
      for (let time = 0; time < 2; time++) {
        const { completed, refused } = await catalogue.outgoing.complete(report)
        expect(completed).toEqual([a])
        expect(refused.map(({ id, code }) => [id, code])).toEqual([
          [b, 'Conflict'],
          [c, 'Conflict'],
          [12_345, 'NotFound'],
        ])
      }
      expect(await catalogue.outgoing.complete({ ...report, destination: 'eve' })).toMatchObject({ completed: [] })
      const remotes = await rows(catalogue, 'file_name, store_id, librarian_id, sender', 'remote_instance')
      expect(remotes).toEqual([{ file_name: 'a', store_id: 7, librarian_id: 1, sender: 'here' }])
      const [done] = await catalogue.outgoing.list({ name: 'a', limit: 5 })
      expect(done).toMatchObject({ status: 'COMPLETED', end_time: expect.stringMatching(/Z$/) })
      expect((await catalogue.outgoing.list({ limit: 2 })).map(({ id }) => id)).toEqual([c, b])
      expect(await catalogue.outgoing.list({ statuses: [], limit: 2 })).toEqual([])
      expect(await catalogue.outgoing.stale({ ageInDays: 1, after: 0, limit: 9 })).toEqual([])
      expect(await catalogue.outgoing.stale({ ageInDays: -1, after: 0, limit: 9 })).toHaveLength(2)
    })

    test('a carried disk’s transfer is completed by its number here alone, and 20 reports at once make one copy', async () => {
      await using catalogue = await opened(...file('a', 1))
      const id = 'a'.repeat(32)
      const order = { storeName: 'store-1', destination, disableStore: false, markUnavailable: false }
      await catalogue.manifest.make({ ...order, id })
      const clones = [{ id: 1, remoteId: 55, storeId: 3 }]
      const reports = await Promise.all(
        Array.from({ length: 20 }, () => catalogue.outgoing.complete({ clones, destination, sender: 'here' })),
      )
      expect(reports.every(({ completed }) => completed[0] === 1)).toBe(true)
      expect(await rows(catalogue, 'status, remote_transfer_id')).toEqual([
        { status: 'COMPLETED', remote_transfer_id: 55 },
      ])
      expect(await rows(catalogue, '*', 'remote_instance')).toHaveLength(1)
    })

    test('whatever is done in whatever order, transfers only move forward and end with a time', async () => {
      const acts = ['ongoing', 'fail', 'found', 'complete', 'begun', 'end', 'giveUp'] as const
      const rank = { INITIATED: 0, ONGOING: 1, STAGED: 2, COMPLETED: 3, FAILED: 3, CANCELLED: 3 }
      await using catalogue = await opened()
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(fc.constantFrom(...acts), { minLength: 1, maxLength: 7 }), async plan => {
          const name = `f${++run}`
          for (const each of file(name, run)) await catalogue.trial.write(each)
          const { item } = await queued(catalogue, [name], run * 10)
          const id = item.paired[0]!
          const token = (await catalogue.leases.acquire({
            resource: `send-item:${item.itemId}`,
            holder: 'c',
            seconds: 60,
          })) as number
          const hold = { itemId: item.itemId, token }
          const does = {
            ongoing: () => catalogue.sending.ongoing({ ids: [id] }),
            fail: () => catalogue.sending.fail({ transfers: [{ id }], reason: 'x' }),
            found: () => catalogue.sending.found({ id, storeIds: [1], sender: 'here' }),
            complete: () =>
              catalogue.outgoing.complete({ clones: [{ id, remoteId: run * 10, storeId: 1 }], sender: 'here' }),
            begun: () => catalogue.sendQueue.begun({ hold, state: '{}', lookSeconds: 0 }),
            end: () => catalogue.sendQueue.complete({ hold, staged: [id], failed: [] }),
            giveUp: () => catalogue.sendQueue.giveUp({ hold, reason: 'x' }),
          }
          let last: keyof typeof rank = 'INITIATED'
          let isEnded = false
          for (const act of plan) {
            const done = does[act]()
            // Nobody holds a batch that has ended.
            const isOfBatch = act === 'begun' || act === 'end' || act === 'giveUp'
            if (isOfBatch && isEnded) await expect(done).rejects.toMatchObject({ code: 'Conflict' })
            else await done
            isEnded ||= act === 'end' || act === 'giveUp'
            const [row] = await catalogue.trial.read(`SELECT status, end_time FROM outgoing_transfer WHERE id = ${id}`)
            const status = row?.status as keyof typeof rank
            expect(status === last || rank[status] > rank[last], `${last} to ${status} by ${act}`).toBe(true)
            expect(row?.end_time === null, status).toBe(rank[status] < 3)
            last = status
          }
          const copies = await catalogue.trial.read(`SELECT id FROM remote_instance WHERE file_name = '${name}'`)
          expect(copies).toHaveLength(last === 'COMPLETED' ? 1 : 0)
        }),
        { numRuns: catalogue.engine === 'sqlite' ? 60 : 15 },
      )
    })
  })
}
