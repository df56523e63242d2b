import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { failureOf, fetchBytes } from '../../test/fetch-bytes.ts'
import type { FtpBehaviour } from '../../test/ftp-server/behaviour.ts'
import { startFtpServer } from '../../test/ftp-server/ftp-server.ts'
import { listAll } from '../../test/list-suite.ts'
import { sourceContext } from '../../test/source-context.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { outsideOnly } from '../http/addresses.ts'
import { parseFtpAddress } from './ftp/address.ts'
import { FtpPool } from './ftp/pool.ts'
import { createFtpSource } from './ftp.ts'
import type { SourceContext } from './registry.ts'

const content = contentOf(1_000_000)

async function start(behaviour: Partial<FtpBehaviour> = {}, options: SourceContext['options'] = {}) {
  const server = await startFtpServer(behaviour)
  const network = {
    timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000 },
    tls: { ca: server.ca || undefined },
  }
  const context = sourceContext(options, network)
  onTestFinished(async () => {
    await context[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  server.tree.put('/pub/data', content)
  return { server, open: (uri: string) => createFtpSource(uri, context) }
}

describe('createFtpSource()', () => {
  test('logs in by the URL, else by the options, else by the provider, else as anonymous', async () => {
    const users = { me: 'p@ss', you: 'other', hook: 'given' }
    const provided = { headers: () => ({ authorization: `Basic ${Buffer.from('hook:given').toString('base64')}` }) }
    for (const [info, options, expected] of [
      ['me:p%40ss@', { ftp: { user: 'you', password: 'other' } }, ['USER me', 'PASS p@ss']],
      ['', { ftp: { user: 'you', password: 'other' }, credentials: provided }, ['USER you', 'PASS other']],
      ['', { credentials: provided }, ['USER hook', 'PASS given']],
      ['', {}, ['USER anonymous', 'PASS anonymous@']],
    ] as const) {
      const { server, open } = await start({ users }, options)
      await fetchBytes(open(`${server.origin.replace('//', `//${info}`)}/pub/data`))
      expect(server.commands.slice(0, 2)).toEqual(expected)
    }
  })

  test('connects to nothing that may not be connected to, by address or by name', async () => {
    const server = await startFtpServer()
    const context = { ...sourceContext(), addresses: outsideOnly }
    onTestFinished(() => server[Symbol.asyncDispose]())
    for (const origin of [server.origin, server.origin.replace('127.0.0.1', 'localhost')]) {
      const failure = await failureOf(fetchBytes(createFtpSource(`${origin}/pub/data`, context)))
      expect(failure).toMatchObject({ details: { reason: 'unsafe_host' } })
    }
    expect(server.connections.total).toBe(0)
  })

  test('refuses a name from the options that would begin another command', async () => {
    const { server, open } = await start({}, { ftp: { user: 'me\r\nDELE x' } })
    expect(await failureOf(fetchBytes(open(`${server.origin}/pub/data`)))).toMatchObject({ code: 'Usage' })
    expect(server.count('DELE')).toBe(0)
  })

  test('shares connections between sources of one server and user, not between users', async () => {
    const { server, open } = await start({ users: { me: 'x' } })
    for (let round = 0; round < 3; round++) await fetchBytes(open(`${server.origin}/pub/data`))
    expect(server.connections.total).toBe(1)
    await fetchBytes(open(`${server.origin.replace('//', '//me:x@')}/pub/data`))
    expect(server.connections.total).toBe(2)
  })

  test('fetches on a connection that has listed another directory', async () => {
    const { server, open } = await start()
    await listAll(open(`${server.origin}/pub/`), { isRecursive: true })
    expectSame((await fetchBytes(open(`${server.origin}/pub/data`))).bytes, content)
    expect(server.connections.total).toBe(1)
    expect(server.count('PWD')).toBeLessThanOrEqual(1)
  })

  test('begins relative paths in the login directory, and absolute ones at the root', async () => {
    const { server, open } = await start()
    let at: string | undefined
    server.behaviour.onCommand = (verb, argument) => {
      if (verb === 'PWD') return '257 "/pub" is here'
      if (verb === 'CWD') at = argument
      return undefined
    }
    await listAll(open(`${server.origin}/`), { isRecursive: false }).catch(() => {})
    expect(at).toBe(undefined)
    await listAll(open(`${server.origin}/%2Fpub/`), { isRecursive: false })
    expect(at).toBe('/pub')
    await failureOf(listAll(open(`${server.origin}/deep/er/`), { isRecursive: false }))
    expect(at).toBe('/pub/deep/er')
  })

  test('replaces a connection on which bytes would begin at the wrong place', async () => {
    const { server, open } = await start()
    const source = open(`${server.origin}/pub/data`)
    const { answer } = await fetchBytes(source, { range: { start: 0, end: 1 } })
    server.behaviour.onCommand = (verb, _, nth) => (verb === 'RETR' && nth === 1 ? '450 not now' : undefined)
    const range = { start: 500_000, end: 600_000 }
    const failure = await failureOf(fetchBytes(source, { range, expected: answer.resource }))
    expect(failure).toMatchObject({ code: 'Network', status: 450 })
    expectSame((await fetchBytes(source)).bytes, content)
    expect(server.connections.total).toBe(2)
  })

  test('does not follow links around in a circle that the server shows as directories', async () => {
    const { server, open } = await start({ followsLinks: true })
    server.tree.put('/a/b/file', content.subarray(0, 3))
    server.tree.links.set('/a/b/round', '..')
    server.tree.links.set('/a/beside', 'b')
    const listed = await listAll(open(`${server.origin}/a/`), { isRecursive: true })
    expect(listed.map(({ path }) => path).sort()).toEqual(['b/file', 'beside/file'])
  })

  test('refuses a data connection that does not resume the session, where the server demands it', async () => {
    const { server, open } = await start({ tls: 'explicit', needsReuse: true }, { ftp: { tls: 'explicit' } })
    for (let round = 0; round < 3; round++) {
      expectSame((await fetchBytes(open(`${server.origin}/pub/data`))).bytes, content)
    }
    expect(server.count('PROT P')).toBe(1)
  })

  test('leaves data in the clear only when told so', async () => {
    const { server, open } = await start({ tls: 'explicit' }, { ftp: { tls: 'explicit', isDataClear: true } })
    expectSame((await fetchBytes(open(`${server.origin}/pub/data`))).bytes, content)
    expect(server.count('PROT C')).toBe(1)
  })
})

describe('FtpPool', () => {
  test('keeps idle connections awake by NOOP, and closes them after a while', async () => {
    const server = await startFtpServer()
    const pool = new FtpPool({
      address: parseFtpAddress(server.origin),
      login: async () => ({ user: 'anonymous', password: 'x' }),
      isDataClear: false,
      tls: {},
      timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000 },
      noopMs: 50,
      keepMs: 220,
    })
    onTestFinished(async () => {
      await pool[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    })
    await pool.use({ uri: 'ftp://host/', signal: new AbortController().signal }, async () => {})
    await sleep(180)
    expect(server.count('NOOP')).toBeGreaterThan(0)
    expect(pool.size).toBe(1)
    await sleep(300)
    expect(pool.size).toBe(0)
    expect(server.connections.open).toBe(0)
  })

  test('rejects what is under way with Cancelled when it is closed', async () => {
    const server = await startFtpServer({ onCommand: verb => (verb === 'SIZE' ? 'hang' : undefined) })
    await using context = sourceContext()
    const fetching = failureOf(fetchBytes(createFtpSource(`${server.origin}/x`, context)))
    while (server.count('SIZE') === 0) await sleep(5)
    await context[Symbol.asyncDispose]()
    expect(await fetching).toMatchObject({ code: 'Cancelled' })
    await server[Symbol.asyncDispose]()
  })
})
