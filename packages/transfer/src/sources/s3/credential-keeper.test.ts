import { expect, test } from 'vitest'
import { CredentialKeeper } from './credential-keeper.ts'

const MINUTE = 60_000

interface Setting {
  readonly lifeMs?: number
  readonly fails?: () => boolean
}

function keeper({ lifeMs = Number.POSITIVE_INFINITY, fails = () => false }: Setting = {}) {
  const clock = { now: 1e12 }
  const asked: boolean[] = []
  const made = new CredentialKeeper(
    async ({ isRefresh }) => {
      asked.push(isRefresh)
      await new Promise(resolve => setImmediate(resolve))
      if (fails()) throw new Error(`failure ${asked.length}`)
      const expiresAt = lifeMs === Number.POSITIVE_INFINITY ? undefined : clock.now + lifeMs
      return { accessKeyId: `id${asked.length}`, secretAccessKey: 'secret', expiresAt }
    },
    () => clock.now,
  )
  return { keeper: made, clock, asked }
}

test('asks once for all who wait, then answers at once', async () => {
  const { keeper: made, asked } = keeper()
  await Promise.all([made.current(), made.current(), made.current()])
  expect(made.current()).toMatchObject({ accessKeyId: 'id1' })
  expect(asked).toEqual([false])
})

test('renews before the end while the old ones still serve, and waits for new ones after it', async () => {
  const { keeper: made, clock, asked } = keeper({ lifeMs: 60 * MINUTE })
  await made.current()
  clock.now += 56 * MINUTE
  expect(made.current()).toMatchObject({ accessKeyId: 'id1' })
  expect(made.current()).toMatchObject({ accessKeyId: 'id1' })
  await new Promise(resolve => setTimeout(resolve, 10))
  expect(made.current()).toMatchObject({ accessKeyId: 'id2' })
  clock.now += 61 * MINUTE
  expect(await made.current()).toMatchObject({ accessKeyId: 'id3' })
  expect(asked).toEqual([false, true, true])
})

test('renews once for all whose credentials were refused together', async () => {
  const { keeper: made, asked } = keeper()
  const refused = await made.current()
  expect(await Promise.all([made.renew(refused), made.renew(refused)])).toEqual([true, true])
  expect(await made.renew(refused)).toBe(true)
  expect(asked).toEqual([false, true])
})

test('a failure is told to all for a while, then asked about again', async () => {
  let isBroken = true
  const { keeper: made, clock, asked } = keeper({ fails: () => isBroken })
  await expect(made.current()).rejects.toThrow('failure 1')
  await expect(made.current()).rejects.toThrow('failure 1')
  expect(asked).toHaveLength(1)
  isBroken = false
  clock.now += MINUTE
  expect(await made.current()).toMatchObject({ accessKeyId: 'id2' })
})

test('refuses what cannot be a header value, without showing it', async () => {
  const made = new CredentialKeeper(async () => ({ accessKeyId: 'a\r\nx: y', secretAccessKey: 's' }), Date.now)
  await expect(made.current()).rejects.toMatchObject({ code: 'Usage', message: expect.not.stringContaining('x: y') })
})
