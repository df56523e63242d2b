/** A librarian behind a real nginx, by the very block that the manual shows. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningLibrarian, startLibrarian } from '../../program/serve.ts'
import { arriero, type Outcome } from '../../program.ts'
import { findNginx } from '../../servers/nginx.ts'
import { freePorts } from '../../servers/ports.ts'

const manual = fileURLToPath(new URL('../../../docs/manual/proxy.md', import.meta.url))
const program = findNginx()

if (program) claims(program)
else test.skip('NOT RUN nginx: it is not installed; run scripts/install-servers.sh', () => {})

function claims(nginx: string): void {
  let folder!: string
  let site!: RunningLibrarian
  let proxy: ChildProcess | undefined
  let port!: number
  const most = 4

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'arriero-proxy-'))
    await mkdir(join(folder, 'home'))
    site = await startLibrarian(join(folder, 'site'), {
      settings: { trusted_proxies: ['127.0.0.1'], limits: { connections_per_address: most }, backups: { every: null } },
    })
    ;[port] = (await freePorts(1)) as [number]
    proxy = await startProxy(nginx, folder, port, site.port)
    const login = ['login', 'here', `http://127.0.0.1:${port}`, '--user', 'admin', '--password-file', site.passwordFile]
    const logged = await run(login)
    expect(logged.code, logged.stderr).toBe(0)
  }, 120_000)

  afterAll(async () => {
    proxy?.kill('SIGTERM')
    await site?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const run = (args: readonly string[]): Promise<Outcome> =>
    arriero(args, { cwd: folder, env: { HOME: join(folder, 'home'), HL_CLIENT_CONFIG: undefined }, timeoutMs: 120_000 })

  test('uploads, searches and downloads go through it, larger than its buffers', async () => {
    const bytes = randomBytes(40_000_000)
    await writeFile(join(folder, 'large.bin'), bytes)
    const uploaded = await run(['upload', 'large.bin', 'test/large.bin'])
    expect(uploaded.code, uploaded.stderr).toBe(0)
    expect((await run(['search', 'test/*'])).stdout).toContain('test/large.bin')
    const fetched = await run(['download', 'test/large.bin', '-d', 'back'])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect((await readFile(join(folder, 'back', 'large.bin'))).equals(bytes)).toBe(true)
    expect((await run(['validate', 'test/large.bin'])).code).toBe(0)
  }, 240_000)

  test('the addresses that the librarian tells are the proxy’s', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/ga4gh/drs/v1/service-info`)
    expect(answer.status).toBe(200)
    const ping = await fetch(`http://127.0.0.1:${port}/health`)
    expect(await ping.json()).toMatchObject({ status: 'ok' })
  })

  test('calls at once are counted by the caller’s address, not by the proxy’s', async () => {
    const held = await Promise.all(Array.from({ length: most }, () => open('127.0.0.2')))
    await expect.poll(async () => statusOf(await talk('127.0.0.2')), { timeout: 10_000 }).toBe(429)
    expect(statusOf(await talk('127.0.0.3'))).toBe(200)
    // A header that a caller wrote itself changes nothing: the proxy adds the address that it sees.
    expect(statusOf(await talk('127.0.0.2', 'x-forwarded-for: 127.0.0.77\r\n'))).toBe(429)
    for (const socket of held) socket.destroy()
    await expect.poll(async () => statusOf(await talk('127.0.0.2')), { timeout: 10_000 }).toBe(200)
  }, 60_000)

  /** A call whose body never comes. */
  function open(from: string): Promise<Socket> {
    return new Promise(resolve => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => {
        socket.write(
          'POST /api/v2/ping HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{',
        )
        resolve(socket)
      })
      socket.on('error', () => {})
    })
  }

  function talk(from: string, headers = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () =>
        socket.write(`GET /health HTTP/1.1\r\nhost: x\r\n${headers}connection: close\r\n\r\n`),
      )
      let text = ''
      socket.setEncoding('utf8').on('data', data => (text += data))
      socket.on('close', () => resolve(text)).on('error', reject)
    })
  }
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
}

async function startProxy(nginx: string, folder: string, port: number, target: number): Promise<ChildProcess> {
  const [, block = ''] = /```nginx\n(.*?)```/s.exec(await readFile(manual, 'utf8')) ?? []
  const server = block
    .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
    .replaceAll(/^ *ssl_certificate.*$/gm, '')
    .replace('http://127.0.0.1:8080', `http://127.0.0.1:${target}`)
  expect(server).toContain(`http://127.0.0.1:${target}`)
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${join(folder, name)};`,
  )
  const lines = [
    'daemon off;',
    `pid ${join(folder, 'pid')};`,
    'events {}',
    `http { access_log off; ${places.join(' ')}`,
    server,
    '}',
  ]
  const config = join(folder, 'nginx.conf')
  await writeFile(config, lines.join('\n'))
  const child = spawn(nginx, ['-p', folder, '-c', config, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', text => (complaint += text))
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined)
    if (answer?.status === 200) return child
  }
  child.kill('SIGKILL')
  throw new Error(`Cannot start nginx: ${complaint}`)
}
