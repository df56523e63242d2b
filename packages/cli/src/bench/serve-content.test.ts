import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Content } from './content.ts'
import { contentPath, parseRange, serveContent } from './serve-content.ts'
import { cappedRate, cutEvery, latencyMs, refuseEvery, type TargetName } from './targets.ts'

const content = new Content(9_000_000)
const bytes = Buffer.concat([...content.pieces(0, content.size)])
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function start(target: TargetName) {
  const server = createServer(serveContent(content, 'tag', target))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  stops.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${contentPath}`
  return (headers: Record<string, string> = {}, method = 'GET') => fetch(url, { headers, method })
}

describe('serveContent()', () => {
  test('gives the whole, and any range of it, also across the seam of its pool', async () => {
    const get = await start('plain')
    const whole = await get()
    expect([whole.status, whole.headers.get('etag')]).toEqual([200, '"tag"'])
    expect(bytes.equals(Buffer.from(await whole.arrayBuffer()))).toBe(true)
    const part = await get({ range: 'bytes=8388000-8389000', 'if-range': '"tag"' })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 8388000-8389000/9000000'])
    expect(bytes.subarray(8388000, 8389001).equals(Buffer.from(await part.arrayBuffer()))).toBe(true)
  })

  test('answers a condition on another version with the whole, HEAD without a body, and what is beyond the end with 416', async () => {
    const get = await start('plain')
    const other = await get({ range: 'bytes=0-9', 'if-range': '"old"' }, 'HEAD')
    expect([other.status, other.headers.get('content-length')]).toEqual([200, '9000000'])
    const beyond = await get({ range: 'bytes=9000000-' })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */9000000'])
  })

  test('capped holds a connection to its rate', async () => {
    const get = await start('capped')
    const begin = performance.now()
    await (await get({ range: 'bytes=0-3999999' })).arrayBuffer()
    expect(performance.now() - begin).toBeGreaterThan((4e6 / cappedRate) * 1000 * 0.9)
  })

  test('latency lets an answer begin late', async () => {
    const get = await start('latency')
    const begin = performance.now()
    await get({}, 'HEAD')
    expect(performance.now() - begin).toBeGreaterThan(latencyMs - 2)
  })

  test('faults breaks off and refuses, as often as it says', async () => {
    const get = await start('faults')
    const seen: string[] = []
    for (let request = 1; request <= refuseEvery; request++) {
      const answer = await get({ range: 'bytes=0-99999' })
      const whole = await answer.arrayBuffer().then(
        () => 'whole',
        () => 'cut',
      )
      seen.push(answer.status === 503 ? '503' : whole)
    }
    expect(seen).toEqual(
      Array.from({ length: refuseEvery }, (_, index) =>
        index + 1 === refuseEvery ? '503' : (index + 1) % cutEvery === 0 ? 'cut' : 'whole',
      ),
    )
  })
})

describe('parseRange()', () => {
  test.each([
    ['bytes=0-9', { start: 0, end: 10 }],
    ['bytes=90-', { start: 90, end: 100 }],
    ['bytes=-10', { start: 90, end: 100 }],
    ['bytes=-1000', { start: 0, end: 100 }],
    ['bytes=90-1000', { start: 90, end: 100 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=9-0', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=-', undefined],
    ['items=0-1', undefined],
    [undefined, undefined],
  ])('%s', (header, expected) => {
    expect(parseRange(header, 100)).toEqual(expected)
  })
})
