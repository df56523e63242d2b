/** Clones over a link that is cut: what is lost beyond the cut itself, and what crosses twice (decision 0031). */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArchivePlan } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { fetchSmall } from '../src/services/clones/pull/fetch-small.ts'
import { Link, LinkReturned } from '../src/services/clones/pull/link.ts'
import { PeerDown } from '../src/services/clones/pull/peer-down.ts'
import { PeerRequests } from '../src/services/clones/pull/peer-requests.ts'
import type { MemoryContent } from '../src/stores/memory-content.ts'
import { startThinLink, type ThinLink } from './thin-link.ts'
import { announce, startGiver, startTaker, until } from './two-librarians.ts'

const bytesOf = (count: number) => new Uint8Array(randomBytes(count))
const KIB = 1024
const MIB = 1024 * KIB
const RATE = 6 * MIB

const small = () => Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`set/f${n}`, bytesOf(150 * KIB)]))
const large = () => ({ 'big/one': bytesOf(9 * MIB), 'big/two': bytesOf(9 * MIB) })
const tree = (): Record<string, MemoryContent> => ({
  tree: new Map(Object.entries({ ...small(), 'm/large': bytesOf(5 * MIB) })),
})

function sizeOf(files: Readonly<Record<string, MemoryContent>>): number {
  const contents = Object.values(files).flatMap(one => (one instanceof Uint8Array ? [one] : [...one.values()]))
  return contents.reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0)
}

/** Cuts the link when so much has passed, for so long; resolves to ms from when it was joined until something came. */
async function cut(link: ThinLink, after: number, ms: number): Promise<number> {
  await until(() => link.passed >= after)
  link.cut()
  await sleep(ms)
  const before = link.passed
  link.join()
  const joinedAt = performance.now()
  await until(() => link.passed >= before + 50 * KIB)
  return performance.now() - joinedAt
}

test.each([
  // Of each of three bundles what is cheaper fetched again than asked for; heads of entries and answers.
  ['small files', small, 3 * 64 * KIB + 400 * KIB],
  ['large files', large, 100 * KIB],
  ['a tree', tree, 2 * 64 * KIB + 400 * KIB],
])(
  'a cut of 2 s costs %s a second at most when the link is there again, and nothing that came crosses twice',
  async (_, make, beside) => {
    const files = make()
    await using giver = await startGiver({ files })
    await using link = await startThinLink({ port: giver.app.port, rate: RATE })
    await using taker = await startTaker({ giverPort: link.port })
    const pairs = await announce(taker, files)
    taker.start()
    await taker.asGiver.clone.pull({ transfers: pairs })
    expect(await cut(link, 5 * MIB, 2000)).toBeLessThan(1500)
    await until(
      () => giver.completed.length === pairs.length,
      () => taker.logged.slice(-5).join('\n'),
    )
    expect(giver.failed).toEqual([])
    expect(taker.logged.filter(line => line.includes('Nothing can be fetched'))).toEqual([])
    expect(link.passed).toBeLessThan(sizeOf(files) + beside)
  },
  60_000,
)

test('a link that comes and goes all the time brings everything in the end, and no transfer is blamed', async () => {
  const files = { ...small(), ...large() }
  await using giver = await startGiver({ files })
  await using link = await startThinLink({ port: giver.app.port, rate: RATE })
  await using taker = await startTaker({ giverPort: link.port })
  const pairs = await announce(taker, files)
  taker.start()
  await taker.asGiver.clone.pull({ transfers: pairs })
  for (let n = 1; n <= 6; n++) await cut(link, n * 5 * MIB, 1800)
  await until(
    () => giver.completed.length === pairs.length,
    () => taker.logged.slice(-5).join('\n'),
  )
  expect(new Set(Object.values(await taker.statuses()))).toEqual(new Set(['COMPLETED']))
  expect(giver.failed).toEqual([])
  expect(link.passed).toBeLessThan(sizeOf(files) + 6 * 3 * 64 * KIB + MIB)
}, 60_000)

test('a sender that takes its time is not taken for a cut: nothing is asked for twice', async () => {
  const files = { ...small(), 'big/one': bytesOf(2 * MIB) }
  await using giver = await startGiver({
    files,
    wrap: raw => ({
      ...raw,
      async handle(request, response, call) {
        await sleep(2500)
        await raw.handle(request, response, call)
      },
    }),
  })
  await using taker = await startTaker({ giverPort: giver.app.port })
  const pairs = await announce(taker, files)
  taker.start()
  await taker.asGiver.clone.pull({ transfers: pairs })
  await until(() => giver.completed.length === pairs.length)
  expect(giver.requests.filter(path => path.endsWith('/bundle'))).toHaveLength(2)
  expect(giver.requests.filter(path => path.endsWith('/big/one'))).toHaveLength(1)
}, 30_000)

test('a link gives up what is silent when a probe is answered after others were not, and nothing else', async () => {
  let isThere = true
  const asked: AbortSignal[] = []
  let renewals = 0
  using link = new Link({
    requests: {
      async probe(signal) {
        asked.push(signal)
        if (!isThere) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
      renew: () => void renewals++,
    },
    onDown: () => {},
  })
  const { signal } = new AbortController()
  using silent = link.watch(signal)
  await until(() => asked.length === 1)
  await sleep(600)
  expect(silent.signal.aborted).toBe(false)
  isThere = false
  await until(() => asked.length === 3)
  using ours = link.watch(signal)
  ours.isOurTurn = true
  await sleep(1000)
  expect(silent.signal.aborted).toBe(false)
  isThere = true
  await until(() => silent.signal.aborted)
  expect(silent.signal.reason).toBeInstanceOf(LinkReturned)
  expect(ours.signal.aborted).toBe(false)
  expect(asked.length).toBeLessThan(12)
  expect(renewals).toBe(1)
}, 20_000)

test('untilBack() waits for a librarian that was there, and for no other', async () => {
  let isThere = false
  using link = new Link({
    requests: {
      async probe() {
        if (!isThere) throw new Error('no route')
      },
      renew() {},
    },
    onDown: () => {},
  })
  const ended = new AbortController()
  await expect(link.untilBack(new Error('no route'), ended.signal)).rejects.toBeInstanceOf(PeerDown)
  const watched = link.watch(ended.signal)
  watched.beat()
  watched[Symbol.dispose]()
  let isBack = false
  const waiting = link.untilBack(new Error('no route'), ended.signal).then(() => (isBack = true))
  await sleep(800)
  expect(isBack).toBe(false)
  isThere = true
  await waiting
  isThere = false
  const left = link.untilBack(new Error('no route'), ended.signal)
  ended.abort(new Error('enough'))
  await expect(left).rejects.toThrow('enough')
}, 20_000)

// ——— A sender made by hand: what is asked for after a bundle broke off ———

const contents = Object.fromEntries(['a', 'b', 'c'].map(name => [name, bytesOf(500 * KIB)]))

interface HandMade {
  readonly asked: string[]
  readonly got: Map<string, Uint8Array>
  readonly missing: unknown[]
}

/** Its first bundle breaks off in the middle of `b`. */
async function fetchFrom(range: (request: IncomingMessage, response: ServerResponse) => void): Promise<HandMade> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      asked.push(`${request.url} ${request.headers.range}`)
      return range(request, response)
    }
    let body = ''
    request.on('data', piece => (body += piece))
    request.on('end', () => {
      const { names } = JSON.parse(body) as { names: string[] }
      asked.push(names.join())
      const archive = archiveOf(names)
      response.writeHead(200, { 'content-type': 'application/x-tar' })
      if (asked.length > 1) return void response.end(archive)
      response.write(archive.subarray(0, 800 * KIB), () => setTimeout(() => response.destroy(), 100))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const peer = { connection: { address }, credentials: { user: 'b', password: 'pw' } } as never
  using requests = new PeerRequests(peer)
  using link = new Link({ requests, onDown: () => {} })
  const got = new Map<string, Uint8Array>()
  const missing: unknown[] = []
  const files = Object.entries(contents).map(([name, { length: size }]) => ({ name, size }))
  await fetchSmall(files, {
    requests,
    link,
    signal: new AbortController().signal,
    onFile: async (index, arrived) => void got.set(files[index]!.name, arrived as Uint8Array),
    onMissing: async (_, error) => void missing.push(error),
  })
  server.closeAllConnections()
  server.close()
  return { asked, got, missing }
}

function archiveOf(names: readonly string[]): Buffer {
  const plan = new ArchivePlan(names.map(path => ({ path, type: 'file' as const, size: contents[path]!.length })))
  const pieces = [...plan.parts(0, plan.size)].map(part =>
    'bytes' in part ? part.bytes : contents[names[part.entry]!]!.subarray(part.start, part.end),
  )
  return Buffer.concat(pieces)
}

const same = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0

test('what had come of a file when its bundle broke off is not fetched again: its rest is, then those behind it', async () => {
  const { asked, got, missing } = await fetchFrom((request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range!)![1])
    const rest = contents.b!.subarray(from)
    const range = `bytes ${from}-${contents.b!.length - 1}/${contents.b!.length}`
    response.writeHead(206, { 'content-range': range, 'content-length': rest.length }).end(rest)
  })
  expect(asked).toHaveLength(3)
  expect(asked[0]).toBe('a,b,c')
  expect(asked[1]).toMatch(/^\/api\/v2\/data\/b bytes=[23]\d{5}-$/)
  expect(asked[2]).toBe('c')
  expect(missing).toEqual([])
  for (const [name, bytes] of Object.entries(contents)) expect(same(got.get(name), bytes)).toBe(true)
}, 20_000)

test.each<[string, (response: ServerResponse) => void]>([
  ['the whole file', response => response.writeHead(200).end(contents.b)],
  [
    'the rest of a file of another size',
    response => response.writeHead(206, { 'content-range': 'bytes 1-2/3' }).end('ab'),
  ],
  ['that it cannot', response => response.writeHead(503).end()],
  ['nothing', response => response.destroy()],
])(
  'a sender that answers %s when the rest is asked for is asked for the file from its beginning',
  async (_, answer) => {
    const { asked, got } = await fetchFrom((_request, response) => answer(response))
    expect(asked.at(-1)).toBe('b,c')
    for (const [name, bytes] of Object.entries(contents)) expect(same(got.get(name), bytes)).toBe(true)
  },
  20_000,
)
