/** What librarians sign of disks, and what they take from others (reliability 6: replayed or swapped signed manifests). */
import { createHash } from 'node:crypto'
import { receiptText } from '@arriero/api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertFile, insertInstance, insertPeer, insertStore } from './catalogue-rows.ts'
import { openTestHouse, type TestHouse } from './house.ts'

const disk = '11111111-2222-4333-8444-555555555555'
const tagManifest = 'a'.repeat(64)

let peru!: TestHouse
let chile!: TestHouse

beforeEach(async () => {
  peru = await house('peru', 'chile')
  chile = await house('chile', 'peru')
  for (const [name, n] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    await peru.sql(insertFile(name, n), insertInstance(name, 1))
  }
})
afterEach(async () => {
  await peru[Symbol.asyncDispose]()
  await chile[Symbol.asyncDispose]()
})

async function house(name: string, other: string): Promise<TestHouse> {
  const made = await openTestHouse({ settings: { name } })
  await made.sql(insertStore(1), insertPeer(1), `UPDATE peer SET name = '${other}'`)
  return made
}

async function good(at: TestHouse, path: string, body: object, as?: string) {
  const { status, body: answer } = await at.post(`sneakernet/${path}`, body, as)
  expect([status, answer], path).toEqual([200, answer])
  return answer
}

async function packed(): Promise<{ statement: string; signature: string }> {
  await good(peru, 'begin', { disk_id: disk, librarian_name: 'chile', label: 'seven' })
  const { files } = await good(peru, 'candidates', { librarian_name: 'chile' })
  expect(files).toHaveLength(2)
  await good(peru, 'add', {
    disk_id: disk,
    files: files.map(({ name, instance_id }: never) => ({ name, instance_id })),
  })
  const sealed = await good(peru, 'seal', { disk_id: disk })
  const sums = { files: sealed.files, bytes: sealed.bytes }
  const refused = await peru.post('sneakernet/sign', { disk_id: disk, tag_manifest: tagManifest, files: 1, bytes: 1 })
  expect(refused.status).toBe(409)
  const { statement, signature } = await good(peru, 'sign', { disk_id: disk, tag_manifest: tagManifest, ...sums })
  return { statement, signature }
}

async function trust(): Promise<void> {
  for (const [at, other] of [
    [peru, chile],
    [chile, peru],
  ] as const) {
    const { librarian_name, public_key } = await good(other, 'key', {}, 'readonly')
    await good(at, 'trust', { librarian_name, public_key })
  }
}

test('a signed disk is taken by the librarian that it is for, as often as it comes', async () => {
  const signed = await packed()
  await trust()
  expect(JSON.parse(signed.statement)).toMatchObject({
    purpose: 'arriero disk 1',
    source: 'peru',
    destination: 'chile',
    disk,
    tag_manifest: tagManifest,
    files: 2,
  })
  const answer = await good(chile, 'arrive', signed)
  expect(answer).toMatchObject({ disk_id: disk, direction: 'in', librarian_name: 'peru', tag_manifest: tagManifest })
  expect(await good(chile, 'arrive', signed)).toEqual(answer)
})

test('a changed, forged, misdirected or replayed statement changes nothing', async () => {
  const signed = await packed()
  const arrive = async (at: TestHouse, change: object) =>
    (await at.post('sneakernet/arrive', { ...signed, ...change })).status
  // Nobody there to ask for a key.
  expect(await arrive(chile, {})).toBe(503)
  await trust()
  const said = JSON.parse(signed.statement)
  expect(await arrive(peru, {})).toBe(409)
  expect(await arrive(chile, { statement: JSON.stringify({ ...said, files: 3 }) })).toBe(406)
  expect(await arrive(chile, { signature: Buffer.alloc(64).toString('base64') })).toBe(406)
  expect(await arrive(chile, { statement: JSON.stringify({ ...said, purpose: 'arriero receipt 1' }) })).toBe(422)
  expect(await arrive(chile, { statement: JSON.stringify({ ...said, source: 'nobody' }) })).toBe(404)
  expect((await good(chile, 'list', {})).disks).toEqual([])
  expect(await arrive(chile, {})).toBe(200)
  const again = await good(peru, 'sign', { disk_id: disk, tag_manifest: 'b'.repeat(64), files: 2, bytes: said.bytes })
  expect(await arrive(chile, again)).toBe(409)
})

test('a receipt brings back what is kept; a changed one brings nothing', async () => {
  const signed = await packed()
  await trust()
  await good(chile, 'arrive', signed)
  await chile.sql(insertFile('a', 1), insertInstance('a', 1))
  const { items } = await good(peru, 'items', { disk_id: disk })
  const files = items.map(({ name, transfer_id }: { name: string; transfer_id: number }, at: number) => ({
    name,
    transfer_id,
    size: at + 1,
    checksum: `xxh3:::${at + 1}`,
    sha256: String(at + 1).padStart(64, '0'),
  }))
  const settled = await good(chile, 'settle', { disk_id: disk, files, is_read: true })
  expect(settled.files.map(({ state }: { state: string }) => state)).toEqual(['exists', 'new'])
  const { pages, ...receipt } = await good(chile, 'receipt', { disk_id: disk })
  const { lines } = await good(chile, 'receipt_page', { disk_id: disk })
  expect([pages, lines]).toEqual([1, [expect.objectContaining({ name: 'a', size: 1 })]])
  const digest = createHash('sha256').update(receiptText(lines)).digest('hex')
  expect(JSON.parse(receipt.statement)).toMatchObject({ source: 'peru', destination: 'chile', disk, pages: [digest] })
  const confirm = (change: object) => peru.post('sneakernet/confirm', { ...receipt, page: 0, lines, ...change })
  const forged = [{ ...lines[0], name: 'b', transfer_id: files[1].transfer_id }]
  expect((await confirm({ lines: forged })).status).toBe(406)
  expect((await confirm({ signature: signed.signature })).status).toBe(406)
  expect((await confirm(signed)).status).toBe(422)
  expect(await peru.sql('SELECT COUNT(*) AS n FROM remote_instance')).toEqual([{ n: 0 }])
  for (let time = 0; time < 2; time++) {
    expect((await confirm({})).body).toEqual({ disk_id: disk, confirmed: 1, refused: [] })
  }
  const [listed] = (await good(peru, 'list', {})).disks
  expect(listed).toMatchObject({ confirmed: 1, in_transit: 1, failed: 0 })
})

test('a name under which other bytes are kept is told once, with both digests, and stays as it is', async () => {
  const signed = await packed()
  await trust()
  await good(chile, 'arrive', signed)
  await chile.sql(insertFile('a', 1), insertInstance('a', 1))
  const sha256 = 'e'.repeat(64)
  const files = [{ name: 'a', transfer_id: 1, size: 1, checksum: 'xxh3:::2', sha256 }]
  const before = await chile.sql('SELECT * FROM file')
  for (let time = 0; time < 2; time++) {
    const settled = await good(chile, 'settle', { disk_id: disk, files, is_read: false })
    const reason = expect.stringContaining(`the disk has sha256:::${sha256}`)
    expect(settled.files).toEqual([{ name: 'a', state: 'failed', reason }])
  }
  const { body: alarms } = await chile.post('search/error', {})
  expect(alarms).toMatchObject([{ category: 'data_integrity', severity: 'error' }])
  const kept = `sha256:::${String(1).padStart(64, '0')}`
  expect(alarms[0].message).toContain(`a (kept ${kept}, on the disk sha256:::${sha256})`)
  expect(await chile.sql('SELECT * FROM file')).toEqual(before)
})

test('only the account of the librarian that it was packed for is heard of a disk', async () => {
  await packed()
  expect((await peru.post('sneakernet/heard', { disk_id: disk, state: 'read' }, 'callback')).status).toBe(404)
})
