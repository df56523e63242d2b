/** What is new, as open dashboards hear it. */
import { SESSION_HEADER } from '@arriero/api'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { createEventStream, type EventStream } from '../src/http/event-stream.ts'
import { silentLog } from '../src/log.ts'
import { eventRoutes } from '../src/routes/events.ts'
import { createNews } from '../src/services/dashboard/news.ts'
import { openSite } from './attacks/site.ts'
import { basic, passwordOf } from './house.ts'
import { asUser, startRawApp } from './raw-app.ts'

interface Heard {
  readonly response: Response
  /** All that came. */
  text: string
  /** False: the connection broke. */
  readonly isOver: Promise<boolean>
  leave(): void
}

const open: Heard[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.leave()
})

async function listen(url: string, headers: Record<string, string>): Promise<Heard> {
  const leaving = new AbortController()
  const response = await fetch(url, { headers, signal: leaving.signal })
  const read = async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) heard.text += decoder.decode(chunk)
    return true
  }
  const heard: Heard = { response, text: '', isOver: Promise.resolve(true), leave: () => leaving.abort() }
  open.push(heard)
  return Object.assign(heard, { isOver: read().catch(() => false) })
}

const countOf = ({ text }: Heard, event: string) => text.split(`event: ${event}\n`).length - 1

async function startStream(options: Partial<Parameters<typeof createEventStream>[0]>) {
  const stream: EventStream = createEventStream({
    news: async () => [],
    clock: systemClock,
    log: silentLog,
    everyMs: 20,
    ...options,
  })
  const app = await startRawApp({ rawRoutes: eventRoutes(stream) })
  return {
    url: `${app.origin}/api/v2/events`,
    stream,
    async [Symbol.asyncDispose]() {
      stream.close()
      await app[Symbol.asyncDispose]()
    },
  }
}

test('many listeners cost one look; who comes later hears at once what lasts', async () => {
  let looks = 0
  let hasNews = false
  await using server = await startStream({
    news: async () => {
      looks++
      if (!hasNews) return []
      hasNews = false
      return [
        { event: 'overview', data: '{"a":1}', lasts: true },
        { event: 'tasks', data: '{}', lasts: false },
      ]
    },
  })
  expect(looks).toBe(0)
  const listeners = await Promise.all(Array.from({ length: 20 }, () => listen(server.url, asUser('ada'))))
  await expect.poll(() => listeners.every(({ text }) => text.startsWith('retry: 3000\n\n'))).toBe(true)
  hasNews = true
  await expect
    .poll(() => listeners.map(each => [countOf(each, 'overview'), countOf(each, 'tasks')]))
    .toEqual(listeners.map(() => [1, 1]))
  expect(listeners[0]!.text).toContain('event: overview\ndata: {"a":1}\n\n')
  const late = await listen(server.url, asUser('eve'))
  await expect.poll(() => countOf(late, 'overview')).toBe(1)
  expect(countOf(late, 'tasks')).toBe(0)
  const { headers } = late.response
  expect([headers.get('content-type'), headers.get('cache-control')]).toEqual([
    'text/event-stream; charset=utf-8',
    'no-store, no-transform',
  ])
  for (const each of open) each.leave()
  const settled = async () => {
    const before = looks
    await systemClock.sleep(100)
    return looks === before
  }
  await expect.poll(settled, { timeout: 20_000 }).toBe(true)
})

test('what has listeners ask is told to so many at a time, each in its turn, and once however often it came', async () => {
  let hasNews = false
  let ticks = 0
  const most: number[] = []
  await using server = await startStream({
    askingAtOnce: 3,
    everyMs: 100,
    news: async () => {
      if (!hasNews) return []
      ticks++
      most.push(listeners.filter(each => countOf(each, 'transfers') > 0).length)
      // It changes twice before all have heard of it.
      return ticks > 2 ? [] : [{ event: 'transfers', data: '{"changed":true}', lasts: false }]
    },
  })
  const listeners = await Promise.all(Array.from({ length: 8 }, () => listen(server.url, asUser('ada'))))
  await expect.poll(() => listeners.every(({ text }) => text !== '')).toBe(true)
  hasNews = true
  const heard = () => listeners.map(each => countOf(each, 'transfers'))
  await expect.poll(() => heard().every(count => count > 0), { timeout: 20_000 }).toBe(true)
  await expect.poll(() => ticks, { timeout: 20_000 }).toBeGreaterThan(6)
  // Those that were told first heard of the second change too, after everybody else.
  expect(heard().toSorted()).toEqual([1, 1, 1, 1, 1, 2, 2, 2])
  expect(most[1]).toBeLessThanOrEqual(3)
  expect(most[2]).toBeLessThanOrEqual(6)
})

test('a beat keeps the connection, and ends that of whoever may no longer listen', async () => {
  let mayStay = true
  const stream = createEventStream({
    news: async () => [],
    clock: systemClock,
    log: silentLog,
    everyMs: 10,
    beatMs: 30,
  })
  const again = async () => {
    if (!mayStay) throw new Error('not any more')
  }
  await using app = await startRawApp({
    rawRoutes: [{ ...eventRoutes(stream)[0]!, handle: (_, response) => stream.serve(response, again) }],
  })
  const heard = await listen(`${app.origin}/api/v2/events`, asUser('ada'))
  await expect.poll(() => heard.text).toContain(': still here\n\n')
  mayStay = false
  expect(await heard.isOver).toBe(true)
  stream.close()
})

test('what cannot be told now is told later', async () => {
  let tries = 0
  await using server = await startStream({
    news: async () => {
      tries++
      if (tries < 3) throw new Error('the catalogue is busy')
      return tries === 3 ? [{ event: 'errors', data: '{}', lasts: false }] : []
    },
  })
  const heard = await listen(server.url, asUser('ada'))
  await expect.poll(() => countOf(heard, 'errors')).toBe(1)
})

test('news are what changed: the overview but for its time, the others by their pulse', async () => {
  const pulse = { incoming: 0, outgoing: 0, transfers: '1', tasks: '1', errors: '1' }
  const overview = { time: '1', value: 1 }
  const news = createNews({
    overview: async () => ({ ...overview }),
    catalogue: { overview: { pulse: async () => ({ ...pulse }) } as never },
  })
  const events = async () => (await news()).map(({ event }) => event)
  expect(await events()).toEqual(['overview'])
  overview.time = '2'
  expect(await events()).toEqual([])
  Object.assign(pulse, { tasks: '2', errors: '2' })
  expect(await events()).toEqual(['tasks', 'errors'])
  overview.value = 2
  pulse.transfers = '2'
  expect(await events()).toEqual(['overview', 'transfers'])
})

test('a whole librarian tells its dashboards what happens, and lets them go when it stops', async () => {
  const site = await openSite()
  try {
    const url = `${site.url}/api/v2/events`
    expect((await fetch(url)).status).toBe(401)
    const login = await site.post(
      'session/begin',
      { username: 'readonly', password: passwordOf('readonly') },
      { as: '' },
    )
    const cookie = login.headers.get('set-cookie')!.split(';')[0]!
    const heard = await listen(url, { cookie })
    const byPassword = await listen(url, { authorization: basic('readonly') })
    const overviewOf = ({ text }: Heard) => JSON.parse(/event: overview\ndata: (.*)\n\n/.exec(text)?.[1] ?? '{}')
    await expect.poll(() => overviewOf(heard).flow?.length, { timeout: 20_000 }).toBe(48)
    const { body } = await site.post(
      'dashboard/overview',
      {},
      { as: '', headers: { cookie, origin: site.url, [SESSION_HEADER]: login.body.csrf } },
    )
    expect(Object.keys(overviewOf(heard))).toEqual(Object.keys(body))
    await site.post('error/raise', { severity: 'error', category: 'transfer', message: 'broken' })
    for (const each of [heard, byPassword]) {
      await expect.poll(() => countOf(each, 'errors'), { timeout: 20_000 }).toBe(1)
      await expect.poll(() => each.text, { timeout: 20_000 }).toContain('An error is not cleared')
    }
    await site.librarian.stop()
    // Not cut off when the grace was over.
    expect(await Promise.all([heard.isOver, byPassword.isOver])).toEqual([true, true])
  } finally {
    await site[Symbol.asyncDispose]()
  }
})
