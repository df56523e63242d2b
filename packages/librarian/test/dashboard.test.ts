/** What the dashboard's pages ask for, at the wire. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MemoryStore } from '../src/stores/memory.ts'
import { insertFile, insertInstance, insertPeer, insertRemote, insertStore } from './catalogue-rows.ts'
import { openTestHouse, type TestHouse } from './house.ts'

let house: TestHouse
beforeEach(async () => {
  const store = new MemoryStore({ name: 'store-1' })
  house = await openTestHouse({
    settings: {
      displayed_site_name: 'Here',
      background: { scrub: [{ task_name: 's', every: '1:00:00', store_name: 'x' }] },
    },
    stores: [{ id: 1, name: 'store-1', store, ingestable: true, transferManagers: {} }],
  })
  await house.sql(insertStore(1))
})
afterEach(() => house[Symbol.asyncDispose]())

const ask = async (path: string, body: object = {}, as = 'READONLY') => {
  const answer = await house.post(`dashboard/${path}`, body, as)
  expect([path, answer.status, answer.body]).toEqual([path, 200, answer.body])
  return answer.body
}

const agoOf = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString().replace('Z', '000Z')

const sent = (
  n: number,
  row: { status?: string; hours?: number; ended?: number | null; to?: string; file?: string },
) => {
  const { status = 'COMPLETED', hours = 1, ended = 0, to = 'peer-1', file } = row
  return `INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, end_time,
    file_name, instance_id, reason) VALUES ('${status}', '${to}', ${n}, 'xxh3:::1', '${agoOf(hours)}',
    ${ended === null ? 'NULL' : `'${agoOf(ended)}'`}, ${file ? `'${file}'` : 'NULL'}, 1,
    ${status === 'FAILED' ? `'it broke'` : 'NULL'})`
}

describe('dashboard/files', () => {
  test('finds a file while its name is typed, with its copies and the gravest of their states', async () => {
    await house.sql(
      insertStore(2),
      insertPeer(1),
      insertFile('obs/one.h5', 1),
      insertInstance('obs/one.h5', 1),
      insertInstance('obs/one.h5', 2),
      `UPDATE instance SET state = 'mismatch' WHERE store_id = 2`,
      insertRemote('obs/one.h5', 1),
      insertFile('other', 2),
    )
    for (const query of ['o', 'obs/o', 'ONE', 'h5 one']) {
      const { files, total, more } = await ask('files', { query })
      expect([query, files[0], more]).toEqual([
        query,
        {
          file_name: 'obs/one.h5',
          size: 1,
          create_time: '2026-01-01T00:00:00.000001',
          uploader: 'ada',
          source: 'site',
          copies: 2,
          remote_copies: 1,
          state: 'mismatch',
        },
        false,
      ])
      expect(total).toBe(files.length)
    }
    expect((await ask('files', { query: 'other' })).files[0]).toMatchObject({ copies: 0, state: null })
  })

  test('pages go on where the one before ended; what is no place of one is refused', async () => {
    await house.sql(...Array.from({ length: 7 }, (_, n) => insertFile(`a${n}`, n + 1)))
    const found: string[] = []
    let after: string | null = null
    do {
      const page: { files: { file_name: string }[]; next: string | null; more: boolean; total: number | null } =
        await ask('files', { query: 'a', limit: 3, after })
      found.push(...page.files.map(({ file_name }) => file_name))
      expect([page.more, page.total]).toEqual([page.next !== null, null])
      after = page.next
    } while (after !== null)
    expect(found).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6'])
    for (const wrong of [
      'x',
      'e30',
      Buffer.from('{"phase":"index","row":"1; DROP TABLE file"}').toString('base64url'),
    ]) {
      expect((await house.post('dashboard/files', { query: 'a', after: wrong }, 'READONLY')).status).toBe(422)
    }
    for (const limit of [0, 101, -1]) {
      expect((await house.post('dashboard/files', { query: 'a', limit }, 'READONLY')).status).toBe(422)
    }
  })
})

describe('dashboard/file', () => {
  test('tells copies with their last proof, and what happened, the newest first', async () => {
    await house.sql(
      insertPeer(1),
      insertFile('a', 1),
      insertInstance('a', 1),
      insertRemote('a', 1),
      ...['2026-02-01', '2026-02-03', '2026-02-02'].map(
        (day, n) => `INSERT INTO proof (instance_id, file_name, store_id, time, medium, "by", outcome)
          VALUES (1, 'a', 1, '${day}T00:00:00.000000Z', 'medium', 'here', '${['ok', 'mismatch', 'ok'][n]}')`,
      ),
      `INSERT INTO remote_proof (file_name, librarian_id, store_id, time, medium, outcome)
        VALUES ('a', 1, 1, '2026-02-04T00:00:00.000000Z', 'peer-challenge', 'ok')`,
      sent(1, { status: 'FAILED', file: 'a' }),
    )
    await house.post('admin/destruction/propose', { file_name: 'a', reason: 'wrong' })
    const told = await ask('file', { file_name: 'a' }, 'ADMIN')
    expect(told.instances).toEqual([
      {
        instance_id: 1,
        store_name: 'store-1',
        path: '/s1/a',
        created_time: '2026-01-01T00:00:00.000001',
        state: 'ok',
        available: true,
        deletion_policy: 0,
        proof: { time: '2026-02-03T00:00:00', medium: 'medium', by: 'here', outcome: 'mismatch' },
      },
    ])
    expect(told.remote).toMatchObject([
      { librarian_name: 'peer-1', store_id: 1, reachable: null, proof: { by: 'peer-1', outcome: 'ok' } },
    ])
    expect(told.file.proposed_destruction).toMatchObject({ reason: 'wrong', proposed_by: 'admin' })
    expect(told.history.map(({ what }: { what: string }) => what)).toEqual([
      'admin/destruction/propose',
      'sent',
      'proof',
      'proof',
      'proof',
      'proof',
      'kept',
    ])
    expect(told.history[1]).toMatchObject({ who: 'peer-1', detail: 'failed: it broke' })

    const seen = await ask('file', { file_name: 'a' })
    expect(seen.instances[0].path).toBe(null)
    expect(seen.file.proposed_destruction).toBe(null)
    expect(JSON.stringify(seen)).not.toContain('admin')
  })

  test('one that is not there is not there', async () => {
    const { status, body } = await house.post('dashboard/file', { file_name: 'none' }, 'READONLY')
    expect([status, body.code]).toEqual([404, 'NotFound'])
  })
})

describe('dashboard/overview', () => {
  test('an empty librarian has two days without traffic, and needs nobody', async () => {
    const told = await ask('overview')
    expect(told).toMatchObject({
      site_name: 'Here',
      backlog: [],
      needs: [],
      tasks: { failed: 0, off: 0 },
      transfers: { incoming: 0, outgoing: 0 },
      proof: { oldest_time: null, unproven_files: 0, by_state: { ok: 0, mismatch: 0 } },
    })
    expect(told.proof.period_seconds).toBeGreaterThan(86_400)
    expect(told.flow).toHaveLength(48)
    const times = told.flow.map(({ time }: { time: string }) => Date.parse(`${time}Z`))
    expect(times.every((time: number, at: number) => at === 0 || time - times[at - 1] === 3_600_000)).toBe(true)
    expect(Math.floor(Date.now() / 3_600_000) * 3_600_000 - times[47]).toBeLessThan(3_600_001)
    expect(told.stores).toMatchObject([{ store_name: 'store-1', available: true, full_time: null, used_per_day: null }])
  })

  test('what waits, what moved, and what is wrong is seen, the gravest first', async () => {
    await house.sql(
      insertPeer(1),
      insertPeer(2),
      `UPDATE peer SET transfers_enabled = 0 WHERE id = 2`,
      insertFile('a', 1),
      insertInstance('a', 1),
      `UPDATE instance SET state = 'missing'`,
      sent(600, { hours: 2 }),
      sent(1000, { status: 'ONGOING', ended: null, hours: 30 }),
      sent(5, { status: 'INITIATED', ended: null, to: 'peer-2' }),
    )
    await house.post('error/raise', { severity: 'warning', category: 'transfer', message: 'secret of the inside' })
    const told = await ask('overview')
    const [first, second] = told.backlog
    expect(first).toMatchObject({ librarian_name: 'peer-1', enabled: true, files: 1, bytes: 1000 })
    expect(first.bytes_per_hour).toBeGreaterThan(600 / 7.1)
    expect(first.bytes_per_hour).toBeLessThanOrEqual(600 / 6)
    expect(first.drain_seconds).toBeCloseTo((1000 / first.bytes_per_hour) * 3600, 0)
    expect(second).toMatchObject({ librarian_name: 'peer-2', enabled: false, files: 1, drain_seconds: null })
    expect(told.flow.reduce((sum: number, { out_bytes }: { out_bytes: number }) => sum + out_bytes, 0)).toBe(600)
    expect(told.proof.by_state).toMatchObject({ missing: 1, ok: 0 })
    expect(told.transfers).toEqual({ incoming: 0, outgoing: 2 })
    expect(told.needs.map(({ severity, page }: Record<string, string>) => `${severity} ${page}`)).toEqual([
      'error /files',
      'warning /sites',
      'warning /errors',
    ])
    expect(JSON.stringify(told)).not.toContain('secret of the inside')
  })
})

describe('a librarian that does not answer', () => {
  test('is told with what waits for it, though nothing was begun; and also where nothing does', async () => {
    await house[Symbol.asyncDispose]()
    const send = { task_name: 'send', every: '1:00:00', destination_librarian: 'peer-1', age_in_days: 30 }
    house = await openTestHouse({ settings: { background: { send_clone: [send] } } })
    await house.sql(
      insertStore(1),
      insertPeer(1),
      insertPeer(2),
      `UPDATE peer SET url = 'http://127.0.0.1', port = 1`,
      insertFile('a', 1, { at: agoOf(2), size: 7 }),
      insertInstance('a', 1),
    )
    await expect
      .poll(async () => (await ask('overview')).needs.filter(({ page }: { page: string }) => page === '/sites'), {
        timeout: 20_000,
      })
      .toMatchObject([
        { severity: 'error', title: 'peer-1 does not answer', detail: '1 file waits for it.', page: '/sites' },
        { severity: 'warning', title: 'peer-2 does not answer', detail: 'Nothing waits for it.', page: '/sites' },
      ])
    const { backlog } = await ask('overview')
    expect(backlog).toMatchObject([
      { librarian_name: 'peer-1', reachable: false, files: 1, bytes: 7, drain_seconds: null },
      {},
    ])
  })
})

describe('dashboard/transfers', () => {
  test('rows, counts and one with its timeline', async () => {
    await house.sql(
      insertPeer(1),
      insertFile('a', 1),
      sent(1, { file: 'a', hours: 3, ended: 2 }),
      sent(2, { file: 'a', status: 'FAILED', hours: 1, ended: 0.5 }),
    )
    const { transfers, counts, more } = await ask('transfers', { direction: 'out' })
    expect([counts.COMPLETED, counts.FAILED, counts.ONGOING, more]).toEqual([1, 1, 0, false])
    expect(transfers).toMatchObject([
      { id: 2, file_name: 'a', librarian_name: 'peer-1', state: 'FAILED', reason: 'it broke', may_retry: true },
      { id: 1, state: 'COMPLETED', size: 1, may_retry: false },
    ])
    const { timeline, batch, remote_id } = await ask('transfer', { direction: 'out', id: 2 })
    expect([timeline.map(({ what }: { what: string }) => what), batch, remote_id]).toEqual([
      ['started', 'failed'],
      null,
      null,
    ])
    expect((await house.post('dashboard/transfer', { direction: 'in', id: 2 }, 'READONLY')).status).toBe(404)
  })

  test('only what failed or waits is tried again, and only by an administrator', async () => {
    await house.sql(
      insertPeer(1),
      `UPDATE peer SET transfers_enabled = 0`,
      insertFile('a', 1),
      sent(1, { file: 'a' }),
      sent(2, { file: 'a', status: 'FAILED' }),
      sent(3, { file: 'a', status: 'FAILED', to: 'removed' }),
      `INSERT INTO send_item (id, priority, created_time, retries, destination, method, async_transfer_manager, consumed, completed,
        failed, next_try) VALUES (7, 0, '${agoOf(1)}', 2, 'peer-1', 'http', '{}', 0, 0, 0, '2999-01-01T00:00:00.000000Z')`,
      sent(4, { file: 'a', status: 'ONGOING', ended: null }),
      `UPDATE outgoing_transfer SET send_queue_id = 7 WHERE transfer_size = 4`,
    )
    const retry = (id: number, as = 'ADMIN') => house.post('dashboard/transfer_retry', { direction: 'out', id }, as)
    expect((await retry(2, 'READWRITE')).status).toBe(401)
    const ends = await Promise.all([1, 2, 3, 99].map(async id => (await retry(id)).status))
    expect(ends).toEqual([409, 409, 409, 404])
    expect(await ask('transfer', { direction: 'out', id: 4 })).toMatchObject({
      transfer: { may_retry: true },
      batch: { id: 7, retries: 2, next_time: '2999-01-01T00:00:00' },
      timeline: [{ what: 'started' }, { what: 'queued' }, { what: 'next-try' }],
    })
    expect((await retry(4)).body).toEqual({ direction: 'out', id: 4 })
    expect(await ask('transfer', { direction: 'out', id: 4 })).toMatchObject({ batch: { next_time: null } })
    const { entries } = await ask('audit', { action: 'dashboard/transfer_retry', subject: '4' }, 'ADMIN')
    expect(entries).toMatchObject([{ actor: 'admin', subject: '4' }])
  })
})

test('dashboard/sites tells at once that a site is paused, resumed or gone, though its sums are kept for a while', async () => {
  const told = async () => (await ask('sites')).sites.map((site: { enabled: boolean }) => site.enabled)
  await house.sql(insertPeer(1))
  expect(await told()).toEqual([true])
  const change = (transfers_enabled: boolean) =>
    house.post('admin/librarians/transfer_status/set', { librarian_name: 'peer-1', transfers_enabled }, 'ADMIN')
  await change(false)
  expect(await told()).toEqual([false])
  await change(true)
  expect(await told()).toEqual([true])
  await house.sql(`DELETE FROM peer`)
  expect(await told()).toEqual([])
})

test('dashboard/sites tells what goes to and fro', async () => {
  await house.sql(
    insertPeer(1),
    insertFile('a', 1),
    insertRemote('a', 1),
    sent(600, {}),
    sent(20, { status: 'FAILED' }),
    sent(1000, { status: 'ONGOING', ended: null }),
  )
  expect(await ask('sites')).toEqual({
    site_name: 'Here',
    sites: [
      {
        librarian_name: 'peer-1',
        enabled: true,
        reachable: null,
        refused_since: null,
        last_seen: '2026-01-01T00:00:00.000001',
        last_heard: '2026-01-01T00:00:00.000001',
        outgoing: { files: 1, bytes: 1000 },
        incoming: { files: 0, bytes: 0 },
        sent: { files: 1, bytes: 600, failed: 1 },
        received: { files: 0, bytes: 0, failed: 0 },
        copies: 1,
      },
    ],
  })
})

describe('dashboard/audit', () => {
  const entries = async (body: object) => (await ask('audit', body, 'ADMIN')).entries

  test('is for administrators, by page and by condition', async () => {
    expect((await house.post('dashboard/audit', {}, 'READWRITE')).status).toBe(401)
    for (const username of ['one', 'two', 'three']) {
      await house.post('users/create', { username, password: 'long enough', permission: 1 })
    }
    await house.post('users/delete', { username: 'two' })
    const subjects = (rows: { subject: string }[]) => rows.map(({ subject }) => subject)
    expect(subjects(await entries({}))).toEqual(['two', 'three', 'two', 'one'])
    expect(subjects(await entries({ subject: 'two', action: 'users/create' }))).toEqual(['two'])
    expect(subjects(await entries({ actor: 'nobody' }))).toEqual([])
    const first = await ask('audit', { limit: 3 }, 'ADMIN')
    expect([subjects(first.entries), first.more]).toEqual([['two', 'three', 'two'], true])
    const rest = await ask('audit', { limit: 3, after: first.next }, 'ADMIN')
    expect([subjects(rest.entries), rest.more, rest.next]).toEqual([['one'], false, null])
  })

  test('says whether the chain is whole', async () => {
    await house.post('users/create', { username: 'one', password: 'long enough', permission: 1 })
    const chain = async () => (await ask('audit', {}, 'ADMIN')).chain
    await expect.poll(chain, { timeout: 20_000 }).toMatchObject({ is_whole: true, entries: 1, broken: null })
  })
})
