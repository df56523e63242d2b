import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startResolver } from '../../test/commons-server/resolver.ts'
import { createOrigins } from '../http/origins.ts'
import { Api, type ApiRequest } from './api.ts'
import { parseIdentifier } from './identifier.ts'
import { Prefixes, type PrefixesOptions } from './prefixes.ts'

const { signal } = new AbortController()
const unknown = parseIdentifier('drs://dg.XXXX:1')

/** Resolvers that answer by host and path after a while, or not at all; notes who was asked when. */
function scripted(answers: Readonly<Record<string, unknown>>, options: Partial<PrefixesOptions> = {}) {
  const asked: string[] = []
  const api = {
    ask: async ({ url, signal }: ApiRequest) => {
      const { host, pathname } = new URL(url)
      asked.push(`${host}${pathname}`)
      const found = answers[`${host}${pathname}`] ?? answers[host]
      if (found === 'silence') await sleep(60_000, undefined, { signal })
      await sleep(20)
      const body = JSON.stringify(found ?? {})
      return { status: found === undefined ? 404 : 200, headers: {}, body, url: new URL(url) }
    },
  } as unknown as Api
  return { prefixes: new Prefixes({ api, patienceMs: 300, ...options }), asked }
}

describe('Prefixes', () => {
  test('what the home says counts before what resolvers say, and they are not asked', async () => {
    const { prefixes, asked } = scripted(
      {
        'home.test/mds/aggregate/info/dg.xxxx': { host: 'https://one.test/index' },
        'dataguids.org': { host: 'two.test' },
      },
      { home: 'https://home.test' },
    )
    expect(await prefixes.hostOf(unknown, signal)).toEqual({ host: 'one.test', silent: [] })
    expect(asked).toEqual(['home.test/mds/aggregate/info/dg.xxxx'])
  })

  test('asks resolvers of equal standing at once, and keeps to their order', async () => {
    const { prefixes, asked } = scripted({
      'dataguids.org/index/_dist': [{ type: 'indexd', host: 'https://listed.test/', hints: ['dg\\.XXXX.*'] }],
      'dataguids.org/mds/metadata/dg.xxxx': { host: 'described.test' },
    })
    const found = prefixes.hostOf(unknown, signal)
    await sleep(5)
    expect(asked).toHaveLength(3)
    expect(await found).toEqual({ host: 'listed.test', silent: [] })
  })

  test('waits for nobody for long, says who was silent, and does not ask them again at once', async () => {
    const { prefixes, asked } = scripted({ 'dataguids.org': 'silence', 'n2t.net': 'silence' })
    const since = performance.now()
    expect(await prefixes.hostOf(unknown, signal)).toEqual({ host: undefined, silent: ['dataguids.org', 'n2t.net'] })
    expect(performance.now() - since).toBeLessThan(1000)
    const before = asked.length
    const { silent } = await prefixes.hostOf(parseIdentifier('drs://dg.YYYY:1'), signal)
    expect(silent).toEqual(['dataguids.org', 'n2t.net'])
    expect(asked.slice(before)).toEqual(['registry.api.identifiers.org/restApi/namespaces/search/findByPrefix'])
  })

  test('a resolver that comes back is asked again', async () => {
    let now = 0
    const clock = { now: () => now, wallNow: () => now, sleep: async () => {} }
    const answers: Record<string, unknown> = { 'dataguids.org': 'silence' }
    const { prefixes } = scripted(answers, { clock })
    expect(await prefixes.hostOf(unknown, signal)).toMatchObject({ host: undefined, silent: ['dataguids.org'] })
    answers['dataguids.org'] = { host: 'one.test', from_index_service: { host: 'one.test' } }
    expect(await prefixes.hostOf(unknown, signal)).toMatchObject({ host: undefined })
    now = 61_000
    expect(await prefixes.hostOf(unknown, signal)).toEqual({ host: 'one.test', silent: [] })
  })

  test('who stops waiting is told so, not that nobody knows', async () => {
    const { prefixes } = scripted({ 'dataguids.org': 'silence' })
    const stop = new AbortController()
    const found = prefixes.hostOf(unknown, stop.signal)
    stop.abort(new Error('enough'))
    await expect(found).rejects.toThrow('enough')
  })

  test('resolvers that refuse connections cost no more than two attempts each', async () => {
    const gone = await startResolver()
    await gone[Symbol.asyncDispose]()
    const origins = createOrigins()
    const api = new Api({ origins: async () => origins, random: () => 1 })
    const { origin } = gone
    const prefixes = new Prefixes({ api, resolver: origin, identifiersOrg: origin, n2t: origin })
    const since = performance.now()
    expect(await prefixes.hostOf(unknown, signal)).toEqual({ host: undefined, silent: [new URL(origin).host] })
    expect(performance.now() - since).toBeLessThan(3000)
    await origins.close()
  })
})
