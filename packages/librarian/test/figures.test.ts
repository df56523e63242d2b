/** The numbers for those who watch, on both databases. */
import { describe, expect, test } from 'vitest'
import { suiteOfBoth } from './both-databases.ts'
import {
  insertClone,
  insertFile,
  insertIncoming,
  insertInstance,
  insertOutgoing,
  insertPeer,
  insertStore,
} from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  async function opened(...rows: string[]): Promise<TrialCatalogue> {
    const catalogue = await open()
    for (const row of rows) await catalogue.trial.write(row)
    return catalogue
  }
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString().replace('Z', '000Z')

  describe(`${label}: figures`, () => {
    test('copies are counted by store and state, and the oldest proof is of copies in use', async () => {
      await using catalogue = await opened(
        insertStore(1),
        insertStore(2),
        ...['a', 'b', 'c', 'd'].map((name, n) => insertFile(name, n + 1)),
        ...['a', 'b', 'c', 'd'].map(name => insertInstance(name, 1)),
        insertInstance('a', 2),
        `UPDATE instance SET checksum_time = '${ago(5000)}', available = 0 WHERE file_name = 'a' AND store_id = 1`,
        `UPDATE instance SET checksum_time = '${ago(1000)}', state = 'mismatch' WHERE file_name = 'b'`,
        `UPDATE instance SET checksum_time = '${ago(10)}' WHERE file_name = 'c'`,
        `UPDATE instance SET state = 'never-checked' WHERE file_name = 'd'`,
      )
      const { files, copies, oldest } = await catalogue.figures.copies()
      expect(files).toBe(4)
      const sorted = copies.toSorted((a, b) => a.storeId - b.storeId || a.state.localeCompare(b.state))
      expect(sorted).toEqual([
        { storeId: 1, state: 'mismatch', count: 1 },
        { storeId: 1, state: 'never-checked', count: 1 },
        { storeId: 1, state: 'ok', count: 2 },
        { storeId: 2, state: 'ok', count: 1 },
      ])
      expect(oldest).toEqual([{ storeId: 1, ageSeconds: expect.any(Number) }])
      expect(oldest[0]!.ageSeconds).toBeGreaterThan(900)
      expect(oldest[0]!.ageSeconds).toBeLessThan(2000)
    })

    test('transfers are counted by direction and state, and the backlog is what is open', async () => {
      await using catalogue = await opened(
        insertStore(1),
        insertFile('a'),
        insertInstance('a', 1),
        insertIncoming('t1'),
        insertIncoming('t2', 'COMPLETED'),
        insertIncoming('t3', 'COMPLETED'),
        insertClone('FAILED'),
        ...['INITIATED', 'STAGED', 'COMPLETED', 'FAILED'].map(status => insertOutgoing(status)),
        `UPDATE outgoing_transfer SET start_time = '${ago(100)}' WHERE status = 'STAGED'`,
        `UPDATE outgoing_transfer SET start_time = '${ago(300)}' WHERE status = 'INITIATED'`,
      )
      const { transfers, backlog } = await catalogue.figures.transfers()
      expect(new Set(transfers.map(({ direction, status, count }) => `${direction} ${status} ${count}`))).toEqual(
        new Set([
          'in INITIATED 1',
          'in COMPLETED 2',
          'local FAILED 1',
          ...['INITIATED', 'STAGED', 'COMPLETED', 'FAILED'].map(status => `out ${status} 1`),
        ]),
      )
      expect(backlog).toEqual([{ destination: 'far', files: 2, bytes: 2, oldestSeconds: expect.any(Number) }])
      expect(backlog[0]!.oldestSeconds).toBeGreaterThan(250)
    })

    test('what waits for people and for other librarians is told with its age', async () => {
      await using catalogue = await opened(insertPeer(1), insertPeer(2))
      await catalogue.peers.touch({ name: 'peer-1', seen: true })
      const raised = { severity: 'error', category: 'programming', caller: 'test' } as const
      await catalogue.errors.raise({ ...raised, message: 'one' })
      const { id } = await catalogue.errors.raise({ ...raised, message: 'two' })
      await catalogue.errors.clear({ id })
      const message = { peer: 'peer-2', call: 'clone/complete', body: {} }
      await catalogue.outbox.add({ messages: [1, 2].map(n => ({ ...message, idempotencyKey: `k${n}` })) })
      await catalogue.trial.write(`UPDATE message SET created = '${ago(60)}' WHERE idempotency_key = 'k1'`)
      const { errors, messages, peers, trash, bytes } = await catalogue.figures.standing()
      expect(errors).toEqual([{ severity: 'ERROR', count: 1 }])
      expect(messages).toEqual([{ peer: 'peer-2', count: 2, oldestSeconds: expect.any(Number) }])
      expect(messages[0]!.oldestSeconds).toBeGreaterThan(50)
      expect(peers.map(({ name, isEnabled }) => [name, isEnabled])).toEqual([
        ['peer-1', true],
        ['peer-2', true],
      ])
      expect(peers[0]!.seenSeconds).toBeLessThan(30)
      expect(peers[1]!.seenSeconds).toBeGreaterThan(86_400)
      expect(trash).toEqual({ copies: 0, oldestSeconds: 0 })
      expect(bytes).toBeGreaterThan(10_000)
    })

    test('no table of files, copies or ended transfers is gone through, only indexes', async () => {
      await using catalogue = await opened()
      if (catalogue.engine !== 'sqlite') return
      const plans = await catalogue.trial.figurePlans()
      expect(plans.length).toBeGreaterThan(6)
      const scans = plans.flatMap(plan => [...plan.matchAll(/"detail":"(SCAN [^"]*)"/g)].map(([, detail]) => detail!))
      const dear = /^SCAN (file|instance|outgoing_transfer|incoming_transfer|clone_transfer|trash)\b/
      for (const scan of scans.filter(each => dear.test(each))) {
        // An index alone, or one that has only the few.
        expect(scan).toMatch(/USING (COVERING INDEX|INDEX (instance_state|outgoing_live))/)
      }
      expect(plans.join()).toContain('outgoing_live')
      expect(plans.join()).toContain('instance_state')
    })
  })
}
