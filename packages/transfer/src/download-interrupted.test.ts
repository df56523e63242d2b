import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GDC_MANIFEST_HEADER, startCommons, startGdc } from '../test/commons-server.ts'
import { downloadManifest } from './download-manifest.ts'
import type { Row } from './manifest/entry.ts'
import type { Outcome } from './manifest/outcome.ts'
import { parseManifest } from './manifest/parse-manifest.ts'
import type { DownloadManifestOptions, ManifestSummary } from './manifest/run.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-interrupted-'))
})
afterEach(() => rm(directory, { recursive: true }))

const interruption = new Error('interrupted')

interface Interrupted {
  readonly outcomes: readonly Outcome[]
  /** In the order of the rows. */
  readonly statuses: readonly string[]
  readonly summary: ManifestSummary
}

/** Aborts after so many downloads. */
async function interrupt(
  rows: AsyncIterable<readonly Row[]>,
  after: number,
  options: DownloadManifestOptions = {},
): Promise<Interrupted> {
  const controller = new AbortController()
  const run = downloadManifest(rows, {
    directory: join(directory, 'out'),
    signal: controller.signal,
    tellsCancelled: true,
    transfers: 1,
    order: 'manifest',
    ...options,
  })
  const outcomes: Outcome[] = []
  const all = async () => {
    for await (const { outcome } of run) {
      outcomes.push(outcome)
      if (outcomes.filter(({ status }) => status === 'downloaded').length === after) controller.abort(interruption)
    }
  }
  await expect(all()).rejects.toBe(interruption)
  const sorted = outcomes.toSorted((a, b) => a.index - b.index)
  return { outcomes: sorted, statuses: sorted.map(({ status }) => status), summary: await run.summary }
}

function listOf(text: string) {
  return parseManifest(
    (async function* () {
      yield Buffer.from(text)
    })(),
  )
}

function urls(count: number, base: string): string {
  return Array.from({ length: count }, (_, at) => `{"url":"${base}/${at}","filepath":"d/f${at}"}\n`).join('')
}

describe('downloadManifest() that is interrupted, with tellsCancelled', () => {
  test('tells each row once: what was done, and the rest, read or not, under its planned name', async () => {
    await using commons = await startCommons({ bytesPerSecond: 1_000_000 })
    const rows = Array.from({ length: 300 }, () => JSON.stringify(commons.add({ name: 'a', size: 20_000 }).row))
    const options = { maxBacklog: 5, commons: loggedIn(commons) }
    const { outcomes, statuses, summary } = await interrupt(listOf(rows.join('\n')), 4, options)
    expect(outcomes.map(({ index }) => index)).toEqual(Array.from(rows, (_, index) => index))
    const done = statuses.filter(status => status === 'downloaded').length
    expect(done).toBeGreaterThanOrEqual(4)
    expect(done).toBeLessThan(50)
    expect(outcomes.filter(({ status }) => status === 'cancelled')).toHaveLength(300 - done)
    expect(outcomes[299]).toMatchObject({ ok: false, error_class: 'cancelled', path: join(directory, 'out/a_300') })
    const counts = { downloaded: done, cancelled: 300 - done }
    expect(summary).toMatchObject({ rows: 300, failed: 300 - done, statuses: counts, isInterrupted: true })
  })

  test('tells bad rows and duplicates of the rest as what they are', async () => {
    await using commons = await startCommons({ bytesPerSecond: 1_000_000 })
    const { row } = commons.add({ name: 'a', size: 20_000 })
    const rows = [...Array(20)].map(() => commons.add({ size: 20_000 }).row)
    const list = [row, ...rows, { object_id: '' }, row].map(each => JSON.stringify(each)).join('\n')
    const { statuses } = await interrupt(listOf(list), 1, { commons: loggedIn(commons) })
    expect([statuses[0], statuses[20], statuses[21], statuses[22]]).toEqual([
      'downloaded',
      'cancelled',
      'invalid',
      'duplicate',
    ])
  })

  test('tells a bundle whose members are not all there', async () => {
    await using commons = await startCommons({ bytesPerSecond: 1_000_000 })
    const members = [...Array(30)].map((_, at) => commons.add({ name: `m${at}`, size: 20_000 }).guid)
    const bundle = commons.bundle({ name: 'all', contents: members })
    const list = JSON.stringify({ object_id: bundle.guid, commons_url: commons.origin })
    const { outcomes } = await interrupt(listOf(list), 3, { commons: loggedIn(commons) })
    const left = outcomes.filter(({ status }) => status === 'cancelled')
    expect(outcomes).toHaveLength(30)
    expect(new Set(outcomes.map(({ index }) => index))).toEqual(new Set([0]))
    expect(left.length).toBeGreaterThan(10)
    expect(left[0]?.path).toMatch(/out\/all\/m\d+$/)
  })

  test('tells files of the GDC of which nobody knows yet what belongs to them', async () => {
    await using gdc = await startGdc()
    const files = [...Array(3)].map((_, at) => gdc.add({ name: `f${at}`, size: 10 }))
    const list = [GDC_MANIFEST_HEADER, ...files.map(({ row }) => row)].join('\n')
    const { statuses, outcomes } = await interrupt(listOf(list), 3, { commons: { gdc: gdc.origin } })
    expect(statuses.toSorted()).toEqual([...Array(3).fill('cancelled'), ...Array(3).fill('downloaded')])
    expect(outcomes.filter(({ status }) => status === 'cancelled').map(({ path }) => path)).toEqual(
      [0, 1, 2].map(at => join(directory, `out/f${at}`)),
    )
  })

  test('ends with a list that ends with the signal', async () => {
    const controller = new AbortController()
    const first = listOf(urls(3, 'http://127.0.0.1:9'))
    async function* endless(): AsyncGenerator<readonly Row[]> {
      yield* first
      await new Promise(resolve => controller.signal.addEventListener('abort', resolve))
    }
    setTimeout(() => controller.abort(interruption), 100)
    const run = downloadManifest(endless(), {
      directory,
      retries: 0,
      signal: controller.signal,
      tellsCancelled: true,
    })
    const all = async () => {
      for await (const _ of run);
    }
    await expect(all()).rejects.toBe(interruption)
    expect(await run.summary).toMatchObject({ rows: 3, isInterrupted: true })
  })
})

test('downloadManifest() that is interrupted ends at once, whatever the list does', async () => {
  async function* endless(): AsyncGenerator<readonly Row[]> {
    yield* listOf(urls(1, 'http://127.0.0.1:9'))
    await new Promise(() => {})
  }
  const run = downloadManifest(endless(), { directory, retries: 0, signal: AbortSignal.timeout(100) })
  const all = async () => {
    for await (const _ of run);
  }
  await expect(all()).rejects.toMatchObject({ name: 'TimeoutError' })
  await expect(run.summary).rejects.toMatchObject({ name: 'TimeoutError' })
})

function loggedIn(commons: Awaited<ReturnType<typeof startCommons>>) {
  const token = commons.accessToken()
  return {
    credentials: [{ kind: 'token', endpoint: commons.origin, token, expiresAt: Infinity }],
    allowPort: true,
  } as const
}

test('a failure that ends the run: what was not begun is cancelled, bundles and the rest of the list included', async () => {
  await using commons = await startCommons()
  const bundle = commons.bundle({ name: 'all', contents: [commons.add({ name: 'm', size: 10 }).guid] })
  const good = commons.add({ name: 'a', size: 10 }).row
  const rest = [...Array(50)].map((_, at) => commons.add({ name: `r${at}`, size: 10 }).row)
  const missing = { ...good, object_id: 'dg.1234/none', file_name: 'none' }
  const entries = [{ object_id: bundle.guid, commons_url: commons.origin }, good, missing, ...rest]
  const run = downloadManifest(listOf(entries.map(entry => JSON.stringify(entry)).join('\n')), {
    directory: join(directory, 'out'),
    commons: loggedIn(commons),
    transfers: 1,
    order: 'manifest',
    continueAfterError: false,
    tellsCancelled: true,
  })
  const statuses: string[] = []
  for await (const { outcome } of run) statuses[outcome.index] = outcome.status
  expect(statuses.slice(0, 3)).toEqual(['cancelled', 'downloaded', 'not_found'])
  expect(statuses).toHaveLength(53)
  expect(statuses.filter(status => status === 'downloaded').length).toBeLessThan(5)
  expect((await run.summary).statuses.cancelled).toBeGreaterThan(45)
})
