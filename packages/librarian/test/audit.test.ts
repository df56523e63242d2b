/** F4: what a privileged call changes and the entry that says so are one transaction. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isUnserved } from '../src/app/unserved.ts'
import { allEndpoints } from '../src/app.ts'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { isPrivileged } from '../src/services/audit.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import { insertFile, insertInstance, insertPeer, insertRemote } from './catalogue-rows.ts'
import { addUser, openTestHouse, passwordOf, type TestHouse } from './house.ts'
import { bytesOf } from './world.ts'

let house: TestHouse
const stores = ['main', 'second'].map(name => new MemoryStore({ name }))
const content = bytesOf('found')

/** As if the process were killed right after every change: no entry that comes afterwards is ever written. */
const killedAfterwards = (catalogue: Catalogue): Catalogue => ({
  ...catalogue,
  audit: {
    ...catalogue.audit,
    append: async () => {
      throw new Error('too late')
    },
  },
})

beforeAll(async () => {
  house = await openTestHouse({
    settings: { name: 'here', encryption_key: randomBytes(32).toString('base64url'), deletion: { proofs: 1 } },
    stores: stores.map((store, at) => ({
      id: at + 1,
      name: store.name,
      store,
      ingestable: true,
      transferManagers: {},
    })),
    wrapCatalogue: killedAfterwards,
  })
  await house.catalogue.stores.synchronise({
    stores: stores.map(({ name }) => ({ name, ingestable: true, type: 'local', data: {}, transferManagers: {} })),
  })
  await house.sql(insertPeer(1), insertFile('far', 1), insertRemote('far', 1), insertInstance('far', 1, 1))
  stores[0]!.damage('old', content)
})
afterAll(() => house[Symbol.asyncDispose]())

const disk = '11111111-2222-4333-8444-555555555555'
const otherDisk = '99999999-2222-4333-8444-555555555555'
const peer = generateKeyPairSync('ed25519')
/** Without what comes before it in DER. */
const peerKey = peer.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')

function signedByPeer(said: Record<string, unknown>) {
  const statement = JSON.stringify({ ...said, time: '2026-11-20T00:00:00Z', nonce: '0'.repeat(32) })
  return { statement, signature: sign(null, Buffer.from(statement), peer.privateKey).toString('base64') }
}

const calls: Record<string, (house: TestHouse) => Promise<Record<string, unknown>> | Record<string, unknown>> = {
  'sneakernet/trust': () => ({ librarian_name: 'peer-1', public_key: peerKey }),
  'sneakernet/begin': () => ({ disk_id: disk, librarian_name: 'peer-1' }),
  'sneakernet/add': () => ({ disk_id: disk, files: [] }),
  'sneakernet/seal': () => ({ disk_id: disk }),
  'sneakernet/sign': () => ({ disk_id: disk, tag_manifest: 'a'.repeat(64), files: 0, bytes: 0 }),
  'sneakernet/confirm': () => ({
    ...signedByPeer({
      purpose: 'arriero receipt 1',
      source: 'here',
      destination: 'peer-1',
      disk,
      pages: [createHash('sha256').digest('hex')],
    }),
    page: 0,
    lines: [],
  }),
  'sneakernet/give_up': () => ({ disk_id: disk }),
  'sneakernet/arrive': () =>
    signedByPeer({
      purpose: 'arriero disk 1',
      source: 'peer-1',
      destination: 'here',
      disk: otherDisk,
      tag_manifest: 'a'.repeat(64),
      files: 0,
      bytes: 0,
    }),
  'sneakernet/settle': () => ({ disk_id: otherDisk, files: [], is_read: true }),
  'users/create': () => ({ username: 'ada', password: 'hush', permission: 1 }),
  'users/update': () => ({ username: 'ada', permission: 3 }),
  'users/delete': () => ({ username: 'ada' }),
  'users/password_update': () => ({ password: passwordOf('admin'), new_password: passwordOf('admin') }),
  'error/raise': () => ({ severity: 'error', category: 'transfer', message: 'by hand' }),
  'error/clear': async ({ catalogue }) => {
    const [error] = await catalogue.errors.search({ includeResolved: false, limit: 1 })
    return { id: error!.id }
  },
  'tasks/run': async ({ sql }) => {
    await sql(
      `INSERT INTO task (id, kind, name, next_run, counts) VALUES ('repair:0', 'repair', 'a', '2026-01-01T00:00:00.000000Z', '{}')`,
    )
    return { id: 'repair:0' }
  },
  'dashboard/transfer_retry': async ({ sql }) => {
    const time = '2026-01-01T00:00:00.000000Z'
    await sql(
      `INSERT INTO send_item (id, priority, created_time, retries, destination, method, async_transfer_manager, next_try)
       VALUES (77, 0, '${time}', 1, 'far', 'http', '{}', '2999-01-01T00:00:00.000000Z')`,
      `INSERT INTO outgoing_transfer (id, status, destination, transfer_size, transfer_checksum, start_time, instance_id,
         send_queue_id) VALUES (77, 'INITIATED', 'far', 1, 'xxh3:::1', '${time}', 1, 77)`,
    )
    return { direction: 'out', id: 77 }
  },
  'admin/destruction/propose': () => ({ file_name: 'far', reason: 'wrong' }),
  'admin/destruction/confirm': async ({ catalogue, sql }) => {
    const id = 'd'.repeat(32)
    await sql(insertFile('bare', 2))
    await addUser(catalogue, 'ben', 'ADMIN')
    await catalogue.destructions.propose({ id, fileName: 'bare', reason: 'wrong', by: 'ben' })
    return { destruction_id: id, file_name: 'bare' }
  },
  'admin/add_file': async () => ({
    ...(await describeContent(content, undefined)),
    name: 'old',
    create_time: '2020-01-01T00:00:00',
    uploader: 'u',
    source: 's',
    path: stores[0]!.pathOf('old'),
    store_name: 'main',
  }),
  'admin/stores/state_change': () => ({ store_name: 'main', enabled: true }),
  'admin/stores/manifest': () => ({ store_name: 'main' }),
  'admin/librarians/add': () => ({
    librarian_name: 'new',
    url: 'http://127.0.0.1',
    port: 1,
    authenticator: 'a:b',
    check_connection: false,
  }),
  'admin/librarians/transfer_status/change': () => ({ librarian_name: 'new', transfers_enabled: false }),
  'admin/instance/delete_remote': () => ({ instance_id: 1 }),
  'admin/librarians/remove': () => ({ librarian_name: 'new' }),
  'admin/instance/delete_local': async ({ catalogue }) => {
    stores[1]!.damage('old', content)
    await catalogue.instances.add({ name: 'old', storeId: 2, path: stores[1]!.pathOf('old') })
    const { instances } = (await catalogue.instances.ofFile({ name: 'old' }))!
    return { instance_id: instances[0]!.id, delete_file: true }
  },
  'admin/trash/restore': async ({ catalogue }) => ({ trash_id: (await catalogue.trash.list({}))[0]!.id }),
  'repair/file': () => {
    stores[0]!.damage('old', bytesOf('rotten'))
    return { file_name: 'old' }
  },
  'admin/instance/delete': () => ({ file_name: 'old', store_name: 'main', reason: 'room' }),
}

/** Whose entry is the deletion gate's own. */
const actionOf: Readonly<Record<string, string>> = {
  'admin/instance/delete_local': 'deletion/trash',
  'admin/trash/restore': 'deletion/restore',
  'admin/instance/delete': 'deletion/trash',
  'repair/file': 'repair',
}

test('every privileged endpoint is in the table above', () => {
  const privileged = allEndpoints().filter(endpoint => isPrivileged(endpoint) && !isUnserved(endpoint))
  expect(Object.keys(calls).sort()).toEqual(privileged.map(({ path }) => path).sort())
})

test.each(Object.entries(calls))('%s leaves its entry though nothing is written after it', async (path, requestOf) => {
  const before = (await house.catalogue.audit.list({ limit: 1000 })).length
  const request = await requestOf(house)
  const { status, body } = await house.post(path, request)
  expect([path, status < 300, body]).toEqual([path, true, body])
  const entries = await house.catalogue.audit.list({ limit: 1000 })
  const added = entries.slice(0, entries.length - before)
  expect(added).toHaveLength(1)
  const detail = JSON.parse(added[0]!.detail)
  expect(detail).toMatchObject({ outcome: 'done' })
  expect(added[0]!.action).toBe(actionOf[path] ?? path)
  expect(added[0]!.actor).toBe('admin')
  expect(added[0]!.detail).not.toContain('hush')
})

test('the entries are one chain', async () => {
  const { checked, broken } = await house.catalogue.audit.verify({})
  expect([checked, broken]).toEqual([Object.keys(calls).length, undefined])
})
