import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from '../../../test/fetch-bytes.ts'
import { parseSftpUrl } from './address.ts'
import type { SftpOptions } from './options.ts'
import { resolveSettings } from './settings.ts'

let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'arriero-ssh-config-'))
  await mkdir(join(home, '.ssh/more'), { recursive: true })
})
afterAll(() => rm(home, { recursive: true }))

async function settingsFor(url: string, config: string, options: SftpOptions = {}, env = {}) {
  const file = join(home, '.ssh/config')
  await writeFile(file, config)
  return resolveSettings(parseSftpUrl(url), { config: file, ...options }, { env, home, userName: 'local' })
}

describe('resolveSettings()', () => {
  test('takes the first value that stands for the host', async () => {
    const config = `
# a comment
Host other
  User wrong
Host lab !lab9 *.lab
  HostName %h.example.org
  User=sea
  Port 2222
  IdentityFile ~/.ssh/lab_key
  IdentityFile "/keys/%r of %h"
Host *
  User everyone
  Port 99`
    const settings = await settingsFor('sftp://lab/x', config)
    expect(settings).toMatchObject({ host: 'lab.example.org', port: 2222, user: 'sea', where: 'lab.example.org:2222' })
    const paths = settings.identities.map(({ path }) => path)
    expect(paths).toEqual([join(home, '.ssh/lab_key'), '/keys/sea of lab.example.org'])
    expect(await settingsFor('sftp://else/x', config)).toMatchObject({ host: 'else', port: 99, user: 'everyone' })
  })

  test('lets URL and options win over the configuration, and the user’s own name stand last', async () => {
    const config = 'Host *\nUser from-config\nPort 99'
    expect(await settingsFor('sftp://url@h:1/', config, { username: 'option' })).toMatchObject({ user: 'url', port: 1 })
    expect(await settingsFor('sftp://h/', config, { username: 'option' })).toMatchObject({ user: 'option', port: 99 })
    expect(await settingsFor('sftp://h/', '')).toMatchObject({ user: 'local', port: 22, agent: undefined })
  })

  test('reads what is included, in its place', async () => {
    await writeFile(join(home, '.ssh/more/one'), 'Host h\n  User included\nHost *\n  Port 7')
    const config = 'Include more/*\nHost *\n  User late\n  Port 8'
    expect(await settingsFor('sftp://h/', config)).toMatchObject({ user: 'included', port: 7 })
    const elsewhere = 'Host other\n  Include more/*\nHost *\n  User late\n  Port 8'
    expect(await settingsFor('sftp://h/', elsewhere)).toMatchObject({ user: 'late', port: 8 })
  })

  test('leaves out Match blocks, whose conditions it cannot judge', async () => {
    const config = 'Match exec "true"\n  User wrong\nMatch all\n  User right'
    expect(await settingsFor('sftp://h/', config)).toMatchObject({ user: 'right' })
  })

  test('says that jumps are not supported, unless there is none', async () => {
    const failure = await failureOf(settingsFor('sftp://h/', 'Host h\n  ProxyJump gate'))
    expect(failure).toMatchObject({ code: 'Unsupported', message: expect.stringContaining('ProxyJump') })
    expect(await settingsFor('sftp://h/', 'Host h\n  ProxyJump none')).toMatchObject({ host: 'h' })
  })

  test('finds the agent, the password and the passphrase in the environment', async () => {
    const env = { SSH_AUTH_SOCK: '/agent', ARRIERO_SFTP_PASSWORD: 'word', ARRIERO_SFTP_PASSPHRASE: 'phrase' }
    expect(await settingsFor('sftp://h/', '', {}, env)).toMatchObject({
      agent: '/agent',
      password: 'word',
      passphrase: 'phrase',
    })
    expect((await settingsFor('sftp://h/', '', { agent: false }, env)).agent).toBeUndefined()
    expect((await settingsFor('sftp://h/', 'IdentityAgent none', {}, env)).agent).toBeUndefined()
    expect((await settingsFor('sftp://h/', 'IdentityAgent ~/a', {}, env)).agent).toBe(join(home, 'a'))
  })

  test('refuses a fingerprint that is none, and known hosts that are named and not there', async () => {
    expect(await failureOf(settingsFor('sftp://h/', '', { hostKey: 'MD5:00:11' }))).toMatchObject({ code: 'Usage' })
    expect(await failureOf(settingsFor('sftp://h/', '', { knownHosts: '/nowhere' }))).toMatchObject({ code: 'Disk' })
  })
})
