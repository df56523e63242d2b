/** A librarian on a disk: what stopping and starting promise (reliability 5, SIGTERM). */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPasswords } from '../src/auth/passwords.ts'
import { openCatalogue } from '../src/catalogue/open.ts'
import { loadSettings } from '../src/config.ts'
import { createLog } from '../src/log/create-log.ts'
import { type Log, silentLog } from '../src/log.ts'
import { serve } from '../src/main.ts'
import { type Librarian, type Listening, openLibrarian } from '../src/open-librarian.ts'
import { makeDataDirectory } from '../src/setup/data-directory.ts'
import { ensureAdmin, resetAdmin } from '../src/setup/first-admin.ts'
import { basic } from './house.ts'

let directory: string
let librarian: Librarian | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'librarian-'))
})
afterEach(async () => {
  await librarian?.stop()
  librarian = undefined
  await rm(directory, { recursive: true })
})

async function open(overrides: object = {}, log: Log = silentLog): Promise<Librarian> {
  const { settingsPath } = makeDataDirectory(directory, { random: randomBytes, port: 0 })
  const settings = loadSettings({ env: {}, path: settingsPath, overrides: { ...overrides } })
  librarian = await openLibrarian({ settings, log, graceMs: 500 })
  return librarian
}

const ping = (headers = '') =>
  `POST /api/v2/ping HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('a', 'b')}\r\ncontent-length: 2\r\n${headers}\r\n`

interface Talk {
  readonly socket: Socket
  readonly text: () => string
  readonly closed: Promise<void>
}

function talk({ port }: Listening): Talk {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', data => (text += data))
  socket.on('error', () => {})
  return { socket, text: () => text, closed: new Promise(resolve => socket.on('close', () => resolve())) }
}

test('stop() lets a call under way end, and takes no more', async () => {
  const opened = await open()
  const listening = (await opened.start())!
  const call = talk(listening)
  call.socket.write(ping())
  // What came before it has been begun.
  await (await fetch(`${listening.url}/health/live`)).text()
  const stopped = opened.stop()
  await delay(100)
  call.socket.write('{}')
  await stopped
  await call.closed
  expect(call.text()).toMatch(/^HTTP\/1\.1 200 /)
  await expect(fetch(listening.url)).rejects.toThrow()
})

test('stop() cuts off a call that does not end, and still ends well', async () => {
  const opened = await open()
  const call = talk((await opened.start())!)
  call.socket.write(ping())
  await delay(100)
  const start = performance.now()
  await opened.stop()
  await call.closed
  expect(call.text()).toBe('')
  expect(performance.now() - start).toBeLessThan(20_000)
})

test('stop() twice is once', async () => {
  const opened = await open()
  await opened.start()
  await Promise.all([opened.stop(), opened.stop()])
})

test('the first backup has the administrator that the same start makes', async () => {
  const { settingsPath } = makeDataDirectory(directory, { random: randomBytes, port: 0 })
  const settings = loadSettings({ env: {}, path: settingsPath })
  const stop = new AbortController()
  const lines: string[] = []
  const log = createLog({ level: 'info', name: 'site', write: line => lines.push(line) })
  const admin = { username: 'root' }
  const ready = Promise.withResolvers<void>()
  const served = serve({ settings, log, signal: stop.signal, admin, onReady: () => ready.resolve() })
  try {
    await Promise.race([ready.promise, served])
    await expect.poll(() => lines.find(line => line.includes('catalogue backed up')), { timeout: 30_000 }).toBeDefined()
  } finally {
    stop.abort()
    await served
  }
  const line = lines.find(each => each.includes('catalogue backed up'))!
  expect(line.match(/"name":/g)).toHaveLength(1)
  const { name, backup } = JSON.parse(line)
  expect(name).toBe('site')
  await using kept = await openCatalogue({ url: join(settings.backups.directory, backup) })
  expect(await kept.accounts.countAdmins()).toBe(1)
}, 60_000)

test('a worker works and listens to nobody', async () => {
  const opened = await open({ role: 'worker' })
  expect(await opened.start()).toBeUndefined()
})

test('a worker with a port tells how it is, and answers no calls', async () => {
  const opened = await open({ role: 'worker', worker_port: 0 })
  const { url, host } = (await opened.start())!
  expect(host).toBe('127.0.0.1')
  const ask = async (path: string) => {
    const answer = await fetch(`${url}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  expect((await ask('/health/live')).status).toBe(200)
  // Nobody has made an administrator: that is what is said, as of a server.
  expect(await ask('/health/ready')).toMatchObject({ status: 503, text: expect.stringContaining('administrator') })
  const { status, text } = await ask('/metrics')
  expect(status).toBe(200)
  expect(text).toMatch(/^arriero_build_info\{.*role="worker".*\} 1$/m)
  for (const path of ['/api/v2/ping', '/api/v2/events', '/api/v2/data/a', '/', '/api/v2/openapi.json']) {
    expect((await ask(path)).status, path).toBe(404)
  }
  const stage = await fetch(`${url}/api/v2/upload/stage`, { method: 'POST', body: '{}' })
  expect([404, 401]).toContain(stage.status)
  await opened.stop()
  await expect(fetch(url)).rejects.toThrow()
})

test('stores keep what the catalogue knows of them, unless told to take over the settings', async () => {
  const first = await open()
  await first.catalogue.stores.setEnabled({ name: 'files', enabled: false })
  await first.stop()
  const { addStores } = first.settings
  const changed = [
    {
      store_name: 'files',
      store_type: 'local',
      ingestable: false,
      store_data: addStores[0]!.data,
      transfer_manager_data: {},
    },
  ]
  const second = await open({ add_stores: changed })
  expect(await second.catalogue.stores.find({ name: 'files' })).toMatchObject({ ingestable: true, enabled: false })
  await second.stop()
  const { settingsPath } = makeDataDirectory(directory, { random: randomBytes })
  const settings = loadSettings({ env: {}, path: settingsPath, overrides: { add_stores: changed } })
  librarian = await openLibrarian({ settings, log: silentLog, overwriteStores: true })
  expect(await librarian.catalogue.stores.find({ name: 'files' })).toMatchObject({ ingestable: false, enabled: false })
})

test('the first administrator is made once; a reset gives anybody but a removed user a new password', async () => {
  const { catalogue } = await open()
  const passwords = createPasswords({ random: randomBytes })
  const options = { catalogue, passwords, random: randomBytes, username: 'root' }
  const made = await ensureAdmin(options)
  const account = await catalogue.accounts.find({ username: 'root' })
  expect(await passwords.verify(account!.authToken, made!.generated!.reveal())).toBe(true)
  expect(await ensureAdmin(options)).toBeUndefined()
  await resetAdmin({ ...options, username: 'second' })
  await catalogue.accounts.remove({ username: 'root' })
  await expect(resetAdmin(options)).rejects.toMatchObject({ code: 'Configuration' })
  expect((await catalogue.audit.list({})).map(({ action, subject }) => [action, subject])).toEqual([
    ['admin', 'second'],
    ['admin', 'root'],
  ])
})
