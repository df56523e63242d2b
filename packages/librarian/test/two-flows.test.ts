/** Two librarians of ours, over real HTTP: what one keeps, the other has soon, and both know it (librarian 11.4). */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MemoryStore } from '../src/stores/memory.ts'
import type { MemoryContent } from '../src/stores/memory-content.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import type { TaskResult } from '../src/tasks/task.ts'
import { addUser, openTestHouse, passwordOf, type TestHouse } from './house.ts'
import { bytesOf } from './world.ts'

interface Site {
  readonly house: TestHouse
  readonly store: MemoryStore
  readonly port: number
}

const task = { task_name: 't', every: '10:00:00' }
const stop = { signal: new AbortController() }
let a: Site
let b: Site
let working: Promise<unknown>

beforeEach(async () => {
  stop.signal = new AbortController()
  a = await openSite('a', {
    send_clone: [
      {
        ...task,
        destination_librarian: 'b',
        age_in_days: 10,
        store_preference: null,
        warn_disabled_timer: null,
        send_batch_size: 16,
      },
    ],
    consume_queue: [task],
    check_consumed_queue: [task],
  })
  b = await openSite('b', { recieve_clone: [{ ...task, deletion_policy: 0 }] })
  await meet(a, b)
  await meet(b, a)
  working = Promise.all([a, b].flatMap(({ house }) => house.features.map(each => each.work?.(stop.signal.signal))))
})
afterEach(async () => {
  stop.signal.abort()
  await working
  for (const { house, store } of [a, b]) {
    await house[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
})

async function openSite(name: string, background: object): Promise<Site> {
  const store = new MemoryStore({ name: `store-of-${name}` })
  const site = {
    name: store.name,
    ingestable: true,
    transferManagers: { local: { available: true, hostnames: ['x'] } },
  }
  const house = await openTestHouse({
    settings: { name, encryption_key: randomBytes(32).toString('base64url'), background },
    stores: [{ id: 1, store, ...site }],
  })
  await house.catalogue.stores.synchronise({ stores: [{ ...site, type: 'local', data: {} }] })
  await house.app.listen({ host: '127.0.0.1', port: 0 })
  return { house, store, port: (house.app.server.address() as AddressInfo).port }
}

/** `one` has an account for the other, and the other's librarian row. */
async function meet(one: Site, other: Site): Promise<void> {
  const { name } = other.house.settings
  await addUser(one.house.catalogue, name, 'READAPPEND')
  const added = await one.house.post('admin/librarians/add', {
    librarian_name: name,
    url: 'http://127.0.0.1',
    port: other.port,
    authenticator: `${one.house.settings.name}:${passwordOf(one.house.settings.name)}`,
    check_connection: false,
  })
  expect(added.body).toMatchObject({ success: true })
}

async function keep({ house, store }: Site, name: string, content: MemoryContent): Promise<void> {
  const { size, checksum } = await describeContent(content, undefined)
  const uploadName = name.slice(name.lastIndexOf('/') + 1)
  const announced = { upload_size: size, upload_checksum: checksum, upload_name: uploadName, uploader: 'ada' }
  const { body } = await house.post('upload/stage', { ...announced, destination_location: name })
  store.stage(body.staging_name, uploadName, content)
  const commit = { ...body, ...announced, destination_location: name, deletion_policy: '0' }
  const given = { transfer_provider_name: 'local', transfer_provider: { hostnames: ['x'] }, meta_mode: 'infer' }
  expect((await house.post('upload/commit', { ...commit, ...given, null_obsid: true })).status).toBe(200)
}

async function run({ house }: Site, key: 'send_clone'): Promise<TaskResult> {
  const kind = house.features.flatMap(({ tasks = [] }) => tasks).find(each => each.key === key)!
  const { signal } = stop.signal
  const context = { signal, isOverdue: () => false, progress: () => {}, cursor: undefined, keep: () => {} }
  return await kind.run(house.settings.background[key][0] as never, context)
}

const statuses = async () =>
  (await a.house.sql('SELECT DISTINCT status FROM outgoing_transfer')).map(({ status }) => status)

test('files of all sizes and trees arrive within seconds, and are complete on both sides', async () => {
  for (let n = 0; n < 40; n++) await keep(a, `night/${n}`, bytesOf(`file ${n}`))
  await keep(a, 'empty', bytesOf(''))
  await keep(a, 'large', new Uint8Array(randomBytes(3 << 20)))
  const members: [string, Uint8Array][] = ['x', 'y/z'].map(path => [path, bytesOf(path)])
  await keep(a, 'tree', new Map(members))
  expect(await run(a, 'send_clone')).toMatchObject({ outcome: 'done', counts: { sent: 43, failed: 0 } })
  await expect.poll(statuses, { timeout: 20_000, interval: 50 }).toEqual(['COMPLETED'])
  const [kept] = await b.house.sql('SELECT count(*) AS n FROM instance')
  const [known] = await a.house.sql('SELECT count(*) AS n FROM remote_instance')
  expect([kept?.n, known?.n]).toEqual([43, 43])
  const names = 'SELECT name, size, checksum, sha256 FROM file ORDER BY name'
  expect(await b.house.sql(names)).toEqual(await a.house.sql(names))
  await expect
    .poll(() => a.house.sql('SELECT count(*) AS n FROM send_item WHERE completed = 0'), { timeout: 20_000 })
    .toEqual([{ n: 0 }])
  expect(await a.house.sql('SELECT sum(bytes_transferred) AS n FROM completed_transfer')).toEqual(
    await a.house.sql('SELECT sum(size) AS n FROM file'),
  )
  expect(await run(a, 'send_clone')).toMatchObject({ counts: { sent: 0, known: 0 } })
})

test('what the receiver has already is known of, and another content of the same name is told and left', async () => {
  await keep(b, 'same', bytesOf('same'))
  await keep(b, 'other', bytesOf('theirs'))
  for (const [name, content] of [
    ['same', 'same'],
    ['other', 'ours'],
    ['new', 'new'],
  ] as const)
    await keep(a, name, bytesOf(content))
  expect(await run(a, 'send_clone')).toMatchObject({ counts: { sent: 1, known: 1, failed: 1 } })
  const completed = () => a.house.sql('SELECT file_name FROM remote_instance ORDER BY file_name')
  await expect.poll(completed, { timeout: 20_000, interval: 50 }).toEqual([{ file_name: 'new' }, { file_name: 'same' }])
  const [alarm] = await a.house.sql(`SELECT message FROM error WHERE category = 'DATA_INTEGRITY'`)
  expect(alarm?.message).toContain('other cannot be sent to b')
})
