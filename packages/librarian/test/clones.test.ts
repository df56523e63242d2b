/** What a receiver of clones answers on the wire (librarian 10.3, 10.4, 18): bodies, statuses, who may what. */
import { beforeEach, describe, expect, test } from 'vitest'
import { MemoryStore } from '../src/stores/memory.ts'
import type { SiteStore } from '../src/stores/stores.ts'
import { type Answer, openTestHouse, type TestHouse } from './house.ts'

/** The account of a level is called like it: this one is a librarian's. */
const peer = 'readappend'

let house: TestHouse
let store: MemoryStore

async function open(site: Partial<SiteStore> = {}): Promise<void> {
  store = new MemoryStore({ name: 'main', total: 10_000 })
  const key = 'xi_XAj9x5igbZInpy4izFiyubfLiW0beI7mJAYKCb-0='
  house = await openTestHouse({
    settings: { name: 'b', encryption_key: key },
    stores: [
      {
        id: 1,
        name: 'main',
        store,
        ingestable: true,
        transferManagers: { local: { available: 'true', hostnames: ['h'] } },
        ...site,
      },
    ],
  })
  await house.catalogue.stores.synchronise({
    stores: [{ name: 'main', ingestable: true, type: 'local', data: {}, transferManagers: {} }],
  })
  await house.catalogue.peers.add({ name: peer, url: 'http://127.0.0.1', port: 9, authenticator: 'x' })
}

beforeEach(async () => {
  await open()
  return () => house[Symbol.asyncDispose]()
})

const checksum = 'xxh3:::06b05ab6733a618578af5f94892f3950'
const item = (name: string, source_transfer_id: number, upload_size = 3) => ({
  upload_size,
  upload_checksum: checksum,
  upload_name: name,
  destination_location: name,
  uploader: 'ada',
  source_transfer_id,
})
const stage = (name: string, number: number, more: object = {}, as = 'READAPPEND') =>
  house.post('clone/stage', { ...item(name, number), source: peer, ...more }, as)
const batch = (uploads: readonly object[], more: object = {}, as = 'READAPPEND') =>
  house.post('clone/batch_stage', { source: peer, total_size: 3 * uploads.length, uploads, ...more }, as)
const detailOf = ({ body }: Answer) => {
  expect(Object.keys(body)).toEqual(['detail'])
  return JSON.parse(body.detail)
}
const statusOf = async (id: number) => (await house.catalogue.uploads.get({ id }))?.status

describe('clone/stage', () => {
  test('tells where to put the bytes, and which numbers the transfer has on both sides', async () => {
    const { status, body } = await stage('dir/f1.bin', 7, { upload_name: 'f1.bin' })
    expect(status).toBe(201)
    expect(body).toEqual({
      available_bytes_on_store: expect.any(Number),
      store_name: 'main',
      staging_name: expect.stringMatching(/^[0-9a-f-]{36}$/),
      staging_location: `/memory/main-staging/${body.staging_name}/f1.bin`,
      upload_name: 'f1.bin',
      destination_location: 'dir/f1.bin',
      // Real clients take the first that is valid, and pass the other by (librarian Q13).
      transfer_providers: {
        local: { hostnames: ['h'] },
        http: expect.objectContaining({ hostnames: [], protocol: 'tus', url: expect.any(String) }),
      },
      source_transfer_id: 7,
      destination_transfer_id: 1,
    })
    expect(Object.keys(body.transfer_providers)).toEqual(['local', 'http'])
    expect(await house.catalogue.uploads.get({ id: 1 })).toMatchObject({
      source: peer,
      uploader: peer,
      first_uploader: 'ada',
    })
  })

  test('a failure is text in detail, with the numbers', async () => {
    const negative = await stage('n', 7, { upload_size: -1 })
    expect([negative.status, detailOf(negative)]).toMatchObject([
      400,
      { source_transfer_id: 7, destination_transfer_id: -1 },
    ])
    const large = await stage('n', 7, { upload_size: 10_000 })
    expect([large.status, detailOf(large)]).toMatchObject([413, { source_transfer_id: 7, destination_transfer_id: -1 }])
    expect((await stage('n', 7, { upload_size: 9_999 })).status).toBe(201)
  })

  test('the same again: waiting for bytes it is ended, with bytes on their way it is waited for', async () => {
    await stage('n', 7)
    const again = await stage('n', 7)
    expect([again.status, detailOf(again)]).toMatchObject([
      406,
      { reason: 'Transfer was already initiated or staged.', source_transfer_id: 7, destination_transfer_id: 1 },
    ])
    expect(await statusOf(1)).toBe('FAILED')
    expect(await Array.fromAsync(store.stagings())).toEqual([])
    await stage('n', 7)
    await house.post('clone/ongoing', { source_transfer_id: 7, destination_transfer_id: 2 }, 'READAPPEND')
    const ongoing = await stage('n', 8)
    expect([ongoing.status, detailOf(ongoing)]).toMatchObject([
      425,
      { reason: 'Transfer is ongoing.', source_transfer_id: 8, destination_transfer_id: 2 },
    ])
  })

  test('what is kept, or lies in what is kept, is refused in the words that callers look for', async () => {
    await house.sql(`INSERT INTO file (name, create_time, size, checksum, sha256, kind, is_attested, uploader, source)
      VALUES ('tree', '2026-01-01T00:00:00.000000Z', 1, 'x', '${'a'.repeat(64)}', 'tree', 1, 'u', 's')`)
    for (const name of ['tree', 'tree/inside']) {
      const met = await stage(name, 1)
      expect([met.status, detailOf(met).reason]).toEqual([409, 'File already exists on librarian.'])
    }
  })

  test.each(['../up', 'a/../b', '/etc/passwd', 'a\\b', '.arriero/x', 'x\u0000'])(
    'the name %j is refused, of the file and of the staged one',
    async name => {
      expect((await stage(name, 1)).status).toBe(400)
      expect((await stage('good', 1, { upload_name: name })).status).toBe(400)
      expect(await house.catalogue.uploads.list({ limit: 9 })).toEqual([])
    },
  )

  test('where the program of old swaps the two, the librarian is found by its name', async () => {
    expect((await stage('n', 3, { uploader: peer, source: 'some user' }, 'ADMIN')).status).toBe(201)
    expect(await house.catalogue.uploads.get({ id: 1 })).toMatchObject({
      source: peer,
      first_uploader: 'some user',
      uploader: 'admin',
    })
  })

  test('nobody sends in the name of another librarian but an administrator', async () => {
    await house.catalogue.peers.add({ name: 'other', url: 'http://127.0.0.1', port: 10, authenticator: 'x' })
    expect((await stage('n', 1, { source: 'other' })).status).toBe(401)
    expect((await batch([item('n', 1)], { source: 'other' })).status).toBe(401)
    expect((await stage('n', 1, { source: 'other' }, 'ADMIN')).status).toBe(201)
  })
})

describe('clone/batch_stage', () => {
  test('where only this librarian itself brings bytes there is no staging directory to be made, or removed', async () => {
    await house[Symbol.asyncDispose]()
    await open({ asyncTransferManagers: undefined })
    const { status, body } = await batch([item('a/b', 1)])
    expect([status, Object.keys(body.async_transfer_providers)]).toEqual([201, ['http']])
    expect(body.uploads[0].staging_location).toMatch(/^\/[0-9a-f-]{36}\/a\/b$/)
    expect(await house.catalogue.uploads.list({ name: 'a/b', limit: 1 })).toMatchObject([{ staging_path: null }])
  })

  test('a thousand at once, in order, all on one store', async () => {
    await house[Symbol.asyncDispose]()
    await open({ asyncTransferManagers: { local: { available: true, hostnames: ['h'] } } })
    const uploads = Array.from({ length: 1024 }, (_, n) => item(`set/${n % 7}/f${n}`, 100 + n))
    const { status, body } = await batch(uploads)
    expect(status).toBe(201)
    expect(body.uploads.map((one: { destination_location: string }) => one.destination_location)).toEqual(
      uploads.map(one => one.destination_location),
    )
    const [first] = body.uploads
    expect(first).toEqual({
      staging_name: expect.any(String),
      staging_location: `/memory/main-staging/${first.staging_name}/set/0/f0`,
      upload_name: 'set/0/f0',
      destination_location: 'set/0/f0',
      source_transfer_id: 100,
      destination_transfer_id: expect.any(Number),
    })
    expect(await Array.fromAsync(store.stagings())).toHaveLength(1024)
  })

  test('the whole is refused before any of it is looked at, as text in detail', async () => {
    const negative = await batch([item('n', 1)], { total_size: -1 })
    expect([negative.status, detailOf(negative)]).toMatchObject([
      400,
      { source_transfer_id: -1, destination_transfer_id: -1 },
    ])
    const large = await batch([item('n', 1)], { total_size: 10_000 })
    expect([large.status, detailOf(large)]).toMatchObject([
      413,
      { source_transfer_id: -1, destination_transfer_id: -1 },
    ])
  })

  test('of several troubles the most important is told, with its numbers alone, and nothing is announced', async () => {
    await batch([item('comes', 1), item('waits', 2), item('other', 3)])
    await house.post('clone/ongoing', { source_transfer_id: 1, destination_transfer_id: 1 }, 'READAPPEND')
    await house.sql(`INSERT INTO file (name, create_time, size, checksum, sha256, kind, is_attested, uploader, source)
      VALUES ('kept', '2026-01-01T00:00:00.000000Z', 1, 'x', '${'a'.repeat(64)}', 'file', 1, 'u', 's')`)
    const fields = { destination_transfer_ids: [-1], suggested_remedy: expect.any(String) }
    const all = await batch([item('fresh', 10), item('waits', 11), item('kept', 12), item('comes', 13)])
    expect([all.status, all.body]).toMatchObject([
      425,
      { reason: 'Transfer is ongoing.', source_transfer_ids: [13], ...fields },
    ])
    const two = await batch([item('fresh', 14), item('other', 15), item('kept', 16)])
    expect([two.status, two.body]).toMatchObject([
      409,
      { reason: 'File already exists on librarian.', source_transfer_ids: [16], ...fields },
    ])
    await batch([item('late', 17)])
    const one = await batch([item('fresh', 18), item('late', 19)])
    expect([one.status, one.body]).toMatchObject([
      406,
      { reason: 'Transfer was already initiated or staged.', source_transfer_ids: [19], ...fields },
    ])
    // What was stale is ended by the way, whichever trouble was told.
    expect([await statusOf(1), await statusOf(2), await statusOf(3)]).toEqual(['ONGOING', 'FAILED', 'FAILED'])
    expect(await house.catalogue.uploads.list({ name: 'fresh', limit: 9 })).toEqual([])
  })

  test('a name that nobody may use is left out, so that its sender ends that transfer alone', async () => {
    const { status, body } = await batch([item('good', 1), item('../bad', 2), item('fine', 3)])
    expect(status).toBe(201)
    expect(body.uploads.map((one: { source_transfer_id: number }) => one.source_transfer_id)).toEqual([1, 3])
    expect((await batch([item('../bad', 4)])).status).toBe(400)
  })

  test('nothing may be there twice', async () => {
    expect((await batch([item('a', 1), item('a', 2)])).status).toBe(422)
    expect((await batch([item('a', 1), item('b', 1)])).status).toBe(422)
  })

  const offered = async (
    asyncTransferManagers: SiteStore['asyncTransferManagers'],
    source = peer,
    as = 'READAPPEND',
  ) => {
    await house[Symbol.asyncDispose]()
    await open({ asyncTransferManagers })
    const { body } = await batch([item('n', 1)], { source }, as)
    return Object.entries(body.async_transfer_providers)
  }
  const attempts = { transfer_attempted: false, transfer_complete: false }
  const http = ['http', { hostnames: [], protocol: 'pull', version: 1, ...attempts }]

  test('managers are offered as the settings have them, in the forms of the wire, ours last', async () => {
    const managers = {
      local: { available: true, hostnames: ['h'] },
      rsync: { available: 'true', hostname: 'h' },
      globus: { available: true, destination_endpoint: 'e' },
    }
    expect(await offered(managers)).toEqual([
      ['local', { hostnames: ['h'], ...attempts, start_time_transfer: null, bytes_transfer: null }],
      ['globus', { destination_endpoint: 'e', native_app: false, ...attempts, task_id: '' }],
      ['rsync', { hostname: 'h', ...attempts }],
      http,
    ])
  })

  test('who may copy into the staging area is led to where it makes one directory', async () => {
    const asked: unknown[] = []
    const local = { local: { available: true, hostnames: ['h'] } }
    for (const managers of [local, { rsync: { available: true, hostname: 'h' } }] as object[]) {
      await house[Symbol.asyncDispose]()
      await open({ asyncTransferManagers: managers as never })
      const real = store.openStaging.bind(store)
      store.openStaging = async (id: string, name: string, ...options: unknown[]) => {
        asked.push(...options)
        return await real(id, name)
      }
      await batch([item('a/b/c', 1)])
    }
    expect(asked).toEqual([{ leadsIn: true }, { leadsIn: false }])
  })

  test('rsync never is the first, what is not available is not offered', async () => {
    const managers = { rsync: { available: true, hostname: 'h' }, local: { available: false, hostnames: ['h'] } }
    expect((await offered(managers)).map(([name]) => name)).toEqual(['http', 'rsync'])
    expect(await offered(managers, 'stranger')).toEqual([])
  })

  test('whom this librarian does not know it cannot fetch from', async () => {
    expect(await offered(undefined)).toEqual([http])
    expect(await offered(undefined, 'stranger')).toEqual([])
  })
})

describe('clone/ongoing, clone/staged, clone/fail', () => {
  const pair = { source_transfer_id: 7, destination_transfer_id: 1 }
  const call = (name: string, body: object = pair, as = 'READAPPEND') => house.post(`clone/${name}`, body, as)

  test('go from state to state, each once', async () => {
    await stage('n', 7)
    expect(await call('staged')).toMatchObject({ status: 406, body: pair })
    expect(await call('ongoing')).toMatchObject({ status: 200, body: pair })
    expect(await call('ongoing')).toMatchObject({ status: 406, body: pair })
    expect(await call('staged')).toMatchObject({ status: 200, body: { ...pair, success: true } })
    expect(await call('fail', { ...pair, reason: 'r' })).toMatchObject({
      status: 200,
      body: { ...pair, success: true },
    })
    expect(await call('fail', { ...pair, reason: 'r' })).toMatchObject({ status: 200 })
    expect(await statusOf(1)).toBe('FAILED')
    expect(await Array.fromAsync(store.stagings())).toEqual([])
  })

  test("of what is not there, and of what is another's, the same is said", async () => {
    await stage('n', 7, { source: 'stranger' }, 'ADMIN')
    for (const name of ['ongoing', 'staged', 'fail']) {
      const theirs = await call(name, { ...pair, reason: 'r' })
      const none = await call(name, { ...pair, destination_transfer_id: 99, reason: 'r' })
      expect([theirs.status, none.status]).toEqual([404, 404])
      expect(theirs.body.reason.replace('1', '99')).toBe(none.body.reason)
    }
    expect(await statusOf(1)).toBe('INITIATED')
  })

  test('what is kept cannot fail any more', async () => {
    await stage('n', 7)
    await house.sql(`UPDATE incoming_transfer SET status = 'COMPLETED' WHERE id = 1`)
    expect(await call('fail', { ...pair, reason: 'r' })).toMatchObject({ status: 406 })
  })
})

describe('checkin', () => {
  test('answers as was recorded of the older server', async () => {
    await batch([item('a', 1), item('b', 2)])
    const update = { source_transfer_ids: [], destination_transfer_ids: [1, 2], new_status: 1 }
    const answer = {
      modified_source_transfer_ids: [],
      modified_destination_transfer_ids: [1, 2],
      unmodified_source_transfer_ids: [],
      unmodified_destination_transfer_ids: [],
      reasons: [],
    }
    expect(await house.post('checkin/update', update, 'READAPPEND')).toMatchObject({ status: 200, body: answer })
    const status = await house.post(
      'checkin/status',
      { source_transfer_ids: [77], destination_transfer_ids: [1, 2, 9] },
      'READAPPEND',
    )
    expect(status.body).toEqual({
      source_transfer_status: { '77': null },
      destination_transfer_status: { '1': 1, '2': 1, '9': null },
    })
  })

  test('each is judged on its own; outgoing ones by whom they go to; what has ended stays', async () => {
    await batch([item('a', 1)])
    const outgoing = (destination: string, status: string) =>
      house.sql(`INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, instance_id)
        VALUES ('${status}', '${destination}', 1, 'x', '2026-01-01T00:00:00.000000Z', 1)`)
    await outgoing(peer, 'ONGOING')
    await outgoing('other', 'ONGOING')
    await outgoing(peer, 'COMPLETED')
    const ids = { source_transfer_ids: [1, 2, 3, 4], destination_transfer_ids: [1, 5] }
    expect((await house.post('checkin/update', { ...ids, new_status: 4 }, 'READAPPEND')).body).toMatchObject({
      modified_source_transfer_ids: [1],
      modified_destination_transfer_ids: [1],
      unmodified_source_transfer_ids: [2, 3, 4],
      unmodified_destination_transfer_ids: [5],
      reasons: ['There is no such transfer of yours.', 'A transfer that is COMPLETED cannot be set to FAILED.']
        .toSorted()
        .toReversed(),
    })
    expect((await house.post('checkin/status', ids, 'READAPPEND')).body).toEqual({
      source_transfer_status: { '1': 4, '2': null, '3': 3, '4': null },
      destination_transfer_status: { '1': 4, '5': null },
    })
    expect(await Array.fromAsync(store.stagings())).toEqual([])
    const [row] = await house.sql('SELECT end_time FROM outgoing_transfer WHERE id = 1')
    expect(row!.end_time).not.toBeNull()
  })

  test('nothing is completed by it', async () => {
    await batch([item('a', 1)])
    for (const new_status of [0, 3]) {
      const { body } = await house.post(
        'checkin/update',
        { source_transfer_ids: [], destination_transfer_ids: [1], new_status },
        'READAPPEND',
      )
      expect(body.unmodified_destination_transfer_ids).toEqual([1])
    }
    expect(await statusOf(1)).toBe('INITIATED')
  })
})
