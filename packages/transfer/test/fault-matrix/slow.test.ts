/** Fault matrix, retrieval 19: connections that are slow, silent or capped. */
import { expect, test } from 'vitest'
import { download, iterate } from '../../src/index.ts'
import { type Behaviour, type FaultRequest, faults, startFaultServer } from '../fault-server.ts'
import { expectFile, KIB, MIB, setUp } from './setting.ts'

/** A silent part is asked for again after 3 s (retrieval 9); what else a slow runner may take is added. */
const NOTICING_MS = 4000

const size = 48 * MIB
const partSize = 4 * MIB
const concurrency = 4
const perConnection = 4 * MIB
const healthyMs = (size / (concurrency * perConnection)) * 1000

test.each<[string, Behaviour]>([
  ['at 1 KiB/s', { bytesPerSecond: KIB }],
  ['silent for ever in the middle of its answer', faults.silentAfter(100_000)],
  ['silent for ever before its answer', faults.silent()],
])(
  'one connection %s → finishes within about 1.5 times the healthy time, and fetches little twice',
  async (_, behaviour) => {
    const setting = await setUp({ timeouts: { firstByteMs: 30_000, idleMs: 30_000 } })
    await using server = await startFaultServer({ bytesPerSecondPerConnection: perConnection })
    const { url } = server.resource('/data', { size, script: faults.onConnection(2, behaviour) })
    const startedAt = performance.now()
    const { networkBytes } = await download(url, setting.path('data'), {
      engine: setting.engine,
      partSize,
      concurrency,
    })
    const tookMs = performance.now() - startedAt
    await expectFile(setting.path('data'), size)
    expect(setting.eventNames()).toContain('hedge')
    expect(tookMs).toBeLessThan(1.5 * healthyMs + NOTICING_MS)
    expect(networkBytes - size).toBeLessThanOrEqual(Math.max(0.05 * size, partSize))
  },
)

test('the last part of all is at 1 KiB/s, too small to be stolen from, and nobody else is left → asked for again', async () => {
  const setting = await setUp({ timeouts: { firstByteMs: 30_000, idleMs: 30_000 } })
  await using server = await startFaultServer()
  const total = 8 * MIB
  const isLast = (request: FaultRequest) => request.range?.start === 7 * MIB && request.rangeAttempt === 1
  const { url } = server.resource('/data', { size: total, script: faults.only(isLast, { bytesPerSecond: KIB }) })
  const startedAt = performance.now()
  const { networkBytes } = await download(url, setting.path('data'), { engine: setting.engine, partSize: MIB })
  await expectFile(setting.path('data'), total)
  expect(setting.eventNames()).toContain('hedge')
  expect(performance.now() - startedAt).toBeLessThan(NOTICING_MS)
  expect(networkBytes - total).toBeLessThanOrEqual(MIB)
})

test('every open connection goes dead before the last part, as behind a router that restarted → asked for on a new one', async () => {
  const setting = await setUp({ timeouts: { firstByteMs: 30_000, idleMs: 30_000 } })
  await using server = await startFaultServer()
  const total = 8 * MIB
  let open = 0
  const isDead = (request: FaultRequest) => {
    const isTail = (request.range?.start ?? 0) >= 7 * MIB
    if (!isTail) open = Math.max(open, request.connection)
    return isTail && request.connection <= open
  }
  const { url } = server.resource('/data', { size: total, script: faults.only(isDead, faults.silent()) })
  const startedAt = performance.now()
  await download(url, setting.path('data'), { engine: setting.engine, partSize: MIB, concurrency })
  await expectFile(setting.path('data'), total)
  expect(performance.now() - startedAt).toBeLessThan(2 * NOTICING_MS)
})

test('a slow connection in an ordered read does not hold the reader up for longer', async () => {
  const setting = await setUp({ timeouts: { firstByteMs: 30_000, idleMs: 30_000 } })
  await using server = await startFaultServer({ bytesPerSecondPerConnection: perConnection })
  const { url } = server.resource('/data', { size, script: faults.onConnection(2, { bytesPerSecond: KIB }) })
  const startedAt = performance.now()
  let bytes = 0
  for await (const piece of iterate(url, { engine: setting.engine, partSize, concurrency })) bytes += piece.length
  expect(bytes).toBe(size)
  expect(performance.now() - startedAt).toBeLessThan(1.5 * healthyMs + 2 * NOTICING_MS)
})

test('every connection falls silent once → each part is asked for again on a new connection', async () => {
  const setting = await setUp({ timeouts: { firstByteMs: 700, idleMs: 700 } })
  await using server = await startFaultServer()
  const isFirst = ({ range, rangeAttempt }: FaultRequest) => (range?.start ?? 1) % partSize === 0 && rangeAttempt === 1
  const script = faults.only(isFirst, faults.silentAfter(300_000))
  const { url } = server.resource('/data', { size: 16 * MIB, script })
  const { networkBytes } = await download(url, setting.path('data'), { engine: setting.engine, partSize, concurrency })
  await expectFile(setting.path('data'), 16 * MIB)
  expect(networkBytes).toBeLessThanOrEqual(16 * MIB + partSize)
})

test('a server capped per connection → the number of connections grows, and the speed with it', async () => {
  const setting = await setUp()
  await using server = await startFaultServer({ bytesPerSecondPerConnection: 2 * MIB })
  const { url } = server.resource('/data', { size: 64 * MIB })
  const sent: number[] = []
  const sampling = setInterval(() => sent.push(server.sent), 500)
  await download(url, setting.path('data'), { engine: setting.engine, partSize }).finally(() => clearInterval(sampling))
  await expectFile(setting.path('data'), 64 * MIB)
  expect(server.peakConnections).toBeGreaterThanOrEqual(8)
  const speeds = sent.map((bytes, index) => bytes - (sent[index - 1] ?? 0))
  // It begins with four connections.
  expect(Math.max(...speeds)).toBeGreaterThan(1.5 * (speeds[0] as number))
})

test('a thief takes the second half of the largest part when nothing else is left', async () => {
  const setting = await setUp()
  await using server = await startFaultServer({ bytesPerSecondPerConnection: 4 * MIB })
  const { url } = server.resource('/data', { size: 20 * MIB })
  const { networkBytes } = await download(url, setting.path('data'), {
    engine: setting.engine,
    partSize: 16 * MIB,
    concurrency: 4,
  })
  await expectFile(setting.path('data'), 20 * MIB)
  expect(setting.eventNames()).toContain('steal')
  expect(networkBytes).toBeLessThanOrEqual(21 * MIB)
})
