import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, download, listEach } from '@arriero/transfer'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { idOfPath, pathOfId } from '../src/services/drs/ids.ts'
import { createDrs, type DrsAccess, type DrsObject, type DrsOptions } from '../src/services/drs.ts'
import { type BytesApp, startBytesApp } from './bytes-app.ts'
import { asUser } from './raw-app.ts'
import { bytesOf } from './world.ts'

test('ids and paths map one to one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), path => {
      fc.pre(path.isWellFormed())
      expect(idOfPath(path)).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(pathOfId(idOfPath(path))).toBe(path)
    }),
  )
  // Other spellings of the same bytes, and what is no text.
  expect(pathOfId('YQ')).toBe('a')
  for (const id of ['YR', 'YQ==', 'YQ=', '', 'a', '_w', '%59Q', 'Y/Q', '77u_YR'])
    expect(pathOfId(id), id).toBeUndefined()
})

test('what is kept is counted once a minute, however many ask', async () => {
  let counts = 0
  let now = 0
  const serving = { totals: async () => ({ count: ++counts, size: 0 }) }
  const options = { catalogue: { serving }, data: {}, tickets: {}, clock: { now: () => now } }
  const drs = createDrs(options as unknown as DrsOptions)
  await Promise.all([drs.totals(), drs.totals()])
  now = 59_999
  expect(await drs.totals()).toEqual({ count: 1, size: 0 })
  now = 60_000
  expect(await drs.totals()).toEqual({ count: 2, size: 0 })
})

describe('DRS', () => {
  let site: BytesApp
  const content = randomBytes(300_000)
  const tree = new Map([
    ['a.txt', bytesOf('abc')],
    ['sub/b c.txt', bytesOf('second')],
    ['sub/deep/c', bytesOf('third')],
  ])
  const ask = (path: string, headers: Record<string, string> = asUser('ada')) =>
    fetch(`${site.app.origin}/ga4gh/drs/v1/${path}`, { headers })
  const object = async (path: string, query = '') =>
    (await (await ask(`objects/${idOfPath(path)}${query}`)).json()) as DrsObject

  beforeAll(async () => {
    site = await startBytesApp({ users: { nobody: 'NONE', reader: 'READONLY' } })
    await site.world.upload('night/1.fits', content)
    await site.world.upload('run', tree)
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test('says what this service is, to anybody', async () => {
    const answer = await ask('service-info', {})
    expect(await answer.json()).toMatchObject({
      type: { group: 'org.ga4gh', artifact: 'drs', version: '1.5.0' },
      drs: { objectCount: 2, totalObjectSize: 300_014 },
    })
  })

  test('describes a file, and gives access by a header that opens just this file', async () => {
    const blob = await object('night/1.fits')
    expect(blob).toMatchObject({
      id: idOfPath('night/1.fits'),
      name: '1.fits',
      self_uri: `drs://127.0.0.1:${site.app.port}/${idOfPath('night/1.fits')}`,
      size: 300_000,
      checksums: [{ type: 'sha-256' }, { type: 'xxh3-128' }],
      access_methods: [{ type: 'https', access_id: 'https' }],
    })
    const { url, headers } = (await (await ask(`objects/${blob.id}/access/https`)).json()) as {
      url: string
      headers: string[]
    }
    const [, ticket] = headers[0]!.split(': ') as [string, string]
    const got = await fetch(url, { headers: { authorization: ticket } })
    expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true)
    const other = await fetch(url.replace('night/1.fits', 'run/a.txt'), { headers: { authorization: ticket } })
    expect(other.status).toBe(401)
    const forged = ticket.replace(/.$/, last => (last === 'A' ? 'Q' : 'A'))
    expect((await fetch(url, { headers: { authorization: forged } })).status).toBe(401)
  })

  test('describes a tree as bundles, one level or all', async () => {
    const top = await object('run')
    expect(top.contents).toMatchObject([
      { name: 'a.txt', id: idOfPath('run/a.txt') },
      { name: 'sub', id: idOfPath('run/sub') },
    ])
    expect(top.access_methods).toBeUndefined()
    const all = await object('run', '?expand=true')
    expect(all.contents).toMatchObject([
      {},
      { contents: [{ name: 'b c.txt' }, { name: 'deep', contents: [{ name: 'c' }] }] },
    ])
    expect(all.checksums).toEqual(top.checksums)
    expect(await object('run/sub')).toMatchObject({ size: 11, contents: [{ name: 'b c.txt' }, { name: 'deep' }] })
  })

  test.each([
    [`objects/${idOfPath('none')}`, 404],
    [`objects/YR`, 404],
    [`objects/${idOfPath('run/none')}`, 404],
    [`objects/${idOfPath('run')}/access/https`, 404],
    [`objects/${idOfPath('night/1.fits')}/access/s3`, 404],
    [`objects/a/b/c`, 404],
  ])('%s is answered by %i in the form of DRS', async (path, status) => {
    const answer = await ask(path)
    expect([answer.status, await answer.json()]).toMatchObject([
      status,
      { status_code: status, msg: expect.any(String) },
    ])
  })

  test('nobody without a password, or below the level, learns what is kept', async () => {
    for (const id of [idOfPath('night/1.fits'), idOfPath('none')]) {
      expect((await ask(`objects/${id}`, {})).status).toBe(401)
      expect((await ask(`objects/${id}`, asUser('nobody'))).status).toBe(401)
      expect((await ask(`objects/${id}/access/https`, {})).status).toBe(401)
    }
    expect((await ask(`objects/${idOfPath('night/1.fits')}`, asUser('reader'))).status).toBe(200)
  })

  test('the engine fetches a file and a bundle by their DRS names, and verifies them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'arriero-drs-'))
    const host = `127.0.0.1:${site.app.port}`
    const credentials = [{ kind: 'password', endpoint: site.app.origin, user: 'reader', password: 'pw' } as const]
    try {
      await using engine = createEngine()
      const commons = { credentials }
      const uri = `drs://${host}/${idOfPath('night/1.fits')}`
      const { path, verification } = await download(uri, `${directory}/`, { engine, commons })
      expect(path).toBe(join(directory, '1.fits'))
      expect((await readFile(path)).equals(content)).toBe(true)
      expect(verification.checks).toContainEqual(expect.objectContaining({ algorithm: 'sha256', outcome: 'match' }))
      const names: string[] = []
      for await (const listed of listEach(`drs://${host}/${idOfPath('run')}/`, { engine, commons })) {
        names.push(listed.path)
        const to = join(directory, names.length.toString())
        await download(listed.uri, to, { engine, commons })
        expect((await readFile(to)).equals(Buffer.from(tree.get(listed.path)!)), listed.path).toBe(true)
      }
      expect(names.sort()).toEqual(['a.txt', 'sub/b c.txt', 'sub/deep/c'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('a ticket ends', async () => {
    let wall = Date.now()
    const clock = { now: () => performance.now(), wallNow: () => wall, sleep: async () => {} }
    await using other = await startBytesApp({ clock })
    await other.world.upload('a', bytesOf('x'))
    const answer = await fetch(`${other.app.origin}/ga4gh/drs/v1/objects/${idOfPath('a')}/access/https`, {
      headers: asUser('ada'),
    })
    const { url, headers } = (await answer.json()) as DrsAccess & { url: string; headers: string[] }
    const authorization = headers[0]!.split(': ')[1] as string
    wall += 14 * 60_000
    expect((await fetch(url, { headers: { authorization } })).status).toBe(200)
    wall += 2 * 60_000
    expect((await fetch(url, { headers: { authorization } })).status).toBe(401)
  })
})
