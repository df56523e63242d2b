/** Bodies recorded from the older client and server (librarian 8, 9, 10, 11.7, 19). */
import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../endpoint.ts'
import { parseRequest, toAnswer } from '../exchange.ts'
import { endpoints } from './index.ts'

const commit =
  '{"store_name":"local_store","staging_name":"f6a83488-37c9-45f4-8d6e-9dbb222cd188",' +
  '"staging_location":"/s/f6a83488-37c9-45f4-8d6e-9dbb222cd188/f1.bin","upload_name":"f1.bin",' +
  '"destination_location":"dir/f1.bin","transfer_provider_name":"local","transfer_provider":{"hostnames":["vm"]},' +
  '"meta_mode":"infer","deletion_policy":"0","uploader":"admin","null_obsid":true,"transfer_id":1}'

const answers: [name: string, endpoint: Endpoint, body: string][] = [
  ['a greeting', endpoints.ping.any, '{"name":"Local","description":"A librarian"}'],
  [
    'a staged upload',
    endpoints.upload.stage,
    '{"available_bytes_on_store":100,"store_name":"local_store","staging_name":"f6a83488","staging_location":' +
      '"/s/f6a83488/f1.bin","upload_name":"f1.bin","destination_location":"dir/f1.bin",' +
      '"transfer_providers":{"local":{"hostnames":["compute-0","login-1"]}},"transfer_id":1}',
  ],
  [
    'a batch of clones with all three providers',
    endpoints.clone.batchStage,
    '{"available_bytes_on_store":100,"store_name":"s","uploads":[{"staging_name":"u","staging_location":"/s/u/a/b",' +
      '"upload_name":"a/b","destination_location":"a/b","source_transfer_id":1,"destination_transfer_id":2}],' +
      '"async_transfer_providers":{"local":{"hostnames":["h"],"transfer_attempted":false,"transfer_complete":false,' +
      '"start_time_transfer":null,"bytes_transfer":null},"rsync":{"hostname":"h","transfer_attempted":false,' +
      '"transfer_complete":false},"globus":{"destination_endpoint":"UUID","native_app":false,' +
      '"transfer_attempted":false,"transfer_complete":false,"task_id":""}}}',
  ],
  [
    'a checkin',
    endpoints.checkin.update,
    '{"modified_source_transfer_ids":[],"modified_destination_transfer_ids":[1,2],' +
      '"unmodified_source_transfer_ids":[],"unmodified_destination_transfer_ids":[],"reasons":[]}',
  ],
  [
    'statuses',
    endpoints.checkin.status,
    '{"source_transfer_status":{"1":3,"5":1,"77":null},"destination_transfer_status":{"1":3,"2":3}}',
  ],
  [
    'a found file',
    endpoints.search.file,
    '[{"name":"dir/f1.bin","create_time":"2026-11-20T22:03:37.293159","size":1100,' +
      '"checksum":"xxh3:::fece70bec15fa5d04e440dc8809b1a8c","uploader":"admin","source":"admin",' +
      '"instances":[{"path":"/st/dir/f1.bin","deletion_policy":0,"created_time":"2026-11-20T22:03:37",' +
      '"available":true,"id":null,"file_name":null,"store_id":1}],"remote_instances":[{"librarian_name":"b",' +
      '"copy_time":"2026-11-20T22:03:37.619866","id":null,"file_name":null,"store_id":null,"sender":null}]}]',
  ],
  [
    'stores',
    endpoints.admin.storesList,
    '[{"name":"s","store_type":"local","free_space":-1,"ingestable":true,"available":false,"enabled":true}]',
  ],
  [
    'a librarian that nobody pinged',
    endpoints.admin.librariansList,
    '{"librarians":[{"name":"b","url":"http://b","port":80,"available":null,"enabled":true}]}',
  ],
  [
    'a librarian added unchecked',
    endpoints.admin.librariansAdd,
    '{"success":true,"already_exists":false,"ping_success":null}',
  ],
  ['a user', endpoints.users.get, '{"username":"admin","permission":100}'],
  [
    'a validation',
    endpoints.validate.file,
    '[{"librarian":"a","store":1,"instance_id":2,"original_checksum":"xxh3:::00","original_size":3,' +
      '"current_checksum":"xxh3:::00","current_size":3,"computed_same_checksum":true}]',
  ],
  ['a resend', endpoints.corrupt.resend, '{"success":true,"destination_transfer_id":7}'],
]

const manifest = `{
  "librarian_name": "a",
  "store_name": "clone",
  "store_files": [
    {
      "name": "dir/f1.bin",
      "create_time": "2026-11-20T22:03:37.293159",
      "size": 1100,
      "checksum": "xxh3:::fece70bec15fa5d04e440dc8809b1a8c",
      "uploader": "admin",
      "source": "admin",
      "instance_path": "/mnt/drive/store/dir/f1.bin",
      "deletion_policy": 0,
      "instance_create_time": "2026-11-20T22:05:39.206016",
      "instance_available": true,
      "outgoing_transfer_id": 3
    }
  ]
}`

describe('answers', () => {
  test.each(answers)('%s is read and written byte for byte', (_, endpoint, body) => {
    expect(JSON.stringify(toAnswer(endpoint, JSON.parse(body)).body)).toBe(body)
  })

  test('a carried disk’s manifest is read and written byte for byte, indentation and all', () => {
    expect(JSON.stringify(toAnswer(endpoints.admin.storesManifest, JSON.parse(manifest)).body, null, 2)).toBe(manifest)
  })

  test('names and instants of the catalogue become numbers and naive times', () => {
    const found = toAnswer(endpoints.search.file, [
      {
        name: 'a',
        create_time: '2026-11-20T22:03:37.000000Z',
        size: 0,
        checksum: 'xxh3:::00',
        uploader: 'u',
        source: 's',
        instances: [
          { path: 's3://b/a', deletion_policy: 'ALLOWED', created_time: '2026-11-20T22:03:37.1Z', available: true },
        ],
        remote_instances: [],
      },
    ])
    expect(found.body).toEqual([
      expect.objectContaining({
        create_time: '2026-11-20T22:03:37',
        instances: [
          expect.objectContaining({ path: 's3://b/a', deletion_policy: 1, created_time: '2026-11-20T22:03:37.100000' }),
        ],
      }),
    ])
  })

  test('fields that the table does not name never leave', () => {
    const user = { username: 'a', permission: 'ADMIN', auth_token: '$argon2id$…' }
    expect(toAnswer(endpoints.users.get, user).body).toEqual({ username: 'a', permission: 100 })
  })

  test('what does not fit is a fault of the server, not an answer', () => {
    expect(() => toAnswer(endpoints.users.get, { username: 'a', permission: 5 })).toThrow('users/get')
    expect(() => toAnswer(endpoints.users.get, undefined)).toThrow('users/get')
  })

  test('a commit answers nothing at all', () => {
    expect(toAnswer(endpoints.upload.commit, undefined)).toEqual({ status: 200, body: undefined, headers: {} })
  })

  test.each([
    [endpoints.search.file, 'No files found.'],
    [endpoints.search.error, 'No errors found.'],
    [endpoints.search.instanceLocal, 'No instances found.'],
    [endpoints.search.instanceRemote, 'No instances found.'],
  ] as const)('an empty search is 404: %#', (endpoint, reason) => {
    expect(toAnswer(endpoint, [])).toMatchObject({
      status: 404,
      body: { reason, suggested_remedy: expect.any(String) },
    })
    expect(toAnswer(endpoints.admin.storesList, [])).toMatchObject({ status: 200, body: [] })
  })
})

describe('requests', () => {
  test('the commit of the older client, whose policy is a digit (Q1)', () => {
    expect(parseRequest(endpoints.upload.commit, JSON.parse(commit))).toEqual({
      ...JSON.parse(commit),
      deletion_policy: 'DISALLOWED',
    })
    expect(parseRequest(endpoints.upload.commit, { ...JSON.parse(commit), deletion_policy: '1' })).toMatchObject({
      deletion_policy: 'ALLOWED',
    })
    expect(parseRequest(endpoints.upload.commit, { ...JSON.parse(commit), source_name: 'x' })).not.toHaveProperty(
      'source_name',
    )
  })

  test('the checkin of the older server', () => {
    const body = { source_transfer_ids: [], destination_transfer_ids: [1, 2], new_status: 1 }
    expect(parseRequest(endpoints.checkin.update, body)).toEqual({ ...body, new_status: 'ONGOING' })
  })

  test('a search with open window ends and nulls, as the older command line sends it', () => {
    const window = ['0001-01-01T00:00:00', '9999-12-31T23:59:59.999999']
    const body = { name: null, create_time_window: window, uploader: null, source: null, max_results: 64 }
    expect(parseRequest(endpoints.search.file, body)).toEqual({
      create_time_window: ['0001-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z'],
      max_results: 64,
    })
    expect(parseRequest(endpoints.search.file, {})).toEqual({ max_results: 64 })
  })

  test('numbers, booleans and paths may come as texts', () => {
    const body = { store_name: 's', enabled: 'Yes' }
    expect(parseRequest(endpoints.admin.storesStateChange, body)).toEqual({ store_name: 's', enabled: true })
    const stage = {
      upload_size: '5.0',
      upload_checksum: 'x',
      upload_name: './f',
      destination_location: 'a//f/',
      uploader: 'u',
    }
    expect(parseRequest(endpoints.upload.stage, stage)).toEqual({
      upload_size: 5,
      upload_checksum: 'x',
      upload_name: 'f',
      destination_location: 'a/f',
      uploader: 'u',
    })
  })

  test('a missing body is refused where one must be, and only there', () => {
    expect(parseRequest(endpoints.admin.storesList, undefined)).toEqual({})
    expect(() => parseRequest(endpoints.ping.any, undefined)).toThrow(expect.objectContaining({ code: 'BadRequest' }))
  })

  test('a refusal names fields, never values', () => {
    const attempt = (): unknown =>
      parseRequest(endpoints.users.create, { username: 5, password: ['hunter2'], permission: 'hunter2' })
    expect(attempt).toThrow(/username: .*; password: .*; permission: /)
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'BadRequest', message: expect.not.stringContaining('hunter2') }),
    )
  })

  test('a key named __proto__ changes nothing', () => {
    const body = JSON.parse('{"__proto__":{"max_results":7},"name":"a"}')
    expect(parseRequest(endpoints.search.file, body)).toEqual({ name: 'a', max_results: 64 })
    const stored = toAnswer(endpoints.checkin.status, {
      source_transfer_status: JSON.parse('{"1":3}'),
      destination_transfer_status: {},
    }).body as Record<string, object>
    expect(Object.getPrototypeOf(stored.source_transfer_status)).toBe(Object.prototype)
    const providers = JSON.parse(
      '{"__proto__":{"hostnames":["x"]},"local":{"hostnames":[],"__proto__":{"polluted":1}}}',
    )
    const read = endpoints.clone.stage.answer.shape.transfer_providers.parse(providers)
    expect(Object.keys(read)).toEqual(['local'])
    expect(read.local).toEqual({ hostnames: [] })
    expect(Object.getPrototypeOf(read.local)).toBe(Object.prototype)
  })

  test('a batch holds 1 to 1024 items', () => {
    const item = { upload_size: 0, upload_checksum: 'x', upload_name: 'f', destination_location: 'f' }
    const parse = (length: number) =>
      endpoints.upload.batchStage.request.safeParse({ uploader: 'u', uploads: Array.from({ length }, () => item) })
        .success
    expect([0, 1, 1024, 1025].map(parse)).toEqual([false, true, true, false])
  })

  test('an ingest has entries or a manifest, not both and not neither', () => {
    const entries = [{ name: 'a', uri: 'https://example.org/a' }]
    const parse = (body: object) => endpoints.ingest.create.request.safeParse(body).success
    expect(parse({ entries })).toBe(true)
    expect(parse({ manifest_uri: 'https://example.org/list' })).toBe(true)
    expect(parse({ entries, manifest_uri: 'https://example.org/list' })).toBe(false)
    expect(parse({})).toBe(false)
  })
})

test('an outcome with a code of a later release is still read', () => {
  const outcome = {
    success: false,
    status: 499,
    code: 'Newer',
    reason: 'r',
    suggested_remedy: 's',
    destination_location: 'f',
  }
  expect(endpoints.upload.batchStage.answer.parse({ outcomes: [outcome] }).outcomes).toEqual([
    { ...outcome, code: 'Internal' },
  ])
})
