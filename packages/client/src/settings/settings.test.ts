import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostAndPort, urlOf } from './connection.ts'
import { findConnection } from './find-connection.ts'
import { readSettings } from './read-settings.ts'
import { removeConnection, writeConnection } from './write-connection.ts'

let home!: string
const site = { host: 'https://data.example.org', port: 443, user: 'ada', password: 'pa:ss' }
const connections = (names: Record<string, unknown>) => JSON.stringify({ connections: names })

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'client-settings-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const write = async (name: string, text: string, mode = 0o600) => {
  await writeFile(join(home, name), text)
  await chmod(join(home, name), mode)
  return join(home, name)
}

describe('readSettings()', () => {
  test('takes the first file of HL_CLIENT_CONFIG, ~/.hl_client.cfg, ~/.hl_client.json', async () => {
    await write('.hl_client.json', connections({ json: site }))
    expect(Object.keys((await readSettings({ HOME: home })).connections)).toEqual(['json'])
    await write('.hl_client.cfg', connections({ cfg: site }))
    expect(Object.keys((await readSettings({ HOME: home })).connections)).toEqual(['cfg'])
    const own = await write('own', connections({ own: site }))
    expect(Object.keys((await readSettings({ HOME: home, HL_CLIENT_CONFIG: own })).connections)).toEqual(['own'])
  })

  test('a named file that is missing does not hide the next', async () => {
    await write('.hl_client.json', connections({ json: site }))
    const read = await readSettings({ HOME: home, HL_CLIENT_CONFIG: join(home, 'absent') })
    expect(Object.keys(read.connections)).toEqual(['json'])
  })

  test('takes the environment when there is no file, whatever the case of its names', async () => {
    const read = await readSettings({
      HOME: home,
      librarian_client_connections: JSON.stringify({ env: site }),
      LIBRARIAN_CLIENT_REQUEST_TIMEOUT_SECONDS: '60',
    })
    expect(read).toMatchObject({ connections: { env: site }, request_timeout_seconds: 60, path: undefined })
  })

  test('a file wins over the environment, which fills in what it leaves out', async () => {
    await write('.hl_client.cfg', connections({ file: site }))
    const env = { LIBRARIAN_CLIENT_CONNECTIONS: '{}', LIBRARIAN_CLIENT_REQUEST_TIMEOUT_SECONDS: 'null' }
    const read = await readSettings({ HOME: home, ...env })
    expect(Object.keys(read.connections)).toEqual(['file'])
    expect(read.request_timeout_seconds).toBeNull()
  })

  test('refuses keys that nobody knows, and never repeats what it read', async () => {
    await write('.hl_client.cfg', JSON.stringify({ connections: {}, conections: { a: 'hunter2' } }))
    await expect(readSettings({ HOME: home })).rejects.toThrow(/conections/)
    await write('.hl_client.cfg', '{"password": "hunter2"')
    const error = await readSettings({ HOME: home }).catch((e: Error) => e)
    expect(String((error as Error).message)).not.toContain('hunter2')
    const env = { HOME: join(home, 'none'), LIBRARIAN_CLIENT_CONNECTIONS: 'hunter2' }
    expect(String(await readSettings(env).catch((e: Error) => e.message))).not.toContain('hunter2')
  })
})

describe('findConnection()', () => {
  test('takes the only one, the one in ARRIERO_LIBRARIAN, or the one that is named', async () => {
    await write('.hl_client.cfg', connections({ a: site }))
    expect(await findConnection(undefined, { HOME: home })).toMatchObject({
      name: 'a',
      url: 'https://data.example.org:443',
      password: 'pa:ss',
      timeoutMs: 1_800_000,
    })
    await write('.hl_client.cfg', connections({ a: site, b: { ...site, port: 8443 } }))
    await expect(findConnection(undefined, { HOME: home })).rejects.toThrow(/Several librarians are known: a, b/)
    expect((await findConnection(undefined, { HOME: home, ARRIERO_LIBRARIAN: 'b' })).url).toMatch(/:8443$/)
    expect((await findConnection('a', { HOME: home, ARRIERO_LIBRARIAN: 'b' })).name).toBe('a')
  })

  test('an unknown name lists those that are known; __proto__ is none of them', async () => {
    await write('.hl_client.cfg', connections({ a: site }))
    await expect(findConnection('z', { HOME: home })).rejects.toThrow(/known are a/)
    await expect(findConnection('__proto__', { HOME: home })).rejects.toThrow(/No librarian named/)
  })

  test('reads a password file, also one for a group, but none that others can read or change', async () => {
    const { password: _, ...rest } = site
    const file = await write('secret', 'hunter2\n')
    await write('.hl_client.cfg', connections({ a: { ...rest, password_file: file } }))
    expect((await findConnection('a', { HOME: home })).password).toBe('hunter2')
    await chmod(file, 0o440)
    expect((await findConnection('a', { HOME: home })).password).toBe('hunter2')
    for (const mode of [0o644, 0o620, 0o604]) {
      await chmod(file, mode)
      await expect(findConnection('a', { HOME: home })).rejects.toMatchObject({
        message: expect.stringContaining('can be read by others'),
        remedy: `Say: chmod 600 ${file}`,
      })
    }
  })

  test('tells of settings with passwords that others can read, and goes on', async () => {
    const path = await write('.hl_client.cfg', connections({ a: site }), 0o644)
    expect((await findConnection('a', { HOME: home })).warnings).toEqual([expect.stringContaining(`chmod 600 ${path}`)])
  })
})

describe('writeConnection()', () => {
  test('adds to what is there, for this user alone, and keeps the link to it', async () => {
    const real = await write('real', JSON.stringify({ request_timeout_seconds: 7, connections: { a: site } }), 0o644)
    await symlink(real, join(home, '.hl_client.cfg'))
    const written = await writeConnection('b', { ...site, user: 'bob' }, { HOME: home })
    expect(written).toEqual({ path: join(home, '.hl_client.cfg'), isReplaced: false })
    expect(JSON.parse(await readFile(real, 'utf8'))).toEqual({
      request_timeout_seconds: 7,
      connections: { a: site, b: { ...site, user: 'bob' } },
    })
    expect((await stat(real)).mode & 0o777).toBe(0o600)
    expect((await writeConnection('b', site, { HOME: home })).isReplaced).toBe(true)
  })

  test('makes the file that HL_CLIENT_CONFIG names, with its directory', async () => {
    const path = join(home, 'new', 'client.json')
    await writeConnection('a', site, { HOME: home, HL_CLIENT_CONFIG: path })
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ connections: { a: site } })
  })

  test('does not touch a file that it does not understand', async () => {
    const path = await write('.hl_client.cfg', '{"connections": [')
    await expect(writeConnection('a', site, { HOME: home })).rejects.toThrow(/must be JSON/)
    expect(await readFile(path, 'utf8')).toBe('{"connections": [')
  })
})

describe('removeConnection()', () => {
  test('takes out this one alone, and leaves all else, the link and the mode as they were', async () => {
    const text = JSON.stringify({ request_timeout_seconds: 7, connections: { a: site, b: { ...site, user: 'bob' } } })
    const real = await write('real', text, 0o640)
    await symlink(real, join(home, '.hl_client.cfg'))
    expect(await removeConnection('b', { HOME: home })).toBe(join(home, '.hl_client.cfg'))
    expect(JSON.parse(await readFile(real, 'utf8'))).toEqual({ request_timeout_seconds: 7, connections: { a: site } })
    expect((await stat(real)).mode & 0o777).toBe(0o640)
  })

  test('changes nothing where there is no such connection, and says which there are', async () => {
    const path = await write('.hl_client.cfg', connections({ a: site }))
    const error = await removeConnection('toString', { HOME: home }).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'Configuration', remedy: 'It has a.' })
    expect(error.message).not.toContain(site.password)
    expect(await readFile(path, 'utf8')).toBe(connections({ a: site }))
    await rm(path)
    await expect(removeConnection('a', { HOME: home })).rejects.toThrow(/no file of client settings/)
  })
})

describe('urlOf() and hostAndPort()', () => {
  test.each([
    ['http://localhost', 5000, 'http://localhost:5000'],
    ['https://x.example.org/', 443, 'https://x.example.org:443'],
    ['https://x.example.org/a/b/', 8443, 'https://x.example.org:8443/a/b'],
    ['http://[::1]', 80, 'http://[::1]:80'],
  ])('%s and %i are %s', (host, port, url) => {
    expect(urlOf({ host, port })).toBe(url)
  })

  test.each(['localhost', 'ftp://x.example.org', 'http://x.example.org:80', 'http://u:p@x.example.org', 'http://x?a'])(
    'refuses %s, and never repeats a password',
    host => {
      expect(() => urlOf({ host, port: 1 })).toThrow(/Cannot use the host/)
      expect(() => urlOf({ host, port: 1 })).not.toThrow(/u:p/)
    },
  )

  test.each([
    ['https://x.example.org', 'https://x.example.org', 443],
    ['localhost:21108', 'http://localhost', 21108],
    ['http://x.example.org:80/pre/', 'http://x.example.org/pre', 80],
  ])('hostAndPort(%s)', (address, host, port) => {
    expect(hostAndPort(address)).toEqual({ host, port })
  })
})
