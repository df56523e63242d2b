/** What is left without us, and of what others did to the disk (reliability B4, C2, G1, G2). */
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commitTo, LocalPlace } from '../../../test/local-place.ts'
import { silentLog } from '../../log.ts'
import type { Publication, Store, TrailBreak, TrailRecord } from '../store.ts'
import { formatLine, START } from '../trail-line.ts'
import { createMarker } from './marker.ts'
import { reserveOf } from './space.ts'
import { Sums } from './sums.ts'

let place: LocalPlace
let store: Store
beforeEach(async () => {
  place = await LocalPlace.make()
  store = await place.open()
})
afterEach(() => place[Symbol.asyncDispose]())

const text = (content: string) => new Uint8Array(Buffer.from(content))

let order = 0

function recordOf(
  publication: Publication & { manifest?: string | undefined },
  more: Partial<TrailRecord> = {},
): TrailRecord {
  const { name, kind, size, sha256, manifest } = publication
  const time = '2026-11-20T22:03:37.619866Z'
  const told = { checksum: 'md5:::x', is_attested: true, create_time: time, uploader: 'a', source: 'b' }
  const record = {
    action: 'commit',
    order: ++order,
    time,
    name,
    kind,
    size,
    sha256,
    deletion_policy: 'DISALLOWED',
    ...told,
  } as const
  return { ...record, ...(manifest === undefined ? {} : { manifest }), ...more }
}

async function commitAndNote(name: string, content: Parameters<typeof commitTo>[2], more: Partial<TrailRecord> = {}) {
  const publication = await commitTo(store, name, content)
  await store.appendTrail([recordOf(publication, more)])
  return publication
}

describe('the marker (B4)', () => {
  test('an empty place is no store until somebody says so, and stays one then', async () => {
    await using other = await LocalPlace.make()
    const unmarked = await other.open({ createMarker: false })
    expect(await unmarked.state()).toMatchObject({ available: false, reason: expect.stringContaining('mounted') })
    expect(await readdir(other.root)).toEqual([])
    const uuid = await createMarker('one', other.root)
    expect(await createMarker('one', other.root)).toBe(uuid)
    expect(await unmarked.state()).toMatchObject({ available: true, uuid })
    expect((await stat(join(other.root, '.arriero'))).mode & 0o777).toBe(0o700)
  })

  test('another disk with a marker of its own is not this store, whether it was known before or is known to the catalogue', async () => {
    await commitTo(store, 'f', text('x'))
    await using other = await LocalPlace.make()
    await createMarker('one', other.root)
    await rename(place.root, `${place.root}-aside`)
    await rename(other.root, place.root)
    expect(await store.state()).toMatchObject({ available: false, reason: expect.stringContaining('another disk') })
    await expect(store.appendTrail([])).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(await readdir(join(place.root, '.arriero/trail'))).toEqual([])
    const expecting = await place.open({ uuid: '00000000-0000-4000-8000-000000000000' })
    expect(await expecting.state()).toMatchObject({ available: false })
    await rename(place.root, other.root)
    await rename(`${place.root}-aside`, place.root)
    expect(await store.state()).toMatchObject({ available: true })
  })

  test('a marker that cannot be read is none', async () => {
    await writeFile(join(place.root, '.arriero/marker.json'), '{"uuid":')
    expect(await store.state()).toMatchObject({ available: false })
  })

  test('a staging area that is not there makes it unavailable (librarian 7.2)', async () => {
    await rm(place.staging, { recursive: true })
    expect(await store.state()).toMatchObject({ available: false, reason: expect.stringContaining('staging') })
  })
})

describe('free space (librarian 7.2)', () => {
  test('is what is left of the portion that may be used', async () => {
    const whole = await store.state()
    const half = await (await place.open({ data: { report_full_fraction: 0.5 } })).state()
    const kept = await (await place.open({ data: { reserve: 2 ** 52 } })).state()
    if (!whole.available || !half.available) throw new Error('unavailable')
    const expected = Math.max(0, whole.free - whole.total / 2)
    // Others use the same disk.
    expect(Math.abs(half.free - expected)).toBeLessThan(2 ** 30)
    expect(kept).toMatchObject({ available: true, free: 0 })
  })

  test('the standard reserve is a twentieth, and 10 GiB at least', () => {
    expect(reserveOf(2 ** 40, 'standard')).toBe(0.05 * 2 ** 40)
    expect(reserveOf(2 ** 30, 'standard')).toBe(10 * 2 ** 30)
    expect(reserveOf(2 ** 40, 5)).toBe(5)
  })
})

describe('SHA256SUMS (G2)', () => {
  const check = () =>
    spawnSync('sha256sum', ['-c', '--strict', '.arriero/SHA256SUMS'], { cwd: place.root, encoding: 'utf8' })

  test('coreutils check files, members of trees, and odd names with it', async () => {
    await commitAndNote('a/file', text('one'))
    await commitAndNote('back\\slash and space', text('two'))
    await commitAndNote(
      'tree',
      new Map([
        ['sub/é and space', text('3')],
        ['b', text('4')],
        ['empty', null],
      ]),
    )
    const { status, stdout } = check()
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(4)
    await place.damage('a/file', text('two'))
    expect(check().status).toBe(1)
  })

  test('what was removed is taken out, what came again stays, also when the process was killed in between', async () => {
    const file = await commitAndNote('file', text('one'))
    const tree = await commitAndNote('tree', new Map([['m', text('1')]]))
    await commitAndNote('tree-not', text('x'))
    await store.trash('file', 'one')
    await store.trash('tree', 'two')
    await store.appendTrail([recordOf(file, { action: 'trash' }), recordOf(tree, { action: 'trash' })])
    // As after a kill: nothing has been taken out yet.
    expect(check().status).toBe(1)
    store = await place.open()
    await commitAndNote('file', text('another'))
    const { status, stdout } = check()
    expect(status).toBe(0)
    expect(stdout.trim().split('\n').toSorted()).toEqual(['file: OK', 'tree-not: OK'])
    await store.restore('tree', 'two')
    await store.appendTrail([recordOf(tree, { action: 'restore' })])
    expect(check().stdout.trim().split('\n')).toHaveLength(3)
    expect(check().status).toBe(0)
  })

  test('what one process removed and another brought back stays', async () => {
    const other = await place.open()
    await other.appendTrail([])
    const file = await commitAndNote('file', text('one'))
    await store.trash('file', 'one')
    await store.appendTrail([recordOf(file, { action: 'trash' })])
    await other.restore('file', 'one')
    await other.appendTrail([recordOf(file, { action: 'restore' })])
    await store[Symbol.asyncDispose]()
    const { status, stdout } = check()
    expect(status).toBe(0)
    expect(stdout).toContain('file: OK')
  })

  // A power cut leaves the end of a write out, or zeros in its place; a full disk the part that found room.
  test.each([
    ['cut in a digest', (sums: Buffer) => sums.subarray(0, -50)],
    ['cut in a name', (sums: Buffer) => sums.subarray(0, -3)],
    ['zeros', (sums: Buffer) => Buffer.concat([sums.subarray(0, -20), Buffer.alloc(20)])],
  ])('a last line that is torn (%s) spoils neither the list nor the next line', async (_, tear) => {
    await commitAndNote('first', text('1'))
    await commitAndNote('torn/name', text('2'))
    const path = join(place.root, '.arriero/SHA256SUMS')
    const torn = tear(await readFile(path))
    await writeFile(path, torn)
    // By a process that is running, as after a full disk: it was opened before the line was torn.
    await commitAndNote('next', text('3'))
    expect(check().stdout.trim().split('\n')).toEqual(['first: OK', 'next: OK'])
    expect(check().status).toBe(0)
    // And at the next start, before anything is added.
    await writeFile(path, torn)
    store = await place.open()
    expect(await store.state()).toMatchObject({ available: true })
    expect(check().stdout.trim().split('\n')).toEqual(['first: OK'])
    expect(check().status).toBe(0)
  })

  test('lines that processes add are all kept while each of them takes others out', async () => {
    const path = join(place.root, '.arriero/SHA256SUMS')
    const some = recordOf(await commitTo(store, 'some', text('x')))
    const record = (name: string, action: 'commit' | 'trash') => ({ ...some, name, action })
    const work = async (which: string) => {
      const sums = new Sums(path)
      for (let round = 0; round < 60; round++) {
        await sums.note([record(`gone-${which}`, 'commit'), record(`gone-${which}`, 'trash')])
        const adding = sums.note([record(`kept-${which}-${round}`, 'commit')])
        await Promise.all([adding, sums.flush()])
      }
    }
    const processes = ['a', 'b', 'c']
    await Promise.all(processes.map(work))
    const kept = processes.flatMap(which => Array.from({ length: 60 }, (_, round) => `kept-${which}-${round}`))
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    const names = lines.filter(line => !line.startsWith('#')).map(line => line.slice(66))
    expect(names.toSorted()).toEqual(kept.toSorted())
    expect(await readdir(join(place.root, '.arriero'))).not.toContainEqual(expect.stringContaining('SHA256SUMS.'))
  })

  test('what a killed process had noted and not taken out goes at the next start, and no name like a torn note', async () => {
    const path = join(place.root, '.arriero/SHA256SUMS')
    for (const name of ['gone', 'kept', 'kept-not']) await commitAndNote(name, text(name))
    await store.trash('gone', 'one')
    await store.trash('kept', 'two')
    const { size } = await stat(path)
    await writeFile(`${path}.removed.killed`, `\n${size} gone\u0001\n`)
    // The note of `kept-not` lost its end to a power cut; only the list is looked at here.
    await writeFile(`${path}.removed`, `\n${size} kept`)
    await new Sums(path).flush()
    const struck = (await readFile(path, 'utf8')).split('\n').filter(line => line.startsWith('#'))
    expect(struck.map(line => line.slice(66))).toEqual(['gone'])
  })

  test('a process that wakes late takes nothing out that another has brought back', async () => {
    const late = await commitAndNote('file', text('one'))
    await store.trash('file', 'one')
    const other = await place.open()
    await other.appendTrail([recordOf(late, { action: 'trash' })])
    await other.restore('file', 'one')
    await other.appendTrail([recordOf(late, { action: 'restore' })])
    await store.appendTrail([recordOf(late, { action: 'trash' })])
    await store[Symbol.asyncDispose]()
    const { status, stdout } = check()
    expect(status).toBe(0)
    expect(stdout).toBe('file: OK\n')
  })
})

describe('the trail (G1)', () => {
  const segments = async () => (await readdir(join(place.root, '.arriero/trail'))).sort()
  const records = (at: Store) => Array.fromAsync(at.readTrail())

  async function edit(index: number, change: (lines: string[]) => string[]) {
    const path = join(place.root, '.arriero/trail', (await segments())[index]!)
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    await writeFile(path, `${change(lines).join('\n')}\n`)
  }

  async function told(at: Store) {
    const breaks: TrailBreak[] = []
    const disbelieved: number[] = []
    const reading = {
      report: (met: TrailBreak) => void breaks.push(met),
      disbelieve: (record: TrailRecord) => void disbelieved.push(record.order),
    }
    const believed = (await Array.fromAsync(at.readTrail(reading))).map(({ name }) => name)
    return { believed, disbelieved, breaks }
  }

  test('a record that was cut off is left out and told, and the next go on', async () => {
    await commitAndNote('a', text('a'))
    await commitAndNote('b', text('b'))
    const [segment] = await segments()
    const path = join(place.root, '.arriero/trail', segment!)
    await truncate(path, (await stat(path)).size - 10)
    const told: object[] = []
    const after = await place.open({ log: { ...silentLog, warn: fields => void told.push(fields) } })
    expect((await records(after)).map(({ name }) => name)).toEqual(['a'])
    expect(told).toEqual([{ segment, line: 2 }])
    store = after
    await commitAndNote('c', text('c'), { time: '2026-11-20T22:03:38.000000Z' })
    expect((await records(after)).map(({ name }) => name)).toEqual(['a', 'c'])
  })

  test.each([
    ['changed', (lines: string[]) => lines.with(0, lines[0]!.replace('"uploader":"a"', '"uploader":"z"'))],
    ['taken out', (lines: string[]) => lines.toSpliced(1, 1)],
    ['put in', (lines: string[]) => lines.toSpliced(1, 0, lines[1]!)],
    ['garbage', (lines: string[]) => lines.with(1, 'garbage')],
  ])('a line that was %s breaks the chain', async (_, spoil) => {
    for (const name of ['a', 'b', 'c']) await commitAndNote(name, text(name))
    await edit(0, spoil)
    await expect(records(store)).rejects.toThrow(/trail is broken/)
  })

  test('the end of a segment, or all of it, is missed by the one after it', async () => {
    for (const name of ['a', 'b']) await commitAndNote(name, text(name))
    store = await place.open()
    await commitAndNote('c', text('c'), { time: '2026-11-20T22:03:39.000000Z' })
    const [first, second] = await segments()
    expect(second).toBeDefined()
    expect((await records(store)).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    const path = join(place.root, '.arriero/trail', first!)
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    await writeFile(path, `${lines[0]}\n`)
    await expect(records(store)).rejects.toThrow(/trail is broken/)
    await rm(path)
    await expect(records(store)).rejects.toThrow(/trail is broken/)
  })

  test('a last line that was edited counts as torn, though no line follows that would tell', async () => {
    await commitAndNote('a', text('a'))
    await commitAndNote('b', text('b'))
    await edit(0, lines => lines.with(1, lines[1]!.replace('"uploader":"a"', '"uploader":"z"')))
    expect((await records(store)).map(({ name }) => name)).toEqual(['a'])
  })

  test('what is sound before a break is read, what comes after it is told and not believed', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await commitAndNote(name, text(name))
    const orders = (await records(store)).map(each => each.order)
    await edit(0, lines => lines.with(1, lines[1]!.replace('"uploader":"a"', '"uploader":"z"')))
    const [segment] = await segments()
    expect(await told(store)).toEqual({
      believed: ['a'],
      disbelieved: orders.slice(2),
      breaks: [{ place: `${segment}, line 2`, reason: expect.stringContaining('its own digest') }],
    })
  })

  test('a segment that was written anew, with all its digests, is not believed, because a later one knows its end', async () => {
    for (const name of ['a', 'b']) await commitAndNote(name, text(name))
    store = await place.open()
    await commitAndNote('c', text('c'))
    const forged = await records(store)
    let previous = START
    const lines = forged.slice(0, 2).map((record, index) => {
      const line = formatLine({ number: index + 1, previous, record: { ...record, uploader: 'z' } })
      previous = line.sha256
      return line.text.trimEnd()
    })
    await edit(0, () => lines)
    expect(await told(store)).toMatchObject({
      believed: ['c'],
      breaks: [{ reason: expect.stringContaining('line 2') }],
    })
  })

  test('the ends of all processes are known to the next, not only that of the last', async () => {
    const other = await place.open()
    await commitAndNote('a', text('a'))
    await other.appendTrail([recordOf(await commitTo(other, 'b', text('b')))])
    await commitAndNote('c', text('c'))
    store = await place.open()
    await commitAndNote('d', text('d'))
    const all = await segments()
    expect(all).toHaveLength(3)
    for (const segment of all.slice(0, 2)) {
      const path = join(place.root, '.arriero/trail', segment)
      const whole = await readFile(path)
      await rm(path)
      expect((await told(store)).breaks, segment).toMatchObject([{ place: segment }])
      await writeFile(path, whole)
    }
    expect((await told(store)).breaks).toEqual([])
  })

  test('names of segments follow the numbers of their first records, whatever the clock says', async () => {
    await commitAndNote('a', text('a'), { time: '2031-01-01T00:00:00.000000Z' })
    store = await place.open()
    await commitAndNote('b', text('b'), { time: '2019-01-01T00:00:00.000000Z' })
    expect((await records(store)).map(({ name }) => name)).toEqual(['a', 'b'])
    const numbers = (await records(store)).map(each => String(each.order).padStart(16, '0'))
    expect((await segments()).map(name => name.split('-')[0])).toEqual(numbers)
  })
})

describe('examine() (C2)', () => {
  const xxh3 = 'xxh3:::00'

  test('what is neither file nor directory, or has a strange member, is unreadable', async () => {
    await symlink('/etc/hostname', join(place.root, 'link'))
    expect(await store.examine('link', { kind: 'file', checksum: xxh3 })).toMatchObject({ outcome: 'unreadable' })
    await commitTo(store, 't', new Map([['a', text('a')]]))
    await chmod(join(place.root, 't'), 0o755)
    await symlink('a', join(place.root, 't/b'))
    expect(await store.examine('t', { kind: 'tree', checksum: xxh3 })).toMatchObject({ outcome: 'unreadable' })
  })

  test('reads past the page cache where the file system can, odd tails too', async () => {
    const content = new Uint8Array(5_000_001).fill(7)
    const { sha256 } = await commitTo(store, 'f', content)
    const reading = await store.examine('f', { kind: 'file', checksum: xxh3, isDirect: true })
    expect(reading).toMatchObject({ outcome: 'read', sha256, size: 5_000_001 })
    const cached = await store.examine('f', { kind: 'file', checksum: xxh3 })
    expect(cached).toMatchObject({ medium: 'cache', sha256 })
  })

  test('stops when it is told to', async () => {
    await commitTo(store, 'f', new Uint8Array(64 << 20))
    const abort = new AbortController()
    const reading = store.examine('f', { kind: 'file', checksum: xxh3, signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
  })

  test('the fingerprint of a tree changes with any of its members, and not by being looked at', async () => {
    await commitTo(
      store,
      't',
      new Map([
        ['sub/a', text('a')],
        ['b', text('b')],
      ]),
    )
    const before = await store.stat('t')
    expect(await store.stat('t')).toEqual(before)
    const reading = await store.examine('t', { kind: 'tree', checksum: xxh3 })
    expect(reading).toMatchObject({ fingerprint: before!.fingerprint })
    await place.damage('t/sub/a', text('z'))
    expect((await store.stat('t'))!.fingerprint).not.toBe(before!.fingerprint)
  })
})

test('a scan names what has no name, and goes through no link', async () => {
  await commitTo(store, 'a/f', text('x'))
  await mkdir(join(place.place, 'outside'))
  await writeFile(join(place.place, 'outside/f'), '')
  await symlink(join(place.place, 'outside'), join(place.root, 'link'))
  await writeFile(Buffer.concat([Buffer.from(`${place.root}/`), Buffer.from([0x66, 0xff])]), 'xy')
  const found = await Array.fromAsync(store.scan())
  expect(found.toSorted((a, b) => (a.shown < b.shown ? -1 : 1))).toEqual([
    { name: 'a', shown: 'a', kind: 'directory', size: 0 },
    { name: 'a/f', shown: 'a/f', kind: 'file', size: 1 },
    { name: undefined, shown: 'f\uFFFD', kind: 'file', size: 2 },
    { name: 'link', shown: 'link', kind: 'other', size: 0 },
  ])
})
