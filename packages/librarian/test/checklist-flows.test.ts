/**
 * What a compatible librarian must do (librarian 20), between two of ours by the ways of release 5.0.1 alone: paths on a disk
 * that both see, its tasks, its calls. That release itself cannot be had from the Python package index (0.1.6 is the newest
 * there), so ours stand on both sides, and requests are those that were recorded of it.
 *
 *     item  what                                          proven by
 *     1     the client                                    checklist.test.ts
 *     2     administrators                                checklist.test.ts; manifests also below and in administration.test.ts
 *     3, 4  send, queue, look, callback; both directions  below; by scripted senders and receivers sending.test.ts, receive.test.ts
 *     4     hypervisors, a lost callback                  below; receive.test.ts has each pair of states
 *     5     409, 406, 425                                 below; sending.test.ts, clones.test.ts each answer
 *     6     a downstream repairs, and is repaired         below; kept-clones.test.ts and repair.test.ts with a real one's calls
 *     7     SneakerNet both ways, with the callback       below; by whole processes e2e/program/sneakernet.test.ts
 *     8     vectors                                       checklist.test.ts
 */
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeContent } from '../src/stores/memory-content.ts'
import { type LocalSite, meet, openLocalSite } from './local-sites.ts'
import { bytesOf } from './world.ts'

let sites: Record<'a' | 'b', LocalSite>
beforeEach(async () => {
  sites = { a: await openLocalSite('a'), b: await openLocalSite('b') }
  await meet(sites.a, sites.b)
  await meet(sites.b, sites.a)
}, 60_000)
afterEach(async () => {
  await sites.a[Symbol.asyncDispose]()
  await sites.b[Symbol.asyncDispose]()
}, 60_000)

const directions = [
  ['a', 'b'],
  ['b', 'a'],
] as const

const soon = { timeout: 25_000, interval: 50 }
const outgoing = ({ house }: LocalSite) => house.sql('SELECT file_name, status FROM outgoing_transfer ORDER BY id')
const incoming = ({ house }: LocalSite) => house.sql('SELECT store_path, status FROM incoming_transfer ORDER BY id')
const statuses = async (rows: Promise<Record<string, unknown>[]>) => (await rows).map(({ status }) => status)
const known = async ({ house }: LocalSite) =>
  (await house.sql('SELECT file_name FROM remote_instance ORDER BY file_name')).map(({ file_name }) => file_name)
const kept = async ({ place }: LocalSite, name: string) => await readFile(join(place.root, name), 'utf8')

/** Without what it does by itself, so that nobody is faster than the tasks. */
async function send(from: LocalSite, to: LocalSite): Promise<void> {
  expect(await from.run('send_clone', { destination_librarian: to.name })).toMatchObject({ outcome: 'done' })
  expect(await from.run('consume_queue')).toMatchObject({ outcome: 'done' })
  await look(from)
}

/** As often as its schedule would, until the method has moved everything. */
async function look(from: LocalSite): Promise<void> {
  const open = async () => {
    expect(await from.run('check_consumed_queue')).toMatchObject({ outcome: 'done' })
    return await from.house.sql('SELECT id FROM send_item WHERE completed = 0')
  }
  await expect.poll(open, soon).toEqual([])
}

describe.each(directions)('from %s to %s', (one, other) => {
  test('items 3 and 4: the local manager moves it, the receiver keeps it and calls back', async () => {
    const [from, to] = [sites[one], sites[other]]
    await from.keep('dir/f1', bytesOf('one'))
    await from.keep('f2', bytesOf('two'))
    await send(from, to)
    expect(await from.house.sql('SELECT method, completed, failed FROM send_item')).toEqual([
      { method: 'local', completed: 1, failed: 0 },
    ])
    expect([await statuses(outgoing(from)), await statuses(incoming(to))]).toEqual([
      ['STAGED', 'STAGED'],
      ['STAGED', 'STAGED'],
    ])
    expect(await to.run('recieve_clone')).toMatchObject({ outcome: 'done' })
    to.work()
    await expect.poll(() => statuses(outgoing(from)), soon).toEqual(['COMPLETED', 'COMPLETED'])
    expect(await known(from)).toEqual(['dir/f1', 'f2'])
    expect([await kept(to, 'dir/f1'), await kept(to, 'f2')]).toEqual(['one', 'two'])
    expect(await to.house.sql('SELECT DISTINCT source FROM file')).toEqual([{ source: one }])
  })

  test('item 4: a callback that is lost is made up for by the hypervisor, and does no harm when it comes after all', async () => {
    const [from, to] = [sites[one], sites[other]]
    await from.keep('f', bytesOf('one'))
    await send(from, to)
    // It keeps the file, and tells nobody.
    expect(await to.run('recieve_clone')).toMatchObject({ outcome: 'done' })
    expect([await statuses(outgoing(from)), await statuses(incoming(to))]).toEqual([['STAGED'], ['COMPLETED']])
    expect(await from.run('outgoing_transfer_hypervisor', { age_in_days: -1 })).toMatchObject({
      counts: { completed: 1, failed: 0 },
    })
    expect([await statuses(outgoing(from)), await known(from)]).toEqual([['COMPLETED'], ['f']])
    to.work()
    await expect.poll(() => to.house.sql('SELECT id FROM message'), soon).toEqual([])
    expect([await statuses(outgoing(from)), await known(from)]).toEqual([['COMPLETED'], ['f']])
  })

  test('item 4: what its sender gave up ends at the receiver, and its staging goes', async () => {
    const [from, to] = [sites[one], sites[other]]
    await from.keep('f', bytesOf('one'))
    await from.run('send_clone', { destination_librarian: to.name })
    await from.house.sql("UPDATE outgoing_transfer SET status = 'FAILED'")
    expect(await to.run('incoming_transfer_hypervisor', { age_in_days: -1 })).toMatchObject({ counts: { failed: 1 } })
    expect(await statuses(incoming(to))).toEqual(['FAILED'])
    await from.run('send_clone', { destination_librarian: to.name })
    expect(await statuses(outgoing(from))).toEqual(['FAILED', 'ONGOING'])
  })

  test('item 5: 409, 406 and 425 hold up nothing but what they name', async () => {
    const [from, to] = [sites[one], sites[other]]
    await to.keep('there', bytesOf('same'))
    for (const [name, content] of [
      ['there', 'same'],
      ['waits', 'one'],
      ['moves', 'two'],
      ['new', 'three'],
    ] as const)
      await from.keep(name, bytesOf(content))
    // Announced before by somebody whose memory of it is gone: one waits for bytes, one's are on their way.
    const announced = await Promise.all([announce(from, to, 'waits', 'one'), announce(from, to, 'moves', 'two')])
    const moving = announced[1]!.uploads[0].destination_transfer_id
    const begun = { source_transfer_ids: [], destination_transfer_ids: [moving], new_status: 1 }
    expect((await to.house.post('checkin/update', begun, from.name)).status).toBe(200)
    await from.run('send_clone', { destination_librarian: to.name })
    const sent = new Map((await outgoing(from)).map(({ file_name, status }) => [file_name, status]))
    expect([sent.get('there'), sent.get('new'), sent.get('moves')]).toEqual(['COMPLETED', 'ONGOING', 'FAILED'])
    expect(await known(from)).toEqual(['there'])
    const ended = { source_transfer_ids: [], destination_transfer_ids: [moving], new_status: 4 }
    expect((await to.house.post('checkin/update', ended, from.name)).status).toBe(200)
    await from.run('send_clone', { destination_librarian: to.name })
    await from.run('consume_queue')
    await look(from)
    await to.run('recieve_clone')
    to.work()
    await expect.poll(() => known(from), soon).toEqual(['moves', 'new', 'there', 'waits'])
  })

  test('item 6: a downstream that finds its copy damaged has it made good by the upstream', async () => {
    const [from, to] = [sites[one], sites[other]]
    await from.keep('f', bytesOf('one'))
    await send(from, to)
    await to.run('recieve_clone')
    to.work()
    await expect.poll(() => known(from), soon).toEqual(['f'])
    await to.place.damage('f', bytesOf('bad'))
    const { body } = await to.house.post('validate/file', { file_name: 'f' })
    expect(body).toEqual(
      expect.arrayContaining([expect.objectContaining({ librarian: other, computed_same_checksum: false })]),
    )
    expect(await to.run('corruption_fixer')).toMatchObject({ outcome: 'done' })
    expect(await kept(to, 'f')).toBe('one')
    expect(await to.house.sql('SELECT file_name FROM corrupt_file')).toEqual([])
  })

  test.each([
    ['as the library calls it', false],
    ['as the program of 5.0.1 does, uploader and source swapped', true],
  ])('item 7: a manifest is carried, %s, and the far side calls back', async (_, isSwapped) => {
    const [from, to] = [sites[one], sites[other]]
    await from.keep('dir/f1', bytesOf('one'))
    await from.keep('f2', bytesOf('two'))
    const manifest = await from.house.post('admin/stores/manifest', {
      store_name: 'one',
      create_outgoing_transfers: true,
      destination_librarian: other,
      disable_store: true,
      mark_local_instances_as_unavailable: true,
    })
    expect([manifest.status, await statuses(outgoing(from))]).toEqual([200, ['ONGOING', 'ONGOING']])
    for (const entry of manifest.body.store_files) await carry(entry, manifest.body.librarian_name, to, isSwapped)
    await to.run('recieve_clone')
    to.work()
    await expect.poll(() => statuses(outgoing(from)), soon).toEqual(['COMPLETED', 'COMPLETED'])
    expect([await known(from), await kept(to, 'dir/f1')]).toEqual([['dir/f1', 'f2'], 'one'])
    expect(await to.house.sql('SELECT DISTINCT source FROM file')).toEqual([{ source: one }])
  })
})

async function announce(from: LocalSite, to: LocalSite, name: string, content: string) {
  const { size, checksum } = await describeContent(bytesOf(content), undefined)
  const upload = { upload_size: size, upload_checksum: checksum, upload_name: name, destination_location: name }
  const body = {
    source: from.name,
    total_size: size,
    uploads: [{ ...upload, uploader: 'ada', source_transfer_id: 900 }],
  }
  const answer = await to.house.post('clone/batch_stage', body, from.name)
  expect(answer.status).toBe(201)
  return answer.body
}

interface Entry {
  readonly name: string
  readonly size: number
  readonly checksum: string
  readonly uploader: string
  readonly source: string
  readonly instance_path: string
  readonly outgoing_transfer_id: number
}

/** One entry of a manifest, as `librarian ingest-manifest` of 5.0.1 brings it. */
async function carry(entry: Entry, librarian: string, to: LocalSite, isSwapped: boolean): Promise<void> {
  const { name, size, checksum, outgoing_transfer_id: source_transfer_id } = entry
  const staged = await to.house.post('clone/stage', {
    upload_size: size,
    upload_checksum: checksum,
    upload_name: name.slice(name.lastIndexOf('/') + 1),
    destination_location: name,
    uploader: isSwapped ? librarian : entry.uploader,
    source: isSwapped ? entry.source : librarian,
    source_transfer_id,
  })
  expect(staged.status).toBe(201)
  const pair = { source_transfer_id, destination_transfer_id: staged.body.destination_transfer_id }
  expect((await to.house.post('clone/ongoing', pair)).status).toBe(200)
  await mkdir(dirname(staged.body.staging_location), { recursive: true })
  await copyFile(entry.instance_path, staged.body.staging_location)
  expect((await to.house.post('clone/staged', pair)).status).toBe(200)
}
