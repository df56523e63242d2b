/** What librarians prove to each other, over real connections (reliability B6, C1, E5; librarian 10.9; trap 2). */
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEngine } from '@arriero/transfer'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { Secret } from '../src/config/secret.ts'
import { silentLog } from '../src/log.ts'
import { createFernet } from '../src/secrets/fernet.ts'
import { createCopyReader } from '../src/services/copies/read-copies.ts'
import { createPeerConnections } from '../src/services/peer-connections.ts'
import { createPeerProofs } from '../src/services/proofs/ask-peers.ts'
import { createPeerUpstream } from '../src/services/repair/peer-upstream.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import type { MemoryContent } from '../src/stores/memory-content.ts'
import { addUser, openTestHouse, passwordOf, type TestHouse } from './house.ts'
import { keep, openIntegrity } from './open-integrity.ts'
import { bytesOf } from './world.ts'

const key = randomBytes(32).toString('base64url')
const fernet = createFernet(new Secret(`${key}=`), { clock: systemClock, random: randomBytes })

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

interface Site {
  readonly name: string
  readonly house: TestHouse
  readonly store: MemoryStore
  readonly port: number
}

async function openSite(name: string): Promise<Site> {
  const store = new MemoryStore({ name: 'main' })
  const site = { id: 1, name: 'main', store, ingestable: true, transferManagers: {} }
  const house = await openTestHouse({ settings: { name, encryption_key: `${key}=` }, stores: [site] })
  open.push(house)
  const row = { name: 'main', ingestable: true, type: 'local', data: {}, transferManagers: {} }
  await house.catalogue.stores.synchronise({ stores: [row] })
  await house.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = house.app.server.address() as AddressInfo
  return { name, house, store, port }
}

/** `from` knows `to`, has an account there, and thinks that it holds these files. */
async function knows(from: Site, to: Pick<Site, 'name' | 'port'> & { house?: TestHouse }, ...files: string[]) {
  if (to.house && !(await to.house.catalogue.accounts.find({ username: from.name }))) {
    await addUser(to.house.catalogue, from.name, 'CALLBACK')
  }
  const authenticator = fernet.encrypt(`${from.name}:${passwordOf(from.name)}`)
  await from.house.catalogue.peers.add({ name: to.name, url: 'http://127.0.0.1', port: to.port, authenticator })
  const { id } = (await from.house.catalogue.peers.find({ name: to.name }))!
  for (const file of files) {
    await from.house.sql(`INSERT INTO remote_instance (file_name, store_id, librarian_id, copy_time, sender)
      VALUES ('${file}', 1, ${id}, '2026-01-01T00:00:00.000000Z', '${from.name}')`)
  }
}

async function has(site: Site, name: string, content: MemoryContent = bytesOf('good'), source = 'far') {
  await keep({ catalogue: site.house.catalogue, stores: [site.store] }, name, content, { source })
}

function connectionsOf({ house: { catalogue } }: Site) {
  return createPeerConnections({ catalogue, fernet, connectOptions: { retries: 0 } })
}

function proofsOf(site: Site) {
  const { catalogue } = site.house
  const stores = { byId: () => ({ id: 1, name: 'main', store: site.store, ingestable: true, transferManagers: {} }) }
  const alarms = { raise: async () => {} }
  const reader = createCopyReader({ catalogue, stores, alarms, log: silentLog, by: site.name, atOnce: 2 })
  const connections = connectionsOf(site)
  return createPeerProofs({
    ...{ catalogue, stores, reader, connections, name: site.name },
    ...{ clock: systemClock, random: randomBytes, log: silentLog },
  })
}

async function twoSites(content: MemoryContent = bytesOf('good')) {
  const [a, b] = [await openSite('a'), await openSite('b')]
  await has(a, 'f', content)
  await has(b, 'f', content)
  await knows(a, b, 'f')
  return { a, b, proofs: proofsOf(a) }
}

test('E5, B6: a copy is proven by its bytes, read now, and stays while somebody counts on it', async () => {
  const trees: MemoryContent = new Map([
    ['a/b', bytesOf('one')],
    ['a.txt', bytesOf('two')],
    ['none', null],
  ])
  for (const content of [bytesOf('good'), trees]) {
    const { a, b, proofs } = await twoSites(content)
    const report = await proofs.ask({ fileName: 'f', holdSeconds: 600 })
    expect(report).toMatchObject({ own: { state: 'ok' }, disagreeing: [], claimed: [], unreachable: [], without: [] })
    expect(report.proven).toMatchObject([{ librarian: 'b', storeId: 1, instanceId: 1 }])
    expect(report.proven[0]!.heldUntilMs - performance.now()).toBeGreaterThan(600_000)
    expect(await b.house.catalogue.holds.isHeld({ instanceId: 1 })).toBe(true)
    await proofs.release(report.proven)
    expect(await b.house.catalogue.holds.isHeld({ instanceId: 1 })).toBe(false)
    expect(await a.house.catalogue.remoteProofs.ofFile({ name: 'f', limit: 9 })).toMatchObject([
      { medium: 'peer-challenge', outcome: 'ok', store_id: 1 },
    ])
    // Read for the challenge, so it is a proof there as well.
    expect(await b.house.sql('SELECT outcome FROM proof')).toEqual([{ outcome: 'ok' }])
  }
})

test('C1, trap 2: what the other one believes of its copy proves nothing: damage since its last reading is found', async () => {
  const { a, b, proofs } = await twoSites()
  b.store.damage('f', bytesOf('evil'))
  const report = await proofs.ask({ fileName: 'f', holdSeconds: 600 })
  expect(report).toMatchObject({ proven: [], disagreeing: [{ librarian: 'b', state: 'mismatch' }] })
  expect(await b.house.catalogue.holds.isHeld({ instanceId: 1 })).toBe(false)
  expect(await a.house.catalogue.remoteProofs.ofFile({ name: 'f', limit: 9 })).toMatchObject([{ outcome: 'mismatch' }])
  b.store.lose('f')
  expect(await proofs.ask({ fileName: 'f', holdSeconds: 0 })).toMatchObject({ disagreeing: [{ state: 'missing' }] })
})

test('E5: where our own bytes are not what the catalogue has, nothing is proven, and nothing is held', async () => {
  const { a, b, proofs } = await twoSites()
  a.store.damage('f', bytesOf('evil'))
  const report = await proofs.ask({ fileName: 'f', instanceId: 1, holdSeconds: 600 })
  expect(report).toMatchObject({ own: { state: 'mismatch' }, proven: [], claimed: [{ librarian: 'b' }] })
  expect(await b.house.catalogue.holds.isHeld({ instanceId: 1 })).toBe(false)
})

test('a copy in the trash is compared there', async () => {
  const { a, b, proofs } = await twoSites()
  const id = 'a'.repeat(32)
  await a.store.trash('f', id)
  await a.house.sql(`INSERT INTO trash (id, state, holder, instance_id, file_name, store_id, path, deletion_policy, available,
      actor, reason, proofs, trashed, trail_order) VALUES ('${id}', 'trashed', 'one', 1, 'f', 1, '/f', 'DISALLOWED', 1,
      'ada', '', '[]', '2026-01-01T00:00:00.000000Z', 1)`)
  const report = await proofs.ask({ fileName: 'f', instanceId: 1, trashId: id, holdSeconds: 0 })
  expect(report).toMatchObject({ own: { state: 'ok' }, proven: [{ librarian: b.name }] })
})

interface Liar {
  readonly server: Server
  readonly port: number
  readonly asked: Record<string, unknown>[]
}

/** A librarian that answers as it likes. */
async function openLiar(
  answer: (path: string, body: Record<string, unknown>) => unknown,
  capabilities = ['idempotency', 'flows'],
): Promise<Liar> {
  const asked: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request)
    const text = Buffer.concat(chunks as Buffer[]).toString()
    const body = text === '' ? {} : JSON.parse(text)
    const path = request.url!.replace('/api/v2/', '')
    const greeting = { name: 'x', description: '', capabilities, version: '0' }
    if (!path.startsWith('ping')) asked.push({ path, ...body })
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(path.startsWith('ping') ? greeting : answer(path, body)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  open.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  })
  return { server, port: (server.address() as AddressInfo).port, asked }
}

const copyAnswer = (answer: string, more: object = {}) => {
  return { store_id: 1, instance_id: 1, state: 'ok', size: 4, answer, hold_id: 'h', ...more }
}

test('E5: an answer of before, a digest, another’s name or two tellings of one store are no proof', async () => {
  const a = await openSite('a')
  await has(a, 'f')
  const { sha256 } = (await a.house.catalogue.instances.ofFile({ name: 'f' }))!.file
  const b = await openSite('b')
  await has(b, 'f')
  await addUser(b.house.catalogue, 'liar', 'CALLBACK')
  let replayed: string | undefined
  let mode = 'digest'
  const liar = await openLiar((path, body) => {
    if (path === 'proof/release') return { released: [] }
    const of: Record<string, unknown> = {
      digest: { librarian: 'liar', copies: [copyAnswer(sha256!)] },
      replay: { librarian: 'liar', copies: [copyAnswer(replayed ?? '')] },
      name: { librarian: 'a', copies: [copyAnswer(String(body.nonce))] },
      twice: { librarian: 'liar', copies: [copyAnswer('00'), copyAnswer('', { state: 'mismatch' })] },
    }
    return of[mode]
  })
  await knows(a, { name: 'liar', port: liar.port }, 'f')
  const proofs = proofsOf(a)
  const ask = () => proofs.ask({ fileName: 'f', holdSeconds: 60, timeoutMs: 20_000 })
  expect(await ask()).toMatchObject({ proven: [], disagreeing: [{ librarian: 'liar', state: 'mismatch' }] })
  // What was not proven is not held either.
  expect(liar.asked.filter(({ path }) => path === 'proof/release')).toHaveLength(1)
  // The right answer, to the nonce of before.
  const { nonce } = liar.asked[0]!
  const challenge = { file_name: 'f', nonce, hold_seconds: 0 }
  replayed = (await b.house.post('proof/challenge', challenge, 'CALLBACK')).body.copies[0].answer
  mode = 'replay'
  expect(await ask()).toMatchObject({ proven: [], disagreeing: [{ librarian: 'liar' }] })
  mode = 'name'
  expect(await ask()).toMatchObject({ proven: [], disagreeing: [], unreachable: [{ librarian: 'liar' }] })
  mode = 'twice'
  expect((await ask()).disagreeing).toMatchObject([{ librarian: 'liar', state: 'mismatch' }])
  const nonces = liar.asked.filter(({ path }) => path === 'proof/challenge').map(one => one.nonce)
  expect(new Set(nonces).size).toBe(4)
})

test('B3: a librarian that is not there, or is ourselves, proves nothing; one that has no copy says so', async () => {
  const { a, b, proofs } = await twoSites()
  const c = await openSite('c')
  await knows(a, c, 'f')
  await knows(a, { name: 'gone', port: 1 }, 'f')
  await addUser(a.house.catalogue, 'a', 'CALLBACK')
  // Its address leads back to us: our own copy would count for itself.
  await knows(a, { name: 'mirror', port: a.port }, 'f')
  const report = await proofs.ask({ fileName: 'f', holdSeconds: 0 })
  expect(report.proven).toMatchObject([{ librarian: b.name }])
  expect(report.without).toEqual(['c'])
  expect(report.unreachable.map(({ librarian }) => librarian).toSorted()).toEqual(['gone', 'mirror'])
})

test('a librarian of release 5.0.1 can only give its word, and only about its own copies', async () => {
  const a = await openSite('a')
  await has(a, 'f')
  const { file } = (await a.house.catalogue.instances.ofFile({ name: 'f' }))!
  const entry = (librarian: string, isSame: boolean, store: number) => ({
    ...{ librarian, store, instance_id: 5, original_checksum: file.checksum, original_size: 4 },
    ...{ current_checksum: isSame ? file.checksum : 'xxh3:::00', current_size: 4, computed_same_checksum: isSame },
  })
  const old = await openLiar(() => [entry('old', true, 1), entry('old', false, 2), entry('behind', true, 1)], [])
  await knows(a, { name: 'old', port: old.port }, 'f')
  const report = await proofsOf(a).ask({ fileName: 'f', holdSeconds: 60, timeoutMs: 20_000 })
  expect(report.proven).toEqual([])
  expect(report.claimed).toEqual([{ librarian: 'old', storeId: 1, instanceId: 5 }])
  expect(report.disagreeing).toMatchObject([{ librarian: 'old', storeId: 2, state: 'mismatch' }])
  expect((await a.house.catalogue.remoteProofs.ofFile({ name: 'f', limit: 9 })).map(({ medium }) => medium)).toEqual([
    'claim',
    'claim',
  ])
})

test('validate/file asks everybody once, also where librarians know each other in a circle', async () => {
  const sites = [await openSite('a'), await openSite('b'), await openSite('c')] as const
  for (const site of sites) await has(site, 'f')
  for (const from of sites) for (const to of sites) if (from !== to) await knows(from, to, 'f')
  const [a, b, c] = sites
  c.store.damage('f', bytesOf('evil'))
  const { status, body } = await a.house.post('validate/file', { file_name: 'f' })
  expect(status).toBe(200)
  const told = body.map(({ librarian, state }: { librarian: string; state: string }) => [librarian, state])
  expect(told.toSorted()).toEqual([
    ['a', 'ok'],
    ['b', 'ok'],
    ['c', 'mismatch'],
  ])
  // By the instance there, as each reading of it is.
  expect(await c.house.catalogue.instances.corrupt()).toMatchObject([{ instance_id: 1 }])
  expect(await b.house.catalogue.instances.corrupt()).toEqual([])
})

test('validate/file says who did not answer; with no copy at all it does not say that there is none', async () => {
  const a = await openSite('a')
  await has(a, 'f')
  await knows(a, { name: 'gone', port: 1 }, 'f')
  const { status, body } = await a.house.post('validate/file', { file_name: 'f' })
  expect(status).toBe(200)
  expect(body).toMatchObject([{ librarian: 'a', unreachable: ['gone'] }])
  const empty = await openSite('empty')
  await knows(a, empty, 'f')
  const { body: both } = await a.house.post('validate/file', { file_name: 'f' })
  expect(both).toMatchObject([{ librarian: 'a', unreachable: expect.arrayContaining(['gone', 'empty']) }])
  a.store.lose('f')
  const none = await a.house.post('validate/file', { file_name: 'f' })
  expect(none.status).toBe(503)
  expect(none.body.reason).toContain('gone')
})

test('C2: validate/file tells that a copy here is missing, also where others have good ones', async () => {
  const [a, b] = [await openSite('a'), await openSite('b')]
  for (const site of [a, b]) await has(site, 'f')
  await knows(a, b, 'f')
  a.store.lose('f')
  const { status, body } = await a.house.post('validate/file', { file_name: 'f' })
  expect(status).toBe(200)
  expect(body).toMatchObject([{ librarian: 'b', state: 'ok', absent: [{ librarian: 'a', state: 'missing' }] }])
  expect(body).toHaveLength(1)
})

test('B5: a bad copy is repaired with the bytes that another librarian of ours gives: a file, and a tree', async () => {
  const tree: MemoryContent = new Map([
    ['a b/ü', bytesOf('one')],
    ['empty', null],
    ['nothing', bytesOf('')],
  ])
  const [a, b] = [await openSite('a'), await openSite('b')]
  await knows(a, b)
  for (const [name, content] of [
    ['dir/f', bytesOf('good')],
    ['t', tree],
  ] as const) {
    await has(a, name, content, 'b')
    await has(b, name, content)
    a.store.damage(name, content instanceof Uint8Array ? bytesOf('evil') : new Map([['x', bytesOf('y')]]))
  }
  const { catalogue } = a.house
  await using engine = createEngine({ proxyFromEnvironment: false })
  const upstream = createPeerUpstream({ catalogue, connections: connectionsOf(a), engine, name: 'a' })
  const site = openIntegrity({ catalogue, stores: [a.store], upstream })
  for (const name of ['dir/f', 't']) {
    expect(await site.repair.repairFile(name, { actor: 'ada' })).toMatchObject([
      { state: 'mismatch', outcome: 'repaired', source: 'librarian b' },
    ])
    expect(await site.statesOf(name)).toEqual(['ok'])
    expect(await site.repair.repairFile(name, { actor: 'ada' })).toMatchObject([{ outcome: 'good' }])
  }
})

test('repair/file needs an administrator, and says what it did', async () => {
  const a = await openSite('a')
  await has(a, 'f')
  expect((await a.house.post('repair/file', { file_name: 'f' }, 'READWRITE')).status).toBe(401)
  const { status, body } = await a.house.post('repair/file', { file_name: 'f', dry_run: true })
  expect([status, body.copies]).toMatchObject([200, [{ outcome: 'good', store_name: 'main' }]])
  a.store.damage('f', bytesOf('evil'))
  const kept = await a.house.post('repair/file', { file_name: 'f' })
  expect(kept.body.copies).toMatchObject([{ outcome: 'kept', state: 'mismatch' }])
  expect((await a.house.post('repair/file', { file_name: 'none' })).status).toBe(404)
})
