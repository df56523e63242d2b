import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { failureOf, fetchBytes } from '../../../test/fetch-bytes.ts'
import { knownLine, makeKey, type SftpServerOptions, startSftpServer } from '../../../test/sftp-server.ts'
import { sourceContext } from '../../../test/source-context.ts'
import { createSftpSource } from '../sftp.ts'
import type { SftpOptions } from './options.ts'

const keys = { ed25519: makeKey('ed25519'), ecdsa: makeKey('ecdsa'), rsa: makeKey('rsa') }
const locked = makeKey('ed25519', 'open sesame')
let directory: string
let count = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-sftp-connect-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function fileWith(text: string): Promise<string> {
  const path = join(directory, `file-${++count}`)
  await writeFile(path, text)
  return path
}

/** Whether a file can be read; else why not. */
async function attempt(
  options: SftpServerOptions,
  sftp: SftpOptions | ((server: Awaited<ReturnType<typeof startSftpServer>>) => SftpOptions | Promise<SftpOptions>),
) {
  const server = await startSftpServer(options)
  onTestFinished(() => server.close())
  server.tree.put('/a', Buffer.from('content'))
  const common = { knownHosts: await fileWith(server.knownHosts), identity: [], agent: false, config: false } as const
  const chosen = typeof sftp === 'function' ? await sftp(server) : sftp
  await using context = sourceContext({ sftp: { ...common, ...chosen } })
  const source = createSftpSource(`${server.origin}/a`, context)
  const outcome = await fetchBytes(source).then(
    ({ bytes }) => Buffer.from(bytes).toString(),
    (error: Error) => error,
  )
  return { server, outcome }
}

const byPassword = { password: 'secret word' }

describe('host keys', () => {
  const hostKeys = [keys.rsa.private, keys.ecdsa.private, keys.ed25519.private]

  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('asks a host for the key that is known of it: %s', async type => {
    const { outcome } = await attempt({ hostKeys }, async ({ port }) => ({
      ...byPassword,
      knownHosts: await fileWith(knownLine(`[127.0.0.1]:${port}`, keys[type].wire)),
    }))
    expect(outcome).toBe('content')
  })

  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('takes a fingerprint of any of a host’s keys: %s', async type => {
    const { outcome } = await attempt({ hostKeys }, async ({ fingerprints }) => ({
      ...byPassword,
      knownHosts: await fileWith(''),
      hostKey: fingerprints[['rsa', 'ecdsa', 'ed25519'].indexOf(type)],
    }))
    expect(outcome).toBe('content')
  })

  test('refuses a host that has no key with the fingerprint, whatever is known of it', async () => {
    const hostKey = 'SHA256:ZiKvCldvSzFWFOMZlAqxyA8xyT4NQ0XMTQd4bbLOM3M'
    const { outcome, server } = await attempt({ hostKeys }, { ...byPassword, hostKey })
    expect(outcome).toMatchObject({ code: 'Tls', message: expect.stringContaining(hostKey) })
    expect(server.logins).toEqual([])
  })

  test('refuses a revoked key', async () => {
    const { outcome } = await attempt({}, async ({ knownHosts }) => ({
      ...byPassword,
      knownHosts: await fileWith(`${knownHosts}@revoked ${knownHosts.replace(/^\S+/, '*')}`),
    }))
    expect(outcome).toMatchObject({ code: 'Tls', message: expect.stringContaining('revoked') })
  })

  test('says that certificate authorities are not supported', async () => {
    const { outcome } = await attempt({}, async ({ knownHosts }) => ({
      ...byPassword,
      knownHosts: await fileWith(`@cert-authority ${knownHosts}`),
    }))
    expect(outcome).toMatchObject({ code: 'Tls', message: expect.stringContaining('@cert-authority') })
  })

  test('accepts a key that is known under the name without the port', async () => {
    const { outcome } = await attempt({ hostKeys: [keys.ed25519.private] }, async () => ({
      ...byPassword,
      knownHosts: await fileWith(knownLine('127.0.0.1', keys.ed25519.wire)),
    }))
    expect(outcome).toBe('content')
  })
})

describe('logging in', () => {
  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('by a private key: %s', async type => {
    const users = [{ name: 'me', keys: [keys[type].wire] }]
    const { outcome } = await attempt({ users }, { identity: await fileWith(keys[type].private) })
    expect(outcome).toBe('content')
  })

  test('by an encrypted private key with its passphrase', async () => {
    const users = [{ name: 'me', keys: [locked.wire] }]
    const identity = await fileWith(locked.private)
    expect((await attempt({ users }, { identity, passphrase: 'open sesame' })).outcome).toBe('content')
    const without = (await attempt({ users }, { identity })).outcome as Error
    expect(without).toMatchObject({
      code: 'Denied',
      message: expect.stringMatching(/it is encrypted and no passphrase/),
    })
    const wrong = (await attempt({ users }, { identity, passphrase: 'open barley' })).outcome as Error
    expect(wrong).toMatchObject({ code: 'Denied', message: expect.stringMatching(/the passphrase does not open it/) })
    expect(wrong.message).not.toContain('barley')
  })

  test('by the password, also where the server asks for it', async () => {
    const users = [{ name: 'me', password: 'secret word', isPasswordAsked: true }]
    expect((await attempt({ users }, byPassword)).outcome).toBe('content')
    const { outcome, server } = await attempt({ users }, { password: 'wrong' })
    expect(outcome).toMatchObject({ code: 'Denied', message: expect.stringContaining('tried keyboard-interactive') })
    expect(server.logins).toEqual(['keyboard-interactive'])
  })

  test('by a key first, then by password', async () => {
    const identity = await fileWith(keys.ecdsa.private)
    const users = [{ name: 'me', password: 'secret word', keys: [keys.rsa.wire] }]
    const { outcome, server } = await attempt({ users }, { ...byPassword, identity })
    expect(outcome).toBe('content')
    expect(server.logins).toEqual(['publickey', 'password'])
  })

  test('with nothing says that there was nothing to try, and what the server takes', async () => {
    const { outcome } = await attempt({}, {})
    expect(outcome).toMatchObject({
      code: 'Denied',
      message: expect.stringMatching(/there was nothing to try; the server takes password/),
    })
  })

  test('with an agent that is not there goes on', async () => {
    const { outcome } = await attempt({}, { ...byPassword, agent: join(directory, 'no-agent') })
    expect(outcome).toBe('content')
  })

  test('with an identity that is named and not there says so', async () => {
    const { outcome } = await attempt({}, { identity: join(directory, 'nothing') })
    expect(outcome).toMatchObject({ code: 'Disk', message: expect.stringContaining('nothing') })
  })

  test('is not tried again for a while once it was refused: servers lock out who fails too often', async () => {
    const server = await startSftpServer()
    onTestFinished(() => server.close())
    const knownHosts = await fileWith(server.knownHosts)
    await using context = sourceContext({
      sftp: { password: 'wrong', knownHosts, identity: [], agent: false, config: false },
    })
    const failures = await Promise.all(
      ['a', 'b', 'c', 'd'].map(name =>
        failureOf(
          createSftpSource(`${server.origin}/${name}`, context).probe({ signal: new AbortController().signal }),
        ),
      ),
    )
    expect(failures).toMatchObject(failures.map(() => ({ code: 'Denied' })))
    expect(server.logins).toEqual(['password'])
  })
})
