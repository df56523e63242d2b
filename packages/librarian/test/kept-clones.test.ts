/** What receivers and downstream librarians call (librarian 10.3, 10.10), on the whole server without a socket. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { Secret } from '../src/config/secret.ts'
import { createFernet } from '../src/secrets/fernet.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import { insertFile, insertInstance, insertRemote, insertStore } from './catalogue-rows.ts'
import { addUser, basic, openTestHouse, passwordOf, type TestHouse } from './house.ts'
import { type ScriptedReceiver, startReceiver } from './scripted-receiver.ts'
import { bytesOf } from './world.ts'

const key = randomBytes(32).toString('base64url')
const task = { task_name: 't', every: '01:00:00' }
let house: TestHouse
let receiver: ScriptedReceiver
let store: MemoryStore

beforeEach(async () => {
  receiver = await startReceiver()
  receiver.providers = { http: { hostnames: [], protocol: 'pull', version: 1 } }
  store = new MemoryStore({ name: 'store-1' })
  house = await openTestHouse({
    settings: {
      name: 'here',
      encryption_key: key,
      background: { consume_queue: [task], check_consumed_queue: [task] },
    },
    stores: [
      {
        id: 1,
        name: 'store-1',
        store,
        ingestable: true,
        transferManagers: { local: { available: true, hostnames: ['here'] } },
      },
    ],
  })
  const authenticator = createFernet(new Secret(key), { clock: systemClock, random: randomBytes }).encrypt(
    'here:secret',
  )
  await house.sql(insertStore(1))
  await house.catalogue.peers.add({ name: 'far', url: 'http://127.0.0.1', port: receiver.port, authenticator })
  await addUser(house.catalogue, 'far', 'CALLBACK')
  await addUser(house.catalogue, 'eve', 'CALLBACK')
})
afterEach(async () => {
  await house[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

const as = (name: string) => ({ authorization: basic(name, passwordOf(name)) })
const post = (path: string, body: unknown, name = 'far') => house.post(path, body, '', as(name))

/** Transfers to `far`, by name of the file, that are where the receiver has all bytes. */
async function staged(...names: string[]): Promise<number[]> {
  const ids: number[] = []
  for (const [n, name] of names.entries()) {
    await house.sql(insertFile(name, n + 1), insertInstance(name, 1, n + 1))
    const [row] = await house.sql(
      `INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, file_name, instance_id, remote_transfer_id)
       VALUES ('STAGED', 'far', 1, 'x', '2026-01-01T00:00:00.000000Z', '${name}', ${n + 1}, ${100 + n}) RETURNING id`,
    )
    ids.push(row?.id as number)
  }
  return ids
}

describe('clone/complete', () => {
  test('completes the caller’s own transfer, also when it is told twice', async () => {
    const [id] = await staged('a')
    const told = { source_transfer_id: id, destination_transfer_id: 100, store_id: 3 }
    for (let time = 0; time < 2; time++) {
      expect(await post('clone/complete', told)).toMatchObject({
        status: 200,
        body: { source_transfer_id: id, destination_transfer_id: 100 },
      })
    }
    expect(await house.sql('SELECT store_id, sender FROM remote_instance')).toEqual([{ store_id: 3, sender: 'here' }])
    const found = await house.post('transfers/outgoing', { destination: 'far' })
    expect(found.body.transfers).toMatchObject([
      { transfer_id: id, status: 3, file_name: 'a', remote_transfer_id: 100 },
    ])
    expect(found.body.transfers[0].end_time).toMatch(/^\d{4}-/)
  })

  test('refuses as real servers do: what is not there, another’s, in a wrong state, of nobody known', async () => {
    const [id] = await staged('a')
    const told = { source_transfer_id: id, destination_transfer_id: 100, store_id: 3 }
    const missing = { reason: 'Could not find transfer.', source_transfer_id: 999, destination_transfer_id: 100 }
    expect(await post('clone/complete', { ...told, source_transfer_id: 999 })).toMatchObject({
      status: 400,
      body: missing,
    })
    expect(await post('clone/complete', told, 'eve')).toMatchObject({
      status: 400,
      body: { ...missing, source_transfer_id: id },
    })
    expect((await house.post('clone/complete', told, 'READONLY')).status).toBe(401)
    await house.sql(`UPDATE outgoing_transfer SET status = 'FAILED'`)
    expect(await post('clone/complete', told)).toMatchObject({ status: 406, body: { source_transfer_id: id } })
    expect(await house.sql('SELECT id FROM remote_instance')).toEqual([])
  })

  test('of a librarian that was removed changes nothing', async () => {
    const [id] = await staged('a')
    await house.sql('DELETE FROM peer')
    const told = { source_transfer_id: id, destination_transfer_id: 100, store_id: 3 }
    expect((await post('clone/complete', told)).status).toBe(400)
    expect(await house.sql('SELECT status FROM outgoing_transfer')).toEqual([{ status: 'STAGED' }])
  })

  test('many at once: each is judged by itself', async () => {
    const [a, b] = (await staged('a', 'b')) as [number, number]
    const pair = (id: number, remote: number) => ({
      source_transfer_id: id,
      destination_transfer_id: remote,
      store_id: 3,
    })
    const { status, body } = await post('clone/complete_many', { transfers: [pair(a, 100), pair(b, 5), pair(9, 9)] })
    expect([status, body.completed]).toEqual([200, [a]])
    expect(body.refused.map((each: { source_transfer_id: number }) => each.source_transfer_id)).toEqual([b, 9])
  })
})

describe('corrupt', () => {
  const order = { file_name: 'a', librarian_name: 'far' }
  const reasonOf = (body: { detail: string }) => JSON.parse(body.detail).reason

  /** A file that was uploaded here. */
  async function keep(name: string, content: Uint8Array): Promise<void> {
    const { size, checksum } = await describeContent(content, undefined)
    const announced = { upload_size: size, upload_checksum: checksum, upload_name: name, destination_location: name }
    const { body } = await house.post('upload/stage', { ...announced, uploader: 'admin' })
    store.stage(body.staging_name, name, content)
    const commit = {
      ...body,
      ...announced,
      deletion_policy: '0',
      uploader: 'admin',
      meta_mode: 'infer',
      null_obsid: true,
    }
    const provider = { transfer_provider_name: 'local', transfer_provider: { hostnames: ['here'] } }
    expect((await house.post('upload/commit', { ...commit, ...provider })).status).toBe(200)
  }

  test('nobody asks for another, and nobody unknown asks', async () => {
    for (const path of ['corrupt/prepare', 'corrupt/resend']) {
      expect((await post(path, order, 'eve')).status).toBe(401)
      expect((await post(path, { ...order, librarian_name: 'eve' }, 'eve')).status).toBe(401)
      expect((await house.post(path, order, 'ADMIN')).status).toBe(401)
    }
  })

  test('refuses with 409 what cannot be sent, and says why in a text that real clients can read', async () => {
    const refused = async () => {
      const { status, body } = await post('corrupt/prepare', order)
      expect(status).toBe(409)
      return reasonOf(body)
    }
    expect(await refused()).toContain('no file a')
    await house.sql(insertFile('a'), insertInstance('a', 1))
    expect(await refused()).toContain('every copy here is missing')
    await house.catalogue.peers.setTransfersEnabled({ name: 'far', enabled: false })
    expect(await refused()).toContain('switched off')
    await house.catalogue.peers.setTransfersEnabled({ name: 'far', enabled: true })
    receiver.fault = path => (path === 'ping/logged' ? { status: 401, body: { detail: 'no' } } : undefined)
    expect(await refused()).toContain('Cannot log in at far')
  })

  test('a copy is read in full before it is promised, and never sent where it is bad', async () => {
    await keep('a', bytesOf('good'))
    expect(await post('corrupt/prepare', order)).toMatchObject({ status: 200, body: { ready: true } })
    store.damage('a', bytesOf('evil'))
    const { status, body } = await post('corrupt/resend', order)
    expect([status, reasonOf(body)]).toEqual([409, 'Cannot send a: every copy here is mismatch'])
    expect(receiver.transfers).toEqual([])
  })

  test('resends although a copy is known there, which is not believed in any longer; not twice at once', async () => {
    await keep('a', bytesOf('good'))
    await house.sql(insertRemote('a', 1, 3))
    const answers = await Promise.all([post('corrupt/resend', order), post('corrupt/resend', order)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(answers.find(({ status }) => status === 200)?.body).toEqual({ success: true, destination_transfer_id: 1 })
    // Whoever is asked to fetch is not told to go on besides.
    expect(receiver.transfers).toMatchObject([{ name: 'a', status: 0 }])
    expect(await house.sql('SELECT id FROM remote_instance')).toEqual([])
    expect(await house.sql('SELECT method, consumed FROM send_item')).toEqual([{ method: 'http', consumed: 0 }])
  })

  test('is refused where the settings have no tasks that would move it', async () => {
    await using bare = await openTestHouse({ settings: { name: 'here', encryption_key: key } })
    const secret = createFernet(new Secret(key), { clock: systemClock, random: randomBytes })
    const peer = { name: 'far', url: 'http://127.0.0.1', port: receiver.port, authenticator: secret.encrypt('a:b') }
    await bare.catalogue.peers.add(peer)
    await addUser(bare.catalogue, 'far', 'CALLBACK')
    const { status, body } = await bare.post('corrupt/prepare', order, '', as('far'))
    expect([status, reasonOf(body)]).toEqual([409, expect.stringContaining('consume_queue')])
  })
})
