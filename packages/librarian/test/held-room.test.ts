/** How long announced room is held against other uploads, on both databases. */
import { describe, expect, test } from 'vitest'
import { suiteOfBoth } from './both-databases.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const LONG_AGO = '2026-01-01T00:00:00.000000Z'

const INTENT = `INSERT INTO intent (id, token, file_name, store_id, origin, size, is_attested, incoming_transfer_id, deletion_policy,
    uploader, source, create_time, started, holder, trail_order)
  VALUES ('${'a'.repeat(32)}', 1, 'first', 1, 'o', 60, 0, 1, 'DISALLOWED', 'ada', 'ada', '${LONG_AGO}', '${LONG_AGO}', 'h', 1)`

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  describe(`${label}: announced room`, () => {
    let count = 0
    /** One store, with room for one upload of 60 at a time. */
    async function opened() {
      const catalogue = await open()
      const store = { name: 'main', ingestable: true, type: 'local', data: {}, transferManagers: {} }
      await catalogue.stores.synchronise({ stores: [store] })
      const announce = async (name: string, source: string) => {
        const token = String(++count).padStart(32, '0')
        const about = { uploadName: name, size: 60, checksum: '', uploader: source, stagingId: `s${count}`, token }
        const { outcomes } = await catalogue.uploads.stage({
          uploads: [{ ...about, name, source }],
          stores: [{ id: 1, free: 100, hasTrees: true }],
        })
        return outcomes[0]!
      }
      const first = await announce('first', 'ada')
      if (first.outcome !== 'staged') throw new Error('there must be room')
      const age = () => catalogue.trial.write(`UPDATE incoming_transfer SET start_time = '${LONG_AGO}' WHERE id = 1`)
      return { catalogue, announce, first: first.transfer, age }
    }

    test('is held at first, and not when no byte has come for an hour; the announcement stays', async () => {
      const { catalogue, announce, first, age } = await opened()
      await using _ = catalogue
      expect(await announce('second', 'ben')).toMatchObject({ outcome: 'refused', code: 'NoStore' })
      await age()
      expect(await announce('second', 'ben')).toMatchObject({ outcome: 'staged', free: 40 })
      expect(await catalogue.uploads.get({ id: first.id })).toMatchObject({ status: 'INITIATED' })
    })

    test('is held while bytes come, by the time of the last', async () => {
      const { catalogue, announce, first, age } = await opened()
      await using _ = catalogue
      await age()
      expect(await catalogue.byteUploads.note({ id: first.id, data: '{}' })).toBe(true)
      expect(await announce('second', 'ben')).toMatchObject({ outcome: 'refused', code: 'NoStore' })
      await catalogue.trial.write(`UPDATE incoming_transfer SET active_time = '${LONG_AGO}' WHERE id = ${first.id}`)
      expect(await announce('second', 'ben')).toMatchObject({ outcome: 'staged' })
    })

    test('is held for what is committed now, and for what another site sends', async () => {
      const { catalogue, announce, first, age } = await opened()
      await using _ = catalogue
      await age()
      await catalogue.trial.write(`UPDATE incoming_transfer SET source_transfer_id = 7 WHERE id = ${first.id}`)
      expect(await announce('second', 'ben')).toMatchObject({ code: 'NoStore' })
      await catalogue.trial.write(`UPDATE incoming_transfer SET source_transfer_id = NULL WHERE id = ${first.id}`)
      await catalogue.trial.write(INTENT)
      expect(await announce('second', 'ben')).toMatchObject({ code: 'NoStore' })
      await catalogue.trial.write('DELETE FROM intent')
      expect(await announce('second', 'ben')).toMatchObject({ outcome: 'staged' })
    })
  })
}
