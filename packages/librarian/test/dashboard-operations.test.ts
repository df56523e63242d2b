/** What the dashboard reads of the catalogue, on both databases. */
import { describe, expect, test } from 'vitest'
import type { NameCursor } from '../src/catalogue/operations/names.ts'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertPeer, insertRemote, insertStore } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const at = (hour: number, minute = 0) =>
  `2026-03-05T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00.000000Z`

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  async function openWith(...rows: string[]): Promise<TrialCatalogue> {
    const catalogue = await open()
    for (const row of rows) await catalogue.trial.write(row)
    return catalogue
  }

  /** All pages of a search, and how many there were. */
  async function search({ names }: TrialCatalogue, query: string, limit = 100) {
    while ((await names.areWaiting()) && (await names.index({ limit: 3 })) > 0);
    const found: string[] = []
    let after: NameCursor | undefined
    let pages = 0
    do {
      const page = await names.find({ query, after, limit })
      expect(page.names.length).toBeLessThanOrEqual(limit)
      found.push(...page.names)
      after = page.next
      pages++
    } while (after && pages < 50)
    return { found, pages }
  }

  async function timeOf({ trial }: TrialCatalogue, name: string): Promise<string | undefined> {
    const [row] = await trial.read(`SELECT create_time FROM file WHERE name = '${name}'`)
    return row && String(row.create_time)
  }

  describe(`${label}: names`, () => {
    const all = ['lat/obs_1/Sun.h5', 'lat/obs_2/moon.h5', 'obs/lat.h5', 'obs_3.txt', 'sat/obs_4/été.h5', 'x%y_z']
    const opened = () => openWith(...all.map((name, n) => insertFile(name, n + 1)))

    test('those that begin with what is typed come first, by name; then those that have its words anywhere', async () => {
      await using catalogue = await opened()
      expect((await search(catalogue, 'obs')).found).toEqual([
        'obs/lat.h5',
        'obs_3.txt',
        'sat/obs_4/été.h5',
        'lat/obs_2/moon.h5',
        'lat/obs_1/Sun.h5',
      ])
      expect((await search(catalogue, '  lat   h5 ')).found).toEqual([
        'obs/lat.h5',
        'lat/obs_2/moon.h5',
        'lat/obs_1/Sun.h5',
      ])
      expect((await search(catalogue, 'sUN obs')).found).toEqual(['lat/obs_1/Sun.h5'])
      expect((await search(catalogue, 'été')).found).toEqual(['sat/obs_4/été.h5'])
      expect((await search(catalogue, 'nothing')).found).toEqual([])
    })

    test('words of one or two characters are found too, and signs of patterns are themselves', async () => {
      await using catalogue = await opened()
      expect((await search(catalogue, '_4')).found).toEqual(['sat/obs_4/été.h5'])
      expect((await search(catalogue, '%')).found).toEqual(['x%y_z'])
      expect((await search(catalogue, '%y_')).found).toEqual(['x%y_z'])
      expect((await search(catalogue, `"' OR 1=1 --`)).found).toEqual([])
    })

    test('nothing typed gives the newest files', async () => {
      await using catalogue = await opened()
      expect((await search(catalogue, '')).found).toEqual(all.toReversed())
    })

    test.each(['obs', 'h5', '', 'lat'])('pages of %j give each name once', async query => {
      await using catalogue = await opened()
      const whole = (await search(catalogue, query)).found
      for (const limit of [1, 2, 3]) {
        const { found, pages } = await search(catalogue, query, limit)
        expect(found).toEqual(whole)
        expect(pages).toBeGreaterThanOrEqual(Math.ceil(whole.length / limit))
      }
    })

    test('a scan whose end is known ends there, and goes on behind it', async () => {
      await using catalogue = await opened()
      const { names } = catalogue
      expect(await names.endOfScan()).toBe(undefined)
      const end = {
        phase: 'scan',
        time: (await timeOf(catalogue, 'sat/obs_4/été.h5')) ?? '',
        name: 'sat/obs_4/été.h5',
      } as const
      const first = await names.find({ query: '_', limit: 10, scanEnd: end })
      expect(first).toEqual({ names: ['x%y_z', 'sat/obs_4/été.h5'], next: end })
      const second = await names.find({ query: '_', limit: 10, after: first.next, scanEnd: end })
      expect(second).toEqual({ names: ['obs_3.txt', 'lat/obs_2/moon.h5', 'lat/obs_1/Sun.h5'], next: undefined })
    })

    test('files are told with the states of their copies in use, in the order in which they are asked for', async () => {
      await using catalogue = await openWith(
        ...[1, 2].map(insertStore),
        insertPeer(1),
        insertFile('a', 1),
        insertFile('b', 2),
        insertInstance('b', 1),
        insertInstance('b', 2),
        `UPDATE instance SET state = 'mismatch' WHERE store_id = 2`,
        insertInstance('a', 1),
        `UPDATE instance SET available = 0 WHERE file_name = 'a'`,
        insertRemote('a', 1, 1),
        insertRemote('a', 1, 2),
      )
      expect(await catalogue.names.describe({ names: ['b', 'gone', 'a'] })).toEqual([
        expect.objectContaining({ name: 'b', states: expect.arrayContaining(['ok', 'mismatch']), remoteCopies: 0 }),
        expect.objectContaining({ name: 'a', states: [], remoteCopies: 2 }),
      ])
    })
  })

  describe(`${label}: traffic`, () => {
    const incoming = (n: number, row: { status?: string; ended?: string | null; source?: string; store?: number }) => {
      const { status = 'COMPLETED', ended = at(3), source = 'ada', store = 1 } = row
      const end = ended === null ? 'NULL' : `'${ended}'`
      return `INSERT INTO incoming_transfer (status, uploader, upload_name, source, transfer_size, transfer_checksum,
        start_time, end_time, store_path, deletion_policy, token, store_id)
        VALUES ('${status}', 'ada', 'f', '${source}', ${n}, 'xxh3:::1', '${at(1, n)}', ${end}, 'f${n}', 'DISALLOWED',
          'token-${n}', ${store})`
    }
    const outgoing = (n: number, row: { status?: string; ended?: string | null; to?: string }) => {
      const { status = 'COMPLETED', ended = at(3), to = 'far' } = row
      const end = ended === null ? 'NULL' : `'${ended}'`
      return `INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, end_time,
        instance_id) VALUES ('${status}', '${to}', ${n}, 'xxh3:::1', '${at(1, n)}', ${end}, 1)`
    }

    test('what ended well is summed by hour, store, source and destination; the end of the time is not in it', async () => {
      await using catalogue = await openWith(
        insertStore(1),
        insertStore(2),
        incoming(1, { ended: at(2, 59) }),
        incoming(2, { ended: at(3) }),
        incoming(4, { ended: at(3, 30) }),
        incoming(8, { ended: at(3, 30), store: 2 }),
        incoming(16, { status: 'FAILED' }),
        incoming(32, { ended: at(4) }),
        outgoing(5, {}),
        outgoing(7, { to: 'near', ended: at(3, 59) }),
        outgoing(9, { status: 'FAILED' }),
      )
      const rows = await catalogue.traffic.hours({ from: at(3), to: at(4) })
      const hour = '2026-03-05T03'
      expect(rows.toSorted((a, b) => a.bytes - b.bytes)).toEqual([
        { direction: 'out', other: 'far', storeId: null, hour, files: 1, bytes: 5 },
        { direction: 'in', other: 'ada', storeId: 1, hour, files: 2, bytes: 6 },
        { direction: 'out', other: 'near', storeId: null, hour, files: 1, bytes: 7 },
        { direction: 'in', other: 'ada', storeId: 2, hour, files: 1, bytes: 8 },
      ])
    })

    test('what is open is summed with its oldest, and what failed is counted', async () => {
      await using catalogue = await openWith(
        insertStore(1),
        incoming(1, { status: 'ONGOING', ended: null, source: 'far' }),
        incoming(2, { status: 'FAILED', source: 'far' }),
        outgoing(3, { status: 'INITIATED', ended: null }),
        outgoing(4, { status: 'STAGED', ended: null }),
        outgoing(5, { status: 'FAILED' }),
        outgoing(6, { status: 'FAILED', to: 'stranger' }),
      )
      expect(await catalogue.traffic.open()).toEqual([
        { direction: 'in', other: 'far', files: 1, bytes: 1, oldest: at(1, 1) },
        { direction: 'out', other: 'far', files: 2, bytes: 7, oldest: at(1, 3) },
      ])
      expect(await catalogue.traffic.failed({ since: at(0), librarians: ['far'] })).toEqual([
        { direction: 'in', other: 'far', files: 1 },
        { direction: 'out', other: 'far', files: 1 },
      ])
      expect(await catalogue.traffic.failed({ since: at(2), librarians: ['far'] })).toEqual([])
    })

    test.each(['in', 'out'] as const)(
      'pages of transfers %s are the newest first, by state and other side',
      async direction => {
        const row = direction === 'in' ? incoming : outgoing
        const side = (name: string) => (direction === 'in' ? { source: name } : { to: name })
        await using catalogue = await openWith(
          insertStore(1),
          row(1, side('far')),
          row(2, { status: 'FAILED', ...side('far') }),
          row(3, { status: 'ONGOING', ended: null, ...side('far') }),
          row(4, { ...side('near') }),
        )
        const { transferPages } = catalogue
        const sizes = async (search: object) =>
          (await transferPages.list({ direction, limit: 10, ...search })).map(({ size }) => size)
        expect(await sizes({})).toEqual([4, 3, 2, 1])
        expect(await sizes({ limit: 2 })).toEqual([4, 3])
        expect(await sizes({ before: 3 })).toEqual([2, 1])
        expect(await sizes({ status: 'COMPLETED' })).toEqual([4, 1])
        expect(await sizes({ status: 'FAILED', other: 'far' })).toEqual([2])
        expect(await sizes({ other: 'near' })).toEqual([4])
        expect(await transferPages.find({ direction, id: 2 })).toMatchObject({
          transfer: { size: 2, status: 'FAILED' },
        })
        expect(await transferPages.find({ direction, id: 99 })).toBe(undefined)
      },
    )

    test('open transfers are all counted; those that have ended only of the last day', async () => {
      await using catalogue = await openWith(
        insertStore(1),
        incoming(1, { status: 'ONGOING', ended: null }),
        incoming(2, {}),
        incoming(3, {}),
      )
      const now = await catalogue.traffic.now()
      await catalogue.trial.write(`UPDATE incoming_transfer SET start_time = '${now}' WHERE transfer_size = 3`)
      expect(await catalogue.transferPages.counts({ direction: 'in' })).toEqual({ ONGOING: 1, COMPLETED: 1 })
      expect(await catalogue.transferPages.counts({ direction: 'in', other: 'nobody' })).toEqual({})
    })
  })

  describe(`${label}: figures`, () => {
    test('copies in use are counted by state, and the oldest reading is of one that is in use', async () => {
      await using catalogue = await openWith(
        insertStore(1),
        insertStore(2),
        insertPeer(1),
        ...['a', 'b', 'c', 'd'].map((name, n) => insertFile(name, n + 1)),
        ...['a', 'b', 'c', 'd'].map((name, n) => insertInstance(name, 1, n + 1)),
        insertInstance('a', 2),
        insertRemote('a', 1),
        `UPDATE instance SET checksum_time = '${at(1)}', available = 0 WHERE file_name = 'a' AND store_id = 1`,
        `UPDATE instance SET checksum_time = '${at(2)}' WHERE file_name = 'b'`,
        `UPDATE instance SET checksum_time = '${at(3)}', state = 'mismatch' WHERE file_name = 'c'`,
        `UPDATE instance SET state = 'never-checked' WHERE file_name = 'd'`,
      )
      expect(await catalogue.overview.holdings()).toEqual({
        ok: 2,
        oldestReading: at(2),
        remoteCopies: [{ librarianId: 1, copies: 1 }],
      })
      expect(await catalogue.overview.notOk()).toEqual({ mismatch: 1, 'never-checked': 1 })
    })

    test('the pulse changes with what it is about, and with nothing else', async () => {
      await using catalogue = await openWith(insertStore(1))
      const first = await catalogue.overview.pulse()
      expect(await catalogue.overview.pulse()).toEqual(first)
      await catalogue.errors.raise({ severity: 'error', category: 'transfer', message: 'it', caller: null })
      const second = await catalogue.overview.pulse()
      expect(second.errors).not.toBe(first.errors)
      expect({ ...second, errors: '' }).toEqual({ ...first, errors: '' })
      await catalogue.tasks.synchronise({ entries: [{ id: 'a', kind: 'scrub', name: 'A', inSeconds: 0 }] })
      const third = await catalogue.overview.pulse()
      expect(third.tasks).not.toBe(second.tasks)
      expect({ ...third, tasks: '' }).toEqual({ ...second, tasks: '' })
    })

    test('nothing that is asked every few seconds goes through all transfers or copies', async () => {
      await using catalogue = await openWith(
        insertStore(1),
        ...['far', 'near'].map(
          (name, n) => `INSERT INTO peer (name, url, port, authenticator, last_seen, last_heard)
          VALUES ('${name}', 'http://x', ${n}, 'a', '${at(1)}', '${at(1)}')`,
        ),
      )
      if (catalogue.engine !== 'sqlite') return
      // As it is after years: many transfers, nearly all of them complete, to few destinations.
      await catalogue.trial.write('ANALYZE')
      await catalogue.trial.write('DELETE FROM sqlite_stat1')
      for (const [table, index, stat] of statistics) {
        await catalogue.trial.write(
          `INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('${table}', '${index}', '${stat}')`,
        )
      }
      await catalogue.trial.write('ANALYZE sqlite_schema')
      const plans = (await catalogue.trial.overviewPlans()).flatMap(plan =>
        [...plan.matchAll(/"detail":"([^"]*)"/g)].map(([, detail]) => detail!),
      )
      const ofTransfers = plans.filter(plan => /^(SCAN|SEARCH) (incoming|outgoing)_transfer\b/.test(plan))
      expect(ofTransfers.length).toBeGreaterThan(10)
      for (const plan of ofTransfers) {
        expect(plan).toMatch(/USING (COVERING )?INDEX (incoming_status|incoming_kept|incoming_from|outgoing_)/)
        // All that was ever sent, by its state, whoever it went to.
        if (plan.includes('ANY(')) expect(plan).toContain('start_time>?')
      }
      expect(plans).toContain('SEARCH outgoing_transfer USING COVERING INDEX outgoing_sent (end_time>? AND end_time<?)')
      expect(plans.some(plan => plan.includes('INDEX outgoing_to (destination=?)'))).toBe(true)
      expect(plans.some(plan => plan.includes('INDEX incoming_from (source=?)'))).toBe(true)
      expect(plans.filter(plan => plan.includes('SCAN instance'))).not.toEqual([])
      for (const plan of plans.filter(each => each.includes('SCAN instance'))) expect(plan).toContain('COVERING INDEX')
    })
  })
}

/** Of a catalogue of a million files and a hundred thousand transfers to two librarians. */
const statistics = [
  ['outgoing_transfer', 'outgoing_open', '100000 50000 7143 10'],
  ['outgoing_transfer', 'outgoing_sent', '92000 9 5 1'],
  ['outgoing_transfer', 'outgoing_to', '100000 50000 1'],
  ['outgoing_transfer', 'outgoing_live', '5000 1'],
  ['incoming_transfer', 'incoming_status', '1000000 333334 2'],
  ['incoming_transfer', 'incoming_kept', '998000 2 2 2 1'],
  ['incoming_transfer', 'incoming_from', '1000000 20000 1'],
] as const
