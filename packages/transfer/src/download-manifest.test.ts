import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type MixedFile, mixedCommons, startCommons, type Commons as TestCommons } from '../test/commons-server.ts'
import type { CommonsOptions } from './commons/options.ts'
import { type DownloadManifestOptions, downloadManifest } from './download-manifest.ts'
import { createEngine } from './engine.ts'
import type { Outcome } from './manifest/outcome.ts'
import { parseManifest } from './manifest/parse-manifest.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-manifest-'))
})
afterEach(() => rm(directory, { recursive: true }))

function loggedIn(commons: TestCommons): CommonsOptions {
  const credential = {
    kind: 'token',
    endpoint: commons.origin,
    token: commons.accessToken(),
    expiresAt: Infinity,
  } as const
  return { credentials: [credential], allowPort: true }
}

function rowsOf(entries: readonly unknown[]) {
  const text = JSON.stringify(entries)
  return parseManifest(
    (async function* () {
      yield Buffer.from(text)
    })(),
    { name: 'manifest.json' },
  )
}

async function fetchAll(entries: readonly unknown[], options: DownloadManifestOptions): Promise<Outcome[]> {
  const run = downloadManifest(rowsOf(entries), { directory: join(directory, 'out'), ...options })
  const outcomes: Outcome[] = []
  for await (const { outcome } of run) outcomes.push(outcome)
  await run.summary
  return outcomes.sort((a, b) => a.index - b.index)
}

async function summaryOf(entries: readonly unknown[], options: DownloadManifestOptions) {
  const run = downloadManifest(rowsOf(entries), { directory: join(directory, 'out'), ...options })
  for await (const _ of run);
  return run.summary
}

async function filesIn(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  return names
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

async function expectFiles(files: readonly MixedFile[]): Promise<void> {
  for (const { path, md5, size } of files) {
    const content = await readFile(join(directory, 'out', path))
    expect(content.length, path).toBe(size)
    expect(createHash('md5').update(content).digest('hex'), path).toBe(md5)
  }
}

describe('downloadManifest()', () => {
  test('tells the truth about a row for every fault of a commons, and a second run goes on', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const mixed = mixedCommons(commons, { directory: join(directory, 'out') })
    const options = {
      engine,
      commons: loggedIn(commons),
      ifExists: 'repair',
      retries: 4,
      state: join(directory, 'proven'),
    } as const
    const first = await fetchAll(mixed.entries, options)
    const wrong = wrongOutcomes(
      mixed.rows.map(({ title, expected }) => ({ title, expected })),
      first,
    )
    expect(wrong).toEqual([])
    await expectFiles(
      mixed.rows.flatMap(({ files }, index) => (first.some(one => one.index === index && one.ok) ? files : [])),
    )
    mixed.repair()
    const again = await fetchAll(mixed.entries, options)
    expect(
      wrongOutcomes(
        mixed.rows.map(({ title, again: expected }) => ({ title, expected })),
        again,
      ),
    ).toEqual([])
    await expectFiles(mixed.rows.flatMap(({ filesAgain }) => filesAgain))
    await engine.close()
    // Where the bulk endpoint gave it: see its row.
    const either = /one-of-two-resources/
    const known = new Set(mixed.rows.flatMap(({ filesAgain }) => filesAgain.map(({ path }) => path)))
    const strangers = (await filesIn(join(directory, 'out'))).filter(
      path => !known.has(path) && !path.startsWith('.') && !either.test(path),
    )
    expect(strangers).toEqual([])
    expect(commons.requestsFor('storage').some(({ hasAuth }) => hasAuth)).toBe(false)
  }, 120_000)

  test('ten rows with one name: all are there, nine renamed, under the same names in a second run', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const entries = Array.from({ length: 10 }, () => commons.add({ name: 'same.bam', size: 100 }).row)
    const options = { engine, commons: loggedIn(commons), state: join(directory, 'proven') }
    const first = await fetchAll(entries, options)
    expect(first.filter(({ renamed_from }) => renamed_from === 'same.bam')).toHaveLength(9)
    expect(new Set(first.map(({ path }) => path)).size).toBe(10)
    const again = await fetchAll(entries, options)
    expect(again.map(({ status }) => status)).toEqual(Array(10).fill('skipped_complete'))
    expect(again.map(({ path }) => path)).toEqual(first.map(({ path }) => path))
  })

  test('a file that was touched since is read again, and fetched again if it is another', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const entries = ['a', 'b'].map(name => commons.add({ name, size: 1000 }).row)
    const options = {
      engine,
      commons: loggedIn(commons),
      state: join(directory, 'proven'),
      ifExists: 'repair',
    } as const
    await fetchAll(entries, options)
    await utimes(join(directory, 'out', 'a'), 1, 1)
    await writeFile(join(directory, 'out', 'b'), Buffer.alloc(1000))
    const again = await fetchAll(entries, options)
    expect(again.map(({ status }) => status)).toEqual(['skipped_complete', 'downloaded'])
    expect(again.map(({ repaired }) => repaired)).toEqual([undefined, true])
    const content = await readFile(join(directory, 'out', 'b'))
    expect(createHash('md5').update(content).digest('hex')).toBe(entries[1]?.md5sum)
  })

  test('the summary keeps apart what was fetched, repaired and there already', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const entries = [1000, 200, 30].map(size => commons.add({ name: String(size), size }).row)
    const options = { engine, commons: loggedIn(commons), ifExists: 'repair' } as const
    await fetchAll(entries.slice(0, 2), options)
    await writeFile(join(directory, 'out', '200'), 'another')
    expect(await summaryOf(entries, options)).toMatchObject({
      bytes: 1230,
      skippedBytes: 1000,
      transferred: 230,
      repaired: 1,
    })
  })

  test('names that only the commons knows go by the same rules', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const entries = [1, 2].map(() => {
      const { object_id, commons_url } = commons.add({ name: 'deep/name.txt', size: 10 }).row
      return { object_id, commons_url }
    })
    const outcomes = await fetchAll(entries, { engine, commons: loggedIn(commons), layout: 'tree' })
    expect(outcomes.map(({ ok, error }) => [ok, error])).toEqual([
      [true, undefined],
      [true, undefined],
    ])
    const wanted = entries.map(({ object_id }) => `${object_id}/name.txt`).sort()
    const found = (await filesIn(join(directory, 'out'))).filter(path => !path.startsWith('.'))
    expect(found.map(path => path.replace('/deep/', '/')).sort()).toEqual(wanted)
  })

  test('what was proven for one object proves nothing for another of its name', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const options = {
      engine,
      commons: loggedIn(commons),
      state: join(directory, 'proven'),
      ifExists: 'repair',
    } as const
    const bare = (size: number) => {
      const { object_id, commons_url } = commons.add({ size }).row
      return { object_id, commons_url, file_name: 'same.bin' }
    }
    await fetchAll([bare(5000)], options)
    const [other] = await fetchAll([bare(777)], options)
    expect(other).toMatchObject({ status: 'downloaded', size_actual: 777 })
  })

  test('proofs do not stand in the way of overwriting, nor of asking for a checksum', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const options = { engine, commons: loggedIn(commons), state: join(directory, 'proven') }
    const entries = [commons.add({ name: 'a', size: 100 }).row]
    await fetchAll(entries, options)
    const [again] = await fetchAll(entries, { ...options, ifExists: 'overwrite' })
    expect(again).toMatchObject({ status: 'downloaded' })
    const unproven = [{ ...commons.add({ name: 'b', size: 100, hashes: false, etag: false }).row }]
    expect(await fetchAll(unproven, options)).toMatchObject([{ status: 'unverified' }])
    expect(await fetchAll(unproven, options)).toMatchObject([{ status: 'skipped_size_only' }])
    expect(await fetchAll(unproven, { ...options, requireChecksum: true })).toMatchObject([{ ok: false }])
  })

  test('no row may name what the run keeps for itself, and no secret of a row is told', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const entries = ['.transfer/proven', '.Transfer/x', '.arriero/y'].map(name => ({
      ...commons.add({ size: 10 }).row,
      file_name: name,
      access_token: 'hunter2',
      presigned: 'https://host/x?X-Amz-Signature=0f0f0f',
    }))
    const outcomes = await fetchAll(entries, { engine, commons: loggedIn(commons) })
    expect(outcomes.map(({ status }) => status)).toEqual(Array(3).fill('unsafe_name'))
    expect(JSON.stringify(outcomes)).not.toMatch(/hunter2|0f0f0f/)
  })

  test('bundles within a bundle that share a name, and members that end with a slash, are all there', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const [a, b, c] = ['a', 'b', 'c'].map(name => commons.add({ name, size: 10 }))
    const inner = [a, b].map(member => commons.bundle({ name: 'sub', contents: [member?.guid as string] }))
    const outer = commons.bundle({
      name: 'outer',
      contents: [...inner.map(({ guid }) => guid), { id: c?.guid as string, name: 'c/' }],
    })
    const entries = [{ object_id: outer.guid, commons_url: commons.origin }]
    await fetchAll(entries, { engine, commons: loggedIn(commons) })
    const found = (await filesIn(join(directory, 'out'))).filter(path => !path.startsWith('.'))
    expect(found).toEqual(['outer/c', 'outer/sub/a', 'outer/sub_2/b'])
  })

  test('leaves early without waiting for the rest', async () => {
    await using commons = await startCommons({ bytesPerSecond: 100_000 })
    await using engine = createEngine()
    const entries = Array.from({ length: 50 }, () => commons.add({ size: 50_000 }).row)
    const run = downloadManifest(rowsOf(entries), {
      directory: join(directory, 'out'),
      engine,
      commons: loggedIn(commons),
    })
    for await (const { outcome } of run) {
      expect(outcome.ok).toBe(true)
      break
    }
    await expect(run.summary).rejects.toBeDefined()
  })
})

interface Wanted {
  readonly title: string
  readonly expected: { readonly status: string; readonly also?: readonly string[] | undefined }
}

/** Rows whose outcome is not what must become of them; members of bundles count for their row. */
function wrongOutcomes(wanted: readonly Wanted[], outcomes: readonly Outcome[]): string[] {
  return wanted.flatMap(({ title, expected }, index) => {
    const ofRow = outcomes.filter(one => one.index === index)
    const right = new Set<string>([expected.status, ...(expected.also ?? [])])
    if (ofRow.length > 0 && ofRow.every(({ status }) => right.has(status))) return []
    const got = ofRow
      .map(({ status, error_class, error }) => `${status} ${error_class ?? ''} ${error ?? ''}`)
      .join(' | ')
    return [`${index} ${title}: wanted ${[...right].join('/')}, got ${got || 'nothing'}`]
  })
}
