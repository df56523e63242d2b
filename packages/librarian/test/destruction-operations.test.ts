/** B8: the rows of a destruction: who may agree with whom, for how long, and what that lets go; on both databases. */
import { describe, expect, test } from 'vitest'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const id = 'd'.repeat(32)
const long = '2026-01-01T00:00:00.000000Z'
const proposal = { id, fileName: 'a', reason: 'wrong', by: 'ada' }
const confirmation = { id, fileName: 'a', by: 'ben' }
const copy = { id: 'a'.repeat(32), holder: 'one', instanceId: 1 }
const deletion = { ...copy, actor: 'ben', reason: 'wrong', proofInstanceIds: [], evidence: [] }
const code = (code: string) => expect.objectContaining({ code })

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  /** A file with one copy, and three administrators. */
  async function opened(): Promise<TrialCatalogue> {
    const catalogue = await open()
    const main = { name: 'main', ingestable: true, type: 'local', data: {}, transferManagers: {} }
    await catalogue.stores.synchronise({ stores: [main] })
    for (const row of [insertFile('a', 1), insertFile('b', 2), insertInstance('a', 1)]) await catalogue.trial.write(row)
    for (const username of ['ada', 'ben', 'eve']) {
      await catalogue.accounts.create({ username, authToken: 'hash', level: 'ADMIN' })
    }
    return catalogue
  }

  async function begin({ deletions }: TrialCatalogue, destruction: string | undefined) {
    await deletions.announce(copy)
    try {
      return await deletions.begin({ ...deletion, destruction })
    } finally {
      await deletions.retract(copy)
    }
  }

  describe(`${label}: destructions`, () => {
    test('one proposes, another confirms, each with an entry in the same transaction', async () => {
      await using catalogue = await opened()
      const { destructions } = catalogue
      const act = (actor: string) => ({ actor, action: 'test', subject: 'a', detail: {} })
      expect(await destructions.propose({ ...proposal, act: act('ada') })).toMatchObject({ state: 'proposed' })
      await expect(destructions.propose({ ...proposal, id: 'e'.repeat(32), by: 'ben' })).rejects.toEqual(
        code('Conflict'),
      )
      expect(await destructions.proposed({})).toMatchObject([{ id, file_name: 'a', proposed_by: 'ada' }])
      const refused = [
        destructions.confirm({ ...confirmation, by: 'ada', act: act('ada') }),
        destructions.confirm({ ...confirmation, fileName: 'b', act: act('ben') }),
        destructions.confirm({ ...confirmation, id: 'f'.repeat(32), act: act('ben') }),
        destructions.confirm({ ...confirmation, by: 'nobody', act: act('nobody') }),
      ]
      expect((await Promise.allSettled(refused)).map(end => end.status === 'rejected' && end.reason.code)).toEqual([
        'Conflict',
        'BadRequest',
        'NotFound',
        'Conflict',
      ])
      expect(await destructions.confirm({ ...confirmation, act: act('ben') })).toMatchObject({
        state: 'confirmed',
        confirmed_by: 'ben',
      })
      // Whoever comes after the two has agreed to nothing.
      expect(await destructions.confirm({ ...confirmation, by: 'eve' })).toMatchObject({ confirmed_by: 'ben' })
      expect(await destructions.proposed({})).toEqual([])
      const entries = await catalogue.audit.list({})
      expect(entries.map(({ actor }) => actor)).toEqual(['ben', 'ada'])
    })

    test('a proposal ends after a day, and can be made anew', async () => {
      await using catalogue = await opened()
      const { destructions, trial } = catalogue
      await trial.write(
        `INSERT INTO destruction (id, file_name, reason, state, proposed_by, proposed) VALUES ('${id}', 'a', 'r', 'proposed', 'ada', '${long}')`,
      )
      await expect(destructions.confirm(confirmation)).rejects.toEqual(code('Conflict'))
      expect(await destructions.proposed({})).toEqual([])
      const again = { id: 'e'.repeat(32) }
      await destructions.propose({ ...proposal, ...again })
      expect(await destructions.confirm({ ...confirmation, ...again })).toMatchObject({ state: 'confirmed' })
    })

    test('no account takes part that somebody else has made or changed within a week', async () => {
      await using catalogue = await opened()
      const { destructions, audit } = catalogue
      const done = { actor: 'ada', action: 'users/update', subject: 'ben', detail: { outcome: 'done' } }
      await audit.append({ ...done, detail: { outcome: 'refused' } })
      await audit.append({ ...done, actor: 'ben' })
      await destructions.propose(proposal)
      await audit.append(done)
      await expect(destructions.confirm(confirmation)).rejects.toEqual(code('Conflict'))
      expect(await destructions.confirm({ ...confirmation, by: 'eve' })).toMatchObject({ state: 'confirmed' })
      // The other way round: who confirms has made the one who proposed.
      await expect(destructions.propose({ ...proposal, id: 'e'.repeat(32), fileName: 'b', by: 'ben' })).rejects.toEqual(
        code('Conflict'),
      )
    })

    test('who is no administrator any more has proposed nothing', async () => {
      await using catalogue = await opened()
      await catalogue.destructions.propose(proposal)
      await catalogue.accounts.remove({ username: 'ada' })
      await expect(catalogue.destructions.confirm(confirmation)).rejects.toEqual(code('Conflict'))
    })

    test('no statement makes one administrator two, or brings back what was undone', async () => {
      await using catalogue = await opened()
      const { destructions, trial } = catalogue
      await destructions.propose(proposal)
      const alone = `UPDATE destruction SET state = 'confirmed', confirmed_by = 'ada', confirmed = proposed`
      await expect(trial.write(alone)).rejects.toThrow()
      await expect(trial.write(`UPDATE destruction SET state = 'confirmed'`)).rejects.toThrow()
      await expect(trial.write(`UPDATE destruction SET file_name = 'b'`)).rejects.toThrow(/never changes/)
      await destructions.confirm(confirmation)
      await expect(trial.write(`UPDATE destruction SET confirmed_by = 'eve'`)).rejects.toThrow(/never changes/)
      await trial.write(`UPDATE destruction SET state = 'undone'`)
      await expect(trial.write(`UPDATE destruction SET state = 'confirmed'`)).rejects.toThrow(/stays so/)
    })

    test('only what is confirmed, and is of this file, lets its last copy go', async () => {
      await using catalogue = await opened()
      const { destructions } = catalogue
      await destructions.propose({ ...proposal, id: 'b'.repeat(32), fileName: 'b' })
      await destructions.confirm({ ...confirmation, id: 'b'.repeat(32), fileName: 'b' })
      await destructions.propose(proposal)
      await expect(begin(catalogue, undefined)).rejects.toEqual(code('KeepsLastCopy'))
      for (const other of ['b'.repeat(32), '0'.repeat(32), id]) {
        await expect(begin(catalogue, other)).rejects.toEqual(code('Conflict'))
      }
      expect(await catalogue.instances.get({ id: 1 })).toMatchObject({ available: 1 })
      await destructions.confirm(confirmation)
      expect(await begin(catalogue, id)).toMatchObject({ state: 'deleting', destruction: id })
    })

    test('the trash keeps it for 30 days, then lets it go without proofs; once a copy is wanted back, not without', async () => {
      await using catalogue = await opened()
      const { destructions, deletions, trash, trial } = catalogue
      await destructions.propose(proposal)
      await destructions.confirm(confirmation)
      await begin(catalogue, id)
      await deletions.finish(copy)
      const moved = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().replace('Z', '000Z')
      const aged = (days: number) => trial.write(`UPDATE trash SET trashed = '${moved(days)}'`)
      const purge = { ...copy, olderThanSeconds: 7 * 86_400, proofInstanceIds: [], evidence: [] }
      const due = (olderThanSeconds: number) => trash.due({ olderThanSeconds, limit: 9 })
      await aged(29)
      expect([await due(-60), await trash.beginPurge({ ...purge, olderThanSeconds: -60 })]).toEqual([[], undefined])
      await aged(31)
      expect([await due(60), await due(40 * 86_400)]).toMatchObject([[{ id: copy.id }], []])

      expect(await trash.isAgreed(copy)).toBe(true)
      await trash.beginRestore(copy)
      await trash.cancelRestore(copy)
      expect(await trash.isAgreed(copy)).toBe(false)
      await expect(trash.beginPurge(purge)).rejects.toEqual(code('KeepsLastCopy'))
      await expect(destructions.confirm(confirmation)).rejects.toEqual(code('Conflict'))
    })
  })
}
