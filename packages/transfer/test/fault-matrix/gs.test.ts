/** Google Cloud Storage behaving well and badly (retrieval 13.2), through the engine, against the twin. */
import { readdir, readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { download, downloadAll, type GsOptions, list, probe, readAll, type TransferError } from '../../src/index.ts'
import { failureOf } from '../fetch-bytes.ts'
import { environment, type GsSetting, setUpGs } from '../gs-server/gs-setting.ts'
import { contentOf, expectSame } from '../source-suite.ts'
import { MIB } from './setting.ts'

const LARGE = 13 * MIB + 12_345

describe('an object', () => {
  test('is fetched in parts of one generation and held to its crc32c', async () => {
    const setting = await setUpGs()
    const content = contentOf(LARGE)
    const { generation } = setting.server.store.put('open', 'a/large.bin', content)
    const result = await get(setting, 'gs://open/a/large.bin', { partSize: MIB })
    expectSame(await readFile(setting.path('data')), content)
    expect(result.verification).toMatchObject({
      proof: 'checksum',
      checks: [{ algorithm: 'crc32c', origin: 'x-goog-hash', outcome: 'match' }],
    })
    const [first, ...others] = setting.server.ofKind('media')
    expect(first?.query.get('generation')).toBeNull()
    expect(others.length).toBeGreaterThanOrEqual(12)
    expect(new Set(others.map(({ query }) => query.get('generation')))).toEqual(new Set([generation]))
  })

  test.each(['one', 'many'] as const)('names its hashes in %s field(s)', async fields => {
    const setting = await setUpGs()
    setting.server.hashFields = fields
    setting.server.store.put('open', 'x', contentOf(1000))
    setting.server.store.put('open', 'composed', contentOf(1000), { isComposed: true })
    const names = async (uri: string) => {
      const { checksums } = await probe(uri, { engine: setting.engine, gs: setting.gs() })
      return checksums.map(({ algorithm }) => algorithm).sort()
    }
    expect(await names('gs://open/x')).toEqual(['crc32c', 'md5'])
    expect(await names('gs://open/composed')).toEqual(['crc32c'])
  })

  test('is probed where HEAD is refused', async () => {
    const setting = await setUpGs()
    setting.server.refusesHead = true
    const { generation } = setting.server.store.put('open', 'x', contentOf(1000))
    const resource = await probe('gs://open/x', { engine: setting.engine, gs: setting.gs() })
    expect(resource).toMatchObject({ size: 1000, version: generation })
  })

  test('that arrives with a wrong byte is never published', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'x', contentOf(5000))
    setting.server.onRequest = () => ({ media: { flipAt: 4321 } })
    const error = await failureOf(get(setting, 'gs://open/x'))
    expect(error).toMatchObject({ code: 'ChecksumMismatch' })
    expect(await readdir(setting.directory)).not.toContain('data')
  })

  test('that arrives with a wrong byte once is fetched again', async () => {
    const setting = await setUpGs()
    const content = contentOf(5000)
    setting.server.store.put('open', 'x', content)
    setting.server.onRequest = (_, count) => (count === 1 ? { media: { flipAt: 4321 } } : undefined)
    await get(setting, 'gs://open/x')
    expectSame(await readFile(setting.path('data')), content)
  })

  const faults = {
    'answers 503': { status: 503, body: 'Backend Error' },
    'answers 429': { status: 429, headers: { 'retry-after': '0' } },
    'answers 408': { status: 408 },
    'resets the connection': { resets: true },
    'cuts the body': { media: { cutAfter: 100_000 } },
  } as const
  test.each(Object.entries(faults))('comes whole from a store that now and then %s', async (_, fault) => {
    const setting = await setUpGs()
    const content = contentOf(4 * MIB)
    setting.server.store.put('open', 'x', content)
    setting.server.onRequest = ({ kind }, count) => (kind === 'media' && count % 3 === 1 ? fault : undefined)
    await get(setting, 'gs://open/x', { partSize: MIB })
    expectSame(await readFile(setting.path('data')), content)
  })

  test.each([false, true])(
    'that is replaced in the middle is never mixed; old bytes are there: %s',
    async hasVersions => {
      const setting = await setUpGs()
      const { store } = setting.server
      store.hasVersions = hasVersions
      const content = contentOf(LARGE)
      store.put('open', 'x', content)
      setting.server.onRequest = ({ kind }, count) => {
        if (kind === 'media' && count === 4) store.put('open', 'x', contentOf(LARGE, 2))
        return undefined
      }
      const getting = get(setting, 'gs://open/x', { partSize: MIB })
      if (hasVersions) {
        await getting
        expectSame(await readFile(setting.path('data')), content)
      } else {
        expect(await failureOf(getting)).toMatchObject({ code: 'ResourceChanged' })
        expect(await readdir(setting.directory)).not.toContain('data')
      }
    },
  )

  test('of a pinned generation is that one, or not there', async () => {
    const setting = await setUpGs()
    const { store } = setting.server
    store.hasVersions = true
    const old = store.put('open', 'x', contentOf(100, 1))
    store.put('open', 'x', contentOf(100, 2))
    const at = (generation: string) =>
      readAll(`gs://open/x#${generation}`, { engine: setting.engine, gs: setting.gs() })
    expectSame(await at(old.generation), old.bytes)
    expect(await failureOf(at('12345'))).toMatchObject({ code: 'NotFound' })
  })

  test('is continued by a later run, by its generation', async () => {
    const setting = await setUpGs()
    const content = contentOf(LARGE)
    const { generation } = setting.server.store.put('open', 'x', content)
    await leaveHalf(setting)
    const before = setting.server.requests.length
    const { networkBytes } = await get(setting, 'gs://open/x', { partSize: MIB })
    expectSame(await readFile(setting.path('data')), content)
    expect(networkBytes).toBeLessThan(LARGE)
    const later = setting.server.requests.slice(before)
    expect(new Set(later.map(({ query }) => query.get('generation')))).toEqual(new Set([generation]))
  })

  test('that was replaced between two runs is fetched anew', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'x', contentOf(LARGE))
    await leaveHalf(setting)
    const content = contentOf(LARGE, 2)
    setting.server.store.put('open', 'x', content)
    await get(setting, 'gs://open/x', { partSize: MIB })
    expectSame(await readFile(setting.path('data')), content)
  })

  test.each(['a/../b', 'a/./b', 'a//b', '/a', '%2e%2e/x', 'a%2Fb', 'c%20+&=?.txt', 'é漢😀', '...'])(
    'named %j is asked for by that very name',
    async name => {
      const setting = await setUpGs()
      const content = contentOf(300)
      setting.server.store.put('open', name, content)
      expectSame(await readAll(`gs://open/${name}`, { engine: setting.engine, gs: setting.gs() }), content)
    },
  )

  test.each(['gs://open/..', 'gs://open/.', 'gs://../x', 'gs://user@open/x', 'gs:///x', 'gs://open'])(
    'cannot be %s',
    async uri => {
      const setting = await setUpGs()
      const reading = readAll(uri, { engine: setting.engine, gs: setting.gs() })
      expect(await failureOf(reading)).toMatchObject({ code: 'Usage' })
      expect(setting.server.requests).toEqual([])
    },
  )
})

describe('an object in a coding', () => {
  const text = Buffer.from('one line of a table\n'.repeat(200_000))
  const stored = gzipSync(text)
  const coded = { contentEncoding: 'gzip' }

  test('is decoded here, and its stored bytes are held to their hash', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'table.csv', stored, coded)
    const result = await get(setting, 'gs://open/table.csv', { requireChecksum: true })
    expectSame(await readFile(setting.path('data')), text)
    expect(result.verification).toMatchObject({
      size: text.length,
      proof: 'checksum',
      checks: [{ algorithm: 'crc32c', origin: 'x-goog-hash of the stored bytes', outcome: 'match' }],
    })
    for (const { headers } of setting.server.ofKind('media')) expect(headers['accept-encoding']).toBe('gzip')
  })

  test('that is small takes one request', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'small', gzipSync(Buffer.from('small')), coded)
    const bytes = await readAll('gs://open/small', { engine: setting.engine, gs: setting.gs() })
    expect(Buffer.from(bytes).toString()).toBe('small')
    expect(setting.server.requests).toHaveLength(1)
  })

  test('is refused when a stored byte is wrong that decoding does not notice', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'table.csv', stored, coded)
    // In the time of a gzip header: no checksum of gzip's covers it.
    setting.server.onRequest = () => ({ media: { flipAt: 5 } })
    const error = await failureOf(get(setting, 'gs://open/table.csv'))
    expect(error).toMatchObject({ code: 'ChecksumMismatch' })
    expect(error.message).toContain('stored bytes')
    expect(await readdir(setting.directory)).not.toContain('data')
  })

  test('with padding behind its stream is whole', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'padded', Buffer.concat([stored, Buffer.alloc(100_000)]), coded)
    expectSame(await readAll('gs://open/padded', { engine: setting.engine, gs: setting.gs() }), text)
  })

  test('is kept as it is stored, in parts, where that is asked for', async () => {
    const setting = await setUpGs()
    const noise = gzipSync(contentOf(5 * MIB), { level: 1 })
    setting.server.store.put('open', 'noise', noise, coded)
    const result = await get(setting, 'gs://open/noise', { keepEncoding: true, partSize: MIB })
    expectSame(await readFile(setting.path('data')), noise)
    expect(result.verification.checks).toMatchObject([{ origin: 'x-goog-hash', outcome: 'match' }])
    expect(setting.server.ofKind('media').length).toBeGreaterThanOrEqual(5)
  })

  test('is kept as it is stored where its name says so', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'genome.vcf.gz', stored, coded)
    await get(setting, 'gs://open/genome.vcf.gz')
    expectSame(await readFile(setting.path('data')), stored)
  })

  test('that was cut is no success', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'table.csv', stored, coded)
    setting.server.onRequest = () => ({ media: { cutAfter: 2000 } })
    expect(await failureOf(get(setting, 'gs://open/table.csv', { retries: 1 }))).toMatchObject({ code: 'Network' })
    expect(await readdir(setting.directory)).not.toContain('data')
  })
})

describe('a refusal', () => {
  test('for want of a token says how to get one', async () => {
    const setting = await setUpGs()
    setting.server.store.put('closed', 'x', contentOf(10))
    const error = await failureOf(get(setting, 'gs://closed/x'))
    expect(error).toMatchObject({ code: 'Denied', status: 401, retriable: false })
    expect(error.message).toMatch(/^Cannot fetch gs:\/\/closed\/x: .*Anonymous caller.*GOOGLE_APPLICATION_CREDENTIALS/)
    expect(error.message).not.toContain('\n')
    expect(setting.server.requests).toHaveLength(1)
  })

  test('of a listing says so, too', async () => {
    const setting = await setUpGs()
    const error = await failureOf(listed(setting, 'gs://closed/'))
    expect(error).toMatchObject({ code: 'Denied', status: 401 })
    expect(error.message).toMatch(/^Cannot list gs:\/\/closed\/: .*Anonymous caller.*GOOGLE_APPLICATION_CREDENTIALS/)
  })

  test('where the requester pays names the flag; with a project nothing is refused', async () => {
    const setting = await setUpGs()
    const content = contentOf(3 * MIB)
    setting.server.store.put('open', 'x', content)
    setting.server.requesterPays.add('open')
    for (const failing of [() => get(setting, 'gs://open/x'), () => listed(setting, 'gs://open/')]) {
      const error = await failureOf(failing())
      expect(error).toMatchObject({ code: 'Denied', status: 400, retriable: false })
      expect(error.message).toContain('--user-project')
    }
    const gs = setting.gs({ userProject: 'my-project' })
    await download('gs://open/x', setting.path('data'), { engine: setting.engine, gs, partSize: MIB })
    expectSame(await readFile(setting.path('data')), content)
    expect(await listed(setting, 'gs://open/', gs)).toHaveLength(1)
  })

  test('tells a missing object from a missing bucket', async () => {
    const setting = await setUpGs()
    const object = await failureOf(get(setting, 'gs://open/nothing'))
    expect(object).toMatchObject({ code: 'NotFound', remedy: expect.stringContaining('ends with /') })
    expect(object.message).toBe('Cannot fetch gs://open/nothing: there is no such object in the bucket')
    const bucket = await failureOf(get(setting, 'gs://nowhere/x'))
    expect(bucket).toMatchObject({ code: 'NotFound' })
    expect(bucket.message).toBe('Cannot fetch gs://nowhere/x: the bucket does not exist')
    expect(await failureOf(listed(setting, 'gs://nowhere/'))).toMatchObject({ code: 'NotFound' })
  })

  test('shows no token, even where the server does', async () => {
    const setting = await setUpGs()
    const body = JSON.stringify({ error: { message: 'who is my-own-token-1234?' } })
    setting.server.onRequest = () => ({ status: 403, body })
    const gs = setting.gs({ accessToken: 'my-own-token-1234' })
    for (const failing of [() => get(setting, 'gs://closed/x', { gs }), () => listed(setting, 'gs://closed/', gs)]) {
      const error = await failureOf(failing())
      expect(error).toMatchObject({ code: 'Denied', status: 403 })
      expect(error.message).toContain('who is ***?')
      expect(JSON.stringify(error) + error.stack).not.toContain('my-own-token')
    }
  })
})

describe('a token', () => {
  const credentials = ['service_account', 'authorized_user'] as const
  test.each(credentials)('of the kind %s is made once for many files', async kind => {
    const setting = await setUpGs()
    const { server } = setting
    for (let index = 0; index < 20; index++) server.store.put('closed', `f${index}`, contentOf(1000, index + 1))
    environment({ GOOGLE_APPLICATION_CREDENTIALS: await credentialsFile(setting, kind) })
    const files = await results(setting, 'gs://closed/')
    expect(files.every(({ ok }) => ok)).toBe(true)
    expect(files).toHaveLength(20)
    expect(server.identities.refusals).toEqual([])
    expect(server.identities.issued.map(token => token.kind)).toEqual([kind])
    expect(server.ofKind('token')).toHaveLength(1)
  })

  test('comes from the metadata server of a machine', async () => {
    const setting = await setUpGs()
    setting.server.store.put('closed', 'x', contentOf(1000))
    environment({ GCE_METADATA_HOST: setting.server.metadataHost, METADATA_SERVER_DETECTION: 'ping-only' })
    await get(setting, 'gs://closed/x')
    expect(setting.server.identities.issued.map(({ kind }) => kind)).toEqual(['metadata'])
  })

  test('that has expired in the middle is renewed once, and the transfer goes on', async () => {
    const setting = await setUpGs()
    const { server } = setting
    const content = contentOf(LARGE)
    server.store.put('closed', 'x', content)
    server.onRequest = ({ kind }, count) => {
      if (kind === 'media' && count === 4) server.identities.revokeAll()
      return undefined
    }
    const gs = setting.gs({ credentialsFile: await credentialsFile(setting, 'service_account') })
    await get(setting, 'gs://closed/x', { partSize: MIB, gs })
    expectSame(await readFile(setting.path('data')), content)
    expect(server.identities.issued).toHaveLength(2)
  })

  test('is renewed before it dies', async () => {
    const setting = await setUpGs()
    setting.server.identities.expiresIn = 2
    for (const name of ['x', 'y']) setting.server.store.put('closed', name, contentOf(10))
    const gs = setting.gs({ credentialsFile: await credentialsFile(setting, 'service_account') })
    const read = (name: string) => readAll(`gs://closed/${name}`, { engine: setting.engine, gs })
    await read('x')
    await new Promise(resolve => setTimeout(resolve, 1200))
    await read('y')
    expect(setting.server.identities.issued).toHaveLength(2)
  })

  test('is no use against a 403, and is not renewed for it', async () => {
    const setting = await setUpGs()
    setting.server.onRequest = ({ kind }) => (kind === 'media' ? { status: 403, body: 'no' } : undefined)
    const gs = setting.gs({ credentialsFile: await credentialsFile(setting, 'service_account') })
    expect(await failureOf(get(setting, 'gs://closed/x', { gs }))).toMatchObject({ code: 'Denied', status: 403 })
    expect(setting.server.identities.issued).toHaveLength(1)
  })

  test('of credentials that are refused is a plain error', async () => {
    const setting = await setUpGs()
    const { server } = setting
    const key = server.identities.authorizedUser(server.tokenUri)
    const file = await setting.jsonFile('revoked.json', { ...key, refresh_token: 'revoked-Secret1' })
    const error = await failureOf(get(setting, 'gs://closed/x', { gs: setting.gs({ credentialsFile: file }) }))
    expect(error).toMatchObject({ code: 'Denied', retriable: false })
    expect(error.message).toContain('invalid_grant')
    expect(error.message + error.stack + JSON.stringify(error)).not.toContain('revoked-Secret1')
    expect(server.ofKind('media')).toEqual([])
  })

  test('of a file that holds none is a plain error', async () => {
    const setting = await setUpGs()
    for (const [name, value] of Object.entries({
      a: { type: 'other' },
      b: [],
      c: 'x',
      d: { type: 'service_account' },
    })) {
      const file = await setting.jsonFile(`${name}.json`, value)
      const failing = get(setting, 'gs://closed/x', { gs: setting.gs({ credentialsFile: file }) })
      expect(await failureOf(failing)).toMatchObject({ code: 'Usage' })
    }
    environment({ GOOGLE_APPLICATION_CREDENTIALS: setting.path('not-there.json') })
    expect(await failureOf(get(setting, 'gs://closed/x'))).toMatchObject({ code: 'Usage' })
  })

  test('is not made for who wants to be nobody, or brings an authorization', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'x', contentOf(10))
    environment({ GOOGLE_APPLICATION_CREDENTIALS: await credentialsFile(setting, 'service_account') })
    await readAll('gs://open/x', { engine: setting.engine, gs: setting.gs({ anonymous: true }) })
    const { access_token: own } = setting.server.identities.issue('authorized_user')
    const headers = { Authorization: `Bearer ${own}` }
    await readAll('gs://open/x', { engine: setting.engine, gs: setting.gs(), headers })
    expect(setting.server.ofKind('token')).toEqual([])
    expect(setting.server.ofKind('media').map(request => request.headers.authorization)).toEqual([
      undefined,
      `Bearer ${own}`,
    ])
  })

  test('never reaches another origin', async () => {
    const setting = await setUpGs()
    const other = await setUpGs()
    const content = contentOf(1000)
    other.server.store.put('open', 'x', content)
    const location = `${other.server.endpoint}/storage/v1/b/open/o/x?alt=media`
    setting.server.onRequest = () => ({ status: 302, headers: { location } })
    const gs = setting.gs({ accessToken: 'mine-alone-123' })
    await get(setting, 'gs://closed/x', { gs })
    expectSame(await readFile(setting.path('data')), content)
    expect(setting.server.requests[0]?.headers.authorization).toBe('Bearer mine-alone-123')
    expect(other.server.requests.length).toBeGreaterThan(0)
    for (const { headers } of other.server.requests) expect(headers.authorization).toBeUndefined()
  })

  test('does not travel unencrypted', async () => {
    const setting = await setUpGs()
    const gs = { endpoint: 'http://storage.example.org', accessToken: 'x' }
    expect(await failureOf(get(setting, 'gs://closed/x', { gs }))).toMatchObject({ code: 'Usage' })
  })

  test('is not sent to an emulator that the environment names', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'x', contentOf(10))
    environment({
      STORAGE_EMULATOR_HOST: setting.server.metadataHost,
      GOOGLE_APPLICATION_CREDENTIALS: await credentialsFile(setting, 'service_account'),
    })
    expectSame(await readAll('gs://open/x', { engine: setting.engine }), contentOf(10))
    expect(setting.server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })
})

describe('a listing', () => {
  test('goes on page by page through failures that pass', async () => {
    const setting = await setUpGs()
    const { server } = setting
    server.pageSize = 10
    const names = Array.from({ length: 45 }, (_, index) => `d/${String(index).padStart(3, '0')}`)
    for (const name of names) server.store.put('open', name, contentOf(5))
    const faults = [{ status: 503 }, { status: 429 }, { resets: true }, { status: 200, body: '{"items": [' }]
    server.onRequest = (_, count) => (count % 2 === 1 ? faults[(count >> 1) % faults.length] : undefined)
    const found = await listed(setting, 'gs://open/d/')
    expect(found.map(({ uri }) => uri)).toEqual(names.map(name => `gs://open/${name}`))
    expect(server.ofKind('list')[0]?.query.get('maxResults')).toBe('1000')
  })

  test('that fails for good on a later page rejects', async () => {
    const setting = await setUpGs()
    setting.server.pageSize = 10
    for (let index = 0; index < 30; index++) setting.server.store.put('open', `n${index}`, contentOf(5))
    setting.server.onRequest = ({ query }) => (query.has('pageToken') ? { status: 403, body: 'enough' } : undefined)
    expect(await failureOf(listed(setting, 'gs://open/'))).toMatchObject({ code: 'Denied', status: 403 })
  })

  test.each([
    ['the same page for ever', '{"nextPageToken":"again"}'],
    ['a list of nothing', '[]'],
    ['an item without a name', '{"items":[{"size":"1"}]}'],
    ['an item without a size', '{"items":[{"name":"x"}]}'],
    ['a size that is none', '{"items":[{"name":"x","size":"99999999999999999999"}]}'],
  ])('rejects %s', async (_, body) => {
    const setting = await setUpGs()
    setting.server.onRequest = () => ({ status: 200, body })
    expect(await failureOf(listed(setting, 'gs://open/'))).toMatchObject({ code: 'Protocol' })
    expect(setting.server.requests.length).toBeLessThanOrEqual(2)
  })

  test('tells size, generation, time and digests, and leaves markers out', async () => {
    const setting = await setUpGs()
    const { store } = setting.server
    const object = store.put('open', 'd/x', contentOf(1234))
    store.put('open', 'd/', new Uint8Array(0))
    store.put('open', 'd/sub/', new Uint8Array(0))
    store.put('open', 'd/odd/', contentOf(7))
    const found = await listed(setting, 'gs://open/d/')
    expect(found).toMatchObject([
      { path: 'odd/', size: 7, unavailable: expect.stringContaining('slash') },
      {
        uri: 'gs://open/d/x',
        path: 'x',
        size: 1234,
        version: object.generation,
        lastModified: object.updated.getTime(),
        checksums: [
          { algorithm: 'crc32c', value: Buffer.from(object.crc32c, 'base64').toString('hex') },
          { algorithm: 'md5', value: Buffer.from(object.md5 as string, 'base64').toString('hex') },
        ],
      },
    ])
  })

  test.each(['gs://open', 'gs://open/', 'gs://open/*', 'gs://open/x'])(
    'of %s names what is in the bucket',
    async uri => {
      const setting = await setUpGs()
      setting.server.store.put('open', 'x', contentOf(10))
      expect((await listed(setting, uri)).map(({ path }) => path)).toEqual(['x'])
    },
  )

  test('gives URIs that open names which look like a generation', async () => {
    const setting = await setUpGs()
    setting.server.store.put('open', 'x#123', contentOf(10))
    const [found] = await listed(setting, 'gs://open/')
    expectSame(await readAll(found?.uri as string, { engine: setting.engine, gs: setting.gs() }), contentOf(10))
  })

  test('may be renewed in the middle when its token has expired', async () => {
    const setting = await setUpGs()
    const { server } = setting
    server.pageSize = 1
    for (const name of ['x', 'y', 'z']) server.store.put('closed', name, contentOf(5))
    const gs = setting.gs({ accessToken: 'fixed' })
    expect(await failureOf(listed(setting, 'gs://closed/', gs))).toMatchObject({ code: 'Denied', status: 401 })
    const own = setting.gs({ credentialsFile: await credentialsFile(setting, 'authorized_user') })
    expect(await listed(setting, 'gs://closed/', own)).toHaveLength(3)
  })

  test('is what many files are fetched by, coded ones and refused ones among them', async () => {
    const setting = await setUpGs()
    const { store } = setting.server
    store.put('open', 'run/a', contentOf(3 * MIB))
    store.put('open', 'run/deep/b', contentOf(100))
    store.put('open', 'run/table.csv', gzipSync(Buffer.from('decoded')), { contentEncoding: 'gzip' })
    store.put('open', 'run/../../evil', contentOf(5))
    store.put('open', 'run/odd/', contentOf(5))
    const done = await results(setting, 'gs://open/run/')
    const good = done.flatMap(item => (item.ok ? item.entry.path : [])).sort()
    expect(good).toEqual(['a', 'deep/b', 'table.csv'])
    expect(
      done
        .filter(({ ok }) => !ok)
        .map(item => (item as { error: TransferError }).error.code)
        .sort(),
    ).toEqual(['PathUnsafe', 'Unsupported'])
    expectSame(await readFile(setting.path('a')), contentOf(3 * MIB))
    expect(await readFile(setting.path('table.csv'), 'utf8')).toBe('decoded')
  })
})

// ---- helpers

function get(setting: GsSetting, uri: string, options: Parameters<typeof download>[2] = {}) {
  return download(uri, setting.path('data'), { engine: setting.engine, gs: setting.gs(), ...options })
}

async function listed(setting: GsSetting, uri: string, gs: GsOptions = setting.gs()) {
  const all = []
  for await (const batch of list(uri, { engine: setting.engine, gs })) all.push(...batch)
  return all
}

async function results(setting: GsSetting, uri: string) {
  const { engine, directory } = setting
  const entries = list(uri, { engine, gs: setting.gs() })
  const done = []
  for await (const item of downloadAll(entries, { engine, directory, gs: setting.gs() })) done.push(item)
  return done
}

function credentialsFile({ server, jsonFile }: GsSetting, kind: 'service_account' | 'authorized_user') {
  const { identities, tokenUri } = server
  const key = kind === 'service_account' ? identities.serviceAccountKey(tokenUri) : identities.authorizedUser(tokenUri)
  return jsonFile(`${kind}.json`, key)
}

/** A run that is stopped when about half has come, as by Ctrl-C. */
async function leaveHalf(setting: GsSetting): Promise<void> {
  const abort = new AbortController()
  let landed = 0
  const hooks = {
    onChunk({ bytes }: { readonly bytes: Uint8Array }) {
      landed += bytes.length
      if (landed > LARGE / 2) abort.abort(new Error('stopped on purpose'))
    },
  }
  const options = { partSize: MIB, signal: abort.signal, hooks }
  expect(await failureOf(get(setting, 'gs://open/x', options))).toMatchObject({ message: 'stopped on purpose' })
  expect(await readdir(setting.directory)).toContain('data.part.journal')
}
