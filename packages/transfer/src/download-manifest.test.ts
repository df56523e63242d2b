import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type MixedFile, mixedCommons, startCommons, type Commons as TestCommons } from '../test/commons-server.ts'
import type { CommonsOptions } from './commons/options.ts'
import { downloadManifest } from './download-manifest.ts'
import { createEngine } from './engine.ts'
import type { Outcome } from './manifest/outcome.ts'
import { parseManifest } from './manifest/parse-manifest.ts'
import type { DownloadManifestOptions } from './manifest/run.ts'

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

type Row = ReturnType<TestCommons['add']>['row']

/** Turns a bit over and sets the time back. */
async function damage(path: string, size: number): Promise<void> {
  const { atimeNs, mtimeNs } = await stat(path, { bigint: true })
  const file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, size >> 1)
  await file.write(Buffer.of((byte[0] as number) ^ 1), 0, 1, size >> 1)
  await file.close()
  setTimes(path, atimeNs, mtimeNs)
}

/** As `cp --preserve` and `mv` leave it: another inode with the same time. */
async function copyInPlace(path: string): Promise<void> {
  const { atimeNs, mtimeNs } = await stat(path, { bigint: true })
  await copyFile(path, `${path}.copy`)
  setTimes(`${path}.copy`, atimeNs, mtimeNs)
  await rename(`${path}.copy`, path)
}

/** To the nanosecond, which Node's own call rounds away. */
function setTimes(path: string, atimeNs: bigint, mtimeNs: bigint): void {
  const [atime, mtime] = [atimeNs, mtimeNs].map(ns => `@${ns / 10n ** 9n}.${String(ns % 10n ** 9n).padStart(9, '0')}`)
  execFileSync('touch', ['-a', '-d', atime as string, path])
  execFileSync('touch', ['-m', '-d', mtime as string, path])
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

  test('a damaged file whose time was set back is not passed over', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    // A small one comes by the group commit, a large one in parts.
    const files = [
      { name: 'small', size: 1000 },
      { name: 'large', size: 9_000_000 },
    ]
    const entries = files.map(file => commons.add(file).row)
    const options = { engine, commons: loggedIn(commons), state: join(directory, 'proven') }
    await fetchAll(entries, options)
    expect(await fetchAll(entries, options)).toMatchObject(Array(2).fill({ status: 'skipped_complete' }))
    for (const { name, size } of files) await damage(join(directory, 'out', name), size)
    expect(await fetchAll(entries, options)).toMatchObject(Array(2).fill({ ok: false, verified: false }))
    const repaired = await fetchAll(entries, { ...options, ifExists: 'repair' })
    expect(repaired).toMatchObject(Array(2).fill({ status: 'downloaded', verified: true }))
  })

  test('a file that was copied is read again where the row states a digest; else its size is all that is said', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const [stated, { object_id, commons_url }] = ['a', 'b'].map(name => commons.add({ name, size: 1000 }).row) as [
      Row,
      Row,
    ]
    const entries = [stated, { object_id, commons_url, file_name: 'b' }]
    const options = { engine, commons: loggedIn(commons), state: join(directory, 'proven') }
    expect(await fetchAll(entries, options)).toMatchObject(Array(2).fill({ verified: true }))
    const readsAgain = async () => {
      for (const name of ['a', 'b']) await copyInPlace(join(directory, 'out', name))
      return fetchAll(entries, options)
    }
    expect(await readsAgain()).toMatchObject([
      { status: 'skipped_complete', verified: true },
      { status: 'skipped_size_only', verified: false },
    ])
    await damage(join(directory, 'out', 'a'), 1000)
    expect(await readsAgain()).toMatchObject([{ ok: false }, { status: 'skipped_size_only' }])
    await writeFile(join(directory, 'out', 'b'), Buffer.alloc(1000))
    expect(await fetchAll(entries, options)).toMatchObject([{ ok: false }, { ok: false, error_class: 'exists' }])
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

  test('rows that the list does not name keep their names, whoever answers first', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const rows = [1, 2, 3].map(() => commons.add({ name: 'same.bam', size: 100 }).row)
    const entries = rows.map(({ object_id, commons_url }) => ({ object_id, commons_url }))
    const options = { engine, commons: loggedIn(commons), names: join(directory, 'names') }
    const late = (index: number) =>
      commons.fault(rows[index]?.object_id as string, { delayMs: 400 }, { at: 'storage', times: 1 })
    late(0)
    const first = await fetchAll(entries, options)
    expect(first.map(({ path = '' }) => basename(path)).sort()).toEqual(['same.bam', 'same_2.bam', 'same_3.bam'])
    expect(basename(first[0]?.path ?? '')).toBe('same_3.bam')
    late(2)
    const again = await fetchAll(entries, { ...options, ifExists: 'skip' })
    expect(again.map(({ ok, path }) => [ok, path])).toEqual(first.map(({ path }) => [true, path]))
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

  test('a row that the commons contradicts fails before a byte is fetched, unless the commons is trusted', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const rows = ['a', 'b'].map(name => commons.add({ name, size: 1000 }).row)
    const [a, b] = rows as [(typeof rows)[0], (typeof rows)[0]]
    const entries = [
      { object_id: a.object_id, commons_url: a.commons_url, file_name: 'a', md5sum: '0'.repeat(32) },
      { object_id: b.object_id, commons_url: b.commons_url, file_name: 'b', file_size: 999 },
    ]
    const held = await fetchAll(entries, { engine, commons: loggedIn(commons) })
    expect(held).toMatchObject([
      { status: 'checksum_mismatch', metadata_mismatch: expect.stringMatching(/^md5: .*0{32}, .*commons says/) },
      { status: 'failed', metadata_mismatch: 'size: the manifest says 999, the commons says 1000' },
    ])
    expect(held.map(({ error_class }) => error_class)).toEqual(['metadata_mismatch', 'metadata_mismatch'])
    expect(await filesIn(join(directory, 'out'))).toEqual([])
    const trusted = await fetchAll(entries, { engine, commons: loggedIn(commons), trustCommons: true })
    expect(trusted).toMatchObject([
      {
        status: 'downloaded',
        verified: true,
        checksum_expected: a.md5sum,
        metadata_mismatch: expect.stringMatching(/^md5/),
      },
      { status: 'downloaded', verified: true, size_actual: 1000, metadata_mismatch: expect.stringMatching(/^size/) },
    ])
  })

  test('where the commons is trusted, rows that leave nothing open are looked up as well', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const { row } = commons.add({ name: 'a', size: 1000 })
    const [outcome] = await fetchAll([{ ...row, md5sum: 'f'.repeat(32) }], {
      engine,
      commons: loggedIn(commons),
      trustCommons: true,
    })
    expect(outcome).toMatchObject({
      status: 'downloaded',
      checksum_actual: row.md5sum,
      metadata_mismatch: expect.any(String),
    })
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
