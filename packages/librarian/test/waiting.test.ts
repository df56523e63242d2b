/** How much waits for librarians that nobody has begun to send to them, on both databases (librarian 12.3). */
import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { createWaiting } from '../src/services/sending/waiting.ts'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertPeer, insertRemote, insertStore } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const day = 86_400_000
const agoOf = (days: number) => new Date(Date.now() - days * day).toISOString().replace('Z', '000Z')
const sent = (file: string, status: string, reason: string | null = null) =>
  `INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, end_time, file_name,
     instance_id, reason)
   VALUES ('${status}', 'peer-1', 1, 'xxh3:::1', '${agoOf(0)}', ${status === 'ONGOING' ? 'NULL' : `'${agoOf(0)}'`}, '${file}', 1,
     ${reason === null ? 'NULL' : `'${reason}'`})`

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  test(`${label}: files that a librarian lacks and nobody sends it, page by page`, async () => {
    await using catalogue = await open()
    const names = ['old', 'lacked-1', 'known', 'on its way', 'lacked-2', 'failed before', 'refused', 'lacked-3']
    const rows = names.flatMap((name, at) => [
      insertFile(name, at + 1, { at: agoOf(name === 'old' ? 40 : 9 - at), size: 10 ** at }),
      insertInstance(name, 1),
    ])
    for (const row of [
      insertPeer(1),
      insertPeer(2),
      insertStore(1),
      ...rows,
      insertRemote('known', 1),
      insertRemote('lacked-1', 2),
      sent('on its way', 'ONGOING'),
      sent('failed before', 'FAILED', 'it broke'),
      sent('refused', 'FAILED', 'The destination has another content under this name.'),
    ])
      await catalogue.trial.write(row)
    const lacking = { files: 4, bytes: 10 + 10 ** 4 + 10 ** 5 + 10 ** 7 }
    for (const limit of [1, 2, 3, 100]) {
      const told = { files: 0, bytes: 0 }
      let after: Parameters<typeof catalogue.sending.waiting>[0]['after']
      let oldest: string | null = null
      do {
        const page = await catalogue.sending.waiting({ destination: 'peer-1', ageInDays: 30, after, limit })
        told.files += page.files
        told.bytes += page.bytes
        oldest ??= page.oldest
        after = page.next
      } while (after)
      expect([limit, told]).toEqual([limit, lacking])
      expect(oldest?.slice(0, 10)).toBe(agoOf(8).slice(0, 10))
    }
    const task = { task_name: 't', age_in_days: 1 }
    const send_clone = [
      { ...task, destination_librarian: 'peer-1' },
      { ...task, destination_librarian: 'peer-1', age_in_days: 30 },
      { ...task, destination_librarian: 'nobody' },
    ]
    const seen = await createWaiting({
      catalogue,
      settings: { background: { send_clone } as never },
      clock: systemClock,
    })()
    expect(seen?.value).toMatchObject([
      { destination: 'peer-1', ...lacking },
      { destination: 'nobody', files: 0 },
    ])
    expect(seen?.value[0]?.oldestSeconds).toBeCloseTo((8 * day) / 1000, -2)
  })
}
