/** The receiver fetches (decision 0031): bundles, large files, trees, kills, senders that lie or go away. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ArchivePlan } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { announce, startGiver, startTaker, until } from './two-librarians.ts'

const smallFiles = (count: number, size = 2000) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`set/${n % 10}/f${n}`, new Uint8Array(randomBytes(size + n))]),
  )

test('many small files come as bundles, a large one with ranges, and the sender hears of each', async () => {
  const files = { ...smallFiles(700), empty: new Uint8Array(), 'big/one': new Uint8Array(randomBytes(3_000_001)) }
  await using giver = await startGiver({ files })
  await using taker = await startTaker({ giverPort: giver.app.port })
  taker.start()
  const pairs = await announce(taker, files)
  expect(await taker.asGiver.clone.pull({ transfers: pairs })).toMatchObject({ refused: [] })
  await until(
    () => giver.completed.length === 702,
    () => taker.logged.slice(-5).join('\n'),
  )
  expect(giver.completed.map(one => one.source_transfer_id).toSorted((a, b) => a - b)).toEqual(
    pairs.map(one => one.source_transfer_id),
  )
  expect(new Set(Object.values(await taker.statuses()))).toEqual(new Set(['COMPLETED']))
  for (const [name, content] of Object.entries(files)) {
    await using open = await taker.world.store.open(name)
    const bytes = Buffer.concat(await Array.fromAsync(open.read(0, open.size)))
    expect(bytes.equals(content)).toBe(true)
  }
  expect(giver.requests.filter(path => path.endsWith('/bundle')).length).toBeLessThan(6)
  const [file] = await taker.world.ground.catalogue.serving.many({ names: ['big/one'] })
  expect(file).toMatchObject({ copies: [{ state: 'ok' }] })
}, 60_000)

const text = (content: string) => new Uint8Array(Buffer.from(content))
const tree = (members: Record<string, Uint8Array | null>) => new Map(Object.entries(members))

test('trees come as they are, small ones and large ones, with directories that have nothing in them', async () => {
  const files = {
    small: tree({ 'a.txt': text('abc'), 'sub/b': text(''), void: null }),
    large: tree({
      'm/1': new Uint8Array(randomBytes(2_500_000)),
      'm/2': text('two'),
      'z/3': new Uint8Array(randomBytes(900_000)),
    }),
    none: tree({ only: null }),
    between: text('a plain file'),
  }
  await using giver = await startGiver({ files })
  await using taker = await startTaker({ giverPort: giver.app.port })
  taker.start()
  await taker.asGiver.clone.pull({ transfers: await announce(taker, files) })
  await until(
    () => giver.completed.length === 4,
    () => taker.logged.slice(-5).join('\n'),
  )
  for (const name of Object.keys(files)) {
    const [given] = await giver.world.ground.catalogue.serving.many({ names: [name] })
    const [taken] = await taker.world.ground.catalogue.serving.many({ names: [name] })
    // Of a tree this is the digest of its manifest: names, directories and bytes.
    expect(taken).toMatchObject({ kind: given!.kind, sha256: given!.sha256, size: given!.size })
  }
}, 30_000)

test('what a sender does not have, or has with other bytes, fails alone and it is told why', async () => {
  const files = {
    ...smallFiles(20),
    missing: text('never there'),
    swapped: text('these'),
    longer: text('short'),
    big: new Uint8Array(randomBytes(1_200_000)),
  }
  const { missing: _, ...kept } = files
  await using giver = await startGiver({
    files: {
      ...kept,
      swapped: text('those'),
      longer: text('much longer'),
      big: new Uint8Array(randomBytes(1_200_000)),
    },
  })
  await using taker = await startTaker({ giverPort: giver.app.port })
  taker.start()
  const pairs = await announce(taker, files)
  await taker.asGiver.clone.pull({ transfers: pairs })
  await until(
    () => giver.completed.length === 20 && giver.failed.length === 4,
    () => taker.logged.slice(-8).join('\n'),
  )
  expect(giver.failed.toSorted((a, b) => a - b)).toEqual([21, 22, 23, 24])
  expect(await taker.statuses()).toMatchObject({
    missing: 'FAILED',
    swapped: 'FAILED',
    longer: 'FAILED',
    big: 'FAILED',
    'set/0/f0': 'COMPLETED',
  })
  const rows = await taker.world.ground.catalogue.uploads.list({ statuses: ['FAILED'], limit: 10 })
  const reasons = Object.fromEntries(rows.map(row => [row.store_path, row.reason]))
  expect(reasons.missing).toMatch(/there is no file/)
  expect(reasons.longer).toMatch(/must have 5 bytes/)
  expect(reasons.swapped).toMatch(/not those that were announced/)
  for (const name of ['missing', 'swapped', 'longer', 'big']) expect(await taker.world.store.stat(name)).toBeUndefined()
  expect(await Array.fromAsync(taker.world.store.spools())).toEqual([])
}, 30_000)

test('D7: a sender whose bytes do not match reads its copy, and sends it no more until it is good', async () => {
  const large = (n: number) => new Uint8Array(Buffer.alloc(1_200_000, n))
  const files = { small: text('these'), big: large(1) }
  const rotten = { small: text('those'), big: large(2) }
  await using giver = await startGiver({ files })
  const { store, ground } = giver.world
  for (const [name, content] of Object.entries(rotten)) store.rot(name, content)
  await using taker = await startTaker({ giverPort: giver.app.port })
  taker.start()
  await taker.asGiver.clone.pull({ transfers: await announce(taker, files) })
  const states = async () => {
    const found = await ground.catalogue.serving.many({ names: ['big', 'small'] })
    return found.flatMap(({ copies }) => copies.map(({ state }) => state))
  }
  await until(
    async () => giver.failed.length === 2 && (await states()).every(state => state === 'mismatch'),
    () => taker.logged.slice(-8).join('\n'),
  )
  expect(await taker.statuses()).toEqual({ small: 'FAILED', big: 'FAILED' })
  // Asked and answered: nothing of it is left to be told.
  await until(async () => (await taker.world.ground.catalogue.outbox.waiting()).length === 0)
}, 30_000)

test('a connection that breaks in the middle of a bundle costs no file, and none is asked for twice that came', async () => {
  const files = smallFiles(300, 20_000)
  let cuts = 0
  let asked = 0
  await using giver = await startGiver({
    files,
    wrap: raw =>
      raw.path.endsWith('/bundle')
        ? {
            ...raw,
            async handle(request, response, call) {
              asked++
              if (++cuts > 3) return raw.handle(request, response, call)
              let left = 900_000
              const write = response.write.bind(response) as (...given: unknown[]) => boolean
              response.write = ((piece: Uint8Array, ...rest: unknown[]) => {
                left -= piece.length
                if (left < 0) response.destroy()
                return write(piece, ...rest)
              }) as typeof response.write
              await raw.handle(request, response, call).catch(() => {})
            },
          }
        : raw,
  })
  await using taker = await startTaker({ giverPort: giver.app.port })
  taker.start()
  await taker.asGiver.clone.pull({ transfers: await announce(taker, files) })
  await until(
    () => giver.completed.length === 300,
    () => taker.logged.slice(-5).join('\n'),
  )
  expect(giver.failed).toEqual([])
  expect(asked).toBeGreaterThan(3)
}, 30_000)

test('the receiver is killed again and again: the next one goes on, and every file is kept and told of once', async () => {
  const files = {
    ...smallFiles(250),
    big: new Uint8Array(randomBytes(2_000_000)),
    tree: tree({ a: new Uint8Array(randomBytes(1_500_000)), b: text('b') }),
  }
  await using giver = await startGiver({ files })
  const first = await startTaker({ giverPort: giver.app.port })
  const { ground } = first.world
  const pairs = await announce(first, files)
  await first.asGiver.clone.pull({ transfers: pairs })
  first.start()
  await until(() => giver.requests.length > 0)
  await first.stop()
  await first.app[Symbol.asyncDispose]()
  for (let life = 0; life < 4; life++) {
    await using taker = await startTaker({ giverPort: giver.app.port, ground: { ...ground } })
    taker.start()
    const before = giver.requests.length
    if (life < 3) await until(async () => giver.requests.length > before || !(await isOpen(taker)))
    else
      await until(
        async () => !(await isOpen(taker)) && (await ground.catalogue.outbox.waiting()).length === 0,
        () => taker.logged.slice(-5).join('\n'),
      )
    await taker.stop()
    expect(new Set(Object.values(await taker.statuses())).has('FAILED')).toBe(false)
  }
  expect(new Set(giver.completed.map(one => one.source_transfer_id)).size).toBe(252)
  for (const store of ground.stores) await store[Symbol.asyncDispose]()
}, 60_000)

async function isOpen(taker: { statuses(): Promise<Record<string, string>> }): Promise<boolean> {
  return Object.values(await taker.statuses()).some(status => status === 'ONGOING')
}

test('a sender that goes away leaves everything open; when it is back under its address, all comes', async () => {
  const files = smallFiles(30)
  const away = await startGiver({ files })
  const { port } = away.app
  await using taker = await startTaker({ giverPort: port })
  const pairs = await announce(taker, files)
  await away[Symbol.asyncDispose]()
  await taker.asGiver.clone.pull({ transfers: pairs })
  taker.start()
  await until(() => taker.logged.some(line => line.includes('Nothing can be fetched')))
  expect(await isOpen(taker)).toBe(true)
  await using back = await startGiver({ files })
  const { catalogue } = taker.world.ground
  const { name, url, authenticator } = (await catalogue.peers.find({ name: 'a' }))!
  await catalogue.peers.remove({ name, failTransfers: false })
  await catalogue.peers.add({ name, url, authenticator, port: back.app.port })
  await until(
    () => back.completed.length === 30,
    () => taker.logged.slice(-5).join('\n'),
  )
  expect(Object.values(await taker.statuses()).every(status => status === 'COMPLETED')).toBe(true)
}, 30_000)

test('what is here already under its name completes without a second copy, and the sender is told where it is', async () => {
  const files = { known: text('the very same'), fresh: text('new') }
  await using giver = await startGiver({ files })
  await using taker = await startTaker({ giverPort: giver.app.port })
  const pairs = await announce(taker, files)
  await taker.world.upload('known', files.known)
  taker.start()
  await taker.asGiver.clone.pull({ transfers: pairs })
  await until(
    () => giver.completed.length === 2,
    () => taker.logged.slice(-5).join('\n'),
  )
  expect(giver.completed.find(one => one.source_transfer_id === 1)).toMatchObject({ store_id: 1 })
  expect(await taker.statuses()).toEqual({ known: 'COMPLETED', fresh: 'COMPLETED' })
}, 30_000)

test('only its own transfers may a caller have fetched, and only open ones', async () => {
  await using giver = await startGiver({ files: {} })
  await using taker = await startTaker({ giverPort: giver.app.port })
  const files = { one: text('1'), two: text('2') }
  const [one, two] = await announce(taker, files)
  await taker.asGiver.clone.fail({ ...two!, reason: 'no' })
  const { accepted, refused } = await taker.asGiver.clone.pull({
    transfers: [
      one!,
      two!,
      { ...one!, source_transfer_id: 77 },
      { source_transfer_id: 5, destination_transfer_id: 999 },
    ],
  })
  expect(accepted).toEqual([one!.destination_transfer_id])
  expect(refused).toMatchObject(
    [{ reason: /it is FAILED/ }, { reason: /no such transfer/ }, { reason: /no such transfer/ }].map(({ reason }) => ({
      reason: expect.stringMatching(reason),
    })),
  )
})

const plan = new ArchivePlan([{ path: '../../etc/passwd', type: 'file', size: 3 }])
const other = Buffer.concat(
  [...plan.parts(0, plan.size)].map(part => ('bytes' in part ? part.bytes : Buffer.from('abc'))),
)

test.each([
  ['no archive at all', Buffer.from('<html>welcome</html>'.repeat(100))],
  ['an entry of another name', other],
  ['the beginning of an archive', other.subarray(0, 300)],
  ['nothing', Buffer.alloc(0)],
])(
  'a sender that sends %s for a bundle gets nothing kept, and its transfers end',
  async (_, body) => {
    const files = { one: text('abc'), two: text('def') }
    await using giver = await startGiver({
      files: {},
      wrap: raw => ({
        ...raw,
        async handle(request, response) {
          await request.resume().toArray()
          response.writeHead(200, { 'content-type': 'application/x-tar' }).end(body)
        },
      }),
    })
    await using taker = await startTaker({ giverPort: giver.app.port })
    taker.start()
    await taker.asGiver.clone.pull({ transfers: await announce(taker, files) })
    await until(
      () => giver.failed.length === 2,
      () => taker.logged.slice(-5).join('\n'),
    )
    expect(await taker.statuses()).toEqual({ one: 'FAILED', two: 'FAILED' })
    expect(await Array.fromAsync(taker.world.store.scan())).toEqual([])
    expect(giver.requests.length).toBeLessThan(20)
  },
  30_000,
)

test('a redirect to another place is not followed, and our password is not shown there', async () => {
  const elsewhere: string[] = []
  const server = createServer((request, response) => {
    elsewhere.push(String(request.headers.authorization))
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const files = { small: text('abc'), large: new Uint8Array(randomBytes(1_100_000)) }
  await using giver = await startGiver({
    files: {},
    wrap: raw => ({
      ...raw,
      async handle(request, response) {
        await request.resume().toArray()
        response.writeHead(307, { location: `http://localhost:${port}/` }).end()
      },
    }),
  })
  await using taker = await startTaker({ giverPort: giver.app.port })
  taker.start()
  await taker.asGiver.clone.pull({ transfers: await announce(taker, files) })
  await until(() => giver.requests.length > 3)
  await taker.stop()
  expect(elsewhere).toEqual([])
  server.close()
}, 30_000)

test('two processes of one librarian fetch each file once between them', async () => {
  const files = smallFiles(400)
  await using giver = await startGiver({ files })
  await using one = await startTaker({ giverPort: giver.app.port })
  await using two = await startTaker({ giverPort: giver.app.port, ground: one.world.ground })
  await one.asGiver.clone.pull({ transfers: await announce(one, files) })
  one.start()
  two.start()
  await until(async () => (await one.world.ground.catalogue.outbox.waiting()).length === 0 && !(await isOpen(one)))
  expect(new Set(Object.values(await one.statuses()))).toEqual(new Set(['COMPLETED']))
  expect(giver.completed).toHaveLength(400)
  expect(giver.requests).toEqual(['/api/v2/clone/bundle'])
}, 30_000)

test('what its sender ends while it comes is not fetched to its end, and nothing of it is kept', async () => {
  const files = { large: new Uint8Array(randomBytes(1_500_000)) }
  let isCut = false
  await using giver = await startGiver({
    files,
    wrap: raw => ({
      ...raw,
      // A slow one: it says what is to come, and then nothing more.
      async handle(request, response, { signal }) {
        response.writeHead(200, { 'content-length': 1_500_000, etag: '"1"', 'accept-ranges': 'bytes' })
        if (request.method === 'HEAD') return void response.end()
        response.write(Buffer.alloc(1000))
        await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
        isCut = true
      },
    }),
  })
  await using taker = await startTaker({ giverPort: giver.app.port })
  const [pair] = await announce(taker, files)
  await taker.asGiver.clone.pull({ transfers: [pair!] })
  taker.start()
  await until(() => giver.requests.length > 0)
  await taker.asGiver.clone.fail({ ...pair!, reason: 'not wanted any more' })
  await until(() => isCut)
  expect(await taker.statuses()).toEqual({ large: 'FAILED' })
  expect(giver.failed).toEqual([])
  expect(await taker.world.store.stat('large')).toBeUndefined()
}, 30_000)
