/** Fault matrix, retrieval 9 and 19: several places of the same bytes. */
import { describe, expect, test } from 'vitest'
import { download } from '../../src/index.ts'
import { faults, startFaultServer } from '../fault-server.ts'
import { dataOf, expectFile, expectSame, failing, MIB, ODD, seedOfRun, setUp, sha256, take, ways } from './setting.ts'

const partSize = MIB

describe.each(ways)('%s', way => {
  test.each([
    ['answers 404', { status: 404 }],
    ['answers 403', { status: 403 }],
    ['answers 410', { status: 410 }],
    ['answers 409', { status: 409 }],
    ['asks for more patience than there is', { status: 503, retryAfter: '3600' }],
  ])('the first mirror %s → the second one is used', async (_, script) => {
    const setting = await setUp()
    await using bad = await startFaultServer()
    await using good = await startFaultServer()
    const first = bad.resource('/data', { size: ODD, script })
    const second = good.resource('/data', { size: ODD })
    expectSame(await take(way, first.url, setting, { partSize, mirrors: [second.url] }), dataOf(ODD))
    expect(bad.requests.length).toBeLessThanOrEqual(2)
  })

  test('the first mirror cannot be reached → the second one is used', async () => {
    const setting = await setUp()
    await using bad = await startFaultServer()
    await using good = await startFaultServer()
    const first = bad.resource('/data', { size: ODD })
    const second = good.resource('/data', { size: ODD })
    await bad.stopListening()
    const options = { partSize, retries: 1, mirrors: [second.url] }
    expectSame(await take(way, first.url, setting, options), dataOf(ODD))
  })

  test('a mirror dies in the middle → the other one brings the rest, and hardly a byte comes twice', async () => {
    const setting = await setUp()
    await using bad = await startFaultServer()
    await using good = await startFaultServer()
    const first = bad.resource('/data', { size: ODD, script: faults.after(4, { status: 404 }) })
    const second = good.resource('/data', { size: ODD })
    expectSame(await take(way, first.url, setting, { partSize, mirrors: [second.url] }), dataOf(ODD))
    const served = [...bad.requests, ...good.requests].filter(({ status }) => status === 206)
    expect(served.reduce((sum, { sent }) => sum + sent, 0) - ODD).toBeLessThan(partSize)
  })

  test('entity tags of two mirrors differ → of no importance', async () => {
    const setting = await setUp()
    await using one = await startFaultServer()
    await using two = await startFaultServer()
    const first = one.resource('/data', { size: ODD, etag: '"one"' })
    const second = two.resource('/data', { size: ODD, etag: '"two"', lastModified: 0 })
    expectSame(await take(way, first.url, setting, { partSize, mirrors: [second.url] }), dataOf(ODD))
    expect(two.requests.length).toBeGreaterThan(0)
  })

  test('a mirror of another size → dismissed, not mixed in', async () => {
    const setting = await setUp()
    await using one = await startFaultServer()
    await using two = await startFaultServer()
    const first = one.resource('/data', { size: ODD })
    const second = two.resource('/data', { size: ODD + 1, version: 1 })
    expectSame(await take(way, first.url, setting, { partSize, mirrors: [second.url] }), dataOf(ODD))
    expect(two.requests.length).toBeLessThanOrEqual(4)
  })

  test('the first mirror has another size than was stated → the second one is used', async () => {
    const setting = await setUp()
    await using one = await startFaultServer()
    await using two = await startFaultServer()
    const first = one.resource('/data', { size: ODD + 1, version: 1 })
    const second = two.resource('/data', { size: ODD })
    const options = { partSize, size: ODD, mirrors: [second.url] }
    expectSame(await take(way, first.url, setting, options), dataOf(ODD))
  })

  test('no mirror has it → the first one’s failure', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const error = await failing(way, server.url('/a'), setting, { mirrors: [server.url('/b'), server.url('/c')] })
    expect(error.code).toBe('NotFound')
    expect(server.requests).toHaveLength(3)
  })
})

describe.each(['download', 'readAll'] as const)('%s', way => {
  test('the first mirror is corrupt → found by the checksum, the second one is used', async () => {
    const setting = await setUp()
    await using bad = await startFaultServer()
    await using good = await startFaultServer()
    const data = dataOf(ODD)
    const first = bad.resource('/data', { size: ODD, script: { flip: [12_345] } })
    const second = good.resource('/data', { size: ODD })
    // One connection: everything comes from the first place.
    const options = { partSize: 2 * ODD, concurrency: 1, checksums: [sha256(data)], mirrors: [second.url] }
    expectSame(await take(way, first.url, setting, options), data)
    expect(setting.eventNames()).toContain('restarted')
  })

  test('one of two mirrors that share the load is corrupt → right in the end, from the other one alone', async () => {
    const setting = await setUp()
    await using bad = await startFaultServer()
    await using good = await startFaultServer()
    const data = dataOf(ODD)
    const flip = Array.from({ length: 14 }, (_, part) => part * MIB + 17).filter(at => at < ODD)
    const first = bad.resource('/data', { size: ODD, script: { flip } })
    const second = good.resource('/data', { size: ODD })
    const options = { partSize, checksums: [sha256(data)], mirrors: [second.url] }
    expectSame(await take(way, first.url, setting, options), data)
    expect(bad.sent + good.sent).toBeLessThanOrEqual(3 * ODD)
  })

  test('all mirrors are corrupt → ChecksumMismatch after at most three attempts', async () => {
    const setting = await setUp()
    await using one = await startFaultServer()
    await using two = await startFaultServer()
    const first = one.resource('/data', { size: ODD, script: { flip: [1] } })
    const second = two.resource('/data', { size: ODD, script: { flip: [2] } })
    const options = { partSize, checksums: [sha256(dataOf(ODD))], mirrors: [second.url] }
    expect((await failing(way, first.url, setting, options)).code).toBe('ChecksumMismatch')
    expect(one.sent + two.sent).toBeLessThanOrEqual(3 * ODD)
  })

  test('the corrupt mirror is the only one left → ChecksumMismatch, not the other one’s 404', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: { flip: [1] } })
    const options = { partSize, checksums: [sha256(dataOf(ODD))], mirrors: [server.url('/nowhere')] }
    expect((await failing(way, url, setting, options)).code).toBe('ChecksumMismatch')
  })
})

test('two mirrors share the load', async () => {
  const setting = await setUp()
  await using one = await startFaultServer({ bytesPerSecondPerConnection: 4 * MIB })
  await using two = await startFaultServer({ bytesPerSecondPerConnection: 4 * MIB })
  const size = 32 * MIB
  const first = one.resource('/data', { size })
  const second = two.resource('/data', { size })
  await download(first.url, setting.path('data'), { engine: setting.engine, partSize, mirrors: [second.url] })
  await expectFile(setting.path('data'), size)
  for (const { sent } of [one, two]) expect(sent).toBeGreaterThan(0.25 * size)
  expect(one.sent + two.sent).toBeLessThanOrEqual(1.1 * size)
})

test('a mirror ten times as slow gets the smaller share', async () => {
  const setting = await setUp()
  await using slow = await startFaultServer({ bytesPerSecondPerConnection: MIB })
  await using fast = await startFaultServer({ bytesPerSecondPerConnection: 10 * MIB })
  const size = 48 * MIB
  const first = slow.resource('/data', { size })
  const second = fast.resource('/data', { size })
  await download(first.url, setting.path('data'), { engine: setting.engine, partSize, mirrors: [second.url] })
  await expectFile(setting.path('data'), size)
  expect(fast.sent).toBeGreaterThan(2 * slow.sent)
})

test('both mirrors fail now and then → correct', async () => {
  const setting = await setUp()
  const seed = seedOfRun()
  await using one = await startFaultServer()
  await using two = await startFaultServer()
  const first = one.resource('/data', { size: ODD, script: faults.failsAtRandom(0.3, seed, 502) })
  const second = two.resource('/data', { size: ODD, script: faults.truncatesAtRandom(0.3, seed + 1, 'rst') })
  await download(first.url, setting.path('data'), {
    engine: setting.engine,
    partSize,
    retries: 20,
    mirrors: [second.url],
  })
  await expectFile(setting.path('data'), ODD)
})
