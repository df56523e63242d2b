/** What every catalogue must do. Each engine calls it with a way to open an empty one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  insertClone,
  insertFile,
  insertIncoming,
  insertInstance,
  insertJob,
  insertOutgoing,
  insertPeer,
  insertProof,
  insertRemote,
  insertStore,
} from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

export function catalogueSuite(name: string, open: () => Promise<TrialCatalogue>): void {
  const opened = async (...statements: string[]) => {
    const catalogue = await open()
    for (const statement of statements) await catalogue.trial.write(statement)
    return catalogue
  }
  describe(`${name}: transactions`, () => transactions(opened))
  describe(`${name}: rules`, () => rules(opened))
  describe(`${name}: views`, () => views(opened))
  describe(`${name}: files`, () => files(opened))
  describe(`${name}: leases`, () => leases(opened))
  describe(`${name}: idempotency`, () => idempotency(opened))
  describe(`${name}: audit`, () => audit(opened))
}

type Open = (...statements: string[]) => Promise<TrialCatalogue>

const setting = (key: string, value: string | number) =>
  `INSERT INTO setting (key, value) VALUES ('${key}', '${value}')`

function transactions(open: Open): void {
  test('a read sees what was written before it', async () => {
    await using catalogue = await open()
    expect(await catalogue.settings.setOnce({ key: 'uuid', value: 'a' })).toBe('a')
    expect(await catalogue.settings.setOnce({ key: 'uuid', value: 'b' })).toBe('a')
    expect(await catalogue.settings.get({ key: 'uuid' })).toBe('a')
    expect(await catalogue.settings.get({ key: 'none' })).toBeUndefined()
  })

  test('an operation that refuses takes back its own changes and nobody else’s, and its error arrives whole', async () => {
    await using catalogue = await open()
    const results = await Promise.allSettled([
      ...Array.from({ length: 20 }, (_, n) => catalogue.trial.write(setting(`k${n}`, n))),
      catalogue.trial.refuse(setting('refused', 1)),
      catalogue.trial.crash(setting('crashed', 1)),
      catalogue.trial.write('INSERT INTO nowhere VALUES (1)'),
      ...Array.from({ length: 20 }, (_, n) => catalogue.trial.write(setting(`l${n}`, n))),
    ])
    const [refused, crashed, wrong] = results.filter(result => result.status === 'rejected').map(({ reason }) => reason)
    expect(refused).toMatchObject({
      name: 'LibrarianError',
      code: 'NameTaken',
      message: 'Cannot do this: it is a trial',
      remedy: 'None.',
      fields: { name: 'a', count: 2 },
      retryAfterSeconds: 7,
    })
    expect(crashed).toMatchObject({ code: 'Internal', message: expect.stringContaining('a fault of ours') })
    expect(wrong).toMatchObject({ code: 'Internal', message: expect.stringContaining('nowhere') })
    const keys = await catalogue.trial.read('SELECT key FROM setting')
    expect(keys).toHaveLength(40)
  })

  test('callers that race never see the same number', async () => {
    await using catalogue = await open()
    const numbers = await Promise.all(Array.from({ length: 40 }, () => catalogue.trial.countUp('n')))
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
  })

  test('of 20 callers that race for one name one wins, and the others hear that it is there', async () => {
    await using catalogue = await open()
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => catalogue.trial.write(insertFile('same', n + 1))),
    )
    const lost = results.filter(result => result.status === 'rejected')
    expect(lost).toHaveLength(19)
    for (const { reason } of lost) expect(reason).toMatchObject({ code: 'Conflict' })
    expect(await catalogue.files.count({})).toBe(1)
  })

  test('a read cannot write', async () => {
    await using catalogue = await open()
    await expect(catalogue.trial.read(setting('a', 1))).rejects.toMatchObject({ code: 'Internal' })
  })

  test('an answer that cannot be cloned fails alone', async () => {
    await using catalogue = await open()
    const [bad, good] = await Promise.allSettled([catalogue.trial.uncloneable(), catalogue.files.count({})])
    if (catalogue.engine === 'sqlite') expect(bad.status).toBe('rejected')
    expect(good).toMatchObject({ status: 'fulfilled', value: 0 })
  })

  test('times are the database’s, in UTC, and sort as text', async () => {
    await using catalogue = await open()
    const before = new Date(Date.now() - 2).toISOString()
    const now = await catalogue.trial.now()
    expect(now).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    expect(now > before).toBe(true)
    expect(now < new Date(Date.now() + 1000).toISOString()).toBe(true)
  })

  test('close() waits for what runs, may be called twice, and nothing runs after it', async () => {
    const catalogue = await open()
    const writes = Array.from({ length: 50 }, (_, n) => catalogue.trial.write(setting(`k${n}`, n)))
    const reads = Array.from({ length: 20 }, () => catalogue.files.count({}))
    await Promise.all([catalogue.close(), catalogue.close()])
    await Promise.all([...writes, ...reads])
    await expect(catalogue.files.count({})).rejects.toThrow('closed')
    await catalogue.close()
  })
}

function rules(open: Open): void {
  const sha = 'a'.repeat(64)
  // One for all: a trial leaves nothing behind.
  let shared: TrialCatalogue
  beforeAll(async () => {
    shared = await open()
  })
  afterAll(() => shared.close())

  /** What must be refused, after which rows, and how the refusal begins to be recognised. */
  const refused: readonly [claim: string, rows: readonly string[], statement: string, why: RegExp][] = [
    ['a second file of one name', [insertFile('a')], insertFile('a'), /has this already/],
    ['an empty name', [], insertFile(''), /rules/],
    ['a name of 257 characters', [], insertFile('n'.repeat(257)), /rules/],
    ['an absolute name', [], insertFile('/etc/passwd'), /rules/],
    ['a negative size', [], insertFile('a', 1, { size: -1 }), /rules/],
    ['a size above 2^53-1', [], insertFile('a', 1, { size: 9007199254740992 }), /rules/],
    ['an empty digest', [], insertFile('a', 1, { checksum: '' }), /rules/],
    ['a time without a zone', [], insertFile('a', 1, { at: '2026-01-01T00:00:00.000000' }), /rules/],
    [
      'a SHA-256 in upper case',
      [insertStore(1), intent('i')],
      `UPDATE intent SET sha256 = '${sha.toUpperCase()}'`,
      /rules/,
    ],
    ['another digest of a file', [insertFile('a')], `UPDATE file SET checksum = 'xxh3:::2'`, /never change/],
    ['another SHA-256 of a file', [insertFile('a')], `UPDATE file SET sha256 = '${sha}'`, /never change/],
    ['no SHA-256 where there was one', [insertFile('a')], 'UPDATE file SET sha256 = NULL', /never change/],
    ['another size of a file', [insertFile('a')], 'UPDATE file SET size = 2', /never change/],
    ['another name of a file', [insertFile('a')], `UPDATE file SET name = 'b'`, /never change/],
    ['the end of a file’s row', [insertFile('a')], 'DELETE FROM file', /never removed/],
    ['a copy of no file', [insertStore(1)], insertInstance('a', 1), /rules/],
    ['a copy on no store', [insertFile('a')], insertInstance('a', 1), /rules/],
    [
      'a second copy on one store',
      [insertFile('a'), insertStore(1), insertInstance('a', 1)],
      `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state) VALUES ('/other', 'a', 1, 'DISALLOWED', '2026-01-01T00:00:00.000000Z', 1, 'ok')`,
      /has this already/,
    ],
    [
      'two files at one path',
      [insertFile('a'), insertFile('b', 2), insertStore(1), insertInstance('a', 1)],
      `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state) VALUES ('/s1/a', 'b', 1, 'DISALLOWED', '2026-01-01T00:00:00.000000Z', 1, 'ok')`,
      /has this already/,
    ],
    [
      'an unknown state of a copy',
      [insertFile('a'), insertStore(1), insertInstance('a', 1)],
      `UPDATE instance SET state = 'fine'`,
      /rules/,
    ],
    [
      'a copy that becomes another file’s',
      [insertFile('a'), insertFile('b', 2), insertStore(1), insertInstance('a', 1)],
      `UPDATE instance SET file_name = 'b'`,
      /one file/,
    ],
    [
      'the end of a store that holds copies',
      [insertFile('a'), insertStore(1), insertInstance('a', 1)],
      'DELETE FROM store',
      /rules/,
    ],
    [
      'the end of a peer that holds copies',
      [insertFile('a'), insertPeer(1), insertRemote('a', 1)],
      'DELETE FROM peer',
      /rules/,
    ],
    [
      'a remote copy twice',
      [insertFile('a'), insertPeer(1), insertRemote('a', 1)],
      insertRemote('a', 1),
      /has this already/,
    ],
    ['a changed proof', [insertProof()], `UPDATE proof SET outcome = 'mismatch'`, /never changes/],
    [
      'two live transfers of one number from one peer',
      [insertIncoming('t', 'ONGOING', 5)],
      insertIncoming('u', 'INITIATED', 5),
      /has this already/,
    ],
    ['a transfer in an unknown state', [], insertIncoming('t', 'DONE'), /rules/],
    [
      'another announced digest',
      [insertIncoming('t')],
      `UPDATE incoming_transfer SET transfer_checksum = 'other'`,
      /never change/,
    ],
    ['two live intents for one name', [insertStore(1), intent('i')], intent('j'), /has this already/],
    ['a second lease of one resource', [lease('r', 1)], lease('r', 1), /has this already/],
    ['a lease’s token that falls', [lease('r', 5)], 'UPDATE lease SET token = 4', /token/],
    ['a new holder with the old token', [lease('r', 5)], `UPDATE lease SET holder = 'x'`, /token/],
    ['the end of a lease’s row', [lease('r', 5)], 'DELETE FROM lease', /released, not removed/],
    ['a finished job that runs again', [insertJob('failed')], `UPDATE job SET status = 'running'`, /never runs again/],
    ['an answer given twice', [answer(200)], 'UPDATE idempotency SET status = 500', /never changes/],
    [
      'an unknown level',
      [],
      `INSERT INTO account (username, auth_token, auth_level) VALUES ('a', 'x', 'ROOT')`,
      /rules/,
    ],
    [
      'a truth that is 2',
      [],
      `INSERT INTO store (name, ingestable, store_type, store_data, transfer_manager_data) VALUES ('s', 2, 'local', '{}', '{}')`,
      /rules/,
    ],
  ]
  for (const [claim, rows, statement, why] of refused) {
    test(`refuses ${claim}`, async () => {
      await expect(shared.trial.attempt({ rows, statement })).rejects.toThrow(why)
    })
  }

  for (const [table, insert] of [
    ['incoming_transfer', (status: string) => insertIncoming('t', status)],
    ['outgoing_transfer', insertOutgoing],
    ['clone_transfer', insertClone],
  ] as const) {
    const order = ['INITIATED', 'ONGOING', 'STAGED', 'COMPLETED', 'FAILED', 'CANCELLED']
    const rank = (status: string) => Math.min(order.indexOf(status), 3)
    test(`${table} goes forward only, and never leaves its last state`, async () => {
      for (const from of order) {
        for (const to of order) {
          const statement = `UPDATE ${table} SET status = '${to}'`
          const step = shared.trial.attempt({ rows: [insertStore(1), insert(from)], statement })
          const isAllowed = from === to || (rank(from) < 3 && rank(to) > rank(from))
          await expect(step, `${from} to ${to}`).rejects.toThrow(isAllowed ? /it was done/ : /only moves forward/)
        }
      }
    })
  }

  test('allows what must stay possible: a first SHA-256, a copy that goes, a transfer number used again when its transfer has ended', async () => {
    await using catalogue = await open(
      insertFile('a').replace(/'[0-9a-f]{64}'/, 'NULL'),
      insertStore(1),
      insertInstance('a', 1),
      insertIncoming('t', 'FAILED', 5),
    )
    await catalogue.trial.write(`UPDATE file SET sha256 = '${sha}'`)
    await catalogue.trial.write('DELETE FROM instance')
    await catalogue.trial.write(insertIncoming('u', 'INITIATED', 5))
  })
}

const intent = (id: string) =>
  `INSERT INTO intent (id, token, file_name, store_id, origin, size, is_attested, deletion_policy, uploader, source, create_time, started, holder, trail_order)
   VALUES ('${id.padStart(32, '0')}', 1, 'f', 1, '{}', 1, 1, 'DISALLOWED', 'ada', 'ada', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 'h', 1)`
const lease = (resource: string, token: number) =>
  `INSERT INTO lease (resource, holder, token, expires) VALUES ('${resource}', 'h', ${token}, '2026-01-01T00:00:00.000000Z')`
const answer = (status: number) =>
  `INSERT INTO idempotency (actor, key, request, created, status) VALUES ('a', 'k', '${'a'.repeat(64)}', '2026-01-01T00:00:00.000000Z', ${status})`

function views(open: Open): void {
  /** As existing dashboards name them (librarian 3). */
  const expected: Readonly<Record<string, string>> = {
    files: 'name create_time size checksum uploader source',
    instances:
      'id path file_name store_id deletion_policy created_time available calculated_checksum calculated_size checksum_time',
    remote_instances: 'id file_name store_id librarian_id copy_time sender',
    store_metadata:
      'id name ingestable enabled store_type store_data transfer_manager_data async_transfer_manager_data',
    incoming_transfers:
      'id status uploader upload_name source transfer_size transfer_checksum store_id transfer_manager_name start_time end_time staging_path store_path transfer_data source_transfer_id',
    outgoing_transfers:
      'id status destination transfer_size transfer_checksum start_time end_time file_name instance_id remote_transfer_id transfer_manager_name transfer_data send_queue_id source_path dest_path',
    clone_transfers:
      'id status start_time end_time source_store_id destination_store_id transfer_manager_name source_instance_id destination_instance_id',
    send_queue:
      'id priority created_time retries destination async_transfer_manager consumed consumed_time completed completed_time failed',
    completed_transfers:
      'id task_id source_endpoint_id destination_endpoint_id start_time end_time duration_seconds bytes_transferred effective_bandwidth_bps',
    librarians: 'id name url port authenticator transfers_enabled last_seen last_heard',
    users: 'username auth_token auth_level',
    errors: 'id severity category message raised_time cleared_time cleared caller',
    corrupt_files:
      'id file_name file_source instance_id instance_path corrupt_time size checksum count replacement_requested incoming_transfer_id',
  }

  test('have the names and columns that people’s own SQL reads', async () => {
    await using catalogue = await open()
    for (const [view, columns] of Object.entries(expected)) {
      const found = await catalogue.trial.read(
        catalogue.engine === 'sqlite'
          ? `SELECT name FROM pragma_table_info('${view}') ORDER BY cid`
          : `SELECT column_name AS name FROM information_schema.columns WHERE table_name = '${view}' ORDER BY ordinal_position`,
      )
      expect(found.map(({ name }) => name).join(' '), view).toBe(columns)
    }
  })

  test('give naive times, and never a secret', async () => {
    await using catalogue = await open(
      insertFile('a', 7),
      insertPeer(1),
      `INSERT INTO account (username, auth_token, auth_level) VALUES ('ada', '$argon2id$secret', 'ADMIN')`,
    )
    const [file] = await catalogue.trial.read('SELECT CAST(create_time AS TEXT) AS time, size FROM files')
    expect(file).toEqual({ time: '2026-01-01 00:00:00.000007', size: 7 })
    const rows = [
      ...(await catalogue.trial.read('SELECT * FROM librarians')),
      ...(await catalogue.trial.read('SELECT * FROM users')),
    ]
    expect(rows).toHaveLength(2)
    expect(JSON.stringify(rows)).not.toContain('secret')
  })

  test('cannot be written through', async () => {
    await using catalogue = await open(insertFile('a'), insertPeer(1))
    await expect(catalogue.trial.write(`UPDATE files SET uploader = 'eve'`)).rejects.toThrow()
    await expect(catalogue.trial.write(`UPDATE librarians SET port = 1`)).rejects.toThrow()
    await expect(catalogue.trial.write('DELETE FROM files')).rejects.toThrow()
  })
}

function files(open: Open): void {
  const at = (day: number) => `2026-01-${String(day).padStart(2, '0')}T12:00:00.000000Z`
  const rows = [
    insertFile('obs/2026/a.fits', 1, { at: at(1), size: 10 }),
    insertFile('obs/2026/b.fits', 2, { at: at(2), size: 20, uploader: 'bob' }),
    insertFile('obs/2026/c[1].fits', 3, { at: at(3), size: 30, source: 'far' }),
    insertFile('obs/2027/a.fits', 4, { at: at(4), size: 40, uploader: 'bob', source: 'far' }),
    insertFile('obs/2027/50%_é.txt', 5, { at: at(4), size: 50 }),
    insertStore(1),
    insertStore(2),
    insertPeer(1),
    insertInstance('obs/2026/a.fits', 1, 1),
    insertInstance('obs/2026/a.fits', 2, 2),
    insertInstance('obs/2027/a.fits', 1, 3),
    insertRemote('obs/2026/a.fits', 1, 1),
    insertRemote('obs/2026/a.fits', 1, 2),
  ]
  const a = 'obs/2026/a.fits'
  const b = 'obs/2026/b.fits'
  const c = 'obs/2026/c[1].fits'
  const d = 'obs/2027/a.fits'
  const e = 'obs/2027/50%_é.txt'

  test('find() gives a file with its copies here and elsewhere', async () => {
    await using catalogue = await open(...rows)
    const found = await catalogue.files.find({ name: a })
    expect(found).toMatchObject({ name: a, size: 10, is_attested: 1 })
    expect(found?.instances.map(({ store_id, path }) => [store_id, path])).toEqual([
      [1, `/s1/${a}`],
      [2, `/s2/${a}`],
    ])
    expect(found?.remote_instances.map(({ librarian_name, store_id }) => [librarian_name, store_id])).toEqual([
      ['peer-1', 1],
      ['peer-1', 2],
    ])
    expect(await catalogue.files.find({ name: 'none' })).toBeUndefined()
  })

  test('search() holds every filter at once, newest first', async () => {
    await using catalogue = await open(...rows)
    const search = async (filter: Parameters<typeof catalogue.files.search>[0]) => {
      const { files } = await catalogue.files.search(filter)
      expect(await catalogue.files.count(filter)).toBe(files.length)
      return files.map(({ name }) => name)
    }
    expect(await search({})).toEqual([d, e, c, b, a])
    expect(await search({ name: b })).toEqual([b])
    expect(await search({ uploader: 'bob' })).toEqual([d, b])
    expect(await search({ source: 'far' })).toEqual([d, c])
    expect(await search({ uploader: 'bob', source: 'far' })).toEqual([d])
    expect(await search({ createTimeWindow: [at(2), at(3)] })).toEqual([c, b])
    expect(await search({ createTimeWindow: [at(2), at(3)], uploader: 'ada' })).toEqual([c])
    expect(await search({ sizeWindow: [20, 40] })).toEqual([d, c, b])
    expect(await search({ checksum: 'xxh3:::3' })).toEqual([c])
    expect(await search({ sha256: '4'.padStart(64, '0') })).toEqual([d])
    expect(await search({ name: a, uploader: 'bob' })).toEqual([])
  })

  test('search() matches globs to the letter: only * and ? are wild, case counts, a star crosses slashes', async () => {
    await using catalogue = await open(...rows)
    const search = async (glob: string) => (await catalogue.files.search({ glob })).files.map(({ name }) => name)
    expect(await search('*.fits')).toEqual([d, c, b, a])
    expect(await search('obs/2026/*')).toEqual([c, b, a])
    expect(await search('obs/*/a.fits')).toEqual([d, a])
    expect(await search('obs/202?/a.fits')).toEqual([d, a])
    expect(await search('obs/****a.fits')).toEqual([d, a])
    expect(await search('*[1]*')).toEqual([c])
    expect(await search('obs/2026/?.fits')).toEqual([b, a])
    expect(await search('*%_*')).toEqual([e])
    expect(await search('*é.txt')).toEqual([e])
    expect(await search('*_?.txt')).toEqual([e])
    expect(await search('*.FITS')).toEqual([])
    expect(await search('%')).toEqual([])
    expect(await search('obs/2026/a.fits')).toEqual([a])
    expect(await search('obs/2026/a.fit')).toEqual([])
    await expect(search('')).rejects.toMatchObject({ code: 'BadRequest' })
  })

  test('search() goes on where a page ended, also within one instant, and shows each file once', async () => {
    await using catalogue = await open(...rows)
    const seen: string[] = []
    let after: { create_time: string; name: string } | undefined
    do {
      const page = await catalogue.files.search({ limit: 1, after })
      seen.push(...page.files.map(({ name }) => name))
      after = page.next
    } while (after)
    expect(seen).toEqual([d, e, c, b, a])
  })

  test('search() gives nothing for a limit below 1, and copies with every page', async () => {
    await using catalogue = await open(...rows)
    expect(await catalogue.files.search({ limit: 0 })).toEqual({ files: [] })
    expect(await catalogue.files.search({ limit: -5 })).toEqual({ files: [] })
    const { files } = await catalogue.files.search({})
    expect(files.map(file => [file.instances.length, file.remote_instances.length])).toEqual([
      [1, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [2, 2],
    ])
  })

  test('instances: searchLocal() and searchRemote() hold every filter at once, newest first', async () => {
    await using catalogue = await open(...rows)
    const local = async (search: Parameters<typeof catalogue.instances.searchLocal>[0]) =>
      (await catalogue.instances.searchLocal(search)).map(({ id }) => id)
    expect(await local({})).toEqual([3, 2, 1])
    expect(await local({ limit: 2 })).toEqual([3, 2])
    expect(await local({ store_id: 1 })).toEqual([3, 1])
    expect(await local({ file_name: a, store_id: 2 })).toEqual([2])
    expect(await local({ path: `/s2/${a}` })).toEqual([2])
    expect(await local({ available: 0 })).toEqual([])
    expect(await local({ deletion_policy: 'ALLOWED' })).toEqual([])
    expect(await local({ id: 2, created_time: '2026-01-01T00:00:00.000002Z' })).toEqual([2])
    const remote = await catalogue.instances.searchRemote({ file_name: a, store_id: 2, sender: 'here' })
    expect(remote).toMatchObject([{ librarian_name: 'peer-1', store_id: 2, librarian_id: 1 }])
    expect((await catalogue.instances.searchRemote({})).map(({ store_id }) => store_id)).toEqual([2, 1])
    expect(await catalogue.instances.searchRemote({ copy_time: at(9) })).toEqual([])
  })
}

function leases(open: Open): void {
  test('of 20 callers that race for a lease one wins', async () => {
    await using catalogue = await open()
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, n) => catalogue.leases.acquire({ resource: 'r', holder: `h${n}`, seconds: 60 })),
    )
    expect(tokens.filter(token => token !== undefined)).toEqual([1])
  })

  test('a lease that ran out goes to the next with a higher token, and its old holder can do nothing with it', async () => {
    await using catalogue = await open()
    const old = { resource: 'r', holder: 'a', token: 1 }
    expect(await catalogue.leases.acquire({ ...old, seconds: 60 })).toBe(1)
    expect(await catalogue.trial.underLease(old)).toBe('done')
    // Its end comes nearer, so that no machine is too slow for the line above.
    expect(await catalogue.leases.renew({ ...old, seconds: 0.01 })).toBe(true)
    await wait(50)
    await expect(catalogue.trial.underLease(old)).rejects.toMatchObject({ code: 'Conflict' })
    expect(await catalogue.leases.acquire({ resource: 'r', holder: 'b', seconds: 60 })).toBe(2)
    expect(await catalogue.leases.renew({ ...old, seconds: 60 })).toBe(false)
    await catalogue.leases.release(old)
    await expect(catalogue.trial.underLease(old)).rejects.toMatchObject({ code: 'Conflict' })
    expect(await catalogue.leases.list()).toMatchObject([{ holder: 'b', token: 2 }])
    expect(await catalogue.leases.live({ resources: ['r', 's'] })).toEqual(['r'])
  })

  test('a renewed lease lives on; a released one is free at once, with a new token', async () => {
    await using catalogue = await open()
    const held = { resource: 'r', holder: 'a', token: 1 }
    await catalogue.leases.acquire({ ...held, seconds: 30 })
    const [before] = await catalogue.leases.list()
    expect(await catalogue.leases.renew({ ...held, seconds: 60 })).toBe(true)
    const [after] = await catalogue.leases.list()
    expect(after!.expires > before!.expires).toBe(true)
    expect(await catalogue.leases.acquire({ resource: 'r', holder: 'b', seconds: 60 })).toBeUndefined()
    await catalogue.leases.release(held)
    expect(await catalogue.leases.acquire({ resource: 'r', holder: 'b', seconds: 60 })).toBe(2)
  })

  test('a process removes the lease of itself, and no other', async () => {
    await using catalogue = await open()
    for (const resource of ['process:a', 'r']) await catalogue.leases.acquire({ resource, holder: 'a', seconds: 60 })
    await catalogue.leases.remove({ resource: 'process:a', holder: 'a' })
    await expect(catalogue.leases.remove({ resource: 'r', holder: 'a' })).rejects.toThrow(/released, not removed/)
    expect(await catalogue.leases.list()).toMatchObject([{ resource: 'r' }])
  })
}

function idempotency(open: Open): void {
  const call = { actor: 'ada', key: 'k', request: 'a'.repeat(64) }

  test('the same key gives the same answer, and another request with it is refused', async () => {
    await using catalogue = await open()
    expect(await catalogue.idempotency.begin(call)).toEqual({ state: 'new' })
    expect(await catalogue.idempotency.begin(call)).toEqual({ state: 'running' })
    await catalogue.idempotency.finish({ ...call, status: 201, body: '{}' })
    await catalogue.idempotency.finish({ ...call, status: 500, body: 'late' })
    expect(await catalogue.idempotency.begin(call)).toEqual({ state: 'done', status: 201, body: '{}' })
    await expect(catalogue.idempotency.begin({ ...call, request: 'b'.repeat(64) })).rejects.toMatchObject({
      code: 'IdempotencyMismatch',
    })
    expect(await catalogue.idempotency.begin({ ...call, actor: 'bob' })).toEqual({ state: 'new' })
  })

  test('of 20 calls with one key one does the work', async () => {
    await using catalogue = await open()
    const states = await Promise.all(Array.from({ length: 20 }, () => catalogue.idempotency.begin(call)))
    expect(states.filter(({ state }) => state === 'new')).toHaveLength(1)
    expect(states.filter(({ state }) => state === 'running')).toHaveLength(19)
  })

  test('a call of a process that has ended is taken over at once, and by one', async () => {
    await using catalogue = await open()
    await catalogue.idempotency.begin({ ...call, holder: 'first' })
    const again = { ...call, holder: 'second' }
    expect(await catalogue.idempotency.begin(again)).toEqual({ state: 'running', holder: 'first' })
    expect(await catalogue.idempotency.begin({ ...again, dead: 'another' })).toMatchObject({ state: 'running' })
    expect(await catalogue.idempotency.begin({ ...again, dead: 'first' })).toEqual({ state: 'interrupted' })
    const third = await catalogue.idempotency.begin({ ...call, holder: 'third', dead: 'first' })
    expect(third).toEqual({ state: 'running', holder: 'second' })
    await catalogue.idempotency.finish({ ...call, status: 200 })
    expect(await catalogue.idempotency.begin({ ...call, dead: 'second' })).toMatchObject({ state: 'done' })
  })

  test('a call that died in the middle is taken over once; one that had no effect frees its key', async () => {
    await using catalogue = await open()
    await catalogue.idempotency.begin(call)
    await wait(60)
    const again = { ...call, deadAfterSeconds: 0.05 }
    expect(await catalogue.idempotency.begin(again)).toEqual({ state: 'interrupted' })
    // Taken over, it is young again: an age that no slow machine reaches between two lines.
    expect(await catalogue.idempotency.begin({ ...call, deadAfterSeconds: 60 })).toEqual({ state: 'running' })
    expect(await catalogue.idempotency.touch(call)).toBe(true)
    await catalogue.idempotency.abandon(call)
    expect(await catalogue.idempotency.begin(call)).toEqual({ state: 'new' })
  })

  test('expire() forgets old answers, and never a call that runs', async () => {
    await using catalogue = await open()
    await catalogue.idempotency.begin(call)
    await catalogue.idempotency.begin({ ...call, key: 'done' })
    await catalogue.idempotency.finish({ actor: 'ada', key: 'done', status: 200 })
    await wait(20)
    expect(await catalogue.idempotency.expire({ olderThanSeconds: 60 })).toBe(0)
    expect(await catalogue.idempotency.expire({ olderThanSeconds: 0.01 })).toBe(1)
    expect(await catalogue.idempotency.find({ actor: 'ada', key: 'done' })).toBeUndefined()
    expect(await catalogue.idempotency.find(call)).toEqual({ status: null, body: null })
  })
}

function audit(open: Open): void {
  const entry = (n: number) => ({ actor: 'ada', action: 'delete', subject: `file ${n}`, detail: { n, why: 'é' } })

  test('entries that are added at once still make one chain', async () => {
    await using catalogue = await open()
    await Promise.all(Array.from({ length: 40 }, (_, n) => catalogue.audit.append(entry(n))))
    const { checked, next, broken } = await catalogue.audit.verify({})
    expect({ checked, broken }).toEqual({ checked: 40, broken: undefined })
    expect(next).toEqual(await catalogue.audit.head())
    expect(await catalogue.audit.verify({ after: next })).toEqual({ checked: 0 })
    expect(await catalogue.audit.list({ limit: 2 })).toHaveLength(2)
  })

  test('no statement changes or removes an entry', async () => {
    await using catalogue = await open()
    await catalogue.audit.append(entry(1))
    await expect(catalogue.trial.write(`UPDATE audit SET actor = 'eve'`)).rejects.toThrow(/never changes/)
    await expect(catalogue.trial.write('DELETE FROM audit')).rejects.toThrow(/never removed/)
  })

  test('verify() finds an entry that was changed, removed or put in between by somebody who got round the triggers', async () => {
    for (const [harm, at] of [
      [`UPDATE audit SET subject = 'file 9' WHERE id = 2`, 2],
      ['DELETE FROM audit WHERE id = 2', 3],
      [`UPDATE audit SET previous = '${'1'.repeat(64)}' WHERE id = 3`, 3],
    ] as const) {
      await using catalogue = await open()
      for (let n = 1; n <= 4; n++) await catalogue.audit.append(entry(n))
      expect((await catalogue.audit.verify({})).broken).toBeUndefined()
      const dropped =
        catalogue.engine === 'sqlite'
          ? ['DROP TRIGGER audit_is_write_once', 'DROP TRIGGER audit_stays']
          : ['ALTER TABLE audit DISABLE TRIGGER USER']
      for (const statement of [...dropped, harm]) await catalogue.trial.write(statement)
      expect((await catalogue.audit.verify({})).broken?.id, harm).toBe(at)
    }
  })
}

function wait(ms: number): Promise<unknown> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
