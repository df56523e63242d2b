import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { fetchBytes } from '../../test/fetch-bytes.ts'
import { identity, startS3Server } from '../../test/s3-server.ts'
import { sourceContext } from '../../test/source-context.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { createOrigins } from '../http/origins.ts'
import { SignerV4 } from './s3/sign-v4.ts'
import { createS3Source } from './s3.ts'

/** Names below localhost lead here; requests of the general lane are counted. */
function countingContext(s3: Parameters<typeof sourceContext>[0]) {
  const origins = createOrigins({
    addresses: { lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
  })
  const count = { general: 0 }
  const { general } = origins
  const send = general.send.bind(general)
  general.send = request => {
    count.general++
    return send(request)
  }
  const context = sourceContext(s3)
  return {
    ...context,
    origins: async () => origins,
    count,
    [Symbol.asyncDispose]: async () => {
      await context[Symbol.asyncDispose]()
      await origins.close()
    },
  }
}

function isSdkLoaded(): boolean {
  return Object.keys(createRequire(import.meta.url).cache).some(path => path.includes('client-s3'))
}

describe('createS3Source()', () => {
  test('takes every part but the first through the fast lane, signed', async () => {
    await using server = await startS3Server()
    const content = contentOf(4 << 20)
    server.put('data', 'big', content)
    await using context = countingContext({ s3: { endpoint: server.endpoint, credentials: identity, environment: {} } })
    const source = await createS3Source('s3://data/big', context)
    const part = 1 << 20
    const { answer } = await fetchBytes(source, { range: { start: 0, end: part } })
    const before = context.count.general
    for (let start = part; start < content.length; start += part) {
      const { bytes } = await fetchBytes(source, { range: { start, end: start + part }, expected: answer.resource })
      expectSame(bytes, content.subarray(start, start + part))
    }
    // The first part, and HEAD for what is known of the whole.
    expect(before).toBe(2)
    expect(context.count.general).toBe(before)
  })

  test('of many small objects asks the general lane once, and nothing twice', async () => {
    await using server = await startS3Server()
    for (let index = 0; index < 200; index++) server.put('data', `d/${index}`, `object ${index}`)
    await using context = countingContext({ s3: { endpoint: server.endpoint, credentials: identity, environment: {} } })
    for (let index = 0; index < 200; index++) {
      const source = await createS3Source(`s3://data/d/${index}`, context)
      const { bytes } = await fetchBytes(source, { range: { start: 0, end: 8 << 20 }, capacity: 100 })
      expect(Buffer.from(bytes).toString()).toBe(`object ${index}`)
      await source.close()
    }
    expect(context.count.general).toBe(1)
    expect(server.requests).toHaveLength(200)
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  test('follows 307 to a host below the endpoint, signed for it, once for all', async () => {
    await using server = await startS3Server()
    server.put('data', 'a', 'hello')
    const location = `http://data.localhost:${server.port}/a`
    const refusal = { status: 307, code: 'TemporaryRedirect', headers: { location } }
    server.options = { fault: ({ headers }) => (headers.host?.startsWith('data.') ? undefined : refusal) }
    const endpoint = `http://localhost:${server.port}`
    await using context = countingContext({ s3: { endpoint, credentials: identity, environment: {} } })
    for (let time = 0; time < 3; time++) {
      const source = await createS3Source('s3://data/a', context)
      expect(Buffer.from((await fetchBytes(source)).bytes).toString()).toBe('hello')
    }
    expect(server.requests.map(({ headers }) => headers.host?.startsWith('data.'))).toEqual([false, true, true, true])
  })

  test('does not follow anywhere else: a signature is for the one who was named', async () => {
    await using server = await startS3Server()
    await using other = await startS3Server({ isPrivate: false })
    other.put('data', 'a', 'not this')
    const headers = { location: `${other.endpoint}/data/a` }
    server.options = { fault: () => ({ status: 307, code: 'TemporaryRedirect', headers }) }
    await using context = countingContext({ s3: { endpoint: server.endpoint, credentials: identity, environment: {} } })
    const source = await createS3Source('s3://data/a', context)
    await expect(fetchBytes(source)).rejects.toMatchObject({ code: 'Redirect' })
    expect(other.requests).toHaveLength(0)
  })

  test('puts the bucket before the host if it is told to', async () => {
    await using server = await startS3Server()
    server.put('data', 'a/b c', 'hello')
    const endpoint = `http://localhost:${server.port}`
    await using context = countingContext({
      s3: { endpoint, credentials: identity, forcePathStyle: false, environment: {} },
    })
    const source = await createS3Source('s3://data/a/b c', context)
    expect(Buffer.from((await fetchBytes(source)).bytes).toString()).toBe('hello')
    expect(server.requests[0]?.target).toBe('/a/b%20c')
  })

  test('reads the version that the URI names', async () => {
    await using server = await startS3Server({ isVersioned: true })
    const { version } = server.put('data', 'a', 'first')
    server.put('data', 'a', 'second')
    await using context = countingContext({ s3: { endpoint: server.endpoint, credentials: identity, environment: {} } })
    const read = async (uri: string) =>
      Buffer.from((await fetchBytes(await createS3Source(uri, context))).bytes).toString()
    expect(await read('s3://data/a')).toBe('second')
    expect(await read(`s3://data/a?versionId=${version}`)).toBe('first')
  })

  test('signs headers of the caller that speak to the store, and sends no authorization but its own', async () => {
    await using server = await startS3Server()
    server.put('data', 'a', 'hello')
    const headers = { 'X-Amz-Expected-Bucket-Owner': '1  2', authorization: 'Bearer x', 'x-other': 'y' }
    const s3 = { endpoint: server.endpoint, credentials: identity, environment: {} }
    await using context = countingContext({ s3, headers })
    await fetchBytes(await createS3Source('s3://data/a', context))
    expect(server.requests[0]?.headers).toMatchObject({ 'x-amz-expected-bucket-owner': '1  2', 'x-other': 'y' })
  })

  test('loads no SDK when the environment says who and where', async () => {
    await using server = await startS3Server()
    server.put('data', 'a', 'hello')
    const environment = {
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_ACCESS_KEY_ID: identity.accessKeyId,
      AWS_SECRET_ACCESS_KEY: identity.secretAccessKey,
    }
    await using context = countingContext({ s3: { environment } })
    await fetchBytes(await createS3Source('s3://data/a', context))
    expect(server.requests[0]?.isSigned).toBe(true)
    expect(isSdkLoaded()).toBe(false)
    // The check itself: it can tell.
    const { Sdk } = await import('./s3/sdk.ts')
    const sdk = new Sdk(undefined)
    await sdk.region()
    expect(isSdkLoaded()).toBe(true)
    sdk.close()
  })
})

test('10,000 signatures take less than a second of processor time', () => {
  const signer = new SignerV4(identity, 'us-east-1')
  const headers = { 'x-amz-checksum-mode': 'ENABLED' }
  const before = process.cpuUsage()
  for (let index = 0; index < 10_000; index++) {
    signer.sign({
      method: 'GET',
      host: 'data.s3.us-east-1.amazonaws.com',
      target: `/dir/${index}`,
      headers,
      now: 1e12 + index,
    })
  }
  const { user, system } = process.cpuUsage(before)
  console.info(`10,000 signatures: ${((user + system) / 1e6).toFixed(3)} CPU-seconds`)
  expect(user + system).toBeLessThan(1e6)
})
