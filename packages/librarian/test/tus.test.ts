import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { archiveHeaders } from '@arriero/api'
import { loadPathFunctions } from '@arriero/transfer'
import { Upload } from 'tus-js-client'
import { beforeAll, describe, expect, test } from 'vitest'
import { MemoryStore } from '../src/stores/memory.ts'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import type { Store } from '../src/stores/store.ts'
import { archiveOf, withKind } from './archive-of.ts'
import { type BytesApp, startBytesApp } from './bytes-app.ts'
import { asUser } from './raw-app.ts'
import { ada, bytesOf, newGround } from './world.ts'

const tus = { ...asUser('ada'), 'tus-resumable': '1.0.0' }
const piece = { ...tus, 'content-type': 'application/offset+octet-stream' }

beforeAll(() => loadPathFunctions(['xxh3', 'md5', 'sha256']))

/** Announced as a librarian's own client does it. */
async function announce(site: BytesApp, content: Uint8Array, name = `f${randomBytes(4).toString('hex')}`) {
  const { checksum } = await describeContent(content, undefined)
  const staged = await site.world.uploads.stage(
    { size: content.length, checksum, uploadName: name, name, uploader: 'ada' },
    ada,
  )
  const { url } = staged.providers.http as { url: string }
  const address = site.app.origin + url
  return {
    name,
    address,
    path: url,
    staged,
    patch: (offset: number, body: Uint8Array | ReadableStream, headers: Record<string, string> = {}) =>
      fetch(address, {
        method: 'PATCH',
        headers: { ...piece, 'upload-offset': String(offset), ...headers },
        body: body instanceof Uint8Array ? Buffer.from(body) : body,
        duplex: 'half',
      } as RequestInit),
    offset: async () => {
      const answer = await fetch(address, { method: 'HEAD', headers: tus })
      return answer.status === 200 ? Number(answer.headers.get('upload-offset')) : answer.status
    },
    commit: () =>
      site.world.uploads.commit(
        { transferId: staged.transfer.id, provider: 'http', deletionPolicy: 'DISALLOWED' },
        ada,
      ),
  }
}

/** A PATCH on a socket of its own, which says what it says and then waits. */
function openPatch(site: BytesApp, path: string, head: Record<string, string | number>, body: Uint8Array): Socket {
  const socket = connect(site.app.port, '127.0.0.1')
  socket.on('error', () => {})
  const lines = Object.entries({ host: 'h', ...piece, ...head }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`PATCH ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  socket.write(body)
  return socket
}

const base64 = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('base64')

describe('tus', () => {
  test('says what it can do to whoever asks', async () => {
    await using site = await startBytesApp()
    const answer = await fetch(`${site.app.origin}/api/v2/upload/bytes`, { method: 'OPTIONS' })
    expect(answer.status).toBe(204)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'tus-resumable': '1.0.0',
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,expiration,checksum,termination',
      'tus-max-size': String(1 << 30),
      'tus-checksum-algorithm': 'sha256,sha512,sha1,md5',
    })
  })

  test('an announced empty file is whole before anything is sent, and kept by commit, twice too', async () => {
    await using site = await startBytesApp()
    const upload = await announce(site, new Uint8Array())
    expect(await upload.offset()).toBe(0)
    expect(await upload.commit()).toMatchObject({ name: upload.name })
    expect(await upload.commit()).toMatchObject({ outcome: 'same' })
    expect(await site.world.store.stat(upload.name)).toMatchObject({ kind: 'file', size: 0 })
  })

  test('an empty upload that a client creates itself is there at once, kept by commit or by itself', async () => {
    await using site = await startBytesApp()
    for (const isKept of [true, false]) {
      const name = `empty-${isKept}`
      const { checksum } = await describeContent(new Uint8Array(), undefined)
      const metadata = Object.entries({ name, checksum: checksum ?? '', commit: String(isKept) })
        .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
        .join(',')
      const made = await fetch(`${site.app.origin}/api/v2/upload/bytes`, {
        method: 'POST',
        headers: { ...tus, 'upload-length': '0', 'upload-metadata': metadata },
      })
      expect([made.status, made.headers.get('upload-offset')]).toEqual([201, '0'])
      const address = site.app.origin + made.headers.get('location')
      const told = await fetch(address, { method: 'HEAD', headers: tus })
      expect([told.headers.get('upload-offset'), told.headers.get('upload-length')]).toEqual(['0', '0'])
      expect((await site.world.store.stat(name)) !== undefined).toBe(isKept)
    }
  })

  test('an announced upload comes in pieces, and is kept by commit', async () => {
    await using site = await startBytesApp()
    const content = randomBytes(300_000)
    const upload = await announce(site, content)
    expect(upload.staged.providers.http).toEqual({
      hostnames: [],
      url: upload.path,
      protocol: 'tus',
      version: '1.0.0',
      archives: ['tar'],
      max_members: 250_000,
    })
    expect(await upload.offset()).toBe(0)
    for (const [from, to] of [
      [0, 100_000],
      [100_000, 100_000],
      [100_000, 300_000],
    ] as const) {
      const answer = await upload.patch(from, content.subarray(from, to))
      expect([answer.status, answer.headers.get('upload-offset')]).toEqual([204, String(to)])
      expect(Date.parse(answer.headers.get('upload-expires') as string)).toBeGreaterThan(Date.now() + 86_400_000)
    }
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
    const got = await fetch(`${site.app.origin}/api/v2/data/${upload.name}`, { headers: tus })
    expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true)
    expect(await upload.offset()).toBe(300_000)
  })

  test('another user, and a wrong token, find nothing', async () => {
    await using site = await startBytesApp()
    const upload = await announce(site, bytesOf('abc'))
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      const headers = { ...piece, 'upload-offset': '0', ...asUser('ben') }
      expect((await fetch(upload.address, { method, headers })).status).toBe(404)
      const other = upload.address.replace(/.{4}$/, '0000')
      expect((await fetch(other, { method, headers: { ...headers, ...asUser('ada') } })).status).toBe(404)
    }
    expect((await fetch(upload.address, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } })).status).toBe(401)
    expect(await upload.offset()).toBe(0)
  })

  test.each([
    ['a wrong offset', 409, { 'upload-offset': '1' }, 'bc'],
    ['no offset', 400, { 'upload-offset': '' }, 'abc'],
    ['an odd offset', 400, { 'upload-offset': '-1' }, 'abc'],
    ['more than announced', 413, {}, 'abcd'],
    ['another type', 415, { 'content-type': 'text/plain' }, 'abc'],
    ['another version', 412, { 'tus-resumable': '0.2.2' }, 'abc'],
    ['a wrong checksum', 460, { 'upload-checksum': `sha256 ${base64('sha256', bytesOf('other'))}` }, 'abc'],
    ['a checksum of an unknown kind', 400, { 'upload-checksum': 'crc32 AAAAAA==' }, 'abc'],
    ['a wrong Content-Digest', 460, { 'content-digest': `md5=:${base64('md5', bytesOf('other'))}:` }, 'abc'],
  ])('%s is answered by %i, and changes nothing', async (_, status, headers, body) => {
    await using site = await startBytesApp()
    const upload = await announce(site, bytesOf('abc'))
    const answer = await upload.patch(0, bytesOf(body), headers as Record<string, string>)
    expect(answer.status).toBe(status)
    if (status === 409) expect(answer.headers.get('upload-offset')).toBe('0')
    if (status === 412) expect(answer.headers.get('tus-version')).toBe('1.0.0')
    expect(await upload.offset()).toBe(0)
    expect((await upload.patch(0, bytesOf('abc'))).status).toBe(204)
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
  })

  test.each([
    ['sha256', 'upload-checksum', (bytes: Uint8Array) => `sha256 ${base64('sha256', bytes)}`],
    ['md5', 'upload-checksum', (bytes: Uint8Array) => `md5 ${base64('md5', bytes)}`],
    ['sha-512', 'content-digest', (bytes: Uint8Array) => `sha-512=:${base64('sha512', bytes)}:`],
  ])('a piece with its %s is taken', async (_, header, digest) => {
    await using site = await startBytesApp()
    const upload = await announce(site, bytesOf('abc'))
    expect((await upload.patch(0, bytesOf('abc'), { [header]: digest(bytesOf('abc')) })).status).toBe(204)
  })

  test('a piece without a length is taken up to what was announced, and not beyond', async () => {
    await using site = await startBytesApp()
    const content = randomBytes(200_000)
    const upload = await announce(site, content)
    const tooLong = Readable.toWeb(Readable.from([content, bytesOf('x')])) as ReadableStream
    expect((await upload.patch(0, tooLong)).status).toBe(413)
    expect(await upload.offset()).toBe(0)
    const right = Readable.toWeb(Readable.from([content.subarray(0, 50_000), content.subarray(50_000)]))
    expect((await upload.patch(0, right as ReadableStream)).status).toBe(204)
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
  })

  test('a body that breaks off is kept as far as it came; with a digest, nothing of it', async () => {
    await using site = await startBytesApp()
    const content = randomBytes(1_000_000)
    const upload = await announce(site, content)
    const first = openPatch(
      site,
      upload.path,
      { 'upload-offset': 0, 'content-length': 1_000_000 },
      content.subarray(0, 400_000),
    )
    await new Promise(resolve => setTimeout(resolve, 200))
    first.destroy()
    await expect.poll(() => upload.offset()).toBe(400_000)
    const digest = { 'upload-checksum': `sha256 ${base64('sha256', content.subarray(400_000))}` }
    const second = openPatch(
      site,
      upload.path,
      { 'upload-offset': 400_000, 'content-length': 600_000, ...digest },
      content.subarray(400_000, 700_000),
    )
    await new Promise(resolve => setTimeout(resolve, 200))
    second.destroy()
    await expect.poll(() => upload.offset()).toBe(400_000)
    expect((await upload.patch(400_000, content.subarray(400_000), digest)).status).toBe(204)
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
  })

  test('a newer request stops an older one that hangs, and goes on from what is there', async () => {
    await using site = await startBytesApp()
    const content = randomBytes(1_000_000)
    const upload = await announce(site, content)
    const old = openPatch(
      site,
      upload.path,
      { 'upload-offset': 0, 'content-length': 1_000_000 },
      content.subarray(0, 400_000),
    )
    const closed = new Promise(resolve => old.on('close', resolve))
    await new Promise(resolve => setTimeout(resolve, 200))
    const newer = await upload.patch(0, content)
    expect(newer.status).toBe(409)
    const offset = Number(newer.headers.get('upload-offset'))
    expect(offset).toBe(400_000)
    await closed
    expect((await upload.patch(offset, content.subarray(offset))).status).toBe(204)
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
  })

  test('while an older request cannot stop, newer ones are told 423', async () => {
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    await using site = await startBytesApp({ patienceMs: 200, wrapStore: store => slowAppend(store, gate) })
    const upload = await announce(site, bytesOf('abc'))
    const first = upload.patch(0, bytesOf('abc'))
    await new Promise(resolve => setTimeout(resolve, 100))
    const second = await upload.patch(0, bytesOf('abc'))
    expect([second.status, second.headers.get('retry-after')]).toEqual([423, '1'])
    release()
    await first.catch(() => {})
    await expect.poll(() => upload.offset()).toBe(3)
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
  })

  test('twenty at once at one offset: one piece counts', async () => {
    await using site = await startBytesApp()
    const content = randomBytes(500_000)
    const upload = await announce(site, content)
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => upload.patch(0, content)))
    const statuses = all.map(result => (result.status === 'fulfilled' ? result.value.status : 'broken'))
    expect(
      statuses.filter(status => status !== 204 && status !== 409 && status !== 423 && status !== 'broken'),
    ).toEqual([])
    let offset = await upload.offset()
    while (offset < content.length) {
      const answer = await upload.patch(offset, content.subarray(offset))
      if (answer.status === 204) offset = content.length
      else offset = await upload.offset()
    }
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
  })

  test('what is refused is not asked for: 100-continue comes only when the bytes are wanted', async () => {
    await using site = await startBytesApp()
    const upload = await announce(site, bytesOf('abc'))
    const ask = (offset: number) =>
      site.app.exchange(
        `PATCH ${upload.path} HTTP/1.1\r\nHost: h\r\n${Object.entries(piece)
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}Upload-Offset: ${offset}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`,
      )
    expect(await ask(0)).toMatch(/^HTTP\/1\.1 100 Continue/)
    const refused = await ask(2)
    expect(refused).toMatch(/^HTTP\/1\.1 413 /)
    expect(refused).toMatch(/\r\nconnection: close\r\n/i)
    expect(await ask(1).then(text => text.split('\r\n')[0])).toMatch(/ 413 /)
  })

  test('a sender in full flow hears why it is refused', async () => {
    await using site = await startBytesApp()
    const upload = await announce(site, randomBytes(3 << 20))
    const socket = openPatch(
      site,
      upload.path,
      { 'upload-offset': 5, 'content-length': (3 << 20) - 5 },
      randomBytes(2 << 20),
    )
    let answer = ''
    socket.on('data', data => {
      answer += data
    })
    await new Promise(resolve => socket.on('close', resolve))
    expect(answer).toMatch(/^HTTP\/1\.1 409 /)
    expect(answer).toContain('upload-offset: 0')
  })

  test('a commit leaves neither the spool nor the staging directory that was announced with it', async () => {
    await using site = await startBytesApp()
    const upload = await announce(site, bytesOf('abc'))
    expect(await Array.fromAsync(site.world.store.stagings())).toHaveLength(1)
    await upload.patch(0, bytesOf('abc'))
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
    await expect.poll(() => Array.fromAsync(site.world.store.stagings())).toEqual([])
    await expect.poll(() => Array.fromAsync(site.world.store.spools())).toEqual([])
  })

  test('an upload that is given up is gone, with its room', async () => {
    await using site = await startBytesApp()
    const upload = await announce(site, bytesOf('abc'))
    await upload.patch(0, bytesOf('ab'))
    const end = () => fetch(upload.address, { method: 'DELETE', headers: tus })
    expect((await end()).status).toBe(204)
    expect(await upload.offset()).toBe(410)
    expect((await upload.patch(2, bytesOf('c'))).status).toBe(410)
    expect(await Array.fromAsync(site.world.store.spools())).toEqual([])
    expect(await site.world.ground.catalogue.uploads.get({ id: upload.staged.transfer.id })).toMatchObject({
      status: 'CANCELLED',
    })
  })

  test('what nobody goes on with expires; what somebody does stays', async () => {
    let wall = Date.now()
    const clock = { now: () => performance.now(), wallNow: () => wall, sleep: async () => {} }
    await using site = await startBytesApp({ clock, tuning: { expiryMs: 3600_000 } })
    const [kept, left] = [await announce(site, bytesOf('abc')), await announce(site, bytesOf('def'))]
    await kept.patch(0, bytesOf('a'))
    await left.patch(0, bytesOf('d'))
    wall += 3000_000
    await kept.patch(1, bytesOf('b'))
    wall += 1000_000
    expect(await site.bytes.byteUploads.expire()).toBe(1)
    expect([await kept.offset(), await left.offset()]).toEqual([2, 410])
    expect(await Array.fromAsync(site.world.store.spools())).toHaveLength(1)
    expect((await kept.patch(2, bytesOf('c'))).status).toBe(204)
    expect(await kept.commit()).toMatchObject({ outcome: 'committed' })
  })
})

describe('tus, of a directory', () => {
  const tree: MemoryContent = new Map([
    ['a.txt', bytesOf('abc')],
    ['empty', null],
    ['sub/観測', bytesOf('d'.repeat(2000))],
  ])
  const archive = archiveOf(tree)
  const announceTree = async (site: BytesApp, content = tree) => {
    const { size, checksum } = await describeContent(content, undefined)
    const staged = await site.world.uploads.stage(
      { size, checksum, uploadName: 'tree', name: 'd/tree', uploader: 'ada', isTree: true },
      ada,
    )
    const { url, archives } = staged.providers.http as { url: string; archives: string[] }
    expect(archives).toEqual(['tar'])
    const ask = (method: string, headers: Record<string, string> = {}, body?: Uint8Array) =>
      fetch(site.app.origin + url, {
        method,
        headers: { ...(method === 'PATCH' ? piece : tus), ...archiveHeaders(archive.length), ...headers },
        ...(body ? { body: Buffer.from(body) } : {}),
      })
    return {
      staged,
      address: site.app.origin + url,
      patch: (offset: number, body: Uint8Array, headers: Record<string, string> = {}) =>
        ask('PATCH', { 'upload-offset': String(offset), ...headers }, body),
      head: () => ask('HEAD'),
      commit: () =>
        site.world.uploads.commit(
          { transferId: staged.transfer.id, provider: 'http', deletionPolicy: 'DISALLOWED' },
          ada,
        ),
    }
  }

  test('comes as an archive, in pieces, and is kept as what is in it', async () => {
    await using site = await startBytesApp()
    const upload = await announceTree(site)
    expect((await upload.patch(0, archive.subarray(0, 700))).status).toBe(204)
    const head = await upload.head()
    expect([head.headers.get('upload-offset'), head.headers.get('upload-length')]).toEqual(['700', `${archive.length}`])
    expect((await upload.patch(700, archive.subarray(700))).status).toBe(204)
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
    expect(await site.world.store.stat('d/tree')).toMatchObject({ kind: 'tree' })
    await using member = await site.world.store.open('d/tree', 'sub/観測')
    expect(member.size).toBe(2000)
    expect(await Array.fromAsync(site.world.store.spools())).toEqual([])
    // Its end may not have been heard.
    expect((await upload.head()).headers.get('upload-offset')).toBe(`${archive.length}`)
    expect(await upload.commit()).toMatchObject({ outcome: 'same' })
  })

  test('whose archive is none is refused with a reason and a remedy, and nothing of it is left', async () => {
    await using site = await startBytesApp()
    const upload = await announceTree(site)
    expect((await upload.patch(0, withKind(archive, '2'))).status).toBe(204)
    await expect(upload.commit()).rejects.toMatchObject({
      code: 'BadArchive',
      message: expect.stringContaining('symbolic link'),
      remedy: expect.stringContaining('POSIX archive'),
    })
    expect(await Array.fromAsync(site.world.store.spools())).toEqual([])
    expect(await Array.fromAsync(site.world.store.works())).toEqual([])
    expect((await upload.head()).status).toBe(410)
  })

  test.each<[string, Record<string, string>, number]>([
    ['half blocks', archiveHeaders(archive.length + 1), 400],
    ['less than its files', archiveHeaders(1024), 400],
    ['far more than its files', archiveHeaders(2 ** 40), 400],
    ['no whole number', { ...archiveHeaders(0), 'upload-length': '1e9' }, 400],
    ['nothing', archiveHeaders(0), 400],
    [
      'a length of another kind of archive',
      { 'upload-metadata': `archive ${btoa('zip')}`, 'upload-length': '4096' },
      400,
    ],
  ])('of which is said that it has %s is refused before its first byte', async (_, headers, status) => {
    await using site = await startBytesApp()
    const upload = await announceTree(site)
    const answer = await upload.patch(0, archive.subarray(0, 512), headers)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ reason: expect.any(String), suggested_remedy: expect.any(String) })
    expect((await upload.patch(0, archive)).status).toBe(204)
    expect(await upload.commit()).toMatchObject({ outcome: 'committed' })
  })

  test('is not made of what began as a file, and the other way round its length stays', async () => {
    await using site = await startBytesApp()
    const upload = await announceTree(site)
    const plain = { method: 'PATCH', headers: { ...piece, 'upload-offset': '0' }, body: 'abc' }
    expect((await fetch(upload.address, plain)).status).toBe(204)
    expect((await upload.patch(3, archive.subarray(3))).status).toBe(409)
    const other = await announceTree(site)
    expect((await other.patch(0, archive.subarray(0, 512))).status).toBe(204)
    expect((await other.patch(512, archive.subarray(512), archiveHeaders(archive.length + 512))).status).toBe(409)
    expect((await other.patch(512, archive.subarray(512))).status).toBe(204)
  })

  test('that does not fit is refused before its first byte', async () => {
    const { catalogue } = await newGround()
    const ground = { catalogue, stores: [new MemoryStore({ name: 'main', total: 5000 })] }
    await using site = await startBytesApp({ ground })
    const upload = await announceTree(site)
    const answer = await upload.patch(0, archive)
    expect(answer.status).toBe(507)
    expect((await upload.head()).status).toBe(507)
    expect(await Array.fromAsync(site.world.store.spools())).toEqual([])
  })

  test('may be created by a plain client, and is kept with its last piece', async () => {
    await using site = await startBytesApp()
    const { size, checksum } = await describeContent(tree, undefined)
    const metadata = Object.entries({ name: 'plain', archive: 'tar', size: `${size}`, checksum })
    const make = (from: [string, string][]) =>
      fetch(`${site.app.origin}/api/v2/upload/bytes`, {
        method: 'POST',
        headers: {
          ...piece,
          'upload-length': `${archive.length}`,
          'upload-metadata': from.map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`).join(','),
        },
        body: Buffer.from(archive),
      })
    expect((await make(metadata.filter(([key]) => key !== 'size'))).status).toBe(400)
    expect((await make(metadata)).status).toBe(201)
    expect(await site.world.store.stat('plain')).toMatchObject({ kind: 'tree' })
  })
})

describe('tus, by a plain client', () => {
  const create = (
    site: BytesApp,
    metadata: Record<string, string>,
    more: Record<string, string> = {},
    body?: Uint8Array,
  ) =>
    fetch(`${site.app.origin}/api/v2/upload/bytes`, {
      method: 'POST',
      headers: {
        ...tus,
        'upload-metadata': Object.entries(metadata)
          .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
          .join(','),
        ...more,
      },
      ...(body ? { body: Buffer.from(body) } : {}),
    })

  test('creates, sends with the creation, and finds it kept', async () => {
    await using site = await startBytesApp()
    const { checksum } = await describeContent(bytesOf('abc'), undefined)
    const type = { 'content-type': 'application/offset+octet-stream' }
    const answer = await create(site, { name: 'd/ü.txt', checksum }, { 'upload-length': '3', ...type }, bytesOf('abc'))
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([201, '3'])
    expect(answer.headers.get('location')).toMatch(/^\/api\/v2\/upload\/bytes\/[0-9a-f]{32}$/)
    expect(await site.world.store.stat('d/ü.txt')).toMatchObject({ size: 3 })
  })

  test('an empty file is kept by its creation', async () => {
    await using site = await startBytesApp()
    const { checksum } = await describeContent(bytesOf(''), undefined)
    expect((await create(site, { name: 'empty', checksum }, { 'upload-length': '0' })).status).toBe(201)
    expect(await site.world.store.stat('empty')).toMatchObject({ size: 0 })
  })

  test('other bytes than were announced are refused by the last piece, and nothing is kept', async () => {
    await using site = await startBytesApp()
    const { checksum } = await describeContent(bytesOf('abc'), undefined)
    const made = await create(site, { name: 'a', checksum }, { 'upload-length': '3' })
    const address = site.app.origin + made.headers.get('location')
    const answer = await fetch(address, { method: 'PATCH', headers: { ...piece, 'upload-offset': '0' }, body: 'abd' })
    expect(answer.status).toBe(406)
    expect((await fetch(address, { method: 'HEAD', headers: tus })).status).toBe(410)
    expect(await site.world.store.stat('a')).toBeUndefined()
  })

  test('who lost the last answer learns by HEAD that it is kept, not only that it is there', async () => {
    await using site = await startBytesApp()
    const { checksum } = await describeContent(bytesOf('abc'), undefined)
    const made = await create(site, { name: 'a', checksum }, { 'upload-length': '3' })
    const token = made.headers.get('location')!.slice(-32)
    // As a server leaves it that was killed after the last byte.
    await (await site.world.store.openSpool(token)).append(Readable.from([bytesOf('abc')]))
    const head = await fetch(site.app.origin + made.headers.get('location'), { method: 'HEAD', headers: tus })
    expect(head.headers.get('upload-offset')).toBe('3')
    expect(await site.world.store.stat('a')).toMatchObject({ size: 3 })
  })

  test.each([
    [{ checksum: 'md5:::900150983cd24fb0d6963f7d28e17f72' }, { 'upload-length': '3' }, 400],
    [{ name: 'a' }, { 'upload-length': '3' }, 400],
    [{ name: 'a', checksum: 'md5:::900150983cd24fb0d6963f7d28e17f72' }, {}, 400],
    [{ name: 'a', checksum: 'md5:::900150983cd24fb0d6963f7d28e17f72', size: '4' }, { 'upload-length': '3' }, 400],
    [{ name: '../a', checksum: 'md5:::900150983cd24fb0d6963f7d28e17f72' }, { 'upload-length': '3' }, 400],
    [{ name: 'a', checksum: 'md5:::900150983cd24fb0d6963f7d28e17f72' }, { 'upload-length': String(2 ** 31) }, 413],
    [{ name: 'a', checksum: 'md5:::900150983cd24fb0d6963f7d28e17f72' }, { 'upload-length': '1'.repeat(400) }, 400],
  ])('%j with %j is answered by %i', async (metadata, headers, status) => {
    await using site = await startBytesApp()
    const answer = await create(site, metadata as Record<string, string>, headers as Record<string, string>)
    expect(answer.status).toBe(status)
  })

  test('tus-js-client sends, is interrupted, and goes on', async () => {
    await using site = await startBytesApp()
    const content = randomBytes(900_000)
    const { checksum } = await describeContent(content, undefined)
    const options = {
      endpoint: `${site.app.origin}/api/v2/upload/bytes`,
      headers: asUser('ada'),
      metadata: { name: 'by-client', checksum },
      chunkSize: 200_000,
      retryDelays: [50, 100],
    }
    const url = await new Promise<string>((resolve, reject) => {
      const upload = new Upload(content, {
        ...options,
        onError: reject,
        onChunkComplete: (_, accepted) => {
          if (accepted >= 400_000) upload.abort().then(() => resolve(upload.url as string), reject)
        },
      })
      upload.start()
    })
    let begun: number | undefined
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(content, {
        ...options,
        uploadUrl: url,
        onError: reject,
        onProgress: sent => (begun ??= sent),
        onSuccess: () => resolve(),
      })
      upload.start()
    })
    expect(begun).toBeGreaterThanOrEqual(400_000)
    const got = await fetch(`${site.app.origin}/api/v2/data/by-client`, { headers: asUser('ada') })
    expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true)
  })
})

/** Takes the body, but says so only when the gate opens. */
function slowAppend(store: Store, gate: Promise<void>): Store {
  return new Proxy(store, {
    get(target, key) {
      const value = Reflect.get(target, key)
      if (key !== 'openSpool') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<Store['openSpool']>) => {
        const spool = await target.openSpool(...args)
        return {
          get path() {
            return spool.path
          },
          get offset() {
            return spool.offset
          },
          append: async (...given: Parameters<typeof spool.append>) => {
            const offset = await spool.append(...given)
            await gate
            return offset
          },
          [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
        }
      }
    },
  })
}
