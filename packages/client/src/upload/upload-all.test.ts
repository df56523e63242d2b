import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { Progress } from '@arriero/transfer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LibrarianTwin, type LibrarianTwinOptions, startLibrarianTwin } from '../../test/librarian-twin.ts'
import { type Librarian, openLibrarian } from '../librarian.ts'
import type { UploadRequest } from './prepare.ts'
import { createResumeRecords } from './resume-records.ts'
import { type UploadAllOptions, type UploadOutcome, uploadAll } from './upload-all.ts'

let folder!: string
let twin!: LibrarianTwin
let librarian!: Librarian

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-upload-'))
  await mkdir(join(folder, 'staging'))
})
afterEach(async () => {
  librarian?.close()
  await twin?.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(options: Partial<LibrarianTwinOptions> = {}): Promise<void> {
  twin = await startLibrarianTwin({ staging: join(folder, 'staging'), ...options })
  librarian = openLibrarian({ name: 'twin', url: twin.url, user: 'ada', password: 'pw' }, { retries: 3 })
}

const large = randomBytes(5 << 20)

async function put(name: string, content: string | Buffer): Promise<UploadRequest> {
  await writeFile(join(folder, name), content)
  return { path: join(folder, name), name }
}

async function upload(requests: readonly UploadRequest[], options: UploadAllOptions = {}): Promise<UploadOutcome[]> {
  const outcomes: UploadOutcome[] = []
  for await (const outcome of uploadAll(librarian, requests, { waitMs: 1, ...options })) outcomes.push(outcome)
  return outcomes
}

const errors = (outcomes: readonly UploadOutcome[]) => outcomes.flatMap(each => (each.ok ? [] : [each.error]))

describe('uploadAll()', () => {
  test('copies where staging is visible, and keeps the sender’s digest', async () => {
    await start()
    await mkdir(join(folder, 'tree', 'sub'), { recursive: true })
    await writeFile(join(folder, 'tree', 'a.txt'), 'abc')
    await writeFile(join(folder, 'tree', 'sub', 'b.txt'), '')
    const outcomes = await upload([{ path: join(folder, 'tree'), name: 'x/tree' }], { deletion: 'ALLOWED' })
    expect(outcomes).toMatchObject([
      { ok: true, uploaded: { kind: 'tree', size: 3, status: 'uploaded', method: 'local' } },
    ])
    expect(twin.files.get('x/tree')).toEqual({
      size: 3,
      checksum: 'xxh3:::e3fec79afcee50e38a726d256499600b',
      policy: 'ALLOWED',
    })
  })

  test('sends over HTTP where it is not, and says nothing twice', async () => {
    await start({ ways: ['http'] })
    const outcomes = await upload([await put('f', large)], { checksum: 'sha256' })
    expect(outcomes).toMatchObject([{ ok: true, uploaded: { size: large.length, method: 'http', held: 0 } }])
    expect(twin.calls).toEqual(['ping/', 'upload/stage', 'PATCH /files/1', 'upload/commit'])
  })

  test('says which machines could bring the bytes when this one cannot', async () => {
    await start({ ways: ['local'] })
    const request = await put('f', large)
    // As seen from a machine that does not mount the staging area.
    const elsewhere = { ...librarian, api: { ...librarian.api, upload: { ...librarian.api.upload } } } as Librarian
    Object.assign(elsewhere.api.upload, {
      stage: async (...given: Parameters<Librarian['api']['upload']['stage']>) => ({
        ...(await librarian.api.upload.stage(...given)),
        staging_location: '/nowhere/uuid/f',
      }),
    })
    const outcomes: UploadOutcome[] = []
    for await (const outcome of uploadAll(elsewhere, [request])) outcomes.push(outcome)
    expect(errors(outcomes)).toMatchObject([{ code: 'Unsupported', message: expect.stringContaining('by copy on') }])
  })

  test('sends many small files in batches: few calls for all', async () => {
    await start({ ways: ['http'] })
    const requests = await Promise.all(Array.from({ length: 100 }, (_, n) => put(`f${n}`, `content ${n}`)))
    const progress = new Progress()
    const outcomes = await upload(requests, { checksum: 'sha256', progress })
    expect(errors(outcomes)).toEqual([])
    expect(twin.files.size).toBe(100)
    expect(twin.calls.filter(call => call.startsWith('upload/')).length).toBeLessThanOrEqual(12)
    expect(progress).toMatchObject({ done: 100, failed: 0, listed: 100, isListed: true })
    expect(progress.active.size).toBe(0)
  })

  test('one after the other at a librarian that knows no batches', async () => {
    await start({ isOld: true, ways: ['local'] })
    const requests = await Promise.all(Array.from({ length: 20 }, (_, n) => put(`f${n}`, `content ${n}`)))
    expect(errors(await upload(requests))).toEqual([])
    expect(twin.files.size).toBe(20)
  })

  test('what is there already with the same content is success; other content is not touched', async () => {
    await start()
    const [same, other, big] = [await put('same', 'one'), await put('other', 'two'), await put('big', large)]
    await upload([same, other, big])
    await writeFile(join(folder, 'other'), 'changed')
    const outcomes = await upload([same, other, big])
    const byName = new Map(outcomes.map(each => [each.request.name, each]))
    expect(byName.get('same')).toMatchObject({ ok: true, uploaded: { status: 'present' } })
    expect(byName.get('big')).toMatchObject({ ok: true, uploaded: { status: 'present' } })
    expect(byName.get('other')).toMatchObject({ ok: false, error: { code: 'FileExists' } })
    expect(twin.files.get('other')?.size).toBe(3)
  })

  test('each item has its own end, and they add up', async () => {
    await start()
    const progress = new Progress()
    const good = await put('good', 'x')
    const requests = [
      good,
      { path: join(folder, 'absent'), name: 'absent' },
      { path: good.path, name: '../escape' },
      { path: good.path, name: 'good' },
      { path: good.path, name: 'good/inside' },
    ]
    const outcomes = await upload(requests, { progress })
    expect(outcomes).toHaveLength(5)
    expect(errors(outcomes)).toHaveLength(4)
    expect(progress).toMatchObject({ listed: 5, done: 1, failed: 4, skipped: 0 })
    expect(
      errors(outcomes)
        .map(error => (error as { code: string }).code)
        .sort(),
    ).toEqual(['BadName', 'NotFound', 'Usage', 'Usage'])
    expect([...twin.files.keys()]).toEqual(['good'])
  })

  test('a source that changes while it is sent is refused and never committed', async () => {
    await start({ ways: ['http'] })
    const request = await put('f', large)
    twin.disturb = path => {
      if (path === 'upload/stage') void appendFile(request.path, 'more')
      return undefined
    }
    const outcomes = await upload([request], { checksum: 'sha256' })
    expect(errors(outcomes)).toMatchObject([{ code: 'ResourceChanged' }])
    expect(twin.calls).not.toContain('upload/commit')
  })

  test('a wrong password ends each item with its reason', async () => {
    await start()
    twin.disturb = path => {
      if (path !== 'ping/') throw new LibrarianError('Denied', 'Incorrect username or password')
      return undefined
    }
    expect(errors(await upload([await put('f', large)]))).toMatchObject([{ code: 'Denied' }])
  })

  test('nobody listening is told in plain words', async () => {
    await start()
    const request = await put('f', 'x')
    await twin.close()
    expect(errors(await upload([request]))).toMatchObject([
      { code: 'Network', message: expect.stringMatching(/nobody listens there$/) },
    ])
  })
})

describe('uploadAll() after trouble', () => {
  const lost = (wanted: string) => {
    let isDone = false
    twin.disturb = path => {
      if (path !== wanted || isDone) return undefined
      isDone = true
      return 'lose'
    }
  }

  test.each(['upload/stage', 'upload/commit'])('a lost answer of %s is asked for again by the same key', async path => {
    await start({ ways: ['http'] })
    lost(path)
    expect(errors(await upload([await put('f', large)], { checksum: 'sha256' }))).toEqual([])
    expect(twin.calls.filter(call => call === path)).toHaveLength(2)
    expect(twin.files.size).toBe(1)
  })

  test('a lost answer of an older librarian’s commit is settled by what it keeps', async () => {
    await start({ isOld: true, ways: ['local'] })
    lost('upload/commit')
    expect(await upload([await put('f', large)])).toMatchObject([{ ok: true, uploaded: { status: 'uploaded' } }])
    expect(twin.calls.filter(call => call === 'upload/commit')).toHaveLength(1)
  })

  test('a killed run is continued: what the server has is not sent again', async () => {
    await start({ ways: ['http'] })
    const records = createResumeRecords(join(folder, 'state'))
    const request = await put('f', large)
    const controller = new AbortController()
    twin.cutAfter = 3 << 20
    twin.disturb = () => undefined
    const stopped = upload([request], {
      checksum: 'sha256',
      records,
      signal: controller.signal,
      waitMs: 60_000,
    }).catch(error => error)
    while (!twin.calls.some(call => call.startsWith('PATCH'))) await new Promise(resolve => setTimeout(resolve, 10))
    await new Promise(resolve => setTimeout(resolve, 200))
    controller.abort(new Error('killed'))
    expect(await stopped).toMatchObject({ message: 'killed' })
    expect(await readdir(join(folder, 'state'))).toHaveLength(1)

    twin.calls.length = 0
    const outcomes = await upload([request], { checksum: 'sha256', records })
    expect(outcomes).toMatchObject([{ ok: true, uploaded: { held: 3 << 20 } }])
    expect(twin.calls).toEqual(['HEAD /files/1', 'PATCH /files/1', 'upload/commit'])
    expect(await readdir(join(folder, 'state'))).toEqual([])
  })

  test('a record of an upload that the server has forgotten only costs that it begins anew', async () => {
    await start({ ways: ['http'] })
    const records = createResumeRecords(join(folder, 'state'))
    const request = await put('f', large)
    twin.disturb = path => {
      if (path === 'upload/commit') throw new LibrarianError('NoSpace', 'full')
      return undefined
    }
    expect(errors(await upload([request], { checksum: 'sha256', records }))).toHaveLength(1)
    const [name] = await readdir(join(folder, 'state'))
    const text = await readFile(join(folder, 'state', name!), 'utf8')
    await writeFile(join(folder, 'state', name!), text.replace('/files/1', '/files/99'))
    twin.disturb = () => undefined
    expect(errors(await upload([request], { checksum: 'sha256', records }))).toEqual([])
    expect(twin.files.size).toBe(1)
  })

  test('a consumer that leaves early leaves nothing running', async () => {
    await start()
    const requests = await Promise.all(Array.from({ length: 50 }, (_, n) => put(`f${n}`, `content ${n}`)))
    for await (const outcome of uploadAll(librarian, requests)) {
      expect(outcome.ok).toBe(true)
      break
    }
    const calls = twin.calls.length
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(twin.calls.length).toBe(calls)
  })
})
