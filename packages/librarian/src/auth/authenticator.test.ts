import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../catalogue/operations/accounts.ts'
import { silentLog } from '../log.ts'
import { type Authenticator, createAuthenticator, isName } from './authenticator.ts'
import { createFailureLimit } from './failure-limit.ts'
import { createRecentSuccesses } from './recent-successes.ts'

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const readonly = { level: 'READONLY', address: '192.0.2.1' } as const

let accounts: Map<string, Account>
let verified: string[]
let now: number
let authenticator: Authenticator

beforeEach(() => {
  now = 0
  verified = []
  accounts = new Map([['ada', { username: 'ada', authToken: 'hash of right', level: 'READONLY', version: 1 }]])
  const clock = { now: () => now }
  authenticator = createAuthenticator({
    findAccount: async name => accounts.get(name),
    passwords: {
      hash: async password => `hash of ${password}`,
      verify: async (phc, password) => {
        verified.push(password)
        return phc === `hash of ${password}`
      },
      verifyNobody: async password => {
        verified.push(password)
        return false
      },
    },
    failures: createFailureLimit({ clock }),
    successes: createRecentSuccesses({ clock, random: randomBytes }),
    log: silentLog,
  })
})

const denied = { code: 'Denied' }

describe('authenticate()', () => {
  test('tells who calls, and keeps to the level', async () => {
    expect(await authenticator.authenticate(basic('ada', 'right'), readonly)).toEqual({
      name: 'ada',
      level: 'READONLY',
    })
    await expect(
      authenticator.authenticate(basic('ada', 'right'), { ...readonly, level: 'CALLBACK' }),
    ).rejects.toMatchObject(denied)
  })

  test('a wrong password, an unknown user and an impossible name do the same work', async () => {
    for (const name of ['ada', 'eve', 'a\u0000da']) {
      verified = []
      await expect(authenticator.authenticate(basic(name, 'wrong'), readonly)).rejects.toMatchObject(denied)
      expect(verified).toEqual(['wrong'])
    }
  })

  test('level NONE looks nothing up: anybody may ping', async () => {
    expect(await authenticator.authenticate(basic('eve', 'x'), { ...readonly, level: 'NONE' })).toEqual({
      name: 'eve',
      level: 'NONE',
    })
    expect(verified).toEqual([])
    await expect(authenticator.authenticate(undefined, { ...readonly, level: 'NONE' })).rejects.toMatchObject({
      code: 'NotAuthenticated',
    })
  })

  test('the right password is checked once in five minutes, and at once again when the account changes', async () => {
    const call = () => authenticator.authenticate(basic('ada', 'right'), readonly)
    await call()
    await call()
    expect(verified).toHaveLength(1)
    accounts.set('ada', { username: 'ada', authToken: 'hash of new', level: 'READONLY', version: 2 })
    await expect(call()).rejects.toMatchObject(denied)
    accounts.set('ada', { username: 'ada', authToken: 'hash of right', level: 'READONLY', version: 3 })
    await call()
    expect(verified).toHaveLength(3)
    now += 300_001
    await call()
    expect(verified).toHaveLength(4)
  })

  test('a removed account ends at once', async () => {
    await authenticator.authenticate(basic('ada', 'right'), readonly)
    accounts.clear()
    await expect(authenticator.authenticate(basic('ada', 'right'), readonly)).rejects.toMatchObject(denied)
  })

  test('twenty calls at once pay for one check', async () => {
    await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(basic('ada', 'right'), readonly)))
    expect(verified).toHaveLength(1)
  })

  test('guessing ends after ten tries from one place, for unknown users too, and goes on slowly', async () => {
    for (const name of ['ada', 'eve']) {
      for (let at = 0; at < 10; at++) {
        await expect(authenticator.authenticate(basic(name, `${at}`), readonly)).rejects.toMatchObject(denied)
      }
      verified = []
      const next = authenticator.authenticate(basic(name, 'right'), readonly)
      await expect(next).rejects.toMatchObject({ code: 'TooMany', retryAfterSeconds: 6 })
      expect(verified).toEqual([])
    }
    now += 6000
    await authenticator.authenticate(basic('ada', 'right'), readonly)
  })

  test('guessing locks out neither other places, nor other users, nor who is signed in', async () => {
    await authenticator.authenticate(basic('ada', 'right'), readonly)
    for (let at = 0; at < 30; at++) await authenticator.authenticate(basic('ada', `${at}`), readonly).catch(() => {})
    await expect(authenticator.authenticate(basic('ada', 'other'), readonly)).rejects.toMatchObject({ code: 'TooMany' })
    await authenticator.authenticate(basic('ada', 'right'), readonly)
    await authenticator.authenticate(basic('ada', 'right'), { ...readonly, address: '192.0.2.2' })
    await expect(authenticator.authenticate(basic('eve', 'x'), readonly)).rejects.toMatchObject(denied)
  })
})

test('isName() takes what every log and database takes', () => {
  for (const name of ['ada', 'zoë', 'site-b', 'a b']) expect(isName(name), name).toBe(true)
  for (const name of ['', 'a:b', 'a\nb', 'a\u0000', 'a\u202eb', '\ud800', 'x'.repeat(257)])
    expect(isName(name), name).toBe(false)
})

test('createFailureLimit() remembers so many pairs', () => {
  const limit = createFailureLimit({ clock: { now: () => 0 }, burst: 1, remembered: 2 })
  for (const name of ['a', 'b', 'c']) limit.fail(name, 'x')
  expect(['a', 'b', 'c'].map(name => limit.waitOf(name, 'x') > 0)).toEqual([false, true, true])
})
