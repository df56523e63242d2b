/** Fault matrix, retrieval 19: runs that end early, and what the next one may keep. */
import { appendFile, open, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createEngine, type DownloadOptions, download } from '../../src/index.ts'
import { type Block, formatBlock, formatHeader, type Owner, parseJournal } from '../../src/journal.ts'
import { type FaultServer, faults, startFaultServer } from '../fault-server.ts'
import { leaveHalf } from './leave-half.ts'
import { spawnDownload } from './programs.ts'
import { expectFile, MIB, namesIn, ODD, randomOf, type Setting, seedOfRun, setUp } from './setting.ts'

const partSize = MIB

async function halfDone(concurrency = 4): Promise<{
  server: FaultServer
  url: string
  setting: Setting
  resume(): ReturnType<typeof download>
}> {
  const setting = await setUp()
  const server = await startFaultServer()
  const served = server.resource('/data', { size: ODD })
  await leaveHalf(server, served, setting, { partSize, concurrency })
  const { engine, path } = setting
  return {
    server,
    url: served.url,
    setting,
    resume: () => download(served.url, path('data'), { engine, partSize, concurrency }),
  }
}

test('a stopped run is resumed: nothing that was journalled is fetched again', async () => {
  const { server, resume, setting } = await halfDone()
  const before = server.sent
  const { resumedBytes, networkBytes } = await resume()
  await expectFile(setting.path('data'), ODD)
  expect(resumedBytes).toBeGreaterThanOrEqual(5 * MIB - 4 * partSize)
  expect(networkBytes).toBe(ODD - resumedBytes)
  expect(server.sent - before).toBe(networkBytes)
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['data'])
  await server.close()
})

test('a resumed run asks with If-Range and the strong ETag of before', async () => {
  const { server, resume } = await halfDone()
  const { length } = server.requests
  await resume()
  const later = server.requests.slice(length)
  expect(later.length).toBeGreaterThan(0)
  expect(later.every(({ headers }) => /^"/.test(headers['if-range'] ?? ''))).toBe(true)
  await server.close()
})

test('If-Range with the ETag answered 200, same ETag → resumes, by asking again without', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD })
  await leaveHalf(server, served, setting, { partSize })
  served.change({ script: faults.refusesIfRange() })
  const { resumedBytes, networkBytes } = await download(served.url, setting.path('data'), {
    engine: setting.engine,
    partSize,
  })
  await expectFile(setting.path('data'), ODD)
  expect(resumedBytes).toBeGreaterThan(0)
  expect(networkBytes).toBe(ODD - resumedBytes)
})

test('the server ignores ranges now → begun anew, with an event that says why', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD })
  await leaveHalf(server, served, setting, { partSize })
  served.change({ script: faults.ignoresRange() })
  const { resumedBytes } = await download(served.url, setting.path('data'), { engine: setting.engine, partSize })
  await expectFile(setting.path('data'), ODD)
  expect(resumedBytes).toBe(0)
  expect(setting.eventNames()).toContain('restarted')
})

test('a block that was damaged on the disk is found by its CRC and fetched again', async () => {
  const { server, resume, setting } = await halfDone()
  const [first] = (await readFile(setting.path('data.part.journal'), 'utf8')).match(/(?<=^block )\d+/m) ?? []
  const file = await open(setting.path('data.part'), 'r+')
  await file.write(Buffer.from('damaged'), 0, 7, Number(first) + 4321)
  await file.close()
  await resume()
  await expectFile(setting.path('data'), ODD)
  await server.close()
})

test('a torn last record of the journal costs that block only', async () => {
  const { server, resume, setting } = await halfDone()
  await rewriteJournal(setting, { start: 'of a process that is gone' })
  await appendFile(setting.path('data.part.journal'), 'block 12582912 1048')
  const { resumedBytes } = await resume()
  expect(resumedBytes).toBeGreaterThan(0)
  await expectFile(setting.path('data'), ODD)
  await server.close()
})

test('a record that lies about a block is not believed', async () => {
  const { server, resume, setting } = await halfDone()
  const lie = ({ crc32c, ...block }: Block) => ({ ...block, crc32c: crc32c ^ 1 })
  await rewriteJournal(setting, { start: 'of a process that is gone' }, lie)
  const { resumedBytes } = await resume()
  expect(resumedBytes).toBe(0)
  await expectFile(setting.path('data'), ODD)
  await server.close()
})

test('everything had come, only the publishing was missing → nothing is fetched again', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD })
  const engine = createEngine()
  const hooks = {
    onVerify() {
      throw new Error('not now')
    },
  }
  await expect(download(url, setting.path('data'), { engine, partSize, hooks })).rejects.toMatchObject({
    code: 'HookFailed',
  })
  await engine.close()
  const { resumedBytes, networkBytes } = await download(url, setting.path('data'), { engine: setting.engine, partSize })
  await expectFile(setting.path('data'), ODD)
  expect(resumedBytes).toBe(ODD)
  expect(networkBytes).toBeLessThanOrEqual(partSize)
})

test('resume: false begins anew and leaves no journal behind', async () => {
  const { server, url, setting } = await halfDone()
  const before = server.sent
  await download(url, setting.path('data'), { engine: setting.engine, partSize, resume: false })
  expect(server.sent - before).toBe(ODD)
  await expectFile(setting.path('data'), ODD)
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['data'])
  await server.close()
})

test('Ctrl-C: a stopped download leaves a valid journal within a second', async () => {
  const setting = await setUp()
  await using server = await startFaultServer({ bytesPerSecond: 8 * MIB })
  const { url } = server.resource('/data', { size: 64 * MIB })
  const stop = new AbortController()
  const downloading = download(url, setting.path('data'), { engine: setting.engine, partSize, signal: stop.signal })
  await sleep(1200)
  const stoppedAt = performance.now()
  stop.abort(new Error('Ctrl-C'))
  await expect(downloading).rejects.toThrow('Ctrl-C')
  expect(performance.now() - stoppedAt).toBeLessThan(1000)
  expect(await readFile(setting.path('data.part.journal'), 'utf8')).toMatch(/^block /m)
})

describe('a stopped download keeps what has landed of parts that were on their way', () => {
  /** Stops after a while, then fetches the rest. */
  async function stopAndResume(size: number, options: DownloadOptions) {
    const setting = await setUp()
    await using server = await startFaultServer({ bytesPerSecond: 16 * MIB })
    const { url } = server.resource('/data', { size })
    const stop = new AbortController()
    const first = createEngine()
    const downloading = download(url, setting.path('data'), { ...options, engine: first, signal: stop.signal })
    while (first.progress.received < 4 * MIB) await sleep(10)
    stop.abort(new Error('Ctrl-C'))
    await expect(downloading).rejects.toThrow('Ctrl-C')
    expect(first.progress).toMatchObject({ resumable: 1, unproven: 0 })
    const landed = first.progress.received
    await first.close()
    const { resumedBytes, networkBytes } = await download(url, setting.path('data'), {
      ...options,
      engine: setting.engine,
    })
    await expectFile(setting.path('data'), size)
    expect(networkBytes).toBe(size - resumedBytes)
    return { landed, resumedBytes }
  }

  test('the next run fetches only what is missing, to the page', async () => {
    const { landed, resumedBytes } = await stopAndResume(32 * MIB, { partSize: 8 * MIB, concurrency: 4 })
    expect(landed).toBeLessThan(16 * MIB)
    expect(resumedBytes).toBeGreaterThan(landed - 4 * 4096)
    expect(resumedBytes).toBeLessThanOrEqual(landed)
  })

  test('also of a file that was to be written as a whole', async () => {
    const { landed, resumedBytes } = await stopAndResume(8 * MIB - 5, {})
    expect(resumedBytes).toBeGreaterThan(landed - 4096)
  })

  test('of one of which next to nothing has come, no files are left for a later run', async () => {
    const setting = await setUp()
    await using server = await startFaultServer({ bytesPerSecond: MIB })
    const { url } = server.resource('/data', { size: 8 * MIB })
    const stop = new AbortController()
    const { engine } = setting
    const downloading = download(url, setting.path('data'), { engine, signal: stop.signal })
    while (engine.progress.received === 0) await sleep(10)
    stop.abort(new Error('Ctrl-C'))
    await expect(downloading).rejects.toThrow('Ctrl-C')
    await engine.close()
    expect(await namesIn(setting.directory)).toEqual([])
  })

  test('also when the server is gone for good', async () => {
    const setting = await setUp()
    const { engine, path } = setting
    await using server = await startFaultServer()
    const served = server.resource('/data', { size: 64 * MIB, script: { truncateAfter: 5 * MIB, ending: 'silent' } })
    const options = { engine, partSize: 32 * MIB, concurrency: 1, retries: 0 }
    await expect(download(served.url, path('data'), options)).rejects.toMatchObject({ code: 'Timeout' })
    served.change({ size: 64 * MIB, script: {} })
    const { resumedBytes } = await download(served.url, path('data'), options)
    expect(resumedBytes).toBe(5 * MIB)
    await expectFile(path('data'), 64 * MIB)
  })
})

test('kill -9 at random instants, then resume → right bytes, and no more refetched than was in flight', {
  timeout: 60_000,
}, async () => {
  const random = randomOf(seedOfRun())
  const size = 64 * MIB
  const concurrency = 4
  await using server = await startFaultServer({ bytesPerSecond: 128 * MIB })
  const { url } = server.resource('/data', { size })
  for (let round = 0; round < 10; round++) {
    const setting = await setUp()
    // One part per connection is coming, and one per connection is being written: there is room for no more.
    const memoryBudget = 2 * concurrency * partSize
    const child = spawnDownload(url, setting.path('data'), { partSize, concurrency, memoryBudget })
    await child.started
    // Two are killed around their beginning, the others with bytes on their way.
    while (round > 1 && child.landed === 0) await sleep(5)
    await sleep(random() * 400)
    child.kill()
    const { code } = await child.outcome
    if (code !== 'killed') {
      await expectFile(setting.path('data'), size)
      continue
    }
    const isPublished = (await stat(setting.path('data')).catch(() => undefined)) !== undefined
    if (isPublished) {
      await expectFile(setting.path('data'), size)
      continue
    }
    const { resumedBytes, networkBytes } = await download(url, setting.path('data'), {
      engine: setting.engine,
      partSize,
      concurrency,
    })
    await expectFile(setting.path('data'), size)
    expect(networkBytes).toBeLessThanOrEqual(size - resumedBytes + partSize)
    const lost = child.landed - resumedBytes
    console.info(`round ${round}: received ${child.landed}, lost ${lost / partSize} parts`)
    expect(lost).toBeLessThanOrEqual(memoryBudget)
    await setting.engine.close()
    expect(await namesIn(setting.directory)).toEqual(['data'])
  }
})

test('a journal of another machine with a fresh heartbeat: its file is not touched, ours has a name of its own', async () => {
  const { server, resume, setting } = await halfDone()
  const part = await readFile(setting.path('data.part'))
  await rewriteJournal(setting, { host: 'elsewhere' })
  await resume()
  await expectFile(setting.path('data'), ODD)
  expect(Buffer.compare(await readFile(setting.path('data.part')), part)).toBe(0)
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['data', 'data.part', 'data.part.journal'])
  await server.close()
})

test('a journal of another machine with a stale heartbeat is taken over', async () => {
  const { server, resume, setting } = await halfDone()
  await rewriteJournal(setting, { host: 'elsewhere' })
  const longAgo = new Date(Date.now() - 120_000)
  await utimes(setting.path('data.part.journal'), longAgo, longAgo)
  const { resumedBytes } = await resume()
  await expectFile(setting.path('data'), ODD)
  expect(resumedBytes).toBeGreaterThan(0)
  await server.close()
})

test('the server cannot be reached on resuming → what was there stays, and the run after that goes on', async () => {
  const { server, resume, setting, url } = await halfDone()
  await server.stopListening()
  const { engine } = setting
  await expect(download(url, setting.path('data'), { engine, partSize, retries: 1 })).rejects.toMatchObject({
    code: 'Network',
  })
  expect(await namesIn(setting.directory)).toEqual(['data.part', 'data.part.journal'])
  await server.listenAgain()
  const { resumedBytes } = await resume()
  expect(resumedBytes).toBeGreaterThan(0)
  await expectFile(setting.path('data'), ODD)
  await server.close()
})

test('a presigned URL that was signed anew between the runs → resumes', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD })
  const signed = (signature: string) => `${served.url}?X-Amz-Date=${signature}&X-Amz-Signature=${signature}`
  await leaveHalf(server, { ...served, url: signed('1') }, setting, { partSize })
  const { resumedBytes } = await download(signed('2'), setting.path('data'), { engine: setting.engine, partSize })
  expect(resumedBytes).toBeGreaterThan(0)
  await expectFile(setting.path('data'), ODD)
})

test('another URL of the same name into the same directory → what the first one left is not continued', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  await leaveHalf(server, server.resource('/a/data', { size: ODD }), setting, { partSize })
  const { url } = server.resource('/b/data', { size: ODD, version: 1 })
  const { path, resumedBytes } = await download(url, `${setting.directory}/`, { engine: setting.engine, partSize })
  expect(resumedBytes).toBe(0)
  await expectFile(path, ODD, 1)
  expect(path).toBe(setting.path('data'))
})

test('the server gives the file another name in the second run → no bytes of the first name are taken for it', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD })
  await leaveHalf(server, served, setting, { partSize })
  served.change({ headers: { 'Content-Disposition': 'attachment; filename="other"' } })
  const { path } = await download(served.url, `${setting.directory}/`, { engine: setting.engine, partSize })
  expect(path).toBe(setting.path('other'))
  await expectFile(path, ODD)
})

/** Rewrites a journal as if another process had written it, or other blocks. */
async function rewriteJournal({ path }: Setting, by: Partial<Owner>, alter = (block: Block) => block): Promise<void> {
  const journal = parseJournal(await readFile(path('data.part.journal'), 'utf8'))
  if (!journal) throw new Error('There is no journal')
  const { header, blocks } = journal
  const lines = blocks.map(block => formatBlock(alter(block)))
  const text = formatHeader({ ...header, owner: { ...header.owner, ...by } }) + lines.join('')
  await writeFile(path('data.part.journal'), text)
}
