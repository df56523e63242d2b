import { randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTusServer, type TusServer } from '../../test/tus-server.ts'
import { createNodeFetch } from '../http/node-fetch.ts'
import { readItem } from './local-item.ts'
import { openFile } from './open-file.ts'
import { sendByTus, type TusOptions } from './tus.ts'

let folder!: string
let server!: TusServer
const bytes = randomBytes(100_000)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-tus-'))
  server = await startTusServer()
  await writeFile(join(folder, 'f'), bytes)
})
afterEach(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

async function send(options: Partial<TusOptions> = {}) {
  const told = { sent: 0, held: 0 }
  const [member] = (await readItem(join(folder, 'f'))).members
  await using file = await openFile(member!)
  await sendByTus(file, {
    fetch: createNodeFetch({ timeoutMs: 5000, keepAlive: true }),
    url: server.make(member!.size),
    authorization: 'Basic abc',
    isFresh: true,
    onBytes: count => (told.sent += count),
    onHeld: count => (told.held += count),
    signal: new AbortController().signal,
    pieceSize: 30_000,
    waitMs: 1,
    ...options,
  })
  return told
}

const received = () => [...server.uploads.values()].at(-1)?.bytes

describe('sendByTus()', () => {
  test('sends pieces with their digests, and asks nothing of an upload that was made just now', async () => {
    expect(await send()).toEqual({ sent: 100_000, held: 0 })
    expect(received()?.equals(bytes)).toBe(true)
    expect(server.requests).toEqual(Array(4).fill('PATCH /files/0'))
  })

  test('sends nothing of an empty file', async () => {
    await writeFile(join(folder, 'f'), '')
    await send()
    expect(server.requests).toEqual([])
  })

  test('goes on from what the server took when the connection broke', async () => {
    server.cutAfter = 12_345
    await send()
    expect(received()?.equals(bytes)).toBe(true)
    expect(server.requests).toContain('HEAD /files/0')
  })

  test('continues an earlier run’s upload', async () => {
    let left = 2
    server.intercept = request => {
      if (request.method === 'PATCH' && left-- === 0) request.destroy()
      return left < 0
    }
    await expect(send({ retries: 1 })).rejects.toMatchObject({ code: 'Network' })
    server.intercept = () => false
    server.requests.length = 0
    const told = await send({ url: new URL('/files/0', server.origin), isFresh: false })
    expect(told).toEqual({ held: 60_000, sent: 40_000 })
    expect(server.uploads.get('/files/0')?.bytes.equals(bytes)).toBe(true)
    expect(server.requests[0]).toBe('HEAD /files/0')
  })

  test('a server that is away is waited for beyond the attempts, and each wait is told', async () => {
    let left = 6
    server.intercept = request => {
      if (left-- > 0) request.destroy()
      return left >= 0
    }
    const told: string[] = []
    await send({ retries: 2, patienceMs: 60_000, onWait: ({ error }) => told.push(error.message) })
    expect(received()?.equals(bytes)).toBe(true)
    expect(told.length).toBeGreaterThan(2)
    expect(told[0]).toMatch(/it closed the connection/)
  })

  test('says that the server has forgotten the upload, or has another one there', async () => {
    const [forgotten, other] = [new URL('/files/99', server.origin), server.make(5)]
    await expect(send({ url: forgotten, isFresh: false })).rejects.toMatchObject({ code: 'NotFound' })
    await expect(send({ url: other, isFresh: false })).rejects.toMatchObject({ code: 'NotFound' })
    expect(server.requests).toHaveLength(2)
  })

  test.each([423, 429, 460, 500, 503])('tries again after %i', async status => {
    let left = 2
    server.intercept = (request, response) => {
      if (request.method !== 'PATCH' || left-- <= 0) return false
      response.writeHead(status).end('{"reason": "not now"}')
      return true
    }
    await send()
    expect(received()?.equals(bytes)).toBe(true)
  })

  test.each([400, 401, 404, 413, 507])('tells a refusal with %i at once, with its reason', async status => {
    server.intercept = (request, response) => {
      if (request.method !== 'PATCH') return false
      response.writeHead(status).end('{"reason": "never"}')
      return true
    }
    await expect(send(status === 507 ? { retries: 1 } : {})).rejects.toMatchObject({
      message: expect.stringContaining(`the server answers ${status}: never`),
    })
    expect(server.requests.filter(each => each.startsWith('PATCH'))).toHaveLength(1)
  })

  test('gives up when nothing moves', async () => {
    server.intercept = (request, response) => {
      if (request.method === 'PATCH') response.writeHead(500).end()
      return request.method === 'PATCH'
    }
    await expect(send({ retries: 4 })).rejects.toMatchObject({ status: 500 })
    expect(server.requests.filter(each => each.startsWith('PATCH'))).toHaveLength(4)
  })

  test('refuses a file that became shorter or longer', async () => {
    const [member] = (await readItem(join(folder, 'f'))).members
    await appendFile(join(folder, 'f'), 'x')
    await expect(openFile(member!)).rejects.toMatchObject({ code: 'ResourceChanged' })
    expect(server.requests).toEqual([])
  })

  test('ends with the reason of its signal, also while it waits', async () => {
    server.intercept = (request, response) => {
      if (request.method === 'PATCH') response.writeHead(503).end()
      return request.method === 'PATCH'
    }
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 50)
    await expect(send({ signal: controller.signal, waitMs: 10_000 })).rejects.toBe(reason)
  })
})
