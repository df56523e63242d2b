/** Messages to other librarians: each once, sooner or later, whoever else is dead (reliability 8.14). */
import { IDEMPOTENCY, LibrarianError } from '@arriero/api'
import { expect, test } from 'vitest'
import { type Completed, type Giver, startGiver, startTaker, type Taker, until } from './two-librarians.ts'

const complete = (n: number, peer = 'a') => ({
  peer,
  call: 'clone/complete',
  body: { source_transfer_id: n, destination_transfer_id: n, store_id: 1 },
  idempotencyKey: `key ${peer} ${n}`,
})

async function write(taker: Taker, count: number): Promise<void> {
  await taker.world.ground.catalogue.outbox.add({ messages: Array.from({ length: count }, (_, n) => complete(n + 1)) })
}

const waiting = (taker: Taker) => taker.world.ground.catalogue.outbox.waiting()
const numbers = ({ completed }: Giver) => completed.map(one => one.source_transfer_id).toSorted((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1)

test('many of one kind go together where the other one knows that', async () => {
  await using giver = await startGiver({ files: {} })
  await using taker = await startTaker({ giverPort: giver.app.port })
  await write(taker, 2500)
  taker.start()
  await until(async () => (await waiting(taker)).length === 0)
  expect(numbers(giver)).toEqual(upTo(2500))
  expect(giver.many.length).toBeLessThan(6)
})

test('one by one where it does not, a few at once', async () => {
  await using giver = await startGiver({ files: {}, capabilities: [IDEMPOTENCY] })
  await using taker = await startTaker({ giverPort: giver.app.port })
  await write(taker, 60)
  taker.start()
  await until(async () => (await waiting(taker)).length === 0)
  expect([numbers(giver), giver.many]).toEqual([upTo(60), []])
})

test('a librarian that is dead delays nobody, and hears all when it is back', async () => {
  await using giver = await startGiver({ files: {} })
  await using taker = await startTaker({ giverPort: giver.app.port })
  const { catalogue } = taker.world.ground
  const { authenticator, url } = (await catalogue.peers.find({ name: 'a' }))!
  const dead = await startGiver({ files: {} })
  await dead[Symbol.asyncDispose]()
  await catalogue.peers.add({ name: 'dead', url, authenticator, port: dead.app.port })
  await catalogue.outbox.add({ messages: upTo(50).map(n => complete(n, 'dead')) })
  await write(taker, 5)
  taker.start()
  await until(() => giver.completed.length === 5)
  await until(() => taker.logged.some(line => line.includes('cannot be told now')))
  await until(async () => (await waiting(taker)).length === 1)
  expect(await waiting(taker)).toMatchObject([{ peer: 'dead', count: 50 }])
  await using back = await startGiver({ files: {} })
  await catalogue.peers.remove({ name: 'dead', failTransfers: false })
  await catalogue.peers.add({ name: 'dead', url, authenticator, port: back.app.port })
  await until(() => back.completed.length === 50)
  expect((await catalogue.peers.find({ name: 'dead' }))!.lastSeen).not.toBe('')
})

test('a refusal is an answer, told to the operator where a copy will not be known', async () => {
  const onComplete = ({ source_transfer_id: n }: Completed) => {
    if (n === 2) throw new LibrarianError('NotFound', 'Could not find transfer.')
    if (n === 3) throw new LibrarianError('Conflict', 'It is COMPLETED')
  }
  await using giver = await startGiver({ files: {}, capabilities: [IDEMPOTENCY], onComplete })
  await using taker = await startTaker({ giverPort: giver.app.port })
  await write(taker, 4)
  taker.start()
  await until(async () => (await waiting(taker)).length === 0)
  expect(numbers(giver)).toEqual([1, 4])
  expect(taker.logged.filter(line => line.includes('did not take the message'))).toHaveLength(1)
})

test('what it could not do is tried again with the same words, and its neighbours do not wait', async () => {
  let failures = 0
  const onComplete = ({ source_transfer_id: n }: Completed) => {
    if (n === 1 && ++failures < 4) throw new Error('a fault of its own')
  }
  await using giver = await startGiver({ files: {}, capabilities: [], onComplete })
  await using taker = await startTaker({ giverPort: giver.app.port })
  await write(taker, 3)
  taker.start()
  await until(() => giver.completed.length === 2)
  await until(() => giver.completed.length === 3)
  expect(numbers(giver)).toEqual([1, 2, 3])
  await until(async () => (await waiting(taker)).length === 0)
})

test('a call that our account there may not make waits alone; a password that is wrong is not tried for each', async () => {
  let denied = 0
  let isAll = true
  const onComplete = ({ source_transfer_id: n }: Completed) => {
    if (!isAll && n !== 1) return
    denied++
    throw new LibrarianError('Denied', 'Denied')
  }
  await using giver = await startGiver({ files: {}, capabilities: [], onComplete })
  await using taker = await startTaker({ giverPort: giver.app.port })
  await write(taker, 40)
  taker.start()
  await until(() => taker.logged.some(line => line.includes('cannot be told now')))
  expect(denied).toBeLessThan(20)
  isAll = false
  await until(async () => (await waiting(taker))[0]?.count === 1)
  expect(giver.completed).toHaveLength(39)
  expect(taker.logged.some(line => line.startsWith('Librarian a cannot be told'))).toBe(true)
})

test('it is left alone as long as it asks for', async () => {
  let refusedAt = 0
  let took = 0
  const onComplete = () => {
    if (refusedAt === 0) {
      refusedAt = performance.now()
      throw new LibrarianError('TooMany', 'Not now', { retryAfterSeconds: 1 })
    }
    took ||= performance.now() - refusedAt
  }
  await using giver = await startGiver({ files: {}, capabilities: [], onComplete })
  await using taker = await startTaker({ giverPort: giver.app.port })
  await write(taker, 1)
  taker.start()
  await until(() => giver.completed.length === 1)
  expect(took).toBeGreaterThan(900)
})

test('two who deliver at the same time send each only once', async () => {
  await using giver = await startGiver({ files: {} })
  await using first = await startTaker({ giverPort: giver.app.port })
  await using second = await startTaker({ giverPort: giver.app.port, ground: first.world.ground })
  first.start()
  second.start()
  await write(first, 300)
  await until(async () => (await waiting(first)).length === 0)
  expect(numbers(giver)).toEqual(upTo(300))
})
