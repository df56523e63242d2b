import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createNodeFetch } from './node-fetch.ts'

const servers: { close(): unknown }[] = []
afterEach(() => servers.splice(0).forEach(server => void server.close()))

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  return listening(server)
}

async function listening(server: Server | ReturnType<typeof createTcp>): Promise<string> {
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const fetch = createNodeFetch({ timeoutMs: 200 })

describe('createNodeFetch()', () => {
  test('sends method, headers and body, and gives the answer', async () => {
    const url = await serve((request, response) => {
      let text = ''
      request.on('data', chunk => (text += chunk))
      request.on('end', () =>
        response.writeHead(201, { 'x-method': request.method }).end(`${request.headers['x-a']} ${text}`),
      )
    })
    const answer = await fetch(`${url}/x`, { method: 'POST', headers: { 'x-a': '1' }, body: 'é' })
    expect([answer.status, answer.headers.get('x-method'), await answer.text()]).toEqual([201, 'POST', '1 é'])
  })

  test('fails with the codes that connect() knows: whether anything was sent decides what may be repeated', async () => {
    const url = await serve(() => {})
    servers.splice(0).forEach(server => void server.close())
    await expect(fetch(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const hanging = createNodeFetch({ timeoutMs: 200, connectMs: 50 })
    // A network for documentation: nothing answers there, or it is refused at once.
    const error = await hanging('http://192.0.2.1:9/').catch(error => error)
    expect(['UND_ERR_CONNECT_TIMEOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'ECONNREFUSED']).toContain(error.code)
  })

  test('gives up a server that is silent', async () => {
    const url = await serve(() => {})
    await expect(fetch(url)).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' })
  })

  test('a long answer that keeps coming is no silence', async () => {
    const url = await serve((_, response) => {
      let left = 5
      const timer = setInterval(() => {
        response.write('x')
        if (--left === 0) {
          clearInterval(timer)
          response.end()
        }
      }, 80)
    })
    expect(await (await fetch(url)).text()).toBe('xxxxx')
  })

  test('a body that is cut off is a failure', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('short')
      setTimeout(() => response.destroy(), 20)
    })
    await expect(fetch(url)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('never follows a redirect: the next host would get the password', async () => {
    const url = await serve((_, response) =>
      response.writeHead(307, { location: 'http://elsewhere.example.org/' }).end(),
    )
    expect((await fetch(url, { headers: { authorization: 'Basic x' } })).status).toBe(307)
  })

  test('ends with the reason of its signal', async () => {
    const url = await serve(() => {})
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 20)
    await expect(fetch(url, { signal: controller.signal })).rejects.toBe(reason)
    await expect(fetch(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('what is not HTTP is told as such', async () => {
    const url = await listening(createTcp(socket => void socket.end('220 mail.example.org\r\n')))
    await expect(fetch(url)).rejects.toMatchObject({ code: expect.stringMatching(/^HPE_/) })
  })
})
