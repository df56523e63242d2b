/** Clones that others put into the staging area, and those that nobody goes on with (librarian 11.6, 11.7, 12.4). */
import { describe, expect, test } from 'vitest'
import type { IncomingTransfer } from '../src/catalogue/operations/uploads.ts'
import type { TransferStatus } from '../src/catalogue/schema.ts'
import { judgeStale } from '../src/services/clones/stale-incoming.ts'
import { announce, startGiver, startTaker, type Taker, until } from './two-librarians.ts'
import { ada } from './world.ts'

const text = (content: string) => new Uint8Array(Buffer.from(content))

/** As a sender with a disk in common does: announces, copies, says so. */
async function bring(
  taker: Taker,
  files: Record<string, Uint8Array>,
  put: Record<string, Uint8Array> = files,
): Promise<number[]> {
  const pairs = await announce(taker, files)
  const ids = pairs.map(one => one.destination_transfer_id)
  await taker.asGiver.checkin.update({ source_transfer_ids: [], destination_transfer_ids: ids, new_status: 1 })
  for (const row of await taker.world.ground.catalogue.uploads.getMany({ ids })) {
    const bytes = put[row.store_path]
    if (bytes) taker.world.store.stage(row.staging_path!, row.upload_name, bytes)
  }
  await taker.asGiver.checkin.update({ source_transfer_ids: [], destination_transfer_ids: ids, new_status: 2 })
  return ids
}

describe('recieve_clone', () => {
  test('ingests what is staged, many at once, and tells its sender; what is wrong fails alone', async () => {
    await using giver = await startGiver({ files: {} })
    await using taker = await startTaker({ giverPort: giver.app.port })
    const files = { 'a/b/good': text('good'), wrong: text('right'), absent: text('absent') }
    await bring(taker, files, { ...files, wrong: text('wrong'), absent: undefined as never })
    taker.start()
    const result = await taker.run('recieve_clone', { deletion_policy: 1 })
    expect(result).toMatchObject({ outcome: 'done', counts: { received: 1, failed: 2, left: 0 } })
    await until(() => giver.completed.length === 1 && giver.failed.length === 2)
    expect(giver.failed.toSorted()).toEqual([2, 3])
    expect(await taker.statuses()).toEqual({ 'a/b/good': 'COMPLETED', wrong: 'FAILED', absent: 'FAILED' })
    const [row] = await taker.world.ground.catalogue.uploads.list({ name: 'a/b/good', limit: 1 })
    expect(row).toMatchObject({ deletion_policy: 'ALLOWED', first_uploader: 'ada' })
    expect(await Array.fromAsync(taker.world.store.stagings())).toEqual([])
  })

  test('leaves the uploads of users to their users', async () => {
    await using giver = await startGiver({ files: {} })
    await using taker = await startTaker({ giverPort: giver.app.port })
    const id = await taker.world.stage('mine', text('mine'))
    await taker.world.ground.catalogue.receiving.move({
      ids: [id],
      to: 'STAGED',
      mover: { name: ada.name, isAdmin: false },
      reason: '',
    })
    expect(await taker.run('recieve_clone')).toMatchObject({ counts: { received: 0, failed: 0, left: 0 } })
    expect(await taker.statuses()).toEqual({ mine: 'STAGED' })
    await taker.world.commit(id)
  })

  test('ends so many in a run, and stops when it is overdue; a store that is not there keeps what it has', async () => {
    await using giver = await startGiver({ files: {} })
    await using taker = await startTaker({ giverPort: giver.app.port })
    await bring(taker, Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`f${n}`, text(`${n}`)])))
    taker.world.store.unavailableBecause = 'pulled out'
    expect(await taker.run('recieve_clone')).toMatchObject({ outcome: 'done', counts: { received: 0, left: 5 } })
    taker.world.store.unavailableBecause = undefined
    expect(await taker.run('recieve_clone', {}, { isOverdue: () => true })).toMatchObject({
      outcome: 'partial',
      counts: { received: 0 },
    })
    expect(await taker.run('recieve_clone', { files_per_run: 3 })).toMatchObject({
      outcome: 'partial',
      counts: { received: 3 },
    })
    expect(await taker.run('recieve_clone', { files_per_run: 3 })).toMatchObject({
      outcome: 'done',
      counts: { received: 2 },
    })
  })

  test('killed before anybody was told, the next life tells it', async () => {
    await using giver = await startGiver({ files: {} })
    await using first = await startTaker({ giverPort: giver.app.port })
    await bring(first, { one: text('1'), two: text('2') })
    await first.run('recieve_clone')
    expect(await first.world.ground.catalogue.outbox.waiting()).toMatchObject([{ peer: 'a', count: 2 }])
    expect(giver.completed).toEqual([])
    await using second = await startTaker({ giverPort: giver.app.port, ground: first.world.ground })
    second.start()
    await until(() => giver.completed.length === 2)
    await until(async () => (await second.world.ground.catalogue.outbox.waiting()).length === 0)
  })
})

describe('incoming_transfer_hypervisor', () => {
  const row = (status: TransferStatus, more: Partial<IncomingTransfer> = {}) =>
    ({ status, source: 'a', source_transfer_id: 1, transfer_manager_name: null, ...more }) as IncomingTransfer

  test.each([
    ['INITIATED', 'INITIATED', 'leave'],
    ['INITIATED', 'ONGOING', 'adopt'],
    ['INITIATED', 'STAGED', 'adopt'],
    ['ONGOING', 'INITIATED', 'fail'],
    ['ONGOING', 'ONGOING', 'leave'],
    ['ONGOING', 'STAGED', 'adopt'],
    ['STAGED', 'INITIATED', 'leave'],
    ['STAGED', 'ONGOING', 'leave'],
    ['STAGED', 'STAGED', 'leave'],
    ...(['INITIATED', 'ONGOING', 'STAGED'] as const).flatMap(ours =>
      (['COMPLETED', 'FAILED', 'CANCELLED', 'unknown'] as const).map(theirs => [ours, theirs, 'fail'] as const),
    ),
  ] as const)('ours %s, theirs %s: %s', (ours, theirs, act) => {
    expect(judgeStale(row(ours), theirs).act).toBe(act)
  })

  test('what this librarian fetches itself is not taken for staged, and an upload that nobody goes on with ends', () => {
    expect(judgeStale(row('ONGOING', { transfer_manager_name: 'http' }), 'STAGED').act).toBe('leave')
    expect(judgeStale(row('INITIATED', { source_transfer_id: null }), 'unknown').act).toBe('fail')
  })

  test('asks the sender of many at once, ends what is lost, takes over what went on', async () => {
    await using giver = await startGiver({ files: {}, statuses: { 1: 'STAGED', 2: 'FAILED', 4: 'INITIATED' } })
    await using taker = await startTaker({ giverPort: giver.app.port })
    await announce(taker, { went: text('1'), broke: text('2'), lost: text('3'), waits: text('4') })
    await taker.world.stage('forgotten', text('5'))
    taker.start()
    expect(await taker.run('incoming_transfer_hypervisor')).toMatchObject({
      outcome: 'done',
      counts: { failed: 3, adopted: 1, left: 1 },
    })
    expect(await taker.statuses()).toEqual({
      went: 'STAGED',
      broke: 'FAILED',
      lost: 'FAILED',
      waits: 'INITIATED',
      forgotten: 'FAILED',
    })
    await until(() => giver.failed.length === 2)
    expect(await Array.fromAsync(taker.world.store.stagings())).toHaveLength(2)
    expect(await taker.run('incoming_transfer_hypervisor', { age_in_days: 1 })).toMatchObject({
      counts: { failed: 0, left: 0 },
    })
  })

  test('a sender that cannot be asked costs nothing; one that is removed, everything', async () => {
    const gone = await startGiver({ files: {} })
    await using taker = await startTaker({ giverPort: gone.app.port })
    await announce(taker, { one: text('1') })
    await gone[Symbol.asyncDispose]()
    expect(await taker.run('incoming_transfer_hypervisor')).toMatchObject({ counts: { failed: 0, left: 1 } })
    await taker.world.ground.catalogue.peers.remove({ name: 'a', failTransfers: false })
    expect(await taker.run('incoming_transfer_hypervisor')).toMatchObject({ counts: { failed: 1 } })
  })
})
