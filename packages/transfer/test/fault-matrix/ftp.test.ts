/** FTP servers that refuse, lie, cut and change (retrieval 14, 19), through the whole engine. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { download, downloadAll, type EngineOptions, list } from '../../src/index.ts'
import type { FtpBehaviour } from '../ftp-server/behaviour.ts'
import { type FtpServer, startFtpServer } from '../ftp-server/ftp-server.ts'
import { dataOf, expectSame, failing, MIB, namesIn, ODD, type Setting, setUp, sha256, take, ways } from './setting.ts'

const data = dataOf(ODD)
/** Several parts, also for a source that wants large ones. */
const PARTS = { partSize: 2 * MIB }

interface Scene extends Setting {
  readonly server: FtpServer
  readonly url: string
}

async function scene(behaviour: Partial<FtpBehaviour> = {}, options: EngineOptions = {}): Promise<Scene> {
  const setting = await setUp({ timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000 }, ...options })
  const server = await startFtpServer(behaviour)
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.tree.put('/pub/data', data)
  return { ...setting, server, url: `${server.origin}/pub/data` }
}

describe.each(ways)('ftp, %s', way => {
  test('comes in parts over several logins, no more than four', async () => {
    const it = await scene()
    expectSame(await take(way, it.url, it, PARTS), data)
    expect(it.server.connections.peak).toBeGreaterThan(1)
    expect(it.server.connections.peak).toBeLessThanOrEqual(4)
    expect(it.server.count('TYPE I')).toBe(it.server.connections.total)
    expect(it.server.count('FEAT')).toBe(it.server.connections.total)
  })

  test('REST refused: one stream', async () => {
    const it = await scene({ isRestKnown: false, features: undefined })
    expectSame(await take(way, it.url, it, PARTS), data)
    expect(it.server.count('RETR')).toBe(1)
  })

  test('REST offered and then refused: one stream', async () => {
    const it = await scene({ isRestKnown: false })
    expectSame(await take(way, it.url, it, PARTS), data)
  })

  test('421 on the third login: goes on with fewer', async () => {
    const it = await scene({ most: 2 })
    expectSame(await take(way, it.url, it, PARTS), data)
    expect(it.server.connections.peak).toBe(2)
  })

  test('530 too many on the third login: goes on with fewer', async () => {
    const it = await scene()
    it.server.behaviour.onCommand = verb =>
      verb === 'PASS' && it.server.connections.open > 2 ? '530 Sorry, too many users logged in' : undefined
    expectSame(await take(way, it.url, it, PARTS), data)
  })

  test('PASV with a private or foreign address: goes where the control connection goes', async () => {
    for (const pasvAddress of ['10,1,2,3', '192,0,2,1']) {
      const it = await scene({ isEpsvKnown: false, pasvAddress })
      expectSame(await take(way, it.url, it, PARTS), data)
    }
  })

  test('EPSV with a port that nobody can reach: PASV', async () => {
    const it = await scene({ onCommand: verb => (verb === 'EPSV' ? '229 here (|||1|)' : undefined) })
    expectSame(await take(way, it.url, it, PARTS), data)
    expect(it.server.count('EPSV')).toBeLessThanOrEqual(it.server.connections.peak)
  })

  test('no 226: no success', async () => {
    const it = await scene({ onTransfer: ({ start }) => (start >= 12 * MIB ? { finalReply: '' } : undefined) })
    const error = await failing(way, it.url, it, { ...PARTS, retries: 1 })
    expect(error).toMatchObject({ code: 'Timeout' })
  })

  test('451 instead of 226: no success', async () => {
    const it = await scene({ onTransfer: () => ({ finalReply: '451 read error on the disk' }) })
    const error = await failing(way, it.url, it, { ...PARTS, retries: 1 })
    expect(error).toMatchObject({ code: 'Network', status: 451 })
  })

  test('data connections that are cut: correct', async () => {
    const it = await scene({ onTransfer: ({ index }) => (index % 2 === 0 ? { cutAfter: 1.5 * MIB } : undefined) })
    expectSame(await take(way, it.url, it, PARTS), data)
  })

  test('a data connection that falls silent: correct', async () => {
    const it = await scene({ onTransfer: ({ index }) => (index === 1 ? { stallAfter: 100_000 } : undefined) })
    expectSame(await take(way, it.url, it, PARTS), data)
  })

  test('a control connection that dies between two commands: correct', async () => {
    const it = await scene({ onCommand: (verb, _, nth) => (verb === 'REST' && nth % 3 === 1 ? 'close' : undefined) })
    expectSame(await take(way, it.url, it, PARTS), data)
  })

  test('425, 426 and 450 in between: correct', async () => {
    const it = await scene({
      onCommand: (verb, _, nth) => {
        if (verb !== 'RETR') return undefined
        return [undefined, '425 no data connection', undefined, '426 broken', undefined, '450 busy'][nth]
      },
    })
    expectSame(await take(way, it.url, it, PARTS), data)
  })

  test('a SIZE that is too large: no success', async () => {
    const it = await scene({ onCommand: verb => (verb === 'SIZE' ? `213 ${ODD + 10}` : undefined) })
    expect(await failing(way, it.url, it, { ...PARTS, retries: 1 })).toMatchObject({ code: 'Network' })
  })

  test('a SIZE that is too small: no success', async () => {
    const it = await scene({ onCommand: verb => (verb === 'SIZE' ? `213 ${ODD - 1}` : undefined) })
    expect(await failing(way, it.url, it, { ...PARTS, retries: 1 })).toMatchObject({ code: 'Protocol' })
  })

  test('a SIZE of 0 for a file that has bytes: no success', async () => {
    const it = await scene({ onCommand: verb => (verb === 'SIZE' ? '213 0' : undefined) })
    expect(await failing(way, it.url, it, { retries: 1 })).toMatchObject({ code: 'Protocol' })
  })

  test('bytes too many: no success', async () => {
    const it = await scene({ onTransfer: () => ({ extra: 1 }) })
    expect(await failing(way, it.url, it, { ...PARTS, retries: 1 })).toMatchObject({ code: 'Protocol' })
  })

  test('neither SIZE nor MDTM: one stream whose end the 226 proves', async () => {
    const it = await scene({ onCommand: verb => (verb === 'SIZE' || verb === 'MDTM' ? '502 unknown' : undefined) })
    expectSame(await take(way, it.url, it, PARTS), data)
    expect(it.server.count('RETR')).toBe(1)
  })

  test('neither SIZE nor MDTM, and cut: correct or no success, never short', async () => {
    const it = await scene({
      onCommand: verb => (verb === 'SIZE' || verb === 'MDTM' ? '502 unknown' : undefined),
      onTransfer: () => ({ cutAfter: 5 * MIB }),
    })
    expect(await failing(way, it.url, it, { ...PARTS, retries: 1 })).toMatchObject({ code: 'Network' })
  })

  test('another MDTM in the middle: ResourceChanged', async () => {
    const it = await scene({
      onTransfer: ({ index }) =>
        index === 2
          ? { after: { bytes: 1, call: () => it.server.tree.put('/pub/data', data, Date.now()) } }
          : undefined,
    })
    expect(await failing(way, it.url, it, PARTS)).toMatchObject({ code: 'ResourceChanged' })
  })

  test('another MDTM while the only part is on its way: ResourceChanged', async () => {
    const it = await scene()
    it.server.tree.put('/pub/data', data.subarray(0, 100_000))
    it.server.behaviour.onTransfer = () => ({
      after: { bytes: 50_000, call: () => it.server.tree.put('/pub/data', data.subarray(0, 100_000), Date.now()) },
    })
    expect(await failing(way, it.url, it)).toMatchObject({ code: 'ResourceChanged' })
  })

  test('replies that the network cuts in two: correct', async () => {
    for (const cutReplies of [1, 2, 6]) {
      const it = await scene({ cutReplies })
      expectSame(await take(way, it.url, it, PARTS), data)
    }
  })

  test('an empty file, and one of a byte', async () => {
    const it = await scene()
    for (const size of [0, 1]) {
      it.server.tree.put(`/pub/${size}`, data.subarray(0, size))
      expectSame(
        await take(way, `${it.server.origin}/pub/${size}`, it, { ifExists: 'overwrite' }),
        data.subarray(0, size),
      )
    }
  })

  test('nothing there; not allowed; refused login', async () => {
    const it = await scene()
    expect(await failing(way, `${it.url}-no`, it)).toMatchObject({ code: 'NotFound', status: 550 })
    const login = it.url.replace('//', '//me:wrong-secret@')
    const denied = await failing(way, login, it)
    expect(denied).toMatchObject({ code: 'Denied', status: 530 })
    expect(`${denied.message} ${denied.url}`).not.toMatch(/wrong-secret|me:/)
    it.server.behaviour.onCommand = verb => (verb === 'RETR' ? '550 Permission denied' : undefined)
    expect(await failing(way, it.url, it)).toMatchObject({ code: 'Denied', status: 550 })
  })

  test('TLS asked for and not offered: fails before the password is said', async () => {
    const it = await scene()
    const error = await failing(way, it.url, it, { ftp: { tls: 'explicit', user: 'me', password: 'secret' } })
    expect(error).toMatchObject({ code: 'Unsupported' })
    expect(it.server.count('USER')).toBe(0)
  })
})

describe('ftp', () => {
  test('a kept connection that the server has closed is replaced without a word', async () => {
    for (const farewell of [undefined, '421 Timeout.']) {
      const it = await scene()
      await take('readAll', it.url, it, { concurrency: 1 })
      it.server.hangUp(farewell)
      expectSame(await take('readAll', it.url, it, { concurrency: 1, retries: 0 }), data)
    }
  })

  test('many files use a few logins', async () => {
    const it = await scene()
    const rows = Array.from({ length: 60 }, (_, index) => {
      it.server.tree.put(`/many/${index}`, data.subarray(0, index * 10))
      return { uris: [`${it.server.origin}/many/${index}`], path: `${index}`, index, checksums: [] }
    })
    let done = 0
    for await (const one of downloadAll(rows as never, { engine: it.engine, directory: it.directory })) {
      expect('error' in one ? one.error : undefined).toBeUndefined()
      done++
    }
    expect(done).toBe(60)
    expect(it.server.connections.total).toBeLessThanOrEqual(4)
  })

  test('what an earlier run left is continued only with a checksum or leave to trust the time', async () => {
    for (const [options, isContinued] of [
      [{}, false],
      [{ checksums: [sha256(data)] }, true],
      [{ allowWeakResume: true }, true],
    ] as const) {
      const it = await scene()
      it.server.behaviour.onTransfer = ({ start }) => (start >= 6 * MIB ? { rate: 100_000 } : undefined)
      const abort = new AbortController()
      let done = 0
      const hooks = { onPartDone: () => void done++ }
      const fetching = download(it.url, it.path('data'), { engine: it.engine, ...PARTS, signal: abort.signal, hooks })
      // Received is not enough: the last byte of a part lands later.
      while (done < 3) await sleep(10)
      abort.abort(new Error('enough'))
      await expect(fetching).rejects.toThrow('enough')
      expect(it.engine.progress).toMatchObject({ resumable: 0, unproven: 1 })
      it.server.behaviour.onTransfer = () => undefined
      const resumed = await download(it.url, it.path('data'), { engine: it.engine, ...PARTS, ...options })
      expect(resumed.networkBytes < ODD - 5 * MIB).toBe(isContinued)
      expect(await namesIn(it.directory)).toEqual(['data'])
      expectSame(await readFile(it.path('data')), data)
    }
  })

  test('a directory is refused as a file', async () => {
    const it = await scene()
    expect(await failing('download', `${it.server.origin}/pub/`, it)).toMatchObject({ code: 'Unsupported' })
  })

  test('line ends in a path are refused, not sent', async () => {
    const it = await scene()
    for (const path of ['a%0d%0aDELE%20b', 'a%0Ab', 'a%00']) {
      expect(await failing('download', `${it.server.origin}/${path}`, it)).toMatchObject({ code: 'Usage' })
    }
    expect(it.server.connections.total).toBe(0)
  })
})

describe('list() over ftp', () => {
  const names = async (it: Scene, path = '/') => {
    const found: string[] = []
    for await (const batch of list(`${it.server.origin}${path}`, { engine: it.engine })) {
      found.push(...batch.map(one => one.path))
    }
    return found.sort()
  }

  test('LIST only, NLST only, MLSD offered and refused: all names', async () => {
    for (const behaviour of [
      { lists: ['LIST'] },
      { lists: ['NLST'] },
      { lists: ['LIST'], features: undefined },
      { lists: ['NLST'], features: undefined, hasNamePaths: true },
      { lists: ['LIST'], hidesDots: true },
    ] as const) {
      const it = await scene(behaviour)
      it.server.tree.put('/pub/.hidden/x y', data.subarray(0, 3))
      expect(await names(it)).toEqual(['pub/.hidden/x y', 'pub/data'])
    }
  })

  test('matches patterns', async () => {
    const it = await scene()
    for (const name of ['a1.txt', 'a2.txt', 'b1.txt']) it.server.tree.put(`/pub/${name}`, data.subarray(0, 3))
    expect(await names(it, '/pub/a*.txt')).toEqual(['a1.txt', 'a2.txt'].map(name => `${name}`))
  })

  test('a listing that is cut is asked for again; one that stays cut fails', async () => {
    const it = await scene({
      onTransfer: ({ verb, index }) => (verb === 'MLSD' && index === 0 ? { cutAfter: 70 } : undefined),
    })
    expect(await names(it)).toEqual(['pub/data'])
    expect(it.server.count('MLSD')).toBeGreaterThan(2)
  })

  test('a listing without 226 is none', async () => {
    const it = await scene({ onTransfer: ({ index }) => (index === 0 ? { finalReply: '' } : undefined) })
    expect(await names(it)).toEqual(['pub/data'])
    expect(it.server.connections.total).toBe(2)
  })

  test('a server that cuts long listings short, and says so under 226, is not believed', async () => {
    const it = await scene({ onTransfer: () => ({ finalReply: '226-Output truncated to 2000 matches\r\n226 done' }) })
    await expect(names(it)).rejects.toMatchObject({ code: 'Unsupported' })
  })

  test('lines that nobody understands fail, they are not left out', async () => {
    const it = await scene({ lists: ['LIST'], features: undefined })
    it.server.tree.put('/pub/two\nlines', data.subarray(0, 3))
    await expect(names(it)).rejects.toMatchObject({ code: 'Protocol' })
  })

  test('links: what leads to a file counts, what leads to a directory is not entered', async () => {
    for (const lists of [['MLSD'], ['LIST']] as const) {
      const it = await scene({ lists, features: lists[0] === 'MLSD' ? ['MLST type*;'] : undefined })
      it.server.tree.links.set('/pub/link', 'data')
      it.server.tree.links.set('/pub/loop', '..')
      it.server.tree.links.set('/pub/broken', 'nowhere')
      expect(await names(it)).toEqual(['pub/data', 'pub/link'])
    }
  })

  test('leaves connections to transfers: while there are four, it has one', async () => {
    const it = await scene({ most: 5 })
    for (let index = 0; index < 40; index++) it.server.tree.put(`/tree/${index}/x`, data.subarray(0, 1))
    it.server.behaviour.onTransfer = ({ verb }) => (verb === 'RETR' ? { rate: 8 * MIB } : undefined)
    const fetching = take('readAll', it.url, it, PARTS)
    expect(await names(it, '/tree/')).toHaveLength(40)
    expectSame(await fetching, data)
    expect(it.server.connections.peak).toBeLessThanOrEqual(5)
  })
})
