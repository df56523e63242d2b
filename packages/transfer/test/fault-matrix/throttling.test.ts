/** Fault matrix, retrieval 19: servers that ask for patience, or fail now and then. */
import { describe, expect, test } from 'vitest'
import { download, downloadAll } from '../../src/index.ts'
import { type FaultServer, faults, type Script, startFaultServer } from '../fault-server.ts'
import { dataOf, expectFile, expectSame, failing, MIB, ODD, seedOfRun, setUp, take, ways } from './setting.ts'

const partSize = MIB
const parts = Math.ceil(ODD / partSize)

/** Requests that came while the server had asked for patience; those on their way when it did are no disobedience. */
function disobedient(server: FaultServer, status: number, waitMs: number): number {
  const asked = server.requests.find(request => request.status === status)?.at
  if (asked === undefined) throw new Error(`The server never answered ${status}`)
  return server.requests.filter(({ at }) => at > asked + 100 && at < asked + waitMs).length
}

describe.each([429, 503])('%i', status => {
  test('with Retry-After in seconds → obeyed, by all connections to the origin', async () => {
    const setting = await setUp()
    await using server = await startFaultServer({ bytesPerSecond: 10 * MIB })
    const script = faults.sequence(undefined, undefined, undefined, { status, retryAfter: 1 })
    const { url } = server.resource('/data', { size: ODD, script })
    await download(url, setting.path('data'), { engine: setting.engine, partSize })
    await expectFile(setting.path('data'), ODD)
    expect(disobedient(server, status, 990)).toBe(0)
    expect(server.requests.length).toBeLessThan(2 * parts)
  })

  test('with Retry-After as a date → obeyed', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const script = faults.sequence(undefined, () => ({ status, retryAfter: new Date(Date.now() + 2000) }))
    const { url } = server.resource('/data', { size: ODD, script })
    await download(url, setting.path('data'), { engine: setting.engine, partSize, concurrency: 1 })
    await expectFile(setting.path('data'), ODD)
    // A date has whole seconds: between one and two of them.
    expect(disobedient(server, status, 900)).toBe(0)
  })

  test('at first contact, with Retry-After → obeyed', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: faults.throttled(1, { status }) })
    await download(url, setting.path('data'), { engine: setting.engine, partSize })
    await expectFile(setting.path('data'), ODD)
    expect(disobedient(server, status, 990)).toBe(0)
  })

  test('with a huge Retry-After → an error at once, with the date', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: faults.throttled(86_400, { status, times: 99 }) })
    const startedAt = performance.now()
    const error = await failing('download', url, setting, { partSize })
    expect(error.code).toBe('Throttled')
    expect(error.details.until).toBeGreaterThan(Date.now() + 86_000_000)
    expect(performance.now() - startedAt).toBeLessThan(1000)
    expect(server.requests).toHaveLength(1)
  })

  test('without Retry-After → correct after waiting a little', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: faults.throttled(undefined, { status, times: 2 }) })
    await download(url, setting.path('data'), { engine: setting.engine, partSize })
    await expectFile(setting.path('data'), ODD)
  })

  test('always → an error after a bounded number of requests', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: { status } })
    expect((await failing('download', url, setting, { retries: 2 })).code).toBe('Throttled')
    expect(server.requests.length).toBeLessThanOrEqual(3)
  })
})

test('Retry-After of one file holds all files of that origin', async () => {
  const setting = await setUp()
  await using server = await startFaultServer({ bytesPerSecond: 10 * MIB })
  const urls = ['/a', '/b', '/c'].map(name => server.resource(name, { size: 4 * MIB }).url)
  server.resource('/b', { size: 4 * MIB, script: faults.sequence(undefined, { status: 429, retryAfter: 1 }) })
  for await (const item of downloadAll(urls, { ...setting, partSize })) expect(item.ok).toBe(true)
  expect(disobedient(server, 429, 990)).toBe(0)
})

test('Retry-After of one origin does not hold another', async () => {
  const setting = await setUp()
  await using busy = await startFaultServer()
  await using free = await startFaultServer()
  const { url } = busy.resource('/busy', { size: MIB, script: faults.throttled(2) })
  const other = free.resource('/free', { size: ODD })
  const ended: string[] = []
  for await (const item of downloadAll([url, other.url], { ...setting, partSize })) {
    expect(item.ok).toBe(true)
    ended.push(item.entry.uris[0] as string)
  }
  expect(ended).toEqual([other.url, url])
})

test('a server that answers two requests at once and refuses the rest → correct, with fewer connections', async () => {
  const setting = await setUp()
  await using server = await startFaultServer({ bytesPerSecond: 20 * MIB })
  const { url } = server.resource('/data', { size: 2 * ODD, script: faults.busyAbove(2) })
  await download(url, setting.path('data'), { engine: setting.engine, partSize, retries: 30 })
  await expectFile(setting.path('data'), 2 * ODD)
  expect(server.requests.length).toBeLessThan(5 * parts)
})

describe.each(ways)('%s', way => {
  test('500 for 30 % of the parts → correct, with a bounded number of requests', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const failing = faults.failsAtRandom(0.3, seedOfRun())
    // The waits double: a part that fails a dozen times by chance would only make the test long.
    const script: Script = (request, attempt) => (request.rangeAttempt <= 4 ? failing(request, attempt) : undefined)
    const { url } = server.resource('/data', { size: ODD, script })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    expect(server.requests.length).toBeLessThan(4 * parts)
    expect(server.requests.filter(({ status }) => status === 206)).toHaveLength(parts)
  })
})

test('500 always → an error after a bounded number of requests', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD, script: { status: 500 } })
  const error = await failing('download', url, setting, { retries: 2 })
  expect(error.status).toBe(500)
  expect(server.requests).toHaveLength(3)
})

test('a server that accepts four connections and resets the rest → correct', async () => {
  const setting = await setUp()
  await using server = await startFaultServer({ maxConnections: 4, bytesPerSecond: 30 * MIB })
  const { url } = server.resource('/data', { size: 4 * ODD })
  await download(url, setting.path('data'), { engine: setting.engine, partSize, retries: 30 })
  await expectFile(setting.path('data'), 4 * ODD)
})
