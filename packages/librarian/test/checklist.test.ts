/**
 * What a compatible librarian must do (librarian 20), asked in the very requests that the older client sends: recorded from it,
 * headers and all. Items 1, 2 (without clones) and 8; and the decisions on quirks (librarian 18) that a caller can see here.
 */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSite, put, type Site } from './attacks/site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite({ settings: { name: 'away', displayed_site_name: 'Away', displayed_site_description: 'Far' } })
})
afterAll(() => site[Symbol.asyncDispose]())

/** As Python's most used HTTP library writes a call: Latin-1 credentials, a connection for each. */
const python = {
  'user-agent': 'python-requests/2.32.3',
  'accept-encoding': 'gzip, deflate',
  accept: '*/*',
  connection: 'keep-alive',
}
const send = (path: string, body: object | undefined, as = 'admin', password?: string) =>
  site.call('POST', `/api/v2/${path}`, {
    as,
    ...(password === undefined ? {} : { password }),
    headers: { ...python, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })

const f1 = 'hello world'.repeat(100)
const sums = {
  file: 'xxh3:::fece70bec15fa5d04e440dc8809b1a8c',
  tree: 'xxh3:::55dd64c8933936a08aaa38b3dd4c1a96',
  empty: 'xxh3:::99aa06d3014798d86001c324468d497f',
}

async function upload(
  name: string,
  sum: string,
  size: number,
  bring: (path: string) => Promise<unknown>,
  policy = '0',
) {
  const upload_name = name.slice(name.lastIndexOf('/') + 1)
  const staged = await send('upload/stage', {
    upload_size: size,
    upload_checksum: sum,
    upload_name,
    destination_location: name,
    uploader: 'admin',
  })
  expect(staged.status).toBe(201)
  const { staging_location, store_name, staging_name, transfer_id, transfer_providers } = staged.body
  expect(Object.keys(transfer_providers)[0]).toBe('local')
  await bring(staging_location)
  const committed = await send('upload/commit', {
    store_name,
    staging_name,
    staging_location,
    upload_name,
    destination_location: name,
    transfer_provider_name: 'local',
    transfer_provider: transfer_providers.local,
    meta_mode: 'infer',
    deletion_policy: policy,
    uploader: 'admin',
    null_obsid: true,
    transfer_id,
  })
  expect([committed.status, committed.text, committed.headers.get('content-type')]).toEqual([200, '', null])
  return staged.body
}

describe('item 1: the client', () => {
  test('pings, with and without an account', async () => {
    const told = { name: 'Away', description: 'Far' }
    for (const [path, as] of [
      ['ping/', 'admin'],
      ['ping', 'admin'],
      ['ping/', 'nobody'],
      ['ping/logged', 'readonly'],
      ['ping/admin', 'admin'],
    ] as const) {
      const { status, body } = await send(path, {}, as)
      expect([path, as, status, body]).toEqual([path, as, 200, expect.objectContaining(told)])
    }
  })

  test('uploads a file and a directory, and finds both', async () => {
    await upload('dir/f1.bin', sums.file, 1100, path => put(path, f1))
    await upload('dir/tree', sums.tree, 4, async path => {
      await put(join(path, 'one'), '1\n')
      await put(join(path, 'sub/two'), '2\n')
    })
    const found = await send('search/file', { name: 'dir/f1.bin', max_results: 64 }, 'readonly')
    expect(found.body).toEqual([
      expect.objectContaining({
        name: 'dir/f1.bin',
        size: 1100,
        checksum: sums.file,
        uploader: 'admin',
        source: 'admin',
        create_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/),
        instances: [
          expect.objectContaining({
            path: join(site.directory, 'files/dir/f1.bin'),
            deletion_policy: 0,
            available: true,
            store_id: 1,
          }),
        ],
        remote_instances: [],
      }),
    ])
    expect(await readFile(join(site.directory, 'files/dir/tree/sub/two'), 'utf8')).toBe('2\n')
    const open = { create_time_window: ['0001-01-01T00:00:00', '9999-12-31T23:59:59.999999'], max_results: 64 }
    expect((await send('search/file', open, 'readonly')).body).toHaveLength(2)
  })

  test('searches for what is not there: quirk 8', async () => {
    const { status, body } = await send('search/file', { name: 'nope', max_results: 64 }, 'readonly')
    expect([status, body.reason]).toEqual([404, 'No files found.'])
  })

  test('validates', async () => {
    const { body } = await send('validate/file', { file_name: 'dir/tree' }, 'readonly')
    expect(body).toEqual([
      expect.objectContaining({
        librarian: 'away',
        store: 1,
        original_checksum: sums.tree,
        original_size: 4,
        current_checksum: sums.tree,
        current_size: 4,
        computed_same_checksum: true,
      }),
    ])
    const none = await send('validate/file', { file_name: 'nope' }, 'readonly')
    expect([none.status, none.body.reason]).toEqual([400, 'This file does not exist in the librarian.'])
  })

  test('changes its password', async () => {
    await send('users/create', { username: 'py', password: 'one:two', permission: 1 })
    const changed = await send(
      'users/password_update',
      { password: 'one:two', new_password: 'grün:3' },
      'py',
      'one:two',
    )
    expect(changed.body).toEqual({ success: true, username: 'py' })
    const latin1 = `Basic ${Buffer.from('py:grün:3', 'latin1').toString('base64')}`
    const headers = { ...python, 'content-type': 'application/json', authorization: latin1 }
    expect((await site.call('POST', '/api/v2/ping/logged', { as: '', headers, body: '{}' })).status).toBe(200)
  })
})

describe('item 2: the administrator', () => {
  test('lists stores by a call without any body, and switches them', async () => {
    const { status, body } = await send('admin/stores/list', undefined)
    expect([status, body]).toEqual([
      200,
      [
        {
          name: 'files',
          store_type: 'local',
          free_space: expect.any(Number),
          ingestable: true,
          available: true,
          enabled: true,
        },
      ],
    ])
    for (const enabled of [false, true]) {
      const { body } = await send('admin/stores/state_change', { store_name: 'files', enabled })
      expect(body).toEqual({ store_name: 'files', enabled, success: true })
    }
    const none = await send('admin/stores/state_change', { store_name: 'x', enabled: true })
    expect([none.status, none.body.reason]).toEqual([400, 'Store x does not exist.'])
  })

  test('produces manifests', async () => {
    const { body } = await send('admin/stores/manifest', {
      store_name: 'files',
      create_outgoing_transfers: false,
      destination_librarian: '',
      disable_store: false,
      mark_local_instances_as_unavailable: false,
    })
    expect(Object.keys(body)).toEqual(['librarian_name', 'store_name', 'store_files'])
    expect(body.store_files.map((entry: { name: string }) => entry.name)).toEqual(['dir/f1.bin', 'dir/tree'])
    expect(Object.keys(body.store_files[0])).toEqual([
      ...['name', 'create_time', 'size', 'checksum', 'uploader', 'source', 'instance_path', 'deletion_policy'],
      ...['instance_create_time', 'instance_available', 'outgoing_transfer_id'],
    ])
    expect(body.store_files[0].outgoing_transfer_id).toBe(-1)
  })

  test('manages users: quirks 6 and 7', async () => {
    const user = { username: 'u1', password: 'p1 is it', permission: 3 }
    const made = await send('users/create', user)
    expect([made.status, made.body]).toEqual([201, { success: true, username: 'u1' }])
    expect((await send('users/get', { username: 'u1' })).body).toEqual({ username: 'u1', permission: 3 })
    expect((await send('users/update', { username: 'u1', permission: 1 })).body).toEqual({
      success: true,
      username: 'u1',
    })
    for (const [path, body, answer] of [
      ['users/create', user, { success: false, username: 'u1' }],
      ['users/get', { username: 'nope' }, { username: 'nope', permission: 0 }],
      ['users/update', { username: 'nope', password: 'long enough' }, { success: false, username: 'nope' }],
      ['users/delete', { username: 'nope' }, { success: false, username: 'nope' }],
    ] as const) {
      const failed = await send(path, body)
      expect([path, failed.status, failed.body]).toEqual([path, 400, expect.objectContaining(answer)])
      expect(failed.text).not.toMatch(/User already exists|User not found/)
    }
    expect((await send('users/delete', { username: 'u1' })).body).toEqual({ success: true, username: 'u1' })
  })

  test('manages librarians, and switches transfers by both paths: quirks 2 and 22', async () => {
    const peer = {
      librarian_name: 'B',
      url: 'http://127.0.0.1',
      port: site.port,
      authenticator: 'a:b:c',
      check_connection: true,
    }
    const dead = await send('admin/librarians/add', { ...peer, librarian_name: 'dead', port: 1 })
    expect([dead.status, dead.body]).toEqual([200, { success: false, already_exists: false, ping_success: false }])
    const added = await send('admin/librarians/add', peer)
    expect(added.body).toEqual({ success: true, already_exists: false, ping_success: true })
    expect((await send('admin/librarians/add', peer)).body).toEqual({
      success: false,
      already_exists: true,
      ping_success: false,
    })
    const listed = { name: 'B', url: 'http://127.0.0.1', port: site.port, enabled: true }
    expect((await send('admin/librarians/list', { ping: true })).body.librarians).toEqual([
      { ...listed, available: true },
    ])
    expect((await send('admin/librarians/list', { ping: false })).body.librarians).toEqual([
      { ...listed, available: null },
    ])
    for (const [path, transfers_enabled] of [
      ['set', false],
      ['change', true],
    ] as const) {
      const { body } = await send(`admin/librarians/transfer_status/${path}`, {
        librarian_name: 'B',
        transfers_enabled,
      })
      expect(body).toEqual({ librarian_name: 'B', transfers_enabled })
    }
    const removed = await send('admin/librarians/remove', { librarian_name: 'B', remove_outgoing_transfers: false })
    expect(removed.body).toEqual({ success: true, number_of_transfers_removed: 0 })
    const none = await send('admin/librarians/remove', { librarian_name: 'B', remove_outgoing_transfers: false })
    expect([none.status, none.body.reason]).toEqual([400, 'Librarian B does not exist.'])
  })

  test('searches and clears errors', async () => {
    const none = await send('search/error', { include_resolved: false, max_results: 64 })
    expect([none.status, none.body.reason]).toEqual([404, 'No errors found.'])
    await send('admin/stores/state_change', { store_name: 'files', enabled: false })
    expect((await site.stage('refused', 'x')).status).toBe(413)
    await send('admin/stores/state_change', { store_name: 'files', enabled: true })
    const { body } = await send('search/error', { category: 'data_availability', severity: 'error', max_results: 64 })
    const [{ id, ...error }] = body
    expect(error).toMatchObject({
      severity: 'error',
      category: 'data_availability',
      cleared: false,
      cleared_time: null,
    })
    expect((await send('error/clear', { id })).body).toMatchObject({ id, cleared: true })
    const again = await send('error/clear', { id })
    expect([again.status, again.body.reason]).toEqual([400, expect.stringMatching(/^Error with ID /)])
    const unknown = await send('error/clear', { id: 999 })
    expect([unknown.status, unknown.body.reason]).toEqual([404, expect.stringMatching(/^No error found with ID /)])
  })

  test('adds files that lie there', async () => {
    await put(join(site.directory, 'files/added/f1'), f1)
    const row = {
      name: 'added/f1',
      create_time: '2020-01-01T00:00:00',
      size: 1100,
      checksum: sums.file,
      uploader: 'someone',
      source: 'admin',
      path: join(site.directory, 'files/added/f1'),
      store_name: 'files',
    }
    const added = await send('admin/add_file', row)
    expect(added.body).toEqual({ already_exists: false, file_exists: true, success: true })
    expect((await send('admin/add_file', row)).body).toEqual({
      already_exists: true,
      file_exists: false,
      success: true,
    })
    const nowhere = join(site.directory, 'files/nowhere')
    const missing = await send('admin/add_file', { ...row, name: 'added/none', path: nowhere })
    expect([missing.status, missing.body]).toEqual([
      400,
      expect.objectContaining({
        reason: `File ${nowhere} does not exist.`,
        suggested_remedy: 'Create the file first, or make sure that you are using a local store.',
      }),
    ])
  })

  test('deletes instances, of which there must be one', async () => {
    for (const path of ['admin/instance/delete_local', 'admin/instance/delete_remote']) {
      const { status, body } = await send(path, { instance_id: 9999, delete_file: false })
      expect([status, body]).toEqual([
        400,
        expect.objectContaining({ success: false, instance_id: 9999, reason: 'Instance does not exist.' }),
      ])
    }
    const [{ instances }] = (await send('search/file', { name: 'added/f1' })).body
    const { body } = await send('admin/instance/delete_local', { instance_id: instances[0].id, delete_file: false })
    expect(body).toEqual({ success: true, instance_id: instances[0].id })
  })
})

describe('item 8: the vectors', () => {
  for (const [what, sum, members] of [
    ['an empty directory', sums.empty, {}],
    ['a directory', 'xxh3:::e3fec79afcee50e38a726d256499600b', { 'a.txt': 'abc', 'sub/b.txt': '' }],
    [
      'one with a hidden member',
      'xxh3:::69015caeea646520c7200ceb1a7f8368',
      { 'a.txt': 'abc', 'sub/b.txt': '', '.hid': 'x' },
    ],
    ['one of other names', 'xxh3:::69015caeea646520c7200ceb1a7f8368', { zzz: 'abc', y: '', q: 'x' }],
    ['one by md5', 'md5:::2c69a13837f9865084354f29aea77b1a', { 'a.txt': 'abc', 'sub/b.txt': '' }],
  ] as const) {
    test(`${what} has the sum that is told of it`, async () => {
      const size = Object.values(members).join('').length
      await upload(`vectors/${what}`, sum, size, async path => {
        await put(join(path, 'made'), '')
        await rm(join(path, 'made'))
        for (const [member, content] of Object.entries(members)) await put(join(path, member), content)
      })
    })
  }

  for (const sum of [
    'md5:::3f23fe8690d92e25000fc77ddb0d2f52',
    '3f23fe8690d92e25000fc77ddb0d2f52',
    'sha1:::63bd507c378dbebd59f77853dea6c4c2c39f7ed7',
    'sha256:::68cd07733b3b97926512d4bbe9b660bb5beff0675579833a52e6e059557d57f6',
  ]) {
    test(`a file is taken by ${sum.slice(0, 12)}…, and known by it`, async () => {
      const name = `vectors/${sum.slice(0, 6)}`
      await upload(name, sum, 1100, path => put(path, f1))
      expect((await send('search/file', { name })).body[0].checksum).toBe(sum)
    })
  }
})

test('quirk 1: a deletion policy that arrives as a digit is honoured', async () => {
  await upload('quirk/one', sums.file, 1100, path => put(path, f1), '1')
  const [{ instances }] = (await send('search/file', { name: 'quirk/one' })).body
  expect(instances[0].deletion_policy).toBe(1)
})

test('quirk 4: a call that is not understood is told in a text, which real clients decode', async () => {
  const { status, body } = await send('users/create', {})
  expect([status, Object.keys(JSON.parse(body.detail))]).toEqual([
    422,
    expect.arrayContaining(['reason', 'suggested_remedy']),
  ])
})

test('quirk 9: times are naive and in UTC, whatever zone they came in', async () => {
  const zoned = { create_time_window: ['2020-01-01T01:00:00+01:00', '2020-01-01T00:00:00Z'] }
  const { body } = await send('search/file', zoned)
  expect(body.map((file: { name: string; create_time: string }) => [file.name, file.create_time])).toEqual([
    ['added/f1', '2020-01-01T00:00:00'],
  ])
})

test('quirk 13: what real clients do not know is offered last, and without hosts', async () => {
  const { body } = await site.stage('quirk/thirteen', 'x')
  const providers = Object.entries(body.transfer_providers as Record<string, { hostnames: string[] }>)
  expect(providers[0]![0]).toBe('local')
  for (const [, { hostnames }] of providers.slice(1)) expect(hostnames).toEqual([])
})

test('quirk 24: an upload that waits is nobody’s but its owner’s: no work in the background takes it', async () => {
  const staged = await site.stage('quirk/twenty-four', 'x')
  await put(staged.body.staging_location, 'x')
  const status = site.rows(`SELECT status FROM incoming_transfer WHERE id = ${staged.body.transfer_id}`)
  expect(status).toEqual([{ status: 'INITIATED' }])
  expect(site.rows("SELECT * FROM file WHERE name = 'quirk/twenty-four'")).toEqual([])
})

test('quirk 25: transfers end at a time, and it is UTC', async () => {
  const rows = site.rows("SELECT start_time, end_time FROM incoming_transfer WHERE status = 'COMPLETED'")
  expect(rows.length).toBeGreaterThan(0)
  for (const { start_time, end_time } of rows) {
    expect(end_time).toMatch(/Z$/)
    expect(Date.parse(String(end_time))).toBeGreaterThanOrEqual(Date.parse(String(start_time)))
    expect(Math.abs(Date.parse(String(end_time)) - Date.now())).toBeLessThan(600_000)
  }
})

test('quirk 28: names are normalised as callers of old do it, but never out of their place', async () => {
  const { body } = await site.stage('quirk//./twenty-eight/', 'x', { changes: { upload_name: 'twenty-eight' } })
  expect(body.destination_location).toBe('quirk/twenty-eight')
  expect((await site.stage('quirk/../twenty-eight', 'x')).status).toBe(400)
})

test('quirk 31: what an administrator does to copies is done, and stands in the audit', async () => {
  const acts = await site.librarian.catalogue.audit.list({ limit: 1000 })
  const deletions = acts.filter(({ action }) => action === 'admin/instance/delete_local')
  expect(deletions.map(({ actor }) => actor)).toContain('admin')
})
