import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { openLibrarian } from '../librarian.ts'
import { explained } from './network-error.ts'

const servers: Server[] = []
afterEach(() => servers.splice(0).forEach(server => void server.close()))

/** What a person is told who asks whether a librarian is there. */
async function told(server: Server, scheme: string): Promise<unknown> {
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const librarian = openLibrarian({ name: 'site', url, user: 'ada', password: 'x' }, { retries: 0 })
  try {
    return await librarian.api.ping.logged({}).then(
      () => undefined,
      error => explained(error, url),
    )
  } finally {
    librarian.close()
  }
}

const plain: RequestListener = (_, response) => void response.end('{}')
const AFTER_ALL = /may have done it/

describe('explained()', () => {
  test('a server without TLS is told as such: it cannot have done anything', async () => {
    const error = await told(createServer(plain), 'https')
    expect(error).toMatchObject({ code: 'Tls', message: expect.stringMatching(/this server speaks http, not https$/) })
    expect(error).toMatchObject({ details: { remedy: expect.stringMatching(/Say http:\/\//) } })
    expect(error).not.toMatchObject({ details: { remedy: expect.stringMatching(AFTER_ALL) } })
  })

  test('a connection that ends before TLS is agreed upon has carried no request', async () => {
    const error = await told(
      createTcp(socket => void socket.once('data', () => socket.destroy())),
      'https',
    )
    expect(error).toMatchObject({ details: { remedy: expect.not.stringMatching(AFTER_ALL) } })
  })

  test('a connection that ends behind the request leaves it open what was done', async () => {
    const error = await told(
      createTcp(socket => void socket.once('data', () => socket.destroy())),
      'http',
    )
    expect(error).toMatchObject({ details: { remedy: expect.stringMatching(AFTER_ALL) } })
  })
})
