import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type Commons,
  type CommonsOptions,
  faults,
  GDC_MANIFEST_HEADER,
  type MixedRow,
  mixedCommons,
  startCommons,
  startDrsHub,
  startGdc,
  startResolver,
  type UrlShape,
} from './commons-server.ts'
import { testData } from './data.ts'

interface Got {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, asserted as they come
  readonly json: any
}

async function get(url: string, options: RequestInit = {}): Promise<Got> {
  const response = await fetch(url, { redirect: 'manual', ...options })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Got> {
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  }
  return get(url, init)
}

function bearer(token: string): { headers: { Authorization: string } } {
  return { headers: { Authorization: `bearer ${token}` } }
}

async function exchanged(commons: Commons, query = ''): Promise<Got> {
  return post(`${commons.origin}/user/credentials/api/access_token${query}`, commons.credentials())
}

async function urlOf(commons: Commons, guid: string): Promise<string> {
  const { json } = await get(`${commons.origin}/user/data/download/${guid}`, bearer(commons.accessToken()))
  return json.url
}

function claims(jwt: string): Record<string, unknown> {
  const parts = jwt.split('.')
  expect(parts).toHaveLength(3)
  expect(JSON.parse(Buffer.from(parts[0]!, 'base64url').toString())).toMatchObject({ alg: 'RS256' })
  return JSON.parse(Buffer.from(parts[1]!, 'base64url').toString())
}

describe('credentials and tokens', () => {
  test('credentials lead to their commons and become an access token', async () => {
    await using commons = await startCommons({ tokenTtlS: 100 })
    const { api_key, key_id } = commons.credentials()
    expect(claims(api_key)).toMatchObject({ iss: `${commons.origin}/user`, pur: 'api_key', jti: key_id, aud: ['gen3'] })
    const { status, json } = await exchanged(commons)
    expect(status).toBe(200)
    const access = claims(json.access_token)
    expect(access).toMatchObject({ pur: 'access', context: { user: { name: 'tester' } } })
    expect((access.exp as number) - (access.iat as number)).toBe(100)
    expect(json.access_token.length).toBeLessThan(4096)
  })

  test('the exchange also takes the old path and a form', async () => {
    await using commons = await startCommons()
    const { api_key } = commons.credentials()
    const body = new URLSearchParams({ api_key })
    const { status } = await get(`${commons.origin}/user/credentials/cdis/access_token`, { method: 'POST', body })
    expect(status).toBe(200)
  })

  test('bad exchanges are refused on pages for people', async () => {
    await using commons = await startCommons({ tokenTtlS: 1000 })
    const url = `${commons.origin}/user/credentials/api/access_token`
    const cases: [Promise<Got>, number][] = [
      [post(url, {}), 400],
      [get(url, { method: 'POST', body: 'no json' }), 400],
      [post(`${url}?expires_in=soon`, commons.credentials()), 400],
      [post(url, commons.credentials({ ttlS: 60 })), 400],
      [post(`${url}?expires_in=30`, commons.credentials({ ttlS: 60 })), 200],
      [post(url, commons.credentials({ expired: true })), 401],
      [post(url, commons.credentials({ foreign: true })), 401],
      [post(url, { api_key: commons.accessToken() }), 401],
      [post(`${url}?task_token=x`, commons.credentials()), 403],
    ]
    for (const [answer, status] of cases) {
      const got = await answer
      expect(got.status).toBe(status)
      if (status >= 400) expect(got.headers.get('content-type')).toContain('text/html')
    }
  })

  test('an expired or revoked token is nobody', async () => {
    await using commons = await startCommons({ tokenTtlS: 1 })
    const file = commons.add()
    const token = commons.accessToken()
    const lasting = commons.accessToken({ ttlS: 100 })
    const ask = async (path: string, text: string) => (await get(`${commons.origin}${path}`, bearer(text))).status
    const path = `/user/data/download/${file.guid}`
    expect([await ask(path, lasting), await ask('/user/user', lasting)]).toEqual([200, 200])
    await sleep(1050)
    expect([await ask(path, token), await ask('/user/user', token)]).toEqual([401, 401])
    commons.revoke('access')
    expect(await ask(path, lasting)).toBe(401)
  })

  test('401 for a good token without permission, and user information tells the difference', async () => {
    await using commons = await startCommons()
    const secret = commons.add({ authz: ['/programs/test', '/programs/secret'] })
    const token = bearer(commons.accessToken())
    const denied = await get(`${commons.origin}/user/data/download/${secret.guid}`, token)
    expect(denied.status).toBe(401)
    expect(denied.headers.get('content-type')).toContain('text/html')
    const user = await get(`${commons.origin}/user/user`, token)
    expect(user.json.authz['/programs/test']).toEqual([{ service: 'fence', method: 'read-storage' }])
    expect(user.json.authz['/programs/secret']).toBeUndefined()
    // Bulk is satisfied by any of the resources, a single request by all.
    const bulk = await post(`${commons.origin}/user/data/download/bulk`, { guids: [secret.guid] }, token.headers)
    expect(bulk.json.urls).toHaveLength(1)
    commons.grant('tester', '/programs/secret')
    expect((await get(`${commons.origin}/user/data/download/${secret.guid}`, token)).status).toBe(200)
  })

  test('a token of client credentials may not download', async () => {
    await using commons = await startCommons()
    const { id, secret } = commons.client()
    const url = `${commons.origin}/user/oauth2/token?grant_type=client_credentials&scope=user%20data%20openid`
    const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })
    expect((await post(url, {}, basic(`${id}:wrong`))).status).toBe(401)
    const { json } = await post(url, {}, basic(`${id}:${secret}`))
    const file = commons.add()
    expect((await get(`${commons.origin}/user/data/download/${file.guid}`, bearer(json.access_token))).status).toBe(403)
  })

  test('a commons whose clock is ahead says so in its dates', async () => {
    await using commons = await startCommons({ clockSkewS: 3600, tokenTtlS: 60 })
    const { headers, json } = await exchanged(commons)
    expect(Date.parse(headers.get('date')!) - Date.now()).toBeGreaterThan(3_590_000)
    expect(claims(json.access_token).exp as number).toBeGreaterThan(Date.now() / 1000 + 3600)
    expect((await get(`${commons.origin}/user/user`, bearer(json.access_token))).status).toBe(200)
  })
})

describe('download URLs of fence', () => {
  test('the first location, or the one of a protocol', async () => {
    await using commons = await startCommons()
    const file = commons.add({
      locations: [{ scheme: 's3' }, { scheme: 'gs' }, 'ftp://files.example/x', { scheme: 'http' }],
    })
    const token = bearer(commons.accessToken())
    const ask = (query: string) => get(`${commons.origin}/user/data/download/${file.guid}${query}`, token)
    expect((await ask('')).json.url).toContain('X-Amz-Signature=')
    expect((await ask('?protocol=gs')).json.url).toContain('X-Goog-Signature=')
    expect((await ask('?protocol=ftp')).json.url).toBe('ftp://files.example/x')
    expect((await ask('?protocol=http')).json.url).not.toContain('?')
    expect((await ask('?protocol=az')).status).toBe(404)
    expect((await ask('?expires_in=17')).json.url).toContain('X-Amz-Expires=17')
    expect((await ask('?expires_in=99999')).json.url).toContain('X-Amz-Expires=3600')
    const short = commons.add({ locations: [{ urlTtlS: 5 }] })
    expect(await urlOf(commons, short.guid)).toContain('X-Amz-Expires=5&')
    for (const wrong of ['0', '-1', '1.5', 'x']) expect((await ask(`?expires_in=${wrong}`)).status).toBe(400)
    const redirect = await ask('?redirect')
    expect([redirect.status, redirect.headers.get('location')?.startsWith(commons.storage.origin)]).toEqual([302, true])
  })

  test('what is public needs no token, and no signature when none is forced', async () => {
    await using commons = await startCommons()
    for (const options of [{ authz: ['/open'] }, { acl: ['*'] }]) {
      const file = commons.add({ ...options, size: 10 })
      const url = `${commons.origin}/user/data/download/${file.guid}`
      const signed = (await get(url)).json.url
      const plain = (await get(`${url}?no_force_sign=true`)).json.url
      expect([signed.includes('Signature'), plain.includes('?')]).toEqual([true, false])
      for (const one of [signed, plain]) expect((await get(one)).status).toBe(200)
    }
    const file = commons.add()
    expect((await get(`${commons.origin}/user/data/download/${file.guid}?no_force_sign=true`)).status).toBe(401)
  })

  test('failures have the statuses of fence', async () => {
    await using commons = await startCommons()
    const token = bearer(commons.accessToken())
    const cases = [
      [commons.add({ locations: ['sftp://files.example/x'] }).guid, 400],
      [commons.add({ locations: [] }).guid, 404],
      [commons.add({ isBlank: true }).guid, 404],
      ['00000000-0000-4000-8000-000000000000', 404],
      [commons.add({ locations: [{ state: 'unconfigured' }] }).guid, 500],
    ] as const
    for (const [guid, status] of cases) {
      const got = await get(`${commons.origin}/user/data/download/${guid}`, token)
      expect([got.status, got.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8'])
    }
    const body = { guids: cases.map(([guid]) => guid) }
    const bulk = await post(`${commons.origin}/user/data/download/bulk`, body, token.headers)
    expect(bulk.json.urls).toEqual([])
    expect(
      bulk.json.failed_guids.toSorted(
        (a: { error_code: number }, b: { error_code: number }) => a.error_code - b.error_code,
      ),
    ).toEqual([
      { error_code: 400, object_ids: [cases[0][0]] },
      { error_code: 404, object_ids: cases.slice(1, 4).map(([guid]) => guid) },
      { error_code: 500, object_ids: [cases[4][0]] },
    ])
  })

  test('bulk routes are absent on request', async () => {
    await using commons = await startCommons({ withoutBulk: true })
    const { guid } = commons.add({ authz: ['/open'] })
    const requests = [
      ['/user/data/download/bulk', { guids: [guid] }, 405],
      ['/index/bulk/documents', [guid], 404],
      ['/ga4gh/drs/v1/objects', { bulk_object_ids: [guid] }, 405],
      ['/ga4gh/drs/v1/objects/access', { bulk_object_access_ids: [] }, 405],
    ] as const
    for (const [path, body, status] of requests) expect((await post(commons.origin + path, body)).status).toBe(status)
    expect((await get(`${commons.origin}/user/data/download/${guid}`)).status).toBe(200)
  })
})

describe('presigned URLs', () => {
  const shapes: UrlShape[] = ['s3v4', 's3v2', 'cloudfront', 'gcsv4', 'gcsv2', 'azure']
  const expired: Record<UrlShape, [number, string]> = {
    s3v4: [403, 'Request has expired'],
    s3v2: [403, 'Request has expired'],
    cloudfront: [403, '<Code>AccessDenied</Code>'],
    gcsv4: [400, '<Code>ExpiredToken</Code>'],
    gcsv2: [400, '<Code>ExpiredToken</Code>'],
    azure: [403, '<Code>AuthenticationFailed</Code>'],
  }

  test.concurrent.each(shapes)('%s works until it expires, and only as it was signed', async shape => {
    await using commons = await startCommons({ urlShape: shape, urlTtlS: 2 })
    const file = commons.add({ name: 'a b+ü.bin', size: 100, version: 3 })
    const url = await urlOf(commons, file.guid)
    const good = await fetch(url)
    expect(good.status).toBe(200)
    expect(
      createHash('md5')
        .update(new Uint8Array(await good.arrayBuffer()))
        .digest('hex'),
    ).toBe(file.hashes.md5)
    const longer = url.replace(/Expires=2(&|$)/, 'Expires=9$1').replace(/Expires=(\d{10})/, 'Expires=9999999999')
    const tampered = longer === url ? url.replace(/se=2/, 'se=3') : longer
    expect(tampered).not.toBe(url)
    expect((await get(tampered)).status).toBe(403)
    expect((await get(url.replace('a%20b', 'other'))).status).toBe(403)
    expect((await get(url.split('?')[0]!)).status).toBe(403)
    const bound = !['azure', 'cloudfront'].includes(shape)
    expect((await get(url, { method: 'HEAD' })).status).toBe(bound ? 403 : 200)
    expect((await get(url, bearer('x'))).status).toBe(400)
    await sleep(2050)
    const late = await get(url)
    expect([late.status, late.text.includes(expired[shape][1])]).toEqual([expired[shape][0], true])
  })

  test('the signing credentials may end before the URL', async () => {
    await using commons = await startCommons({ signingTtlS: 1 })
    const url = await urlOf(commons, commons.add().guid)
    expect((await get(url)).status).toBe(200)
    await sleep(1050)
    const late = await get(url)
    expect([late.status, late.text.includes('<Code>ExpiredToken</Code>')]).toEqual([400, true])
  })

  test('a running answer is not cut when its URL expires', async () => {
    await using commons = await startCommons({ urlTtlS: 1 })
    const file = commons.add({ size: 30_000 })
    commons.fault(file.guid, faults.slow(15_000))
    const response = await fetch(await urlOf(commons, file.guid))
    expect((await response.arrayBuffer()).byteLength).toBe(30_000)
  })
})

describe('storage', () => {
  test('ranges, validators and conditions', async () => {
    await using commons = await startCommons()
    const file = commons.add({ size: 100_000, version: 7 })
    const url = await urlOf(commons, file.guid)
    const data = testData(100_000).map(byte => byte ^ 7)
    const part = await fetch(url, { headers: { Range: 'bytes=10-19' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe('bytes 10-19/100000')
    expect(part.headers.get('accept-ranges')).toBe('bytes')
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(data.slice(10, 20))
    const etag = part.headers.get('etag')!
    expect(etag).toBe(`"${file.md5}"`)
    const ask = async (headers: Record<string, string>) => (await get(url, { headers })).status
    expect(await ask({ Range: 'bytes=100000-' })).toBe(416)
    expect(await ask({ Range: 'bytes=5-9', 'If-Range': etag })).toBe(206)
    expect(await ask({ Range: 'bytes=5-9', 'If-Range': '"other"' })).toBe(200)
    expect(await ask({ 'If-Match': etag })).toBe(200)
    expect(await ask({ 'If-Match': '"other"' })).toBe(412)
  })

  test('digests in headers are spelled as each service does', async () => {
    await using commons = await startCommons()
    const file = commons.add({ size: 10, locations: [{ scheme: 's3' }, { scheme: 'gs' }, { scheme: 'az' }] })
    const base64 = Buffer.from(file.md5, 'hex').toString('base64')
    const ask = (scheme: string, headers = {}) => get(commons.presign(file.guid, { scheme })!, { headers })
    expect((await ask('s3')).headers.get('etag')).toBe(`"${file.md5}"`)
    expect((await ask('gs')).headers.get('x-goog-hash')).toBe(`md5=${base64}`)
    const azure = await ask('az')
    expect([azure.headers.get('content-md5'), azure.headers.get('etag')?.slice(0, 5)]).toEqual([base64, '"0x8D'])
    expect((await ask('az', { Range: 'bytes=0-1' })).headers.get('content-md5')).toBeNull()
    const none = commons.add({ hashes: false, etag: false, locations: [{ scheme: 'gs' }] })
    const { headers } = await get(commons.presign(none.guid)!)
    expect([headers.get('etag'), headers.get('x-goog-hash')]).toEqual([null, null])
  })

  test('what is not stored is 404, who does not listen refuses', async () => {
    await using commons = await startCommons()
    const missing = await get(await urlOf(commons, commons.add({ locations: [{ state: 'missing' }] }).guid))
    expect([missing.status, missing.text.includes('NoSuchKey')]).toEqual([404, true])
    const refused = await urlOf(commons, commons.add({ locations: [{ state: 'refused' }] }).guid)
    await expect(fetch(refused)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })

  test('faults of an object act at its storage, so many times', async () => {
    await using commons = await startCommons()
    const { guid, md5 } = commons.add({ size: 50_000 })
    const url = await urlOf(commons, guid)
    const digest = async () =>
      createHash('md5')
        .update(new Uint8Array(await (await fetch(url)).arrayBuffer()))
        .digest('hex')

    const wrong = commons.fault(guid, faults.wrongByte(7), { times: 1, only: faults.covers(7) })
    expect((await get(url, { headers: { Range: 'bytes=8-9' } })).status).toBe(206)
    expect(wrong.hits).toBe(0)
    expect(await digest()).not.toBe(md5)
    expect([await digest(), wrong.hits]).toEqual([md5, 1])

    commons.fault(guid, faults.failing(503), { times: 2 })
    commons.fault(guid, faults.throttled(3), { after: 2, times: 1 })
    const statuses = [await get(url), await get(url), await get(url), await get(url)]
    expect(statuses.map(({ status }) => status)).toEqual([503, 503, 429, 200])
    expect([statuses[2]!.headers.get('retry-after'), statuses[0]!.text.includes('SlowDown')]).toEqual(['3', true])

    const cut = commons.fault(guid, faults.cut(1000), { times: 1 })
    await expect(get(url)).rejects.toThrow()
    expect(cut.hits).toBe(1)
    const place = commons.fault(guid, faults.cutAt(20_000))
    expect((await get(url, { headers: { Range: 'bytes=0-19999' } })).status).toBe(206)
    await expect(get(url, { headers: { Range: 'bytes=19000-21000' } })).rejects.toThrow()
    await expect(get(url, { headers: { Range: 'bytes=30000-' } })).rejects.toThrow()
    place.remove()
    expect(await digest()).toBe(md5)
  })

  test('faults of framing and ranges', async () => {
    await using commons = await startCommons()
    const { guid } = commons.add({ size: 1000 })
    const url = await urlOf(commons, guid)
    const once = async (fault: Parameters<Commons['fault']>[1], headers: Record<string, string> = {}) => {
      commons.fault(guid, fault, { times: 1 })
      return get(url, { headers })
    }
    const range = { Range: 'bytes=10-19' }
    expect((await once(faults.chunked())).headers.get('content-length')).toBeNull()
    await expect(once(faults.wrongLength(2000))).rejects.toThrow()
    expect((await once(faults.ignoresRange(), range)).status).toBe(200)
    expect((await once(faults.wrongContentRange(), range)).headers.get('content-range')).toMatch(/^bytes 11-/)
    const unsatisfied = await once(faults.unsatisfiable(77), range)
    expect([unsatisfied.status, unsatisfied.headers.get('content-range')]).toEqual([416, 'bytes */77'])
    expect((await once(faults.replaced(9))).headers.get('etag')).toBe('"replaced-9"')
    expect((await once(faults.expiredToken())).text).toContain('ExpiredToken')
    expect((await once(faults.expiredUrl())).text).toContain('Request has expired')
    await expect(once(faults.noAnswer())).rejects.toThrow()
    const started = performance.now()
    await once(faults.slow(2000))
    expect(performance.now() - started).toBeGreaterThan(300)
  })
})

describe('indexd', () => {
  test('a record by its identifier, with and without the prefix, at both paths', async () => {
    await using commons = await startCommons({ prefix: 'dg.TEST' })
    const file = commons.add({ size: 5, name: null, aliases: ['my/alias'] })
    const bare = file.guid.slice('dg.TEST/'.length)
    const { json } = await get(`${commons.origin}/index/index/${file.guid}`)
    expect(json).toMatchObject({ did: file.guid, size: 5, file_name: null, hashes: { md5: file.md5 }, form: 'object' })
    expect(json.created_date).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+$/)
    for (const id of [file.guid, bare, encodeURIComponent(file.guid), 'my/alias']) {
      expect((await get(`${commons.origin}/index/${id}`)).json).toEqual(json)
    }
    expect((await get(`${commons.origin}/index/index/${bare}`)).status).toBe(404)
    expect((await get(`${commons.origin}/index/nothing`)).json).toEqual({ error: 'no record found' })
  })

  test('bulk leaves out what is missing', async () => {
    await using commons = await startCommons()
    const files = [commons.add(), commons.add()]
    const guids = [files[0]!.guid, 'missing', files[1]!.guid]
    const { json } = await post(`${commons.origin}/index/bulk/documents`, guids)
    expect(json.map(({ did }: { did: string }) => did)).toEqual(files.map(({ guid }) => guid))
    expect((await post(`${commons.origin}/index/bulk/documents`, { guids })).status).toBe(400)
  })

  test('listing pages by identifier and finds by digest', async () => {
    await using commons = await startCommons()
    const guids = Array.from({ length: 5 }, (_, version) => commons.add({ version }).guid).toSorted()
    const list = async (query: string): Promise<string[]> =>
      (await get(`${commons.origin}/index/index/?${query}`)).json.records.map(({ did }: { did: string }) => did)
    expect(await list('limit=2')).toEqual(guids.slice(0, 2))
    expect(await list(`limit=2&start=${guids[1]}`)).toEqual(guids.slice(2, 4))
    expect(await list('limit=2&page=2')).toEqual(guids.slice(4))
    const one = commons.add({ version: 99 })
    expect(await list(`hash=md5:${one.md5}`)).toEqual([one.guid])
    expect((await get(`${commons.origin}/index/index/?limit=2000`)).status).toBe(400)
  })

  test('a blank record knows nothing', async () => {
    await using commons = await startCommons()
    const { guid } = commons.add({ isBlank: true })
    expect((await get(`${commons.origin}/index/${guid}`)).json).toMatchObject({ size: null, hashes: {}, urls: [] })
  })

  test('slashes may have to be raw or encoded', async () => {
    const ask = async (slashes: CommonsOptions['slashes']) => {
      await using commons = await startCommons({ slashes })
      const { guid } = commons.add({ prefix: 'dg.X' })
      const ids = [guid, encodeURIComponent(guid)]
      return await Promise.all(ids.map(async id => (await get(`${commons.origin}/ga4gh/drs/v1/objects/${id}`)).status))
    }
    expect([await ask('raw'), await ask('encoded'), await ask('both')]).toEqual([
      [200, 404],
      [404, 200],
      [200, 200],
    ])
  })
})

describe('DRS', () => {
  test('objects as Gen3 describes them, and their URLs', async () => {
    await using commons = await startCommons()
    const file = commons.add({ prefix: 'dg.X', size: 9, locations: [{ scheme: 's3' }, { scheme: 'gs' }] })
    const url = `${commons.origin}/ga4gh/drs/v1/objects/${file.guid}`
    const { json } = await get(url)
    expect(json).toMatchObject({
      id: file.guid,
      self_uri: `drs://${commons.host}/${file.guid}`,
      size: 9,
      form: 'object',
      contents: [],
      mime_type: 'application/json',
      checksums: [{ type: 'md5', checksum: file.md5 }],
      access_methods: [
        { type: 's3', access_id: 's3', access_url: { url: file.urls[0] } },
        { type: 'gs', access_id: 'gs', access_url: { url: file.urls[1] } },
      ],
    })
    const token = bearer(commons.accessToken())
    const access = await get(`${url}/access/gs`, token)
    expect(Object.keys(access.json)).toEqual(['url'])
    expect((await get(access.json.url)).status).toBe(200)
    const statuses = [get(`${url}/access/gs`), get(`${url}/access/`, token), get(`${url}/access`, token)]
    const further = [get(`${url}/access/az`, token), post(`${url}/access/s3`, {}, token.headers)]
    expect((await Promise.all([...statuses, ...further])).map(({ status }) => status)).toEqual([
      401, 400, 400, 404, 200,
    ])
    for (const headers of [{}, token.headers]) {
      expect((await post(`${url}/access/s3`, { passports: ['x'] }, headers)).status).toBe(400)
    }
    const missing = await get(`${commons.origin}/ga4gh/drs/v1/objects/missing`)
    expect([missing.status, missing.json]).toEqual([404, { msg: 'no record found', status_code: 404 }])
  })

  test('objects as the specification has them', async () => {
    const accessHeader = ['X-Access', 'yes'] as const
    await using commons = await startCommons({
      drs: { flavour: 'ga4gh', access: 'both', needsAuth: true, accessHeader },
    })
    const file = commons.add({ prefix: 'dg.X' })
    const bundle = commons.bundle({ contents: [file.guid] })
    const objects = `${commons.origin}/ga4gh/drs/v1/objects`
    const token = bearer(commons.accessToken())
    expect((await get(`${objects}/${file.guid}`)).status).toBe(401)
    const secret = commons.add({ authz: ['/programs/secret'] })
    expect((await get(`${objects}/${secret.guid}`, token)).status).toBe(403)
    const { json } = await get(`${objects}/${encodeURIComponent(file.guid)}`, token)
    expect(json.self_uri).toBe(file.drsUri)
    expect(json.created_time).toMatch(/Z$/)
    const [method] = json.access_methods
    expect(method).toMatchObject({ type: 'https', access_id: 'method-0', access_url: { headers: ['X-Access: yes'] } })
    expect((await get(method.access_url.url)).status).toBe(403)
    expect((await get(method.access_url.url, { headers: { 'X-Access': 'yes' } })).status).toBe(200)
    expect((await get(`${objects}/${file.guid}/access/method-0`, token)).json.headers).toEqual(['X-Access: yes'])
    const [content] = (await get(`${objects}/${bundle.guid}`, token)).json.contents
    expect(content.drs_uri).toBeInstanceOf(Array)
    const bulk = await post(objects, { bulk_object_ids: [file.guid, 'x'] }, token.headers)
    expect(bulk.json).toMatchObject({ summary: { requested: 2, resolved: 1, unresolved: 1 } })
    expect(bulk.json.resolved_drs_object).toHaveLength(1)
  })

  test('bulk requests: spelling of indexd, limit, commonest error', async () => {
    await using commons = await startCommons({ maxBulk: 3 })
    const file = commons.add()
    const secret = commons.add({ authz: ['/programs/secret'] })
    const objects = `${commons.origin}/ga4gh/drs/v1/objects`
    const { json } = await post(objects, { bulk_object_ids: [file.guid, 'x'] })
    expect(json.resolved_drs_objects[0].id).toBe(file.guid)
    expect(json.unresolved_drs_objects).toEqual([{ error_code: 404, object_ids: ['x'] }])
    expect((await post(objects, { bulk_object_ids: ['a', 'b', 'c', 'd'] })).status).toBe(413)
    const access = (...ids: string[]) => {
      const bulk_object_access_ids = ids.map(id => ({ bulk_object_id: id, bulk_access_ids: ['s3'] }))
      return post(`${objects}/access`, { bulk_object_access_ids }, bearer(commons.accessToken()).headers)
    }
    const some = await access(file.guid, secret.guid)
    expect(some.status).toBe(200)
    expect(some.json.resolved_drs_object_access_urls[0]).toMatchObject({
      drs_object_id: file.guid,
      drs_access_id: 's3',
    })
    expect(some.json.unresolved_drs_objects).toEqual([{ error_code: 401, object_ids: [secret.guid] }])
    expect((await access('x', 'y', secret.guid)).status).toBe(404)
    const info = await get(`${commons.origin}/ga4gh/drs/v1/service-info`)
    expect(info.json.drs).toMatchObject({ maxBulkRequestLength: 3, objectCount: 2 })
  })

  test('bundles nest, may be expanded, and may hold themselves', async () => {
    await using commons = await startCommons()
    const files = [commons.add({ size: 10, version: 1, name: 'x' }), commons.add({ size: 20, version: 2 })] as const
    const inner = commons.bundle({ id: 'inner', contents: [files[1].guid, 'outer'] })
    commons.bundle({ id: 'outer', name: 'o', contents: [{ id: files[0].guid, name: 'called' }, inner.guid] })
    const url = `${commons.origin}/ga4gh/drs/v1/objects/outer`
    const { json } = await get(url)
    expect(json).toMatchObject({ form: 'bundle', name: 'o', size: 30 })
    expect(json.contents).toEqual([
      { id: files[0].guid, name: 'called', drs_uri: `drs://${commons.host}/${files[0].guid}` },
      { id: 'inner', name: inner.name, drs_uri: `drs://${commons.host}/inner` },
    ])
    const expanded = await get(`${url}?expand=true`)
    expect(expanded.json.contents[1].contents.map(({ id }: { id: string }) => id)).toEqual([files[1].guid, 'outer'])
    expect(expanded.json.contents[1].contents[1].contents).toBeUndefined()
    const flat = commons.bundle({ contents: files.map(({ guid }) => guid) })
    const sorted = files.map(({ md5 }) => md5).toSorted()
    const md5 = createHash('md5').update(sorted.join('')).digest('hex')
    const described = await get(`${commons.origin}/ga4gh/drs/v1/objects/${flat.guid}`)
    expect(described.json.checksums).toEqual([{ type: 'md5', checksum: md5 }])
  })

  test('an object may have to be thawed', async () => {
    await using commons = await startCommons()
    const { guid } = commons.add({ authz: ['/open'] })
    commons.fault(guid, faults.thawing(2), { at: 'drs-access', times: 1 })
    const url = `${commons.origin}/ga4gh/drs/v1/objects/${guid}/access/s3`
    const first = await get(url)
    expect([first.status, first.headers.get('retry-after'), first.text]).toEqual([202, '2', ''])
    expect((await get(url)).status).toBe(200)
  })

  test('authorizations are told on request, else not', async () => {
    const ask = async (tellsAuthorizations: boolean) => {
      await using commons = await startCommons({ drs: { tellsAuthorizations } })
      const { guid } = commons.add()
      return await get(`${commons.origin}/ga4gh/drs/v1/objects/${guid}`, { method: 'OPTIONS' })
    }
    expect((await ask(false)).status).toBe(405)
    expect((await ask(true)).json).toMatchObject({ supported_types: ['BearerAuth'] })
  })
})

describe('other services', () => {
  test('the token service has tokens of connected commons', async () => {
    await using home = await startCommons({ name: 'home' })
    await using other = await startCommons({ name: 'other', tokenTtlS: 100 })
    await using expired = await startCommons({ name: 'expired' })
    await using never = await startCommons({ name: 'never' })
    home.connect(other)
    home.connect(expired, { state: 'expired' })
    home.connect(never, { state: 'never' })
    const { providers } = (await get(`${home.origin}/wts/external_oidc/`)).json
    expect(
      providers.map((one: Record<string, unknown>) => [one.idp, one.base_url, one.refresh_token_expiration]),
    ).toEqual([
      ['other', other.origin, '9 days'],
      ['expired', expired.origin, 'expired'],
      ['never', never.origin, null],
    ])
    expect((await get(`${home.origin}/wts/external_oidc/?unexpired=true`)).json.providers).toHaveLength(1)
    const token = bearer(home.accessToken())
    const ask = (query: string, options = token) => get(`${home.origin}/wts/token/?${query}`, options)
    const { json } = await ask('idp=other&expires=50')
    expect(claims(json.token)).toMatchObject({ iss: `${other.origin}/user` })
    const file = other.add()
    expect((await get(`${other.origin}/user/data/download/${file.guid}`, bearer(json.token))).status).toBe(200)
    expect((await get(`${other.origin}/user/data/download/${file.guid}`, token)).status).toBe(401)
    const statuses = [ask('idp=other&expires=x'), ask('idp=expired'), ask('idp=never'), ask('idp=nobody')]
    expect(
      (await Promise.all([...statuses, get(`${home.origin}/wts/token/?idp=other`)])).map(({ status }) => status),
    ).toEqual([400, 403, 403, 400, 403])
  })

  test('metadata, prefixes and stored manifests', async () => {
    await using commons = await startCommons({ hasShepherd: true })
    const file = commons.add()
    expect((await get(`${commons.origin}/mds/metadata/${file.guid}`)).status).toBe(404)
    commons.describe(file.guid, { type: 'package' })
    expect((await get(`${commons.origin}/mds/metadata/${file.guid}`)).json).toEqual({ type: 'package' })
    commons.knowPrefix('dg.4503', { origin: 'https://other.example', name: 'other' })
    expect((await get(`${commons.origin}/mds/aggregate/info/dg.4503`)).json.host).toBe('https://other.example/index/')
    expect((await get(`${commons.origin}/index/_dist`)).json[0].hints).toEqual(['.*dg\\.4503.*'])
    const token = bearer(commons.accessToken())
    const url = (await get(`${commons.origin}/mds/objects/${file.guid}/download`, token)).json.url
    expect((await get(url)).status).toBe(200)
    commons.storeManifest('mine.json', '[]')
    expect((await get(`${commons.origin}/manifests/`, token)).json.manifests[0].filename).toBe('mine.json')
    expect((await get(`${commons.origin}/manifests/file/mine.json`, token)).json).toEqual({ body: '[]' })
    expect((await get(`${commons.origin}/manifests/`)).status).toBe(403)
  })

  test('the resolver answers in all five ways', async () => {
    await using commons = await startCommons({ name: 'c', prefix: 'dg.4503' })
    await using resolver = await startResolver()
    resolver.add('dg.4503', commons)
    resolver.add('dg.only', { origin: 'https://other.example' }, { ways: ['metadata'] })
    const ask = (path: string) => get(resolver.origin + path)
    const host = `${commons.origin}/index/`
    expect((await ask('/index/_dist')).json.filter(({ type }: { type: string }) => type === 'indexd')).toEqual([
      { name: 'c', host, hints: ['.*dg\\.4503.*'], type: 'indexd' },
    ])
    const file = commons.add()
    expect((await ask(`/index/${file.guid}`)).json).toMatchObject({
      did: file.guid,
      from_index_service: { host, name: 'c' },
    })
    expect((await ask('/mds/metadata/dg.4503')).json.host).toBe(host)
    expect((await ask('/mds/metadata/dg.only')).json.host).toBe('https://other.example/index/')
    const { json } = await ask('/restApi/namespaces/search/findByPrefix?prefix=dg.4503')
    const id = json._links.namespace.href.split('/').at(-1)
    const { resources } = (await ask(`/restApi/resources/search/findAllByNamespaceId?id=${id}`)).json._embedded
    expect(resources[0].urlPattern).toBe(`${commons.origin}/ga4gh/drs/v1/objects/{$id}`)
    expect((await ask('/dg.4503:')).text).toContain(`redirect: ${commons.origin}/ga4gh/drs/v1/objects/$id`)
    for (const path of ['/dg.only:', '/index/nothing', '/restApi/namespaces/search/findByPrefix?prefix=dg.only']) {
      expect((await ask(path)).status).toBe(404)
    }
  })

  test('DRSHub resolves with a token of its own', async () => {
    await using commons = await startCommons({ prefix: 'dg.t' })
    await using hub = await startDrsHub({ commons: [commons], prefixes: { 'dg.t': commons } })
    const file = commons.add({
      size: 12,
      name: 'n',
      locations: [{ scheme: 's3' }, { scheme: 'gs', bucket: 'b', key: 'k' }],
    })
    const ask = (body: object, token = hub.token) =>
      post(`${hub.origin}/api/v4/drs/resolve`, body, { Authorization: `Bearer ${token}` })
    const uuid = file.guid.split('/')[1]
    const { json } = await ask({ url: `drs://DG.T:${uuid}`, cloudPlatform: 'gs' })
    expect(json).toMatchObject({
      fileName: 'n',
      size: 12,
      hashes: { md5: file.md5 },
      gsUri: 'gs://b/k',
      bucket: 'b',
      name: 'k',
    })
    expect((await get(json.accessUrl.url)).status).toBe(200)
    const few = await ask({ url: file.drsUri, fields: ['size'] })
    expect(few.json).toEqual({ size: 12 })
    const statuses = [ask({ url: file.drsUri }, 'x'), ask({ url: 'drs://nothing' }), ask({ url: 'drs://dg.t:x' })]
    expect((await Promise.all(statuses)).map(got => [got.status, got.json.statusCode])).toEqual([
      [401, 401],
      [400, 400],
      [404, 404],
    ])
  })
})

describe('GDC', () => {
  test('files with their names and digests, whole and in ranges', async () => {
    await using gdc = await startGdc()
    const file = gdc.add({ size: 1000, version: 4 })
    const response = await get(`${gdc.origin}/data/${file.id}`, { headers: { Range: 'bytes=0-9' } })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename=${file.name}`)
    expect(response.headers.get('content-md5')).toBe(file.md5)
    expect(file.row.split('\t')).toHaveLength(GDC_MANIFEST_HEADER.split('\t').length)
    expect((await get(`${gdc.origin}/data/none`)).status).toBe(404)
    gdc.fault(file.id, faults.failing(500), { times: 1 })
    expect((await get(`${gdc.origin}/data/${file.id}`)).status).toBe(500)
    expect(gdc.requestsFor('gdc-data', file.id)).toHaveLength(2)
  })

  test('controlled files need the token', async () => {
    await using gdc = await startGdc()
    const { id } = gdc.add({ access: 'controlled' })
    const headers = { 'X-Auth-Token': gdc.token }
    expect((await get(`${gdc.origin}/data/${id}`)).status).toBe(403)
    expect((await get(`${gdc.origin}/data/${id}`, { headers })).status).toBe(200)
    expect((await post(`${gdc.origin}/data?tarfile`, { ids: [id] })).status).toBe(403)
    expect(gdc.requests.map(({ authKind }) => authKind)).toEqual(['none', 'x-auth-token', 'none'])
  })

  test('several files in one tar, compressed on request', async () => {
    await using gdc = await startGdc()
    const files = [gdc.add({ content: 'first', name: 'a.txt' }), gdc.add({ content: 'second', latestId: 'newer' })]
    const ask = async (query: string) => {
      const body = JSON.stringify({ ids: files.map(({ id }) => id) })
      const init = { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }
      return Buffer.from(await (await fetch(`${gdc.origin}/data?${query}`, init)).arrayBuffer())
    }
    const tar = await ask('tarfile')
    const untar = (...args: string[]) => execFileSync('tar', args, { input: tar, encoding: 'utf8' })
    const [first, second] = files
    const notice = expect.stringMatching(/^superseded_files[\d._]+\.txt$/)
    expect(untar('-tf', '-').trim().split('\n')).toEqual([
      `${first!.id}/a.txt`,
      `${second!.id}/${second!.name}`,
      notice,
      'MANIFEST.txt',
    ])
    expect(untar('-xOf', '-', `${first!.id}/a.txt`)).toBe('first')
    expect(untar('-xOf', '-', 'MANIFEST.txt')).toContain(second!.md5)
    expect(gunzipSync(await ask('compress'))).toEqual(tar)
  })

  test('versions and search', async () => {
    await using gdc = await startGdc()
    const files = [gdc.add({ latestId: null }), gdc.add({ annotations: ['note'], size: 5 })] as const
    const ids = [...files.map(({ id }) => id), 'unknown']
    expect((await post(`${gdc.origin}/files/versions`, { ids })).json).toEqual([
      { id: files[0].id, latest_id: null },
      { id: files[1].id, latest_id: files[1].id },
    ])
    const filters = JSON.stringify({ op: 'in', content: { field: 'files.file_id', value: [files[1].id] } })
    const { json } = await post(`${gdc.origin}/v0/files`, { filters, fields: 'file_id', from: '0', size: '5' })
    expect(json.data.hits).toMatchObject([
      { id: files[1].id, access: 'open', file_size: 5, md5sum: files[1].md5, annotations: [{ annotation_id: 'note' }] },
    ])
    expect((await post(`${gdc.origin}/files/versions`, { ids: Array(501).fill('x') })).status).toBe(400)
  })
})

describe('faults and the log', () => {
  test('a status that is asked for is worded as the service would', async () => {
    await using commons = await startCommons()
    const { guid } = commons.add()
    commons.fault('api', { status: 503 })
    const ask = async (path: string) => (await get(commons.origin + path)).headers.get('content-type')
    expect(await ask(`/user/data/download/${guid}`)).toContain('text/html')
    expect((await get(`${commons.origin}/index/${guid}`)).json).toHaveProperty('error')
    expect((await get(`${commons.origin}/ga4gh/drs/v1/objects/${guid}`)).json).toMatchObject({ status_code: 503 })
  })

  test('faults of a route and of an object compose, and bulk tells of the object', async () => {
    await using commons = await startCommons()
    const [one, two] = [commons.add({ authz: ['/open'] }), commons.add({ authz: ['/open'] })] as const
    commons.fault('download', { delayMs: 100 })
    const failing = commons.fault(one.guid, { status: 500 }, { at: 'url', times: 3 })
    const started = performance.now()
    const ask = async ({ guid }: { guid: string }) => (await get(`${commons.origin}/user/data/download/${guid}`)).status
    expect([await ask(one), await ask(two), await ask(one)]).toEqual([500, 200, 500])
    expect(performance.now() - started).toBeGreaterThan(290)
    const bulk = () => post(`${commons.origin}/user/data/download/bulk`, { guids: [one.guid, two.guid] })
    expect((await bulk()).json.failed_guids).toEqual([{ error_code: 500, object_ids: [one.guid] }])
    expect((await bulk()).json.urls).toHaveLength(2)
    expect(failing.hits).toBe(3)
  })

  test('an object is the same under all its names', async () => {
    await using commons = await startCommons({ prefix: 'dg.T' })
    const { guid } = commons.add({ aliases: ['alias'] })
    const fault = commons.fault(guid, { status: 503 }, { at: 'drs-object' })
    for (const id of [guid, guid.slice('dg.T/'.length), encodeURIComponent(guid), 'alias']) {
      expect((await get(`${commons.origin}/ga4gh/drs/v1/objects/${id}`)).status).toBe(503)
    }
    expect([fault.hits, commons.requestsFor('drs-object', guid).length]).toEqual([4, 4])
  })

  test('the log knows the route, the object, the authorization and the bytes, and no secret', async () => {
    await using commons = await startCommons()
    const { guid } = commons.add({ size: 100 })
    const url = await urlOf(commons, guid)
    await get(url, { headers: { Range: 'bytes=0-9' } })
    expect(commons.requests).toMatchObject([
      { route: 'download', method: 'GET', guid, hasAuth: true, authKind: 'bearer', status: 200, host: commons.host },
      { route: 'storage', guid, hasAuth: false, authKind: 'none', range: 'bytes=0-9', status: 206, bytesSent: 10 },
    ])
    expect(commons.requests[1]!.queryNames).toContain('X-Amz-Signature')
    const text = JSON.stringify(commons.requests)
    expect(text).not.toContain(new URL(url).searchParams.get('X-Amz-Signature'))
  })

  test('concurrency is counted per route', async () => {
    await using commons = await startCommons()
    const { guid } = commons.add()
    commons.latency('index', 100)
    await Promise.all(Array.from({ length: 5 }, () => get(`${commons.origin}/index/${guid}`)))
    await get(`${commons.origin}/index/${guid}`)
    expect(commons.maxConcurrent('index')).toBe(5)
    expect(commons.maxConcurrent('storage')).toBe(0)
  })
})

describe('TLS', () => {
  test('both hosts speak it with one certificate, and manifests name the bare host', async () => {
    await using commons = await startCommons({ tls: true })
    const file = commons.add({ authz: ['/open'] })
    expect([commons.origin, commons.storage.origin].every(origin => origin.startsWith('https://'))).toBe(true)
    expect(commons.storage.certificate).toBe(commons.certificate)
    expect(file.row.commons_url).toBe(commons.host)
    await expect(fetch(`${commons.origin}/index/${file.guid}`)).rejects.toThrow()
  })
})

describe('the mixed manifest', () => {
  test('has a row for every switch; those that are there hold what is promised', async () => {
    await using commons = await startCommons()
    const { rows, entries, repair } = mixedCommons(commons)
    expect(new Set(rows.map(({ title }) => title)).size).toBe(rows.length)
    expect(entries).toHaveLength(rows.length)
    const statuses = new Set(rows.map(({ expected }) => expected.status))
    expect([...statuses].toSorted()).toEqual([
      'checksum_mismatch',
      'denied',
      'downloaded',
      'duplicate',
      'failed',
      'invalid',
      'not_found',
      'unsafe_name',
      'unverified',
    ])
    const all = rows.flatMap(({ files }) => files.map(({ path }) => path))
    expect(new Set(all).size).toBe(all.length)
    const token = commons.accessToken()
    const single = rows.filter(
      row => commons.find(row.entry.object_id ?? '') && !/bundle|commons refuses/.test(row.title),
    )
    for (const row of single.filter(({ expected }) => /denied|not_found|failed|mismatch/.test(expected.status))) {
      expect([row.title, await isReachable(commons, token, row)]).toEqual([row.title, false])
    }
    repair()
    for (const row of single.filter(({ filesAgain }) => filesAgain.length > 0)) {
      expect([row.title, await isReachable(commons, token, row)]).toEqual([row.title, true])
    }
  })

  test('one file may be there before', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'arriero-mixed-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    await using commons = await startCommons()
    const { rows } = mixedCommons(commons, { directory, hasInvalid: false, hasBundles: false })
    const [complete] = rows.filter(({ expected }) => expected.status === 'skipped_complete')
    expect(digest(await readFile(join(directory, complete!.files[0]!.path)))).toBe(complete!.entry.md5sum)
    expect(rows.some(({ title, expected }) => expected.status === 'invalid' || title.includes('bundle'))).toBe(false)
  })
})

describe('the program', () => {
  test('writes what a client needs, serves it, and counts in the end', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'arriero-commons-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const program = fileURLToPath(new URL('programs/commons.ts', import.meta.url))
    const child = spawn(process.execPath, [program, '--files', '3', '--size', '2k', '--dir', directory])
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const line = async () => JSON.parse((await lines.next()).value ?? 'null')
    const { origin, credentials, manifest, expected } = await line()
    const key = JSON.parse(await readFile(credentials, 'utf8'))
    const { access_token } = (await post(`${origin}/user/credentials/api/access_token`, key)).json
    const rows = JSON.parse(await readFile(manifest, 'utf8'))
    expect(rows).toHaveLength(3)
    const { json } = await get(`${origin}/user/data/download/${rows[1].object_id}`, bearer(access_token))
    const bytes = new Uint8Array(await (await fetch(json.url)).arrayBuffer())
    expect([bytes.length, digest(bytes)]).toEqual([2048, rows[1].md5sum])
    expect(await readFile(expected, 'utf8')).toContain(`${rows[1].md5sum}  ${rows[1].file_name}\n`)
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await line()).toMatchObject({
      token: { requests: 1 },
      download: { requests: 1 },
      storage: { requests: 1, bytes: 2048, mostAtOnce: 1 },
    })
    expect(await exit).toEqual([0, null])
  })
})

function digest(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

/** Whether a patient and simple client, which tries every location, gets the right bytes of a row. */
async function isReachable(commons: Commons, token: string, row: MixedRow): Promise<boolean> {
  const md5 = row.filesAgain[0]?.md5 ?? row.entry.md5sum
  for (let attempt = 1; attempt <= 5; attempt++) {
    for (const protocol of ['', '?protocol=gs']) {
      const url = `${commons.origin}/user/data/download/${row.entry.object_id}${protocol}`
      try {
        const { json } = await get(url, bearer(token))
        const answer = await fetch(json.url)
        if (digest(new Uint8Array(await answer.arrayBuffer())) === md5) return true
      } catch {
        // The next attempt.
      }
    }
  }
  return false
}
