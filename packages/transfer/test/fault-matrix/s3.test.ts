/** Faults of S3 (retrieval 13.1, reliability "object stores"), through the engine; every signature is checked. */
import { describe, expect, test } from 'vitest'
import { download, list, probe } from '../../src/index.ts'
import type { S3Options } from '../../src/sources/s3/options.ts'
import type { Refusal } from '../s3-server/refusal.ts'
import { identity, type S3Request, type S3Server, type S3ServerOptions, startS3Server } from '../s3-server.ts'
import { dataOf, expectSame, failing, MIB, ODD, randomOf, seedOfRun, setUp, take, ways } from './setting.ts'

const URL = 's3://data/dir/big.bin'
const partSize = MIB

async function serve(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = await startS3Server(options)
  server.put('data', 'dir/big.bin', dataOf(ODD))
  return server
}

function access(server: S3Server, more: Partial<S3Options> = {}): { s3: S3Options; partSize: number } {
  return { s3: { endpoint: server.endpoint, credentials: identity, environment: {}, ...more }, partSize }
}

/** The first answers that `is` picks out, at most `times`. */
function first(times: number, refusal: Refusal, is: (request: S3Request) => boolean = () => true) {
  let left = times
  return (request: S3Request) => (is(request) && left-- > 0 ? refusal : undefined)
}

async function namesOf(server: S3Server, more: Partial<S3Options> = {}): Promise<string[]> {
  const names: string[] = []
  for await (const batch of list('s3://data/', access(server, more))) names.push(...batch.map(({ path }) => path))
  return names.sort()
}

const isList = ({ key }: S3Request) => key === ''

describe.each(ways)('%s', way => {
  test('another region, told by 400 → learnt once, correct', async () => {
    const setting = await setUp()
    await using server = await serve({ region: 'eu-central-2' })
    expectSame(await take(way, URL, setting, access(server)), dataOf(ODD))
    expect(server.requests.filter(({ headers }) => headers.authorization?.includes('/us-east-1/')).length).toBe(1)
  })

  test('another region, told by 301 without Location → learnt once, correct', async () => {
    const setting = await setUp()
    await using server = await serve({ region: 'eu-central-2' })
    const headers = { 'x-amz-bucket-region': 'eu-central-2' }
    const refusal = { status: 301, code: 'PermanentRedirect', headers, isChunked: true }
    server.options = {
      ...server.options,
      fault: request => (request.headers.authorization?.includes('/eu-central-2/') ? undefined : refusal),
    }
    expectSame(await take(way, URL, setting, access(server)), dataOf(ODD))
    expect(server.requests.filter(({ headers }) => !headers.authorization?.includes('/eu-central-2/')).length).toBe(1)
  })

  test('503 SlowDown, 500 InternalError and 400 RequestTimeout for a third of the requests → correct', async () => {
    const setting = await setUp()
    const random = randomOf(seedOfRun())
    const refusals: Refusal[] = [
      { status: 503, code: 'SlowDown', headers: { 'retry-after': '0' }, isChunked: true },
      { status: 500, code: 'InternalError' },
      { status: 400, code: 'RequestTimeout', isChunked: true },
    ]
    let count = 0
    await using server = await serve({ fault: () => (random() < 0.33 ? refusals[count++ % 3] : undefined) })
    expectSame(await take(way, URL, setting, { ...access(server), retries: 20 }), dataOf(ODD))
    expect(count).toBeGreaterThan(0)
    expect(server.requests.length).toBeLessThan(100)
  })

  test('an expired token → renewed once, correct', async () => {
    const setting = await setUp()
    await using server = await serve()
    const fresh = { ...identity, accessKeyId: 'AKIDFRESH', sessionToken: 'fresh' }
    server.identities = [fresh]
    let asked = 0
    const credentials = async () => {
      asked++
      return asked === 1 ? { ...identity, accessKeyId: 'AKIDOLD', sessionToken: 'old' } : fresh
    }
    const expired = { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' }
    server.options = { fault: ({ headers }) => (headers['x-amz-security-token'] === 'old' ? expired : undefined) }
    expectSame(await take(way, URL, setting, access(server, { credentials })), dataOf(ODD))
    expect(asked).toBe(2)
  })

  test('an expired token that nobody renews → Denied, after one request, without the secrets', async () => {
    const setting = await setUp()
    const message = `The token secretsessiontoken has expired`
    await using server = await serve({ fault: () => ({ status: 400, code: 'ExpiredToken', message }) })
    const credentials = { ...identity, sessionToken: 'secretsessiontoken' }
    const error = await failing(way, URL, setting, access(server, { credentials }))
    expect(error.code).toBe('Denied')
    expect(error.message).toContain('the credentials have expired')
    expect(error.message).not.toContain('secretsessiontoken')
    expect(server.requests).toHaveLength(1)
  })

  test.each([3600_000, -3600_000])('a clock that differs by %i ms → corrected once, correct', async skew => {
    const setting = await setUp()
    await using server = await serve({ now: () => Date.now() + skew })
    expectSame(await take(way, URL, setting, access(server)), dataOf(ODD))
    const ours = server.requests.filter(
      ({ headers }) => Math.abs(Number(headers['x-amz-date']?.slice(9, 11)) - new Date().getUTCHours()) === 0,
    )
    expect(ours).toHaveLength(1)
  })

  test('replaced in the middle, same size: a plain bucket → ResourceChanged', async () => {
    const setting = await setUp()
    await using server = await serve()
    let parts = 0
    server.options = {
      fault: ({ headers }) => {
        if (headers.range && ++parts === 5) server.put('data', 'dir/big.bin', dataOf(ODD, 1))
        return undefined
      },
    }
    expect((await failing(way, URL, setting, access(server))).code).toBe('ResourceChanged')
  })

  test('replaced in the middle: a versioned bucket → the version seen first, whole', async () => {
    const setting = await setUp()
    await using server = await serve({ isVersioned: true })
    let parts = 0
    const fault = ({ headers }: S3Request) => {
      if (headers.range && ++parts === 5) server.put('data', 'dir/big.bin', dataOf(ODD, 1))
      return undefined
    }
    server.options = { ...server.options, fault }
    expectSame(await take(way, URL, setting, access(server)), dataOf(ODD))
    expect(server.requests.filter(({ headers, query }) => headers.range && !query.has('versionId'))).toHaveLength(1)
  })

  test('versions that may not be read by their id → held together by If-Match', async () => {
    const setting = await setUp()
    const denied = { status: 403, code: 'AccessDenied', message: 'Access Denied' }
    await using server = await serve({
      isVersioned: true,
      fault: ({ query }) => (query.has('versionId') ? denied : undefined),
    })
    expectSame(await take(way, URL, setting, access(server)), dataOf(ODD))
    const parts = server.requests.filter(({ headers }) => headers.range)
    expect(
      parts
        .filter(({ query }) => !query.has('versionId'))
        .slice(1)
        .every(({ headers }) => headers['if-match']),
    ).toBe(true)
  })

  test('a checksum of the whole that only HEAD tells → verified; a wrong one → ChecksumMismatch', async () => {
    const setting = await setUp()
    await using server = await serve()
    const type = { 'x-amz-checksum-type': 'FULL_OBJECT' }
    const right = { ...type, 'x-amz-checksum-crc64nvme': 'i4S0WTdjE4c=' }
    server.put('data', 'dir/big.bin', dataOf(ODD), { partSize: 5 * MIB + 3, headers: right })
    expectSame(await take(way, URL, setting, access(server)), dataOf(ODD))
    expect(server.requests.filter(({ method }) => method === 'HEAD')).toHaveLength(1)
    const wrong = { ...type, 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }
    server.put('data', 'dir/wrong.bin', dataOf(ODD), { partSize: 5 * MIB + 3, headers: wrong })
    expect((await failing(way, 's3://data/dir/wrong.bin', await setUp(), access(server))).code).toBe('ChecksumMismatch')
  })
})

describe('refusals', () => {
  test.each([
    [{ status: 404, code: 'NoSuchKey' }, 'NotFound', /the bucket data has no such key/],
    [{ status: 404, code: 'NoSuchBucket' }, 'NotFound', /there is no bucket data/],
    [{ status: 403, code: 'AccessDenied', message: 'Access\nDenied' }, 'Denied', /AccessDenied: Access Denied$/],
    [
      { status: 403, code: 'InvalidObjectState', more: '<StorageClass>GLACIER</StorageClass>' },
      'Unsupported',
      /archived \(GLACIER\)/,
    ],
    [{ status: 501, code: 'NotImplemented' }, 'Unsupported', /NotImplemented/],
    [{ status: 400, code: 'InvalidArgument', message: 'what' }, 'Protocol', /400, InvalidArgument: what/],
  ] as const)('%j → %s, asked once or twice, said in one line', async (refusal, code, words) => {
    for (const isChunked of [false, true]) {
      const setting = await setUp()
      // The first object proves the origin, so that the refusal comes through the fast lane.
      await using server = await serve({
        fault: first(9, { ...refusal, isChunked }, ({ key }) => key === 'dir/big.bin'),
      })
      server.put('data', 'met', 'hello')
      await take('readAll', 's3://data/met', setting, access(server))
      const error = await failing('download', URL, setting, access(server))
      expect(error.code).toBe(code)
      expect(error.message).toMatch(words)
      expect(error.message).not.toContain('\n')
      expect(server.requests.length).toBeLessThanOrEqual(3)
    }
  })

  test('a name that is not there may be that of a prefix, without its slash', async () => {
    await using server = await serve()
    server.put('data', 'dir/a', 'hello')
    const error = await failing('download', 's3://data/dir', await setUp(), access(server))
    expect(error).toMatchObject({ code: 'NotFound', remedy: expect.stringContaining('ends with /') })
  })

  test('requester pays is never implied', async () => {
    const denied = { status: 403, code: 'AccessDenied', message: 'Access Denied' }
    const setting = await setUp()
    await using server = await serve({
      fault: ({ headers }) => (headers['x-amz-request-payer'] === 'requester' ? undefined : denied),
    })
    expect((await failing('readAll', URL, setting, access(server))).code).toBe('Denied')
    expectSame(await take('readAll', URL, setting, access(server, { requesterPays: true })), dataOf(ODD))
  })

  test('a wrong secret → Denied by the signature; the secret is not told', async () => {
    const setting = await setUp()
    await using server = await serve()
    const credentials = { ...identity, secretAccessKey: 'not-the-secret-of-it' }
    const error = await failing('download', URL, setting, access(server, { credentials }))
    expect(error).toMatchObject({ code: 'Denied', message: expect.stringContaining('SignatureDoesNotMatch') })
    expect(error.message).not.toContain('not-the-secret')
  })

  test('anonymous: public buckets are read, private ones say that nothing was signed', async () => {
    const setting = await setUp()
    await using server = await serve({ isPrivate: false })
    const anonymous = access(server, { credentials: undefined, anonymous: true })
    expectSame(await take('readAll', URL, setting, anonymous), dataOf(ODD))
    expect(server.requests.some(({ isSigned }) => isSigned)).toBe(false)
    server.options = {}
    const error = await failing('readAll', URL, await setUp(), anonymous)
    expect(error.message).toMatch(/not signed: it is anonymous/)
  })

  test('probe() learns region and clock as fetches do, although HEAD has no words', async () => {
    await using server = await serve({ region: 'eu-central-2', now: () => Date.now() + 3600_000 })
    expect((await probe(URL, access(server))).size).toBe(ODD)
  })
})

describe('what HEAD tells of the whole', () => {
  test('is asked again by the run that continues an earlier one', async () => {
    const setting = await setUp()
    await using server = await serve()
    const headers = { 'x-amz-checksum-type': 'FULL_OBJECT', 'x-amz-checksum-crc64nvme': 'i4S0WTdjE4c=' }
    server.put('data', 'dir/big.bin', dataOf(ODD), { partSize: 5 * MIB + 3, headers })
    const stop = new AbortController()
    let landed = 0
    const hooks = {
      onChunk({ bytes }: { readonly bytes: Uint8Array }) {
        landed += bytes.length
        if (landed > 6_000_000) stop.abort(new Error('stopped on purpose'))
      },
    }
    const path = setting.path('data')
    // Without an engine of the test's: it has one of its own, as another process's would be.
    const first = download(URL, path, { ...access(server), hooks, signal: stop.signal })
    await expect(first).rejects.toThrow('stopped on purpose')
    server.options = {}
    const second = await download(URL, path, { engine: setting.engine, ...access(server), requireChecksum: true })
    expect(second.resumedBytes).toBeGreaterThan(0)
    expect(second.verification.checks).toMatchObject([{ algorithm: 'crc64nvme', outcome: 'match' }])
  })

  test('the composite of odd parts is verified because HEAD tells the size of the first', async () => {
    const setting = await setUp()
    await using server = await startS3Server()
    server.put('data', 'odd', dataOf(ODD), { partSize: 5 * MIB + 3 })
    expectSame(
      await take('download', 's3://data/odd', setting, {
        ...access(server),
        requireChecksum: true,
      }),
      dataOf(ODD),
    )
    expect(server.requests.filter(({ query }) => query.get('partNumber') === '1')).toHaveLength(1)
  })
})

describe('list()', () => {
  const names = Array.from({ length: 2500 }, (_, index) => `n${String(index).padStart(5, '0')}`)

  async function many(options: S3ServerOptions = {}): Promise<S3Server> {
    const server = await startS3Server(options)
    for (const name of names) server.put('data', name, 'x')
    return server
  }

  test('200 whose body is an error, 503 and a cut page → asked again, complete', async () => {
    let count = 0
    await using server = await many({
      fault: request => (isList(request) && count++ === 2 ? { status: 503, code: 'SlowDown' } : undefined),
      page: body => {
        if (count++ === 0) return '<?xml version="1.0" encoding="UTF-8"?>\n\n<Error><Code>InternalError</Code></Error>'
        return count === 5 ? body.slice(0, body.length / 2) : body
      },
    })
    expect(await namesOf(server)).toEqual(names)
  })

  test.each([
    [
      'a page again and again',
      (body: string) =>
        body
          .replace(/<Next\w+>[^<]*<\/Next\w+>/, '<NextContinuationToken>x</NextContinuationToken>')
          .replace('<IsTruncated>false', '<IsTruncated>true'),
    ],
    ['names out of order', (body: string) => body.replaceAll('n00100', 'n00000')],
    ['no word of whether more follows', (body: string) => body.replace(/<IsTruncated>.*?<\/IsTruncated>/, '')],
    ['something else', () => '<html><body>Welcome</body></html>'],
  ])(
    '%s → Protocol, never a short listing',
    async (_, page) => {
      await using server = await many({ page })
      const listing = namesOf(server)
      await expect(listing).rejects.toMatchObject({ code: 'Protocol' })
    },
    120_000,
  )

  test('wrong region and skewed clock are learnt by listings, too', async () => {
    await using server = await many({ region: 'eu-central-2', now: () => Date.now() - 3600_000 })
    expect(await namesOf(server)).toHaveLength(names.length)
  })

  test('a bucket that is not there → NotFound; not allowed → Denied', async () => {
    await using server = await startS3Server()
    await expect(namesOf(server)).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('no bucket data'),
    })
    server.options = { fault: () => ({ status: 403, code: 'AccessDenied' }) }
    await expect(namesOf(server)).rejects.toMatchObject({ code: 'Denied' })
  })

  test('markers of folders are no files; archived objects say why they cannot be had, restored ones can', async () => {
    await using server = await startS3Server()
    const restored =
      '<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2030-01-01T00:00:00Z</RestoreExpiryDate></RestoreStatus>'
    const coming = '<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>'
    server.put('data', 'd/', '')
    server.put('data', 'd/a', 'x', { storageClass: 'GLACIER' })
    server.put('data', 'd/b', 'x', { storageClass: 'DEEP_ARCHIVE', restore: restored })
    server.put('data', 'd/c', 'x', { storageClass: 'GLACIER_IR' })
    server.put('data', 'd/e', 'x', { storageClass: 'GLACIER', restore: coming })
    server.put('data', 'd/f?versionId=abc', 'x')
    const found: [string, string | undefined][] = []
    for await (const batch of list('s3://data/d/', access(server)))
      found.push(...batch.map(({ path, unavailable }) => [path, unavailable] as [string, string | undefined]))
    expect(found).toEqual([
      ['a', 'it is archived (GLACIER): it must be restored first'],
      ['b', undefined],
      ['c', undefined],
      ['e', 'it is archived (GLACIER): it must be restored first'],
      ['f?versionId=abc', 'its key ends like the version id of another one'],
    ])
  })
})
