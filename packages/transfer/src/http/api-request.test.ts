import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { failureOf } from '../../test/fetch-bytes.ts'
import { ManualClock } from '../../test/manual-clock.ts'
import { type ApiOptions, type ApiRequest, apiJson, apiRequest } from './api-request.ts'
import { createOrigins } from './origins.ts'

type Handler = (request: IncomingMessage & { readonly text: string }, response: ServerResponse, count: number) => void

async function serve(handler: Handler) {
  const requests: IncomingMessage[] = []
  const server = createServer(async (request, response) => {
    requests.push(request)
    let text = ''
    for await (const piece of request) text += String(piece)
    handler(Object.assign(request, { text }), response, requests.length)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origins = createOrigins()
  onTestFinished(async () => {
    await origins.close()
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = (request: Partial<ApiRequest> = {}, options: Partial<ApiOptions> = {}) =>
    apiJson({ method: 'GET', url: new URL(`${base}/x?q=1`), ...request }, { ...defaults(), origins, ...options })
  return { requests, base, origins, ask }
}

/** Waits are over at once. */
const quick = { now: () => 0, wallNow: () => Date.now(), sleep: async () => {} }
const defaults = () => ({
  purpose: 'ask twin',
  uri: 'twin:x',
  signal: new AbortController().signal,
  clock: quick,
})
const json = (response: ServerResponse, value: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

describe('apiJson()', () => {
  test('sends method, headers and body, and gives the answer', async () => {
    const { ask, requests } = await serve(({ text, method, url }, response) => json(response, { text, method, url }))
    const headers = { 'Content-Type': 'text/plain', 'X-Test': 'yes' }
    expect(await ask({ method: 'POST', headers, body: 'héllo' })).toEqual({
      text: 'héllo',
      method: 'POST',
      url: '/x?q=1',
    })
    expect(requests[0]?.headers).toMatchObject({ 'content-type': 'text/plain', 'x-test': 'yes', 'content-length': '6' })
    expect(await ask()).toMatchObject({ method: 'GET', text: '' })
  })

  test.each([408, 425, 429, 500, 502, 503, 504])('asks again after %d', async status => {
    const { ask } = await serve((_, response, count) => json(response, { count }, count < 3 ? status : 200))
    expect(await ask()).toEqual({ count: 3 })
  })

  test('asks again after a reset, and after an answer that is cut', async () => {
    const { ask } = await serve((_, response, count) => {
      if (count === 1) return void response.socket?.destroy()
      if (count === 2)
        return void response.writeHead(200, { 'content-length': 100 }).write('{', () => {
          response.socket?.destroy()
        })
      if (count === 3) return void response.end('{"half":')
      json(response, { count })
    })
    expect(await ask()).toEqual({ count: 4 })
  })

  test('gives up in the end', async () => {
    const { ask, requests } = await serve((_, response) => json(response, { error: { message: 'busy' } }, 503))
    const error = await failureOf(ask({}, { retries: 2 }))
    expect(error).toMatchObject({ code: 'Throttled', status: 503, retriable: true })
    expect(error.message).toBe('Cannot ask twin: the server answered 503: busy')
    expect(requests).toHaveLength(3)
  })

  test.each([400, 401, 403, 404, 409, 501])('does not ask again after %d', async status => {
    const { ask, requests } = await serve((_, response) => json(response, { error: 'no' }, status))
    expect(await failureOf(ask())).toMatchObject({ status, retriable: false })
    expect(requests).toHaveLength(1)
  })

  test('repeats a POST only if it may', async () => {
    const { ask, requests } = await serve((_, response, count) => json(response, {}, count === 1 ? 503 : 200))
    expect(await failureOf(ask({ method: 'POST', body: '' }))).toMatchObject({ status: 503 })
    requests.length = 0
    expect(await ask({ method: 'POST', body: '', mayRepeat: true })).toEqual({})
    expect(requests).toHaveLength(2)
  })

  test('waits as long as the server asks for, but not for ever', async () => {
    const { ask } = await serve((_, response, count) => {
      if (count === 1) response.setHeader('retry-after', '100')
      if (count === 2) response.setHeader('retry-after', '301')
      json(response, {}, 429)
    })
    const clock = new ManualClock()
    const asking = failureOf(ask({}, { clock }))
    while (clock.sleeping === 0) await new Promise(resolve => setTimeout(resolve, 5))
    await clock.advance(99_000)
    expect(clock.sleeping).toBe(1)
    await clock.advance(1000)
    expect(await asking).toMatchObject({ code: 'Throttled' })
  })

  test('stops waiting when it is aborted', async () => {
    const { ask } = await serve((_, response) => json(response, {}, 503))
    const abort = new AbortController()
    const clock = new ManualClock()
    const asking = failureOf(ask({}, { clock, signal: abort.signal }))
    while (clock.sleeping === 0) await new Promise(resolve => setTimeout(resolve, 5))
    const reason = new Error('enough')
    abort.abort(reason)
    expect(await asking).toBe(reason)
  })

  test('takes no more than it wants', async () => {
    const { ask, requests } = await serve((_, response) => json(response, 'x'.repeat(100_000)))
    expect(await failureOf(ask({}, { maxBytes: 1000 }))).toMatchObject({ code: 'Protocol', retriable: false })
    expect(requests).toHaveLength(1)
  })

  test('follows redirects without taking secrets along', async () => {
    const other = await serve((_, response) => json(response, { from: 'other' }))
    const { ask } = await serve((_, response) => response.writeHead(302, { location: `${other.base}/y` }).end())
    const credentials = { headers: () => ({ authorization: 'Bearer secret-1' }) }
    const headers = { 'X-Auth-Token': 'secret-2', 'X-Plain': 'yes' }
    expect(await ask({ headers }, { credentials })).toEqual({ from: 'other' })
    expect(other.requests[0]?.headers['x-plain']).toBe('yes')
    expect(JSON.stringify(other.requests[0]?.headers)).not.toContain('secret')
  })

  test('does not follow the redirect of a POST', async () => {
    const { ask } = await serve((_, response) => response.writeHead(307, { location: '/elsewhere' }).end())
    expect(await failureOf(ask({ method: 'POST', body: 'x' }))).toMatchObject({ status: 307, retriable: false })
  })

  test('renews credentials once after a 401', async () => {
    const { ask, requests } = await serve(({ headers }, response) =>
      json(response, { got: headers.authorization }, headers.authorization === 'Bearer new' ? 200 : 401),
    )
    let token = 'old'
    const renew = (next: string) => ({
      headers: () => ({ authorization: `Bearer ${token}` }),
      refresh: async () => {
        token = next
        return true
      },
    })
    expect(await ask({}, { credentials: renew('new') })).toEqual({ got: 'Bearer new' })
    token = 'old'
    requests.length = 0
    expect(await failureOf(ask({}, { credentials: renew('newer') }))).toMatchObject({ code: 'Denied', status: 401 })
    expect(requests).toHaveLength(2)
  })

  test('shows no secret that the server repeats', async () => {
    const { ask } = await serve(({ headers }, response) =>
      response.writeHead(403).end(`no entry with ${headers.authorization}\nor ${headers['x-api-key']}`),
    )
    const credentials = { headers: () => ({ authorization: 'Custom abc123' }) }
    const error = await failureOf(ask({ headers: { 'X-Api-Key': 'k-456' } }, { credentials }))
    expect(error.message).toBe('Cannot ask twin: the server answered 403: no entry with *** or ***')
  })
})

test('apiRequest() gives text, headers and status', async () => {
  const { origins, base } = await serve((_, response) => response.writeHead(201, { 'x-more': '1' }).end('plain'))
  const answer = await apiRequest({ method: 'GET', url: new URL(base) }, given => given, { ...defaults(), origins })
  expect(answer).toMatchObject({ status: 201, text: 'plain', headers: { 'x-more': '1' } })
})
