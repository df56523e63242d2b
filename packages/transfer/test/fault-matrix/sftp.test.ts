/** Fault matrix, reliability N: SFTP servers that cut, fall silent, change their files or their keys, and refuse. */
import { rm, writeFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { download } from '../../src/index.ts'
import type { SftpOptions } from '../../src/sources/sftp/options.ts'
import type { TreeFile } from '../sftp-server/tree.ts'
import { knownLine, makeKey, type SftpServer, type SftpServerOptions, startSftpServer } from '../sftp-server.ts'
import { dataOf, expectSame, failing, MIB, namesIn, type Setting, setUp, sha256, take, ways } from './setting.ts'

const SIZE = 5 * MIB + 17
const partSize = MIB
const PATH = '/data/file'

interface Served {
  readonly server: SftpServer
  readonly setting: Setting
  readonly url: string
  readonly sftp: SftpOptions
}

async function serve(options: SftpServerOptions = {}, more: SftpOptions = {}): Promise<Served> {
  const setting = await setUp()
  const server = await startSftpServer(options)
  onTestFinished(() => server.close())
  server.tree.put(PATH, dataOf(SIZE))
  const knownHosts = await fileBeside(setting, 'known', server.knownHosts)
  const sftp = { password: 'secret word', knownHosts, identity: [], agent: false, config: false, ...more } as const
  return { server, setting, url: `${server.origin}${PATH}`, sftp }
}

/** Not among what is fetched. */
async function fileBeside({ directory }: Setting, ending: string, text: string): Promise<string> {
  const path = `${directory}.${ending}`
  await writeFile(path, text)
  onTestFinished(() => rm(path))
  return path
}

describe.each(ways)('%s', way => {
  test('short answers to reads → correct', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ count, length }) =>
      count % 2 ? { is: 'short', length: 1 + ((count * 7919) % length) } : undefined
    expectSame(await take(way, url, setting, { sftp, partSize }), dataOf(SIZE))
  })

  test('connections cut in the middle of a read, again and again → correct', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ count }) => (count % 70 === 40 && count < 300 ? { is: 'cut' } : undefined)
    expectSame(await take(way, url, setting, { sftp, partSize, retries: 20 }), dataOf(SIZE))
    expect(server.connections).toBeGreaterThan(2)
  })

  test('a connection that falls silent → correct over another one', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ count }) => (count === 30 ? { is: 'silent' } : undefined)
    expectSame(await take(way, url, setting, { sftp, partSize }), dataOf(SIZE))
  })

  test('the end of the file where there is none, once → correct', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ count }) => (count === 30 ? { is: 'eof' } : undefined)
    expectSame(await take(way, url, setting, { sftp, partSize }), dataOf(SIZE))
  })

  test('the end of the file where there is none, always → an error', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ offset }) => (offset >= 2 * MIB ? { is: 'eof' } : undefined)
    expect((await failing(way, url, setting, { sftp, partSize, retries: 1 })).code).toBe('Protocol')
  })

  test('a handle that the server loses → correct', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ count }) => (count === 50 ? { is: 'status', status: 4 } : undefined)
    expectSame(await take(way, url, setting, { sftp, partSize }), dataOf(SIZE))
  })

  test('more bytes than were asked for → the connection is dropped, the bytes are correct', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ count }) => (count === 20 ? { is: 'too long' } : undefined)
    expectSame(await take(way, url, setting, { sftp, partSize }), dataOf(SIZE))
    expect(server.connections).toBeGreaterThan(1)
  })

  test('the file is rewritten in the middle, same size → ResourceChanged', async () => {
    const { server, setting, url, sftp } = await serve()
    server.behaviour.onRead = ({ count }) => {
      if (count === 100) server.tree.put(PATH, dataOf(SIZE, 1))
      return undefined
    }
    expect((await failing(way, url, setting, { sftp, partSize })).code).toBe('ResourceChanged')
  })

  test('the file is rewritten after the last part was asked for → ResourceChanged', async () => {
    const { server, setting, url, sftp } = await serve()
    const reads = Math.ceil(SIZE / (32 * 1024))
    server.behaviour.onRead = ({ count }) => {
      if (count === reads - 1) server.tree.put(PATH, dataOf(SIZE, 1))
      return undefined
    }
    expect((await failing(way, url, setting, { sftp, concurrency: 1 })).code).toBe('ResourceChanged')
  })

  test('another key than the known one → refused, no login is tried', async () => {
    const { server, setting, url, sftp } = await serve()
    const line = knownLine(`[127.0.0.1]:${server.port}`, makeKey('ed25519').wire)
    const knownHosts = await fileBeside(setting, 'other', line)
    const error = await failing(way, url, setting, { sftp: { ...sftp, knownHosts } })
    expect(error).toMatchObject({ code: 'Tls', retriable: false })
    expect(error.message).toContain('has changed')
    expect(server.logins).toEqual([])
    expect(server.connections).toBe(1)
  })

  test('a host that is not known → refused, with its fingerprint and what to do, no login is tried', async () => {
    const { server, setting, url, sftp } = await serve()
    const knownHosts = await fileBeside(setting, 'empty', '')
    const error = await failing(way, url, setting, { sftp: { ...sftp, knownHosts } })
    expect(error).toMatchObject({ code: 'Tls', retriable: false })
    expect(error.message).toContain(server.fingerprints[0])
    expect(error.remedy).toContain(`--host-key ${server.fingerprints[0]}`)
    expect(server.logins).toEqual([])
  })

  test('a wrong password → Denied, tried once, and the message does not tell it', async () => {
    const { server, setting, url, sftp } = await serve()
    const error = await failing(way, url, setting, { sftp: { ...sftp, password: 'hunter2' } })
    expect(error).toMatchObject({ code: 'Denied', retriable: false })
    expect(error.message).toMatch(/as me: tried password; the server takes password/)
    expect(JSON.stringify(error) + error.stack).not.toContain('hunter2')
    expect(server.logins).toEqual(['password'])
  })
})

test('more connections than the server takes → correct over those that there are', async () => {
  for (const behaviour of [{ mostConnections: 2 }, { mostSessions: 1 }]) {
    const { setting, url, sftp } = await serve({ behaviour })
    expectSame(await take('download', url, setting, { sftp, partSize: MIB / 4, concurrency: 8 }), dataOf(SIZE))
  }
})

test('a server that takes no connection at all → Network, after the attempts that were asked for', async () => {
  const { setting, url, sftp } = await serve({ behaviour: { mostConnections: 0 } })
  expect((await failing('download', url, setting, { sftp, retries: 1 })).code).toBe('Network')
})

test('a server that accepts and says nothing → Timeout', async () => {
  const { setting, url, sftp } = await serve({ behaviour: { isMute: true } })
  expect((await failing('download', url, setting, { sftp, retries: 1 })).code).toBe('Timeout')
})

/** Aborts when some megabytes have had the time to land and the rest cannot have. */
function stopHalfWay(server: SftpServer): AbortSignal {
  const abort = new AbortController()
  server.behaviour.onRead = ({ count }) => {
    if (count < 130) return undefined
    if (count === 130) setTimeout(() => abort.abort(new Error('enough')), 300)
    return abort.signal.aborted ? undefined : { is: 'late', ms: 2000 }
  }
  return abort.signal
}

test('a download that is stopped leaves what the next one continues, with a checksum', async () => {
  const { server, setting, url, sftp } = await serve()
  const signal = stopHalfWay(server)
  const options = { engine: setting.engine, sftp, partSize, concurrency: 1, checksums: [sha256(dataOf(SIZE))] }
  await expect(download(url, setting.path('data'), { ...options, signal })).rejects.toThrow('enough')
  expect(await namesIn(setting.directory)).toEqual(['data.part', 'data.part.journal'])
  const before = server.reads
  await download(url, setting.path('data'), options)
  expect(server.reads - before).toBeLessThan(Math.ceil(SIZE / (32 * 1024)))
  expect(await namesIn(setting.directory)).toEqual(['data'])
})

test('without a checksum a stopped download begins anew: size and time prove too little', async () => {
  const { server, setting, url, sftp } = await serve()
  const signal = stopHalfWay(server)
  const options = { engine: setting.engine, sftp, partSize, concurrency: 1 }
  await expect(download(url, setting.path('data'), { ...options, signal })).rejects.toThrow('enough')
  expect(await namesIn(setting.directory)).toEqual(['data.part', 'data.part.journal'])
  const { mtime } = server.tree.at(PATH) as TreeFile
  server.tree.put(PATH, dataOf(SIZE, 1), mtime)
  await download(url, setting.path('data'), options)
  expectSame(await take('readAll', `file://${setting.path('data')}`, setting), dataOf(SIZE, 1))
})
