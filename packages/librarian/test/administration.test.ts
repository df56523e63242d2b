/** The administrative calls as real clients make them (librarian 10.1, 10.5 to 10.8). */

import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createStoreAdmin } from '../src/services/store-admin.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { insertFile, insertInstance, insertPeer, insertRemote } from './catalogue-rows.ts'
import { addUser, basic, openTestHouse, passwordOf, type TestHouse } from './house.ts'

let house: TestHouse
let store: MemoryStore
const key = randomBytes(32).toString('base64url')

beforeEach(async () => {
  store = new MemoryStore({ name: 'main' })
  house = await openTestHouse({
    settings: {
      name: 'here',
      displayed_site_name: 'Here',
      displayed_site_description: 'Words',
      encryption_key: key,
      max_search_results: 3,
    },
    stores: [{ id: 1, name: 'main', store, ingestable: true, transferManagers: {} }],
  })
  await house.catalogue.stores.synchronise({
    stores: ['main', 'carried'].map(name => ({
      name,
      ingestable: name === 'main',
      type: 'local',
      data: { name },
      transferManagers: {},
    })),
  })
})
afterEach(() => house[Symbol.asyncDispose]())

test('ping tells the displayed name, and what callers may rely on', async () => {
  expect((await house.post('ping/', {}, 'nobody at all')).body).toMatchObject({
    name: 'Here',
    description: 'Words',
    capabilities: ['idempotency', 'flows'],
  })
})

describe('users', () => {
  const user = { username: 'ada', password: 'a:b:c', permission: 3 }

  test('are created, looked up, changed and listed', async () => {
    expect(await house.post('users/create', user)).toMatchObject({
      status: 201,
      body: { success: true, username: 'ada' },
    })
    expect((await house.post('users/get', { username: 'ada' })).body).toEqual({ username: 'ada', permission: 3 })
    expect((await house.post('users/update', { username: 'ada', permission: 1 })).body).toEqual({
      success: true,
      username: 'ada',
    })
    expect((await house.post('users/get', { username: 'ada' })).body.permission).toBe(1)
    const first = await house.post('users/list', { max_results: 2 })
    expect(first.body.users.map((each: { username: string }) => each.username)).toEqual(['ada', 'admin'])
    const rest = await house.post('users/list', { after: first.body.next })
    expect(rest.body.users[0]).toEqual({ username: 'callback', permission: 2 })
  })

  test('failures carry what real clients look for, and not the phrases that would mislead them', async () => {
    await house.post('users/create', user)
    const twice = await house.post('users/create', user)
    expect(twice).toMatchObject({ status: 400, body: { success: false, username: 'ada' } })
    expect((await house.post('users/get', { username: 'eve' })).body).toMatchObject({ username: 'eve', permission: 0 })
    for (const path of ['users/get', 'users/update', 'users/delete']) {
      const { status, body } = await house.post(path, { username: 'eve' })
      expect([path, status]).toEqual([path, 400])
      expect(body.reason).not.toMatch(/User already exists|User not found/)
    }
    expect(twice.body.reason).not.toMatch(/User already exists|User not found/)
  })

  test('a removed user’s name stays taken, and its password ends at once', async () => {
    await house.post('users/create', user)
    const asAda = (path: string) => house.post(path, {}, '', { authorization: basic('ada', user.password) })
    expect((await asAda('ping/logged')).status).toBe(200)
    expect((await house.post('users/delete', { username: 'ada' })).status).toBe(200)
    expect((await asAda('ping/logged')).status).toBe(401)
    expect((await house.post('users/get', { username: 'ada' })).status).toBe(400)
    expect((await house.post('users/update', { username: 'ada', password: 'x' })).status).toBe(400)
    expect((await house.post('users/create', user)).status).toBe(400)
    expect((await asAda('ping/logged')).status).toBe(401)
  })

  test('nobody changes their own level or removes themselves, and the last administrator stays', async () => {
    expect((await house.post('users/update', { username: 'admin', permission: 1 })).status).toBe(409)
    expect((await house.post('users/delete', { username: 'admin' })).status).toBe(409)
    await addUser(house.catalogue, 'second', 'ADMIN')
    expect((await house.post('users/delete', { username: 'admin' }, 'second')).status).toBe(200)
    await expect(house.catalogue.accounts.remove({ username: 'second' })).rejects.toMatchObject({ code: 'Conflict' })
    await expect(house.catalogue.accounts.update({ username: 'second', level: 'NONE' })).rejects.toMatchObject({
      code: 'Conflict',
    })
    expect(await house.catalogue.accounts.find({ username: 'second' })).toMatchObject({ level: 'ADMIN' })
  })

  test('impossible names and passwords are refused', async () => {
    for (const username of ['', 'a:b', 'a\u0000b', 'x'.repeat(257)]) {
      expect((await house.post('users/create', { ...user, username })).status).toBe(400)
    }
    for (const password of ['', 'x'.repeat(1021)]) {
      expect((await house.post('users/create', { ...user, password })).status).toBe(422)
    }
    expect((await house.post('users/create', { ...user, permission: 'ADMIN' })).status).toBe(422)
    expect((await house.post('users/create', { ...user, permission: 5 })).status).toBe(422)
  })

  test('one’s own password is changed by who knows the present one', async () => {
    const change = (password: string) =>
      house.post('users/password_update', { password, new_password: 'new' }, 'READONLY')
    expect((await change('wrong')).status).toBe(401)
    expect(await change(passwordOf('readonly'))).toMatchObject({
      status: 200,
      body: { success: true, username: 'readonly' },
    })
    expect((await house.post('ping/logged', {}, 'READONLY')).status).toBe(401)
    expect((await house.post('ping/logged', {}, '', { authorization: basic('readonly', 'new') })).status).toBe(200)
  })
})

describe('errors', () => {
  test('are raised once while they are not cleared', async () => {
    const raise = () => house.post('error/raise', { severity: 'error', category: 'transfer', message: 'It broke' })
    const first = await raise()
    expect(first.status).toBe(201)
    expect((await raise()).body.id).toBe(first.body.id)
    expect((await house.post('search/error', {})).body).toEqual([
      {
        id: first.body.id,
        severity: 'error',
        category: 'transfer',
        message: 'It broke',
        raised_time: first.body.raised_time,
        cleared_time: null,
        cleared: false,
        caller: 'admin',
      },
    ])
    expect((await house.post('error/clear', { id: first.body.id })).body).toMatchObject({
      id: first.body.id,
      cleared: true,
    })
    expect((await raise()).body.id).not.toBe(first.body.id)
    expect((await house.post('search/error', { include_resolved: true })).body).toHaveLength(2)
  })

  test('answers have the texts that real clients compare', async () => {
    expect(await house.post('search/error', {})).toMatchObject({ status: 404, body: { reason: 'No errors found.' } })
    const none = await house.post('error/clear', { id: 77 })
    expect([none.status, none.body.reason]).toEqual([404, expect.stringMatching(/^No error found with ID 77/)])
    const { body } = await house.post('error/raise', { severity: 'info', category: 'transfer', message: 'x' })
    await house.post('error/clear', { id: body.id })
    const again = await house.post('error/clear', { id: body.id })
    expect([again.status, again.body.reason]).toEqual([400, expect.stringMatching(/^Error with ID /)])
  })

  test('a search never gives more than the server allows, newest first', async () => {
    for (let at = 0; at < 5; at++)
      await house.post('error/raise', { severity: 'info', category: 'transfer', message: `${at}` })
    const messages = async (search: object) =>
      ((await house.post('search/error', search)).body as { message: string }[]).map(({ message }) => message)
    expect(await messages({ max_results: 100 })).toEqual(['4', '3', '2'])
    expect(await messages({ max_results: 1 })).toEqual(['4'])
    expect((await house.post('search/error', { max_results: 0 })).status).toBe(404)
    expect((await house.post('search/error', { max_results: -5 })).status).toBe(404)
    expect(await messages({ create_time_window: ['0001-01-01T00:00:00', '9999-12-31T23:59:59.999999'] })).toHaveLength(
      3,
    )
  })
})

describe('stores', () => {
  test('are listed with the room that they have; −1 where they are not there', async () => {
    const listed = await house.post('admin/stores/list', undefined)
    expect(listed.body).toEqual([
      {
        name: 'main',
        store_type: 'local',
        free_space: expect.any(Number),
        ingestable: true,
        available: true,
        enabled: true,
      },
      {
        name: 'carried',
        store_type: 'local',
        free_space: -1,
        ingestable: false,
        available: false,
        enabled: true,
        reason: expect.any(String),
      },
    ])
    expect(listed.body[0].free_space).toBeGreaterThanOrEqual(0)
  })

  test('are switched off and on; an unknown one is told by its name', async () => {
    expect((await house.post('admin/stores/state_change', { store_name: 'main', enabled: 'no' })).body).toEqual({
      store_name: 'main',
      enabled: false,
      success: true,
    })
    expect((await house.post('admin/stores/list', undefined)).body[0].enabled).toBe(false)
    expect(await house.post('admin/stores/state_change', { store_name: 'x', enabled: true })).toMatchObject({
      status: 400,
      body: { reason: 'Store x does not exist.' },
    })
  })
})

describe('manifests', () => {
  const order = { store_name: 'carried' }

  test('of an empty store are empty; names are looked up before anything is changed', async () => {
    expect((await house.post('admin/stores/manifest', order)).body).toEqual({
      librarian_name: 'here',
      store_name: 'carried',
      store_files: [],
    })
    expect(await house.post('admin/stores/manifest', { store_name: 'x' })).toMatchObject({
      status: 400,
      body: { reason: 'Store x does not exist.' },
    })
    const unknown = await house.post('admin/stores/manifest', {
      ...order,
      create_outgoing_transfers: true,
      destination_librarian: 'far',
      disable_store: true,
    })
    expect(unknown).toMatchObject({ status: 400, body: { reason: 'Librarian far does not exist.' } })
    expect((await house.post('admin/stores/list', undefined)).body[1].enabled).toBe(true)
  })

  test('have every available copy; fields in the order that existing manifests have', async () => {
    await keep(['a', 'b/c', 'gone'])
    await house.sql("UPDATE instance SET available = 0 WHERE file_name = 'gone'")
    const { body } = await house.post('admin/stores/manifest', order)
    expect(body.store_files).toHaveLength(2)
    expect(Object.entries(body.store_files[0])).toEqual([
      ['name', 'a'],
      ['create_time', '2026-01-01T00:00:00.000001'],
      ['size', 1],
      ['checksum', 'xxh3:::1'],
      ['uploader', 'ada'],
      ['source', 'site'],
      ['instance_path', '/s2/a'],
      ['deletion_policy', 0],
      ['instance_create_time', '2026-01-01T00:00:00.000001'],
      ['instance_available', true],
      ['outgoing_transfer_id', -1],
    ])
  })

  test('make one open transfer per copy, however often they are asked for; then the copies count as gone', async () => {
    await keep(['a', 'b/c'])
    await house.sql(insertPeer(1))
    const carry = { ...order, create_outgoing_transfers: true, destination_librarian: 'peer-1' }
    const first = await house.post('admin/stores/manifest', carry)
    const ids = first.body.store_files.map((entry: { outgoing_transfer_id: number }) => entry.outgoing_transfer_id)
    expect(new Set(ids).size).toBe(2)
    expect(Math.min(...ids)).toBeGreaterThan(0)
    const again = await house.post('admin/stores/manifest', {
      ...carry,
      disable_store: true,
      mark_local_instances_as_unavailable: true,
    })
    expect(again.body).toEqual(first.body)
    expect(
      await house.sql(
        'SELECT status, destination, file_name, transfer_size, source_path FROM outgoing_transfer ORDER BY id',
      ),
    ).toEqual([
      { status: 'ONGOING', destination: 'peer-1', file_name: 'a', transfer_size: 1, source_path: '/s2/a' },
      { status: 'ONGOING', destination: 'peer-1', file_name: 'b/c', transfer_size: 2, source_path: '/s2/b/c' },
    ])
    expect((await house.post('admin/stores/manifest', order)).body.store_files).toEqual([])
    expect((await house.post('admin/stores/list', undefined)).body[1].enabled).toBe(false)
  })

  test('of many files are whole JSON', async () => {
    await keep(Array.from({ length: 2000 }, (_, at) => `night/file-"${at}"`))
    expect((await house.post('admin/stores/manifest', order)).body.store_files).toHaveLength(2000)
  })

  test('are read from the catalogue by the page, as fast as they are taken and no faster', async () => {
    const pages: number[] = []
    const { page } = house.catalogue.manifest
    const manifest = {
      ...house.catalogue.manifest,
      page: async (args: Parameters<typeof page>[0]) => {
        const rows = await page(args)
        pages.push(rows.length)
        return rows
      },
    }
    await keepMany(12_000)
    const admin = createStoreAdmin({ catalogue: { ...house.catalogue, manifest }, stores: { byId: () => undefined } })
    const rows = await admin.manifest({ storeName: 'carried', disableStore: false, markUnavailable: true })
    const iterator = rows[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toMatchObject({ name: 'n/1' })
    expect(pages).toEqual([1000])
    let count = 1
    while (!(await iterator.next()).done) count += 1
    expect([count, Math.max(...pages)]).toEqual([12_000, 1000])
    // What was in use is listed, although it no longer is.
    expect(await house.sql('SELECT count(*) AS n FROM instance WHERE store_id = 2 AND available = 1')).toEqual([
      { n: 0 },
    ])
  })

  test('too large to be kept are sent whole, and a second call with the key hears so', async () => {
    await keepMany(20_000)
    const headers = { 'idempotency-key': 'large' }
    const first = await house.post('admin/stores/manifest', order, 'ADMIN', headers)
    expect(first.body.store_files).toHaveLength(20_000)
    expect(JSON.stringify(first.body).length).toBeGreaterThan(4 << 20)
    expect((await house.post('admin/stores/manifest', order, 'ADMIN', headers)).status).toBe(409)
  })

  test('by a key are given again as they were, although the copies are marked', async () => {
    await keep(['a'])
    const mark = { ...order, mark_local_instances_as_unavailable: true }
    const first = await house.post('admin/stores/manifest', mark, 'ADMIN', { 'idempotency-key': 'm' })
    expect(first.body.store_files).toHaveLength(1)
    expect((await house.post('admin/stores/manifest', mark, 'ADMIN', { 'idempotency-key': 'm' })).body).toEqual(
      first.body,
    )
  })

  async function keepMany(count: number): Promise<void> {
    const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`
    const time = '2026-01-01T00:00:00.000000Z'
    await house.sql(
      `INSERT INTO file (name, create_time, size, checksum, kind, is_attested, uploader, source)
       ${numbers} SELECT 'n/' || i, '${time}', i, 'xxh3:::' || i, 'file', 1, 'ada', 'site' FROM n`,
      `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state)
       ${numbers} SELECT '/s2/n/' || i, 'n/' || i, 2, 'DISALLOWED', '${time}', 1, 'ok' FROM n`,
    )
  }

  /** On store 2, which is `carried`. */
  async function keep(names: readonly string[]): Promise<void> {
    for (const [at, name] of names.entries()) await house.sql(insertFile(name, at + 1), insertInstance(name, 2, at + 1))
  }
})

describe('searches', () => {
  beforeEach(async () => {
    await house.sql(insertPeer(1))
    for (const [at, name] of ['a', 'b/c', 'd', 'e'].entries())
      await house.sql(insertFile(name, at + 1), insertInstance(name, 1, at + 1))
    await house.sql(insertRemote('a', 1, 7))
  })

  test('of files: newest first, with all copies, as far as the server allows', async () => {
    const { body } = await house.post('search/file', {}, 'READONLY')
    expect(body.map(({ name }: { name: string }) => name)).toEqual(['e', 'd', 'b/c'])
    expect((await house.post('search/file', { name: 'a' }, 'READONLY')).body).toEqual([
      {
        name: 'a',
        create_time: '2026-01-01T00:00:00.000001',
        size: 1,
        checksum: 'xxh3:::1',
        uploader: 'ada',
        source: 'site',
        instances: [
          {
            path: '/s1/a',
            deletion_policy: 0,
            created_time: '2026-01-01T00:00:00.000001',
            available: true,
            id: 1,
            file_name: 'a',
            store_id: 1,
            state: 'ok',
            state_time: null,
          },
        ],
        remote_instances: [
          {
            librarian_name: 'peer-1',
            copy_time: '2026-01-01T00:00:00.000007',
            id: 1,
            file_name: 'a',
            store_id: 7,
            sender: 'here',
          },
        ],
        first_uploader: null,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        kind: 'file',
        is_attested: true,
      },
    ])
  })

  test.each([
    ['search/file', { name: 'none' }, 'No files found.'],
    ['search/file', { uploader: "x' OR 1=1 --" }, 'No files found.'],
    ['search/file', { source: '%' }, 'No files found.'],
    ['search/instance_local', { file_name: 'none' }, 'No instances found.'],
    ['search/instance_remote', { sender: 'none' }, 'No instances found.'],
  ])('%s %j finds nothing: 404 and the literal reason', async (path, search, reason) => {
    expect(await house.post(path, search)).toMatchObject({ status: 404, body: { reason } })
  })

  test('of copies: here and elsewhere, by every field', async () => {
    const here = async (search: object) =>
      ((await house.post('search/instance_local', search)).body as { id: number }[]).map(({ id }) => id)
    expect(await here({ path: '/s1/d' })).toEqual([3])
    expect(await here({ deletion_policy: 'disallowed', available: true })).toEqual([4, 3, 2])
    expect(await here({ created_time: '2026-01-01T00:00:00.000002', store_id: '1' })).toEqual([2])
    const there = await house.post('search/instance_remote', {
      copy_time: '2026-01-01T00:00:00.000007Z',
      librarian_id: 1,
      store_id: 7,
    })
    expect(there.body).toMatchObject([{ librarian_name: 'peer-1', file_name: 'a' }])
  })
})

test('removing a librarian fails its open transfers alone, and forgets the copies there', async () => {
  await house.sql(insertPeer(1), insertFile('a'), insertInstance('a', 1), insertRemote('a', 1))
  const transfer = (status: string) =>
    `INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, end_time, instance_id)
     VALUES ('${status}', 'peer-1', 1, 'xxh3:::1', '2026-01-01T00:00:01.000000Z', NULL, 1)`
  await house.sql(transfer('ONGOING'), transfer('COMPLETED'), transfer('STAGED'))
  const { body } = await house.post('admin/librarians/remove', {
    librarian_name: 'peer-1',
    remove_outgoing_transfers: true,
  })
  expect(body).toEqual({ success: true, number_of_transfers_removed: 2 })
  expect(await house.sql('SELECT status FROM outgoing_transfer ORDER BY id')).toEqual([
    { status: 'FAILED' },
    { status: 'COMPLETED' },
    { status: 'FAILED' },
  ])
  expect((await house.post('search/file', { name: 'a' })).body[0].remote_instances).toEqual([])
})

describe('librarians', () => {
  let peer: Server
  let port: number
  let answer: string
  /** Of logins. */
  let status: number
  const heard: string[] = []

  beforeEach(async () => {
    answer = JSON.stringify({ name: 'Far', description: '' })
    status = 200
    peer = createServer((request, response) => {
      heard.push(`${request.url} ${Buffer.from((request.headers.authorization ?? '').slice(6), 'base64')}`)
      const isRefused = request.url?.endsWith('/ping/logged') && status !== 200
      response.writeHead(isRefused ? status : 200, { 'content-type': 'application/json' })
      response.end(isRefused ? '{"detail":"Incorrect username or password"}' : answer)
    })
    await new Promise<void>(resolve => peer.listen(0, '127.0.0.1', resolve))
    port = (peer.address() as { port: number }).port
  })
  afterEach(() => {
    peer.closeAllConnections()
    peer.close()
  })

  const far = () => ({ librarian_name: 'far', url: 'http://127.0.0.1', port, authenticator: 'here:pass:word' })

  test('are added when they answer, once; their credentials are kept as Fernet', async () => {
    expect((await house.post('admin/librarians/add', far())).body).toEqual({
      success: true,
      already_exists: false,
      ping_success: true,
    })
    expect((await house.post('admin/librarians/add', far())).body).toEqual({
      success: false,
      already_exists: true,
      ping_success: false,
    })
    const [row] = await house.catalogue.peers.list()
    expect(row?.authenticator).toMatch(/^gAAAA/)
    expect(heard.join()).not.toContain('pass')
    expect(JSON.stringify(await house.catalogue.audit.list({}))).not.toContain('pass:word')
    expect((await house.post('admin/librarians/list', {})).body.librarians).toEqual([
      { name: 'far', url: 'http://127.0.0.1', port, available: true, enabled: true },
    ])
    expect((await house.post('admin/librarians/list', { ping: false })).body.librarians[0].available).toBeNull()
  })

  test('are known to have been heard when their accounts call, whoever else calls beside them', async () => {
    await house.post('admin/librarians/add', far())
    await addUser(house.catalogue, 'far', 'READAPPEND')
    await house.sql(`UPDATE peer SET last_heard = '2020-01-01T00:00:00.000000Z', last_seen = last_heard`)
    await house.post('ping/logged', {}, 'READONLY')
    // Anybody may ping under any name: that was not it.
    await house.post('ping/', {}, 'far')
    const before = (await house.catalogue.peers.list())[0]!
    expect(before.lastHeard).toMatch(/^2020/)
    await house.post('ping/logged', {}, 'far')
    await expect.poll(async () => (await house.catalogue.peers.list())[0]!.lastHeard).not.toMatch(/^2020/)
    await house.post('admin/librarians/list', {})
    expect((await house.catalogue.peers.list())[0]!.lastSeen > before.lastSeen).toBe(true)
  })

  test('that do not answer are neither a failure of the call nor added (librarian Q22)', async () => {
    peer.closeAllConnections()
    await new Promise(resolve => peer.close(resolve))
    expect(await house.post('admin/librarians/add', far())).toMatchObject({
      status: 200,
      body: { success: false, already_exists: false, ping_success: false },
    })
    expect((await house.post('admin/librarians/add', { ...far(), check_connection: false })).body).toEqual({
      success: true,
      already_exists: false,
      ping_success: null,
    })
    expect((await house.post('admin/librarians/list', {})).body.librarians[0].available).toBe(false)
  })

  test('whose account is to be tried are added when they let us in, and else it is said what is wrong', async () => {
    const tried = { ...far(), check_account: true }
    status = 401
    const refused = await house.post('admin/librarians/add', tried)
    expect(refused.body).toEqual({
      success: false,
      already_exists: false,
      ping_success: true,
      problem: expect.stringMatching(
        /^the librarian at http:\/\/127.* refuses the account here: .*password is another$/,
      ),
    })
    expect(await house.catalogue.peers.list()).toEqual([])
    expect((await house.post('admin/librarians/add', { ...tried, port: 1 })).body).toMatchObject({
      ping_success: false,
      problem: expect.stringContaining('127.0.0.1:1'),
    })
    answer = '{"hello":1}'
    expect((await house.post('admin/librarians/add', tried)).body.problem).toContain('is no librarian')
    expect(await house.catalogue.peers.list()).toEqual([])
    expect((await house.post('admin/librarians/add', { ...tried, check_connection: false })).body.success).toBe(true)
  })

  test('whose account is good are added, after a login with the account that is kept', async () => {
    heard.length = 0
    expect((await house.post('admin/librarians/add', { ...far(), check_account: true })).body).toEqual({
      success: true,
      already_exists: false,
      ping_success: true,
    })
    expect(heard).toContain('/api/v2/ping/logged here:pass:word')
  })

  test('are added under one name: a second one for its address would count its copies twice', async () => {
    await house.post('admin/librarians/add', far())
    for (const url of ['http://127.0.0.1', 'http://127.0.0.1/', 'HTTP://127.0.0.1']) {
      const again = { ...far(), url, librarian_name: 'farther', check_connection: false }
      expect((await house.post('admin/librarians/add', again)).body).toEqual({
        success: false,
        already_exists: true,
        ping_success: false,
        problem: `http://127.0.0.1:${port} is known already, as far: a copy there would count as two`,
      })
    }
    const elsewhere = { ...far(), url: 'http://127.0.0.1/second', librarian_name: 'farther' }
    expect((await house.post('admin/librarians/add', { ...elsewhere, check_connection: false })).body.success).toBe(
      true,
    )
  })

  test('nobody is added under the name of this one', async () => {
    const own = { ...far(), librarian_name: house.settings.name }
    expect(await house.post('admin/librarians/add', own)).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('is the name of this one') },
    })
    expect(await house.catalogue.peers.list()).toEqual([])
  })

  test('something else that answers is no librarian', async () => {
    answer = '{"hello":1}'
    expect((await house.post('admin/librarians/add', far())).body.ping_success).toBe(false)
  })

  test('sending is switched by both paths, and an unknown name is told', async () => {
    await house.post('admin/librarians/add', far())
    for (const [path, enabled] of [
      ['change', false],
      ['set', true],
    ] as const) {
      const { body } = await house.post(`admin/librarians/transfer_status/${path}`, {
        librarian_name: 'far',
        transfers_enabled: enabled,
      })
      expect(body).toEqual({ librarian_name: 'far', transfers_enabled: enabled })
      expect((await house.catalogue.peers.find({ name: 'far' }))?.transfersEnabled).toBe(enabled)
    }
    const unknown = { status: 400, body: { reason: 'Librarian x does not exist.' } }
    expect(
      await house.post('admin/librarians/transfer_status/set', { librarian_name: 'x', transfers_enabled: true }),
    ).toMatchObject(unknown)
    expect(await house.post('admin/librarians/remove', { librarian_name: 'x' })).toMatchObject(unknown)
  })

  test('are removed', async () => {
    await house.post('admin/librarians/add', far())
    expect((await house.post('admin/librarians/remove', { librarian_name: 'far' })).body).toEqual({
      success: true,
      number_of_transfers_removed: 0,
    })
    expect((await house.post('admin/librarians/list', {})).body.librarians).toEqual([])
  })

  test.each([
    ['a port in it', { url: 'http://127.0.0.1:80' }],
    ['credentials in it', { url: 'http://u:p@127.0.0.1' }],
    ['another scheme', { url: 'file:///etc' }],
    ['no port', { port: 0 }],
    ['no user', { authenticator: 'x' }],
  ])('an address with %s is refused', async (_, wrong) => {
    expect((await house.post('admin/librarians/add', { ...far(), ...wrong })).status).toBe(422)
  })
})

describe('an Idempotency-Key', () => {
  const call = (body: object, key = 'k1', as = 'ADMIN') =>
    house.post('users/create', body, as, { 'idempotency-key': key })
  const user = { username: 'ada', password: 'pw', permission: 1 }

  test('gives the same outcome again, and does nothing twice', async () => {
    const first = await call(user)
    const again = await call(user)
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body])
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true'])
    expect(await house.catalogue.audit.list({})).toHaveLength(1)
  })

  test('repeats a refusal too', async () => {
    expect((await call({ ...user, username: 'admin' })).status).toBe(400)
    const again = await call({ ...user, username: 'admin' })
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([400, 'true'])
    expect(again.body).toMatchObject({ success: false, username: 'admin' })
  })

  test('with another request is refused, and so is one that is none', async () => {
    await call(user)
    expect((await call({ ...user, username: 'eve' })).status).toBe(422)
    expect((await call({ ...user, password: 'another' })).status).toBe(422)
    expect((await call(user, 'a b')).status).toBe(422)
    expect((await call(user, 'x'.repeat(256))).status).toBe(422)
  })

  test('tells requests apart that differ where logs show nothing', async () => {
    const raise = async (letter: string) => {
      const message = `see https://a.example/f?token=${letter.repeat(16)}`
      const error = { severity: 'error', category: 'data_integrity', message }
      return (await house.post('error/raise', error, 'ADMIN', { 'idempotency-key': 'told' })).status
    }
    expect([await raise('A'), await raise('A'), await raise('B')]).toEqual([201, 201, 422])
  })

  test('is the caller’s own, and means nothing where nothing changes', async () => {
    await call(user)
    await addUser(house.catalogue, 'second', 'ADMIN')
    expect((await call({ ...user, username: 'eve' }, 'k1', 'second')).status).toBe(201)
    const ping = await house.post('ping/logged', {}, 'ADMIN', { 'idempotency-key': 'k1' })
    expect(ping.status).toBe(200)
  })
})

test('nothing that is logged holds a password', async () => {
  await house.post('users/create', { username: 'ada', password: 'CANARY-1', permission: 1 })
  await house.post('users/create', { username: 'ada', password: 'CANARY-2', permission: 1 })
  await house.post('ping/logged', {}, '', { authorization: basic('admin', 'CANARY-3') })
  await house.post('users/create', '{"password":"CANARY-4"', '')
  await house.post('users/password_update', { password: 'CANARY-5', new_password: 'CANARY-6' })
  expect(house.logged.length).toBeGreaterThan(2)
  expect(house.logged.join('\n')).not.toContain('CANARY')
})
