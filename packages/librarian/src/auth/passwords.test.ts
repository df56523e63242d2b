import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createPasswords } from './passwords.ts'

const vector = '$argon2id$v=19$m=65536,t=3,p=4$+W2NX4bu0zKnKsZBO5sq4A$Suh/kVPu9QVrz+ugRLt0v78dbEOIa7co2aVsiQXhDS4'
const passwords = createPasswords({ random: randomBytes })

test('verify() accepts the published vector, and no other password (librarian 19)', async () => {
  expect(await passwords.verify(vector, 's3cret')).toBe(true)
  expect(await passwords.verify(vector, 's3cret ')).toBe(false)
})

test('hash() has the parameters of existing accounts and verifies', async () => {
  const hash = await passwords.hash('pä:ss\u0000word')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(await passwords.verify(hash, 'pä:ss\u0000word')).toBe(true)
})

test('verify() honours the parameters that a hash names', async () => {
  const { hash } = await import('@node-rs/argon2')
  const cheap = await hash('x', { memoryCost: 1024, timeCost: 1, parallelism: 1 })
  expect(cheap).toContain('m=1024,t=1,p=1')
  expect(await passwords.verify(cheap, 'x')).toBe(true)
})

test('verify() takes what is no hash for no match; nobody matches nothing', async () => {
  expect(await passwords.verify('!', '!')).toBe(false)
  expect(await passwords.verifyNobody('x')).toBe(false)
})

test('an unknown user costs what a known one costs', async () => {
  const timed = async (work: () => Promise<unknown>) => {
    const start = performance.now()
    await work()
    return performance.now() - start
  }
  const known = await timed(() => passwords.verify(vector, 'wrong'))
  const unknown = await timed(() => passwords.verifyNobody('wrong'))
  expect(unknown).toBeGreaterThan(known / 4)
})

test('checks wait for their turn, and are refused where too many wait', async () => {
  const narrow = createPasswords({ random: randomBytes, concurrency: 1, waiting: 1 })
  const all = await Promise.allSettled([1, 2, 3].map(() => narrow.verify(vector, 's3cret')))
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect((all[2] as PromiseRejectedResult).reason).toMatchObject({ code: 'Busy', retryAfterSeconds: 5 })
  expect(await narrow.verify(vector, 's3cret')).toBe(true)
})
