import { describe, expect, test } from 'vitest'
import { failureOf } from '../../../test/fetch-bytes.ts'
import { BearerTokens, type Token } from './bearer-tokens.ts'

const HOUR = 3_600_000

/** Tokens `t1`, `t2`… that live for an hour, on a clock that the test moves. */
function setUp({ mint }: { readonly mint?: (count: number) => Promise<Token | undefined> } = {}) {
  const state = { now: 0, minted: 0 }
  const make = async () => {
    const count = ++state.minted
    if (mint) return mint(count)
    await new Promise(resolve => setTimeout(resolve, 5))
    return { value: `t${count}`, expiresAt: state.now + HOUR }
  }
  return { state, tokens: new BearerTokens(make, () => state.now) }
}

const bearer = (value: string) => ({ authorization: `Bearer ${value}` })
const refusal = (status: number, sent: Record<string, string>) => ({
  status,
  sent,
  url: new URL('https://host/'),
  signal: new AbortController().signal,
})

describe('BearerTokens', () => {
  test('makes one token for all who ask at once, and none for those who ask later', async () => {
    const { state, tokens } = setUp()
    const all = await Promise.all(Array.from({ length: 10 }, () => tokens.headers()))
    expect(all).toEqual(Array(10).fill(bearer('t1')))
    state.now = HOUR - 226_000
    // Not even a promise: requests of the fast lane ask thousands of times a second.
    expect(tokens.headers()).toEqual(bearer('t1'))
    expect(state.minted).toBe(1)
  })

  test('makes a new one before the old one dies', async () => {
    const { state, tokens } = setUp()
    await tokens.headers()
    state.now = HOUR - 200_000
    expect(await tokens.headers()).toEqual(bearer('t2'))
  })

  test('uses one that lives for a minute for half of it', async () => {
    const { state, tokens } = setUp({ mint: async count => ({ value: `t${count}`, expiresAt: state.now + 60_000 }) })
    await tokens.headers()
    state.now = 29_000
    expect(tokens.headers()).toEqual(bearer('t1'))
    state.now = 31_000
    expect(await tokens.headers()).toEqual(bearer('t2'))
  })

  test('goes on with the old one while that is good and a new one cannot be had', async () => {
    const down = new Error('down')
    const { state, tokens } = setUp({
      mint: async count => {
        if (count > 1) throw down
        return { value: 't1', expiresAt: HOUR }
      },
    })
    await tokens.headers()
    state.now = HOUR - 1000
    expect(await tokens.headers()).toEqual(bearer('t1'))
    state.now = HOUR
    expect(await failureOf(Promise.resolve(tokens.headers()))).toBe(down)
  })

  test('renews once for all whose requests were refused together', async () => {
    const { state, tokens } = setUp()
    const sent = await tokens.headers()
    const renewed = await Promise.all([401, 401, 401].map(status => tokens.refresh(refusal(status, { ...sent }))))
    expect(renewed).toEqual([true, true, true])
    expect(await tokens.refresh(refusal(401, { ...sent }))).toBe(true)
    expect(await tokens.headers()).toEqual(bearer('t2'))
    expect(state.minted).toBe(2)
  })

  test('has nothing new to try after a 403, nor when the same token comes again', async () => {
    const { state, tokens } = setUp({ mint: async () => ({ value: 'fixed', expiresAt: undefined }) })
    const sent = await tokens.headers()
    expect(await tokens.refresh(refusal(403, { ...sent }))).toBe(false)
    expect(state.minted).toBe(1)
    expect(await tokens.refresh(refusal(401, { ...sent }))).toBe(false)
  })

  test('sends nothing when nobody is logged in, and asks no more', async () => {
    const { state, tokens } = setUp({ mint: async () => undefined })
    expect(tokens.isAnonymous).toBe(false)
    expect(await tokens.headers()).toEqual({})
    expect(tokens.isAnonymous).toBe(true)
    await tokens.headers()
    expect(await tokens.refresh(refusal(401, {}))).toBe(false)
    expect(state.minted).toBe(1)
  })

  test('asks again after a failure', async () => {
    const { tokens } = setUp({
      mint: async count => {
        if (count === 1) throw new Error('down')
        return { value: `t${count}`, expiresAt: HOUR }
      },
    })
    await failureOf(Promise.resolve(tokens.headers()))
    expect(await tokens.headers()).toEqual(bearer('t2'))
  })
})
