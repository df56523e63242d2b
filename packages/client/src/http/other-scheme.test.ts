import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openLibrarian } from '../librarian.ts'
import { explained } from './network-error.ts'

let server!: Server
let connections = 0
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await new Promise(resolve => server.close(resolve))
})

async function listen(created: Server): Promise<number> {
  server = created
  connections = 0
  server.on('connection', socket => {
    connections++
    sockets.add(socket.on('error', () => {}))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function ping(url: string): Promise<unknown> {
  const waits: string[] = []
  const librarian = openLibrarian(
    { name: 'site', url, user: 'ada', password: 'secret' },
    { onWait: why => waits.push(why) },
  )
  const error = await librarian.api.ping.logged({}).then(
    () => expect.unreachable(),
    thrown => explained(thrown, url),
  )
  librarian.close()
  expect(waits).toEqual([])
  return error
}

test('https:// to a server that speaks http is told at once, and nothing is tried again', async () => {
  const seen: (string | undefined)[] = []
  const port = await listen(
    createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.end('hello')
    }),
  )
  expect(await ping(`https://127.0.0.1:${port}`)).toMatchObject({
    code: 'Tls',
    message: `Cannot reach the librarian at https://127.0.0.1:${port}: this server speaks http, not https`,
    remedy: expect.stringContaining('Say http://'),
  })
  // The handshake and one look, which carries no password.
  expect(connections).toBe(2)
  expect(seen).toEqual([undefined])
})

test('https:// to a server that speaks neither is told without a guess', async () => {
  const port = await listen(createTcpServer(socket => socket.end('220 mail.example.org ESMTP\r\n')))
  expect(await ping(`https://127.0.0.1:${port}`)).toMatchObject({
    message: expect.stringContaining('it does not speak TLS'),
  })
})

test('http:// to a server that speaks https is told at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'other-scheme-'))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const subject = ['-subj', '/CN=localhost', '-days', '1']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  })
  const port = await listen(createTlsServer({ key: await readFile(key), cert: await readFile(cert) }))
  await rm(folder, { recursive: true, force: true })
  expect(await ping(`http://127.0.0.1:${port}`)).toMatchObject({
    message: expect.stringContaining('this server speaks https, not http'),
    remedy: 'Say https:// instead of http://.',
  })
})

test('http:// to a proxy that names its TLS port is told as well', async () => {
  const port = await listen(
    createServer((_, response) => {
      response.writeHead(400, { 'content-type': 'text/html' })
      response.end('<center>The plain HTTP request was sent to HTTPS port</center>')
    }),
  )
  expect(await ping(`http://127.0.0.1:${port}`)).toMatchObject({
    message: expect.stringContaining('this server speaks https, not http'),
  })
})
