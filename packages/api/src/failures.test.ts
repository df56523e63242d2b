import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Endpoint } from './endpoint.ts'
import { endpoints } from './endpoints/index.ts'
import { type ErrorCode, errorTable, LibrarianError } from './errors.ts'
import { fromFailure, toFailureBody } from './failures.ts'

const codes = Object.keys(errorTable) as ErrorCode[]
const all = Object.values(endpoints).flatMap(group => Object.values<Endpoint>(group))

const stage = { upload_size: -1, upload_checksum: 'x', upload_name: 'f', destination_location: 'f', uploader: 'u' }
const ids = { source_transfer_id: 3, destination_transfer_id: 4 }

describe('toFailureBody()', () => {
  test('a negative size is answered with exactly what the older server answers', () => {
    const answer = toFailureBody(new LibrarianError('BadSize', 'Cannot stage: got -1.'), endpoints.upload.stage, stage)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body)).toBe(
      '{"reason":"Upload size must be positive.","suggested_remedy":"Check you are trying to upload a valid file."}',
    )
  })

  /** Every reason that librarian 10 gives, with its status. */
  test.each<[Endpoint, ErrorCode, unknown, number, string]>([
    [endpoints.upload.stage, 'TooLarge', stage, 413, 'Upload size is too large.'],
    [endpoints.upload.stage, 'FileExists', stage, 409, 'File already exists on librarian.'],
    [endpoints.upload.stage, 'NoStore', stage, 413, 'No stores available for upload. Your upload is too large.'],
    [endpoints.upload.commit, 'StagedNotFound', {}, 404, 'File not found in staging area.'],
    [endpoints.upload.commit, 'FileExists', {}, 409, 'File already exists on store.'],
    [endpoints.upload.commit, 'Mismatch', {}, 406, 'File does not have a valid checksum or size'],
    [endpoints.upload.commit, 'Internal', {}, 500, 'Internal server error.'],
    [endpoints.clone.complete, 'NotFound', ids, 400, 'Could not find transfer.'],
    [endpoints.error.clear, 'NotFound', { id: 7 }, 404, 'No error found with ID 7.'],
    [endpoints.admin.storesStateChange, 'UnknownStore', { store_name: 's' }, 400, 'Store s does not exist.'],
    [endpoints.admin.storesManifest, 'UnknownStore', { store_name: 's' }, 400, 'Store s does not exist.'],
    [
      endpoints.admin.storesManifest,
      'UnknownLibrarian',
      { destination_librarian: 'b' },
      400,
      'Librarian b does not exist.',
    ],
    [endpoints.admin.librariansRemove, 'UnknownLibrarian', { librarian_name: 'b' }, 400, 'Librarian b does not exist.'],
    [endpoints.admin.addFile, 'UnknownStore', { store_name: 's' }, 400, 'Store s does not exist.'],
    [endpoints.admin.addFile, 'StagedNotFound', { path: '/x' }, 400, 'File /x does not exist.'],
    [endpoints.validate.file, 'NotFound', {}, 400, 'This file does not exist in the librarian.'],
  ])('%o %s', (endpoint, code, request, status, reason) => {
    const answer = toFailureBody(new LibrarianError(code, 'What happened.'), endpoint, request)
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ reason, code, message: 'What happened.' })
  })

  test('an error that was cleared already begins as callers look for it', () => {
    const answer = toFailureBody(new LibrarianError('Conflict', 'x'), endpoints.error.clear, { id: 7 })
    expect(answer.status).toBe(400)
    expect(answer.body.reason).toMatch(/^Error with ID 7/)
  })

  test.each<[ErrorCode, number, string]>([
    ['FileExists', 409, 'File already exists on librarian.'],
    ['TransferOngoing', 425, 'Transfer is ongoing.'],
    ['TransferReplaced', 406, 'Transfer was already initiated or staged.'],
  ])('clone/stage puts %s into the text of detail, with the numbers', (code, status, reason) => {
    const error = new LibrarianError(code, 'x', { fields: { destination_transfer_id: 9 } })
    const answer = toFailureBody(error, endpoints.clone.stage, { source_transfer_id: 3 })
    expect(answer.status).toBe(status)
    expect(Object.keys(answer.body)).toEqual(['detail'])
    expect(JSON.parse(answer.body.detail as string)).toMatchObject({
      reason,
      suggested_remedy: expect.any(String),
      source_transfer_id: 3,
      destination_transfer_id: 9,
    })
  })

  test('clone/batch_stage: size and room in detail with −1, items plain with their lists', () => {
    for (const [code, status] of [
      ['BadSize', 400],
      ['NoStore', 413],
    ] as const) {
      const { status: told, body } = toFailureBody(new LibrarianError(code, 'x'), endpoints.clone.batchStage, {})
      expect(told).toBe(status)
      expect(JSON.parse(body.detail as string)).toMatchObject({ source_transfer_id: -1, destination_transfer_id: -1 })
    }
    const fields = { source_transfer_ids: [1], destination_transfer_ids: [-1] }
    const answer = toFailureBody(new LibrarianError('FileExists', 'x', { fields }), endpoints.clone.batchStage, {})
    expect(answer).toMatchObject({ status: 409, body: { reason: 'File already exists on librarian.', ...fields } })
  })

  test.each([
    [endpoints.users.create, 'Conflict', { username: 'u' }, { success: false, username: 'u' }],
    [endpoints.users.delete, 'NotFound', { username: 'u' }, { success: false, username: 'u' }],
    [endpoints.users.update, 'NotFound', { username: 'u' }, { success: false, username: 'u' }],
    [endpoints.users.get, 'NotFound', { username: 'u' }, { username: 'u', permission: 0 }],
    [endpoints.admin.instanceDeleteLocal, 'NotFound', { instance_id: 5 }, { success: false, instance_id: 5 }],
    [endpoints.admin.instanceDeleteRemote, 'NotFound', { instance_id: 5 }, { success: false, instance_id: 5 }],
  ] as const)('%o: %s is 400 with the fields of success', (endpoint, code, request, fields) => {
    expect(toFailureBody(new LibrarianError(code, 'x'), endpoint, request)).toMatchObject({ status: 400, body: fields })
  })

  test.each<[ErrorCode, number, string, Record<string, string>]>([
    ['NotAuthenticated', 401, 'Not authenticated', { 'WWW-Authenticate': 'Basic' }],
    ['Denied', 401, 'Incorrect username or password', { 'WWW-Authenticate': 'Basic' }],
    ['NoEndpoint', 404, 'Not Found', {}],
    ['WrongMethod', 405, 'Method Not Allowed', { Allow: 'POST' }],
  ])('%s is one phrase, whatever happened', (code, status, detail, headers) => {
    const error = new LibrarianError(code, 'User ada: wrong password.', { fields: { user: 'ada' } })
    for (const endpoint of [undefined, endpoints.clone.stage, endpoints.search.file]) {
      expect(toFailureBody(error, endpoint)).toEqual({ status, body: { detail }, headers })
    }
  })

  test('a bad request is a text in detail, so that real clients can decode it (Q4)', () => {
    const { status, body } = toFailureBody(new LibrarianError('BadRequest', 'name: no'), endpoints.search.file)
    expect(status).toBe(422)
    expect(JSON.parse(body.detail as string)).toMatchObject({
      reason: 'name: no',
      suggested_remedy: expect.any(String),
    })
  })

  test('an unknown error tells nothing of itself', () => {
    for (const error of [new Error('password=s3cret at db-7'), 's3cret', null, { reason: 's3cret' }]) {
      const answer = toFailureBody(error, endpoints.search.file, { name: 'x' })
      expect(answer.status).toBe(500)
      expect(JSON.stringify(answer)).not.toMatch(/s3cret|db-7/)
      expect(answer.body.reason).toBe('Internal server error.')
    }
  })

  test('Retry-After is whole seconds, never sooner', () => {
    const error = new LibrarianError('Busy', 'x', { retryAfterSeconds: 1.2 })
    expect(toFailureBody(error).headers).toEqual({ 'Retry-After': '2' })
  })
})

describe('fromFailure()', () => {
  test('reads back every code that any endpoint writes', () => {
    for (const endpoint of all) {
      for (const code of codes) {
        const error = new LibrarianError(code, 'What happened.', { retryAfterSeconds: 5 })
        const { status, body, headers } = toFailureBody(error, endpoint)
        const read = fromFailure(status, JSON.stringify(body), { endpoint, retryAfter: headers['Retry-After'] })
        const hasNoCode = body.code === undefined && typeof body.detail !== 'string'
        const isHidden = code === 'NotYours' && !endpoint.failures?.NotYours
        expect([endpoint.path, read.code]).toEqual([endpoint.path, isHidden ? 'NotFound' : code])
        expect(read.retryAfterSeconds).toBe(5)
        if (!hasNoCode && !['NotAuthenticated', 'Denied', 'NoEndpoint', 'WrongMethod'].includes(code)) {
          expect(read.message).toBe('What happened.')
        }
      }
    }
  })

  test.each<[name: string, status: number, body: string | undefined, code: ErrorCode, message: string]>([
    ['a plain object', 409, '{"reason":"R","suggested_remedy":"S"}', 'Conflict', 'R'],
    ['a text in detail', 413, '{"detail":"{\\"reason\\":\\"R\\"}"}', 'TooLarge', 'R'],
    ['an object in detail', 409, '{"detail":{"reason":"R","suggested_remedy":"S"}}', 'Conflict', 'R'],
    [
      'a list in detail',
      422,
      '{"detail":[{"type":"missing","loc":["body","x"],"msg":"Field required","input":{"password":"p"}},{"loc":0}]}',
      'BadRequest',
      'body.x: Field required; : not valid',
    ],
    ['a phrase in detail', 401, '{"detail":"Not authenticated"}', 'NotAuthenticated', 'Not authenticated'],
    ['another phrase', 401, '{"detail":"Incorrect username or password"}', 'Denied', 'Incorrect username or password'],
    ['an unknown path', 404, '{"detail":"Not Found"}', 'NoEndpoint', 'Not Found'],
    ['a wrong method', 405, '{"detail":"Method Not Allowed"}', 'WrongMethod', 'Method Not Allowed'],
    ['plain text', 500, 'Internal Server Error', 'Internal', 'Internal Server Error'],
    ['an array', 500, '[1,2]', 'Internal', 'The librarian answered 500 and gave no reason'],
    ['a number', 400, '5', 'BadRequest', 'The librarian answered 400 and gave no reason'],
    ['null', 400, 'null', 'BadRequest', 'The librarian answered 400 and gave no reason'],
    ['an array in the text', 400, '{"detail":"[1]"}', 'BadRequest', '[1]'],
    ['a null in detail', 400, '{"detail":null}', 'BadRequest', 'The librarian answered 400 and gave no reason'],
    ['nothing', 503, '', 'Busy', 'The librarian answered 503 and gave no reason'],
    ['no body', 404, undefined, 'NotFound', 'The librarian answered 404 and gave no reason'],
    [
      'no reason',
      400,
      '{"success":false,"username":"u"}',
      'BadRequest',
      'The librarian answered 400 and gave no reason',
    ],
    [
      'a reason that is no text',
      400,
      '{"reason":{"a":1}}',
      'BadRequest',
      'The librarian answered 400 and gave no reason',
    ],
    ['a proxy’s page', 502, '<html>Bad Gateway</html>', 'PeerUnreachable', '<html>Bad Gateway</html>'],
    ['a status that nobody knows', 599, '{}', 'Internal', 'The librarian answered 599 and gave no reason'],
    ['a code that is none', 409, '{"code":"constructor","reason":"R"}', 'Conflict', 'R'],
  ])('digests %s', (_, status, body, code, message) => {
    expect(fromFailure(status, body)).toMatchObject({ code, message })
  })

  test('tells codes of the same status apart by the endpoint’s reasons, as a real server words them', () => {
    const of = (endpoint: Endpoint, status: number, body: object, request?: object) =>
      fromFailure(status, JSON.stringify(body), { endpoint, request }).code
    const manifest = { store_name: 's', destination_librarian: 'b' }
    const missing = { reason: 'Store s does not exist.' }
    expect(of(endpoints.admin.storesManifest, 400, missing, manifest)).toBe('UnknownStore')
    expect(of(endpoints.admin.storesManifest, 400, { reason: 'Librarian b does not exist.' }, manifest)).toBe(
      'UnknownLibrarian',
    )
    expect(of(endpoints.admin.storesManifest, 400, missing)).toBe('BadRequest')
    const noStore = { reason: 'No stores available for upload. Your upload is too large.' }
    expect(of(endpoints.upload.stage, 413, noStore)).toBe('NoStore')
    expect(of(endpoints.upload.stage, 413, { reason: 'Upload size is too large.' })).toBe('TooLarge')
    expect(of(endpoints.upload.commit, 404, { reason: 'File not found in staging area.' })).toBe('StagedNotFound')
    expect(of(endpoints.clone.stage, 425, { detail: JSON.stringify({ reason: 'Transfer is ongoing.' }) })).toBe(
      'TransferOngoing',
    )
    expect(of(endpoints.clone.batchStage, 409, { reason: 'whatever', source_transfer_ids: [1] })).toBe('FileExists')
    expect(of(endpoints.validate.file, 503, { reason: 'A downstream librarian is away.' })).toBe('PeerUnreachable')
  })

  test('keeps the other fields, and no prototype', () => {
    const body = '{"reason":"R","source_transfer_ids":[1],"__proto__":{"polluted":true},"constructor":1}'
    const { fields } = fromFailure(409, body)
    expect(fields).toEqual({ source_transfer_ids: [1], constructor: 1 })
    expect(({ ...fields } as Record<string, unknown>).polluted).toBe(undefined)
    expect(Object.assign({}, fields)).not.toHaveProperty('polluted')
  })

  test('makes text fit to print, and short', () => {
    expect(fromFailure(500, `\u001b[2J${'x'.repeat(1e6)}`).message).toMatch(/^\\x1b\[2Jx{1990,2000}…$/)
    expect(fromFailure(400, '{"reason":"a\\nb\\u202ec"}').message).toBe('a\\x0ab\\u202ec')
  })

  test.each([
    ['120', 120],
    ['0', 0],
    ['Wed, 21 Oct 2026 07:28:10 GMT', 10],
    ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['1e9', undefined],
    ['99999999999999', undefined],
    ['', undefined],
    [null, undefined],
  ])('Retry-After %j is %j seconds', (retryAfter, seconds) => {
    const now = Date.UTC(2026, 9, 21, 7, 28, 0)
    expect(fromFailure(503, '', { retryAfter, now }).retryAfterSeconds).toBe(seconds)
  })

  test('never throws, whatever comes', () => {
    const body = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map(detail => JSON.stringify({ detail })),
      fc.json().map(detail => `{"detail":${detail},"reason":${detail},"suggested_remedy":${detail},"code":${detail}}`),
    )
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), body, (status, body) => {
        expect(fromFailure(status, body, { endpoint: endpoints.upload.stage })).toBeInstanceOf(LibrarianError)
      }),
    )
  })
})
