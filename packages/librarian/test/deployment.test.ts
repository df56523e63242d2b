/** `arriero doctor --deployment`: each way in which a deployment is broken is told in words that lead to its mending. */
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeCertificate } from '../../transfer/test/fault-server/certificate.ts'
import { openCatalogue } from '../src/catalogue/open.ts'
import { Secret, type Settings } from '../src/config.ts'
import { certificateFinding } from '../src/deployment/certificate.ts'
import { examineMachine } from '../src/deployment/machine.ts'
import { silentLog } from '../src/log.ts'
import { type Librarian, openLibrarian } from '../src/open-librarian.ts'
import { createFernet } from '../src/secrets/fernet.ts'
import { broken, inspect, key, make, settingsIn, signal } from './deployment-house.ts'

// Passwords are hashed in earnest, and most of these start a server.
vi.setConfig({ testTimeout: 90_000 })

let folder!: string
const ends: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-deployment-'))
  for (const each of ['files', 'staging']) await mkdir(join(folder, each))
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await rm(folder, { recursive: true, force: true })
})

const settingsWith = (overrides: object = {}): Settings => settingsIn(folder, overrides)

async function serve(listener: RequestListener, tls?: { cert: string; key: string }): Promise<string> {
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  ends.push(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return `http${tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('of a sound deployment nothing is told, before the first start and after it; and nothing is changed', async () => {
  const settings = settingsWith()
  expect(broken(await inspect(settings))).toEqual([])
  expect((await readdir(folder)).sort()).toEqual(['files', 'staging'])
  await make(settings)
  const before = await readdir(folder, { recursive: true })
  expect(broken(await inspect(settings))).toEqual([])
  expect(await readdir(folder, { recursive: true })).toEqual(before)
})

describe('stores', () => {
  test('a place that is not there, and one that is no directory', async () => {
    await rm(join(folder, 'files'), { recursive: true })
    await rm(join(folder, 'staging'), { recursive: true })
    await writeFile(join(folder, 'staging'), '')
    expect(broken(await inspect(settingsWith()))).toEqual([
      `fail store: files: ${join(folder, 'files')} does not exist`,
      `fail store: files: ${join(folder, 'staging')} is no directory`,
    ])
  })

  test('a store whose disk is not mounted, and one where another is', async () => {
    const settings = settingsWith()
    await make(settings)
    const marker = join(folder, 'files', '.arriero', 'marker.json')
    const uuid = '00000000-0000-4000-8000-000000000000'
    await writeFile(marker, JSON.stringify({ uuid, name: 'files' }))
    expect(broken(await inspect(settings))).toEqual([expect.stringContaining(`another store is mounted`)])
    await rm(join(folder, 'files'), { recursive: true })
    await mkdir(join(folder, 'files'))
    expect(broken(await inspect(settings))).toEqual([expect.stringMatching(/there is no marker .*is the disk mounted/)])
  })

  test('the store of another librarian', async () => {
    const settings = settingsWith()
    await make(settings)
    const other = settingsWith({ catalogue: `sqlite:${join(folder, 'other.db')}`, add_stores: [] })
    await make(other)
    const withTheirs = { ...other, addStores: settings.addStores }
    expect(broken(await inspect(withTheirs))).toEqual([expect.stringContaining('it belongs to another librarian')])
  })

  test.skipIf(process.getuid?.() === 0)('a directory that the server may not write', async () => {
    await chmod(join(folder, 'files'), 0o555)
    const told = broken(await inspect(settingsWith()))
    expect(told).toEqual([
      expect.stringMatching(/files \(user \d+, group \d+, mode 555\) cannot be written by user \d+/),
    ])
  })

  test.skipIf(process.getuid?.() !== 0)('somebody else’s, looked at by root', async () => {
    await chown(join(folder, 'files'), 65534, 65534)
    expect(broken(await inspect(settingsWith()))).toEqual([
      expect.stringMatching(/^warn user: files belongs to user 65534/),
    ])
  })

  test('a bucket whose key is in a file', async () => {
    const asked: string[] = []
    const endpoint = await serve((request, response) => {
      asked.push(request.headers.authorization ?? '')
      response.writeHead(403).end()
    })
    const file = join(folder, 'secret')
    const store_data = {
      bucket: 'b',
      endpoint,
      access_key_id: 'ada',
      secret_access_key_file: file,
      scratch_path: folder,
    }
    const store = { store_name: 'objects', store_type: 's3', ingestable: false, store_data, transfer_manager_data: {} }
    const settings = settingsWith({ add_stores: [store] })
    expect(broken(await inspect(settings))).toEqual([
      expect.stringMatching(/^fail store: objects: Cannot read secret_access_key_file: there is no file/),
    ])
    await writeFile(file, 'a key for tests only\n', { mode: 0o600 })
    expect(broken(await inspect(settings))).toEqual([
      expect.stringMatching(/^fail store: objects: Cannot look into the bucket b: b answered 403/),
    ])
    expect(asked[0]).toContain('Credential=ada/')
    await chmod(file, 0o644)
    expect(broken(await inspect(settings))).toEqual([expect.stringMatching(/everybody on this machine may read/)])
  })

  test('a machine without sync -f', async () => {
    const tools = join(folder, 'tools')
    await mkdir(tools)
    await symlink('/bin/false', join(tools, 'sync'))
    const { PATH } = process.env
    process.env.PATH = tools
    try {
      expect(broken(await inspect(settingsWith()))).toEqual([
        expect.stringContaining('fail sync: files: sync -f does not'),
      ])
      await rm(join(tools, 'sync'))
      expect(broken(await inspect(settingsWith()))).toEqual([expect.stringContaining('ENOENT')])
    } finally {
      process.env.PATH = PATH
    }
  })
})

describe('a catalogue in a file', () => {
  test('whose directory is not there', async () => {
    const settings = settingsWith({ catalogue: `sqlite:${join(folder, 'away', 'catalogue.db')}` })
    expect(broken(await inspect(settings))).toEqual([expect.stringContaining('its directory does not exist')])
  })

  test('that a server has open: what can be told is told', async () => {
    const settings = settingsWith()
    const librarian = await openLibrarian({ settings, log: silentLog })
    ends.push(() => librarian.stop())
    expect(broken(await inspect(settings))).toEqual([expect.stringMatching(/^unknown database: .* has it open$/)])
  })

  test('that is none', async () => {
    const path = join(folder, 'catalogue.db')
    await writeFile(path, 'not a database, whatever its name may say '.repeat(20), { mode: 0o600 })
    expect(broken(await inspect(settingsWith()))).toEqual([expect.stringMatching(/^fail database: .* cannot be read/)])
  })
})

describe('limits, key and certificate', () => {
  test('few open files', async () => {
    const path = join(folder, 'limits')
    await writeFile(path, 'Max open files            1024                 1024                 files\n')
    expect(broken([...examineMachine(settingsWith(), path)])).toEqual([
      expect.stringContaining('at most 1024 open files'),
    ])
    expect(broken([...examineMachine({ ...settingsWith(), role: 'worker' }, path)])).toEqual([])
  })

  test('no key, and a key that is none', async () => {
    expect(broken(await inspect(settingsWith({ encryption_key: null })))).toEqual(['warn encryption key: none is set'])
    expect(broken(await inspect(settingsWith({ encryption_key: 'short' })))).toEqual([
      expect.stringMatching(/^fail encryption key: .*32 bytes/),
    ])
  })

  test.each([
    ['expired', { expired: true }, /^fail certificate: .*has expired on 2021-01-01/],
    ['of nobody who is trusted', {}, /^fail certificate: .*is not trusted/],
  ])('a certificate that is %s', async (_, options, words) => {
    const { certificate: cert, key } = makeCertificate(options)
    const url = await serve((_request, response) => response.end(), { cert, key })
    expect(broken([(await certificateFinding(url, { signal, timeoutMs: 5000 }))!])).toEqual([
      expect.stringMatching(words),
    ])
  })

  test('a certificate that is good for some days only', async () => {
    const until = new Date(Date.now() + 3 * 24 * 3_600_000)
    const { certificate: cert, key } = makeCertificate({ until })
    const url = await serve((_request, response) => response.end(), { cert, key })
    const found = await certificateFinding(url, { signal, timeoutMs: 5000, ca: cert })
    expect(broken([found!])).toEqual([expect.stringMatching(/^warn certificate: .*is good until/)])
  })
})

describe('other librarians', () => {
  async function knowing(peer: { url: string; authenticator?: string }): Promise<Settings> {
    const settings = settingsWith()
    await make(settings)
    await using catalogue = await openCatalogue({ url: join(folder, 'catalogue.db') })
    const { protocol, hostname, port } = new URL(peer.url)
    const fernet = createFernet(new Secret(key), { clock: { wallNow: Date.now }, random: randomBytes })
    const authenticator = fernet.encrypt(peer.authenticator ?? 'admin:a password for tests only')
    await catalogue.peers.add({ name: 'chile', url: `${protocol}//${hostname}`, port: Number(port), authenticator })
    return settings
  }

  async function startOther(): Promise<string> {
    const place = join(folder, 'other')
    for (const each of ['files', 'staging']) await mkdir(join(place, each), { recursive: true })
    const settings = settingsWith({
      data_directory: place,
      catalogue: `sqlite:${join(place, 'catalogue.db')}`,
      add_stores: [],
    })
    await make(settings)
    const librarian: Librarian = await openLibrarian({ settings, log: silentLog })
    ends.push(() => librarian.stop())
    return (await librarian.start())!.url
  }

  test('one that is there and lets us in is well; a wrong password is told', async () => {
    const url = await startOther()
    const settings = await knowing({ url })
    const sound = await inspect(settings)
    expect(sound).toContainEqual(expect.objectContaining({ check: 'peer', level: 'ok' }))
    expect(broken(sound)).toEqual([])
    await using catalogue = await openCatalogue({ url: join(folder, 'catalogue.db') })
    await catalogue.peers.remove({ name: 'chile', failTransfers: false })
    await catalogue.close()
    const wrong = await knowing({ url, authenticator: 'admin:another' })
    expect(broken(await inspect(wrong))).toEqual([expect.stringMatching(/^fail peer: chile .*refuses our login/)])
  })

  test('one that nobody answers for, and credentials that our key does not open', async () => {
    const settings = await knowing({ url: 'http://127.0.0.1:9' })
    expect(broken(await inspect(settings))).toEqual([expect.stringMatching(/^fail peer: chile cannot be reached/)])
    const other = { ...settings, encryptionKey: new Secret(randomBytes(32).toString('base64url')) }
    expect(broken(await inspect(other))[0]).toMatch(/^fail encryption key: .*kept for chile/)
    expect(broken(await inspect({ ...settings, encryptionKey: undefined }))[0]).toMatch(/^fail encryption key: none/)
  })

  test('one with another time', async () => {
    const url = await serve((_request, response) => {
      response.setHeader('date', new Date(Date.now() - 600_000).toUTCString())
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ name: 'Chile', description: '' }))
    })
    expect(broken(await inspect(await knowing({ url })))).toEqual([
      expect.stringMatching(/^warn clock: this machine’s is (599|600|601) s ahead of that of chile$/),
    ])
  })
})
