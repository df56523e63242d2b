import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TransferError } from '../errors.ts'
import type { ArchiveEntry } from './archive-entry.ts'
import { ArchivePlan } from './archive-plan.ts'
import { ArchiveReader } from './archive-reader.ts'
import { encodePaxRecords } from './pax-records.ts'
import { encodeUstarHeader } from './ustar-header.ts'

type Tree = ReadonlyMap<string, Buffer | null>

const hasTar = /GNU tar/.test(spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout ?? '')

const segment = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9_-]{1,12}$/) },
  { weight: 2, arbitrary: fc.constantFrom('Ångström', '観測', 'a b', '.hidden', '🔭', 'café', "it's") },
  { weight: 1, arbitrary: fc.integer({ min: 90, max: 240 }).map(length => 'n'.repeat(length)) },
)

/** Files and directories without a name that is both; every parent is there, before what is in it. */
const trees: fc.Arbitrary<Tree> = fc
  .array(fc.tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.option(fc.uint8Array({ maxLength: 1500 }))), {
    maxLength: 12,
  })
  .map(found => {
    const tree = new Map<string, Buffer | null>()
    for (const [segments, bytes] of found) {
      const parents = segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'))
      const path = segments.join('/')
      if (tree.has(path) || parents.some(parent => tree.get(parent) instanceof Buffer)) continue
      for (const parent of parents) tree.set(parent, null)
      tree.set(path, bytes === null ? null : Buffer.from(bytes))
    }
    return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)))
  })

function entriesOf(tree: Tree): ArchiveEntry[] {
  return Array.from(tree, ([path, bytes]) => ({
    path,
    type: bytes ? ('file' as const) : ('directory' as const),
    size: bytes?.length ?? 0,
  }))
}

function bytesOf(tree: Tree, start = 0, end?: number): Buffer {
  const plan = new ArchivePlan(entriesOf(tree))
  const contents = [...tree.values()]
  const parts = [...plan.parts(start, end ?? plan.size)]
  return Buffer.concat(
    parts.map(part => ('bytes' in part ? part.bytes : contents[part.entry]!.subarray(part.start, part.end))),
  )
}

/** @param pieces lengths into which the bytes are cut */
function readBack(archive: Uint8Array, pieces: readonly number[] = [archive.length]): Tree {
  const found = new Map<string, Buffer | null>()
  let [path, held]: [string, Buffer[]] = ['', []]
  const reader = new ArchiveReader({
    begin(entry) {
      ;[path, held] = [entry.path, []]
      if (entry.type === 'directory') found.set(path, null)
    },
    bytes: bytes => void held.push(Buffer.from(bytes)),
    finish: () => void found.set(path, Buffer.concat(held)),
  })
  let at = 0
  for (let turn = 0; at < archive.length; turn++) {
    const length = pieces[turn % pieces.length]!
    reader.write(archive.subarray(at, at + length))
    at += length
  }
  reader.end()
  return found
}

describe('ArchivePlan', () => {
  test('makes the same bytes from any offset, and the reader gets back what was put in (random trees)', () => {
    fc.assert(
      fc.property(
        trees,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 }),
        (tree, cuts, pieces) => {
          const whole = bytesOf(tree)
          expect(whole.length).toBe(new ArchivePlan(entriesOf(tree)).size)
          const offsets = cuts.map(cut => Math.floor(cut * whole.length)).sort((a, b) => a - b)
          for (const [index, offset] of offsets.entries()) {
            const end = offsets[index + 1] ?? whole.length
            expect(bytesOf(tree, offset, end).equals(whole.subarray(offset, end))).toBe(true)
          }
          expect(readBack(whole, pieces)).toEqual(tree)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('asks for no byte of a file that lies before the offset', () => {
    const plan = new ArchivePlan([
      { path: 'a', type: 'file', size: 1000 },
      { path: 'b', type: 'file', size: 3000 },
    ])
    const parts = [...plan.parts(512 + 1024 + 512 + 700, plan.size)]
    expect(parts[0]).toEqual({ entry: 1, start: 700, end: 3000 })
    expect(parts.filter(part => 'entry' in part)).toHaveLength(1)
  })

  test('tells a size of 8 GiB and more by a pax record, and finds its offsets without reading', () => {
    const size = 9 * 2 ** 30 + 5
    const plan = new ArchivePlan([
      { path: 'huge', type: 'file', size },
      { path: 'last', type: 'file', size: 3 },
    ])
    const [header] = plan.parts(0, 1536)
    if (!header || !('bytes' in header)) throw new Error('the header is missing')
    const begun: ArchiveEntry[] = []
    new ArchiveReader({ begin: entry => void begun.push(entry), bytes() {}, finish() {} }).write(header.bytes)
    expect(begun).toEqual([{ path: 'huge', type: 'file', size }])
    const dataOfLast = plan.size - 1024 - 512
    expect([...plan.parts(dataOfLast + 1, dataOfLast + 3)]).toEqual([{ entry: 1, start: 1, end: 3 }])
  })

  test.skipIf(!hasTar).each([1, 2, 3])('GNU tar gets back what was put in (random trees, seed %i)', seed => {
    using place = new Place()
    for (const tree of fc.sample(trees, { numRuns: 10, seed })) {
      writeFileSync(place.archive, bytesOf(tree))
      execFileSync('tar', ['-x', '-f', place.archive, '-C', place.empty()])
      expect(place.read()).toEqual(tree)
      const listed = execFileSync('tar', ['-tvf', place.archive], { encoding: 'utf8' })
      expect(listed.split('\n').length - 1).toBe(tree.size)
    }
  })

  test.skipIf(!hasTar)('GNU tar lists a file of 9 GiB with its size, and the one behind it', () => {
    using place = new Place()
    const size = 9 * 2 ** 30 + 5
    const plan = new ArchivePlan([
      { path: 'huge', type: 'file', size },
      { path: 'last', type: 'directory', size: 0 },
    ])
    const parts = [...plan.parts(0, plan.size)]
    let at = 0
    writeFileSync(place.archive, '')
    truncateSync(place.archive, plan.size)
    for (const part of parts) {
      if ('bytes' in part)
        execFileSync('dd', [`of=${place.archive}`, 'bs=1', `seek=${at}`, 'conv=notrunc', 'status=none'], {
          input: part.bytes,
        })
      at += 'bytes' in part ? part.bytes.length : part.end - part.start
    }
    const listed = execFileSync('tar', ['-tvf', place.archive], { encoding: 'utf8' })
    expect(listed).toMatch(new RegExp(`${size} .* huge\n.* last/\n$`))
  })
})

class Place implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'arriero-archive-'))
  readonly archive = join(this.#directory, 'a.tar')
  readonly #out = join(this.#directory, 'out')

  empty(): string {
    rmSync(this.#out, { recursive: true, force: true })
    mkdirSync(this.#out)
    return this.#out
  }

  read(): Tree {
    const entries = readdirSync(this.#out, { recursive: true, withFileTypes: true })
    return new Map(
      entries
        .map(entry => {
          const path = join(entry.parentPath, entry.name)
          return [path.slice(this.#out.length + 1), entry.isDirectory() ? null : readFileSync(path)] as const
        })
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

describe('ArchiveReader', () => {
  const name = (text: string) => Buffer.from(text)
  const end = Buffer.alloc(1024)
  const header = (typeflag: string, path = 'x', size = 0) => encodeUstarHeader({ name: name(path), typeflag, size })
  const pax = (bytes: Uint8Array) => {
    const content = Buffer.alloc(Math.ceil(bytes.length / 512) * 512)
    content.set(bytes)
    return Buffer.concat([encodeUstarHeader({ name: name('PaxHeader'), typeflag: 'x', size: bytes.length }), content])
  }
  const changed = (at: number, text: string, block = header('0')) => {
    block.set(Buffer.from(text), at)
    let sum = 256
    for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte
    block.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
    return block
  }

  test.each<[string, Uint8Array[], RegExp]>([
    ['nothing at all', [], /cut off/],
    ['one block of zeros', [Buffer.alloc(512)], /cut off/],
    ['a file that is cut off', [header('0', 'x', 600), Buffer.alloc(512)], /cut off/],
    ['no end', [header('0')], /cut off/],
    ['something behind the end', [end, header('0')], /nothing may follow/],
    ['something behind half an end', [Buffer.alloc(512), header('0'), end], /nothing may follow/],
    ['a hard link', [header('1'), end], /hard link/],
    ['a symbolic link', [header('2'), end], /symbolic link/],
    ['a character device', [header('3'), end], /character device/],
    ['a block device', [header('4'), end], /block device/],
    ['a pipe', [header('6'), end], /pipe/],
    ['a global pax header', [header('g', 'x', 10), Buffer.alloc(512), end], /global/],
    ['a GNU long name', [header('L', 'x', 10), Buffer.alloc(512), end], /GNU long name/],
    ['a sparse file', [header('S'), end], /sparse/],
    ['an unknown kind', [header('Z'), end], /unknown kind "Z"/],
    ['a directory with bytes', [header('5', 'd/', 5), Buffer.alloc(512), end], /directory must have no bytes/],
    ['a wrong checksum', [Buffer.concat([header('0').subarray(0, 511), Buffer.from('x')]), end], /checksum/],
    ['GNU’s own header', [changed(257, 'ustar  \0'), end], /POSIX/],
    ['a size in binary', [changed(124, '\x7f\0\0\0\0\0\0\0\0\0\0\x05'), end], /octal/],
    ['a negative size', [changed(124, '-0000000001\0'), end], /octal/],
    [
      'a name that is no UTF-8',
      [encodeUstarHeader({ name: Buffer.from([0xff, 0xfe]), typeflag: '0', size: 0 }), end],
      /UTF-8/,
    ],
    ['a pax header before nothing', [pax(encodePaxRecords({ path: 'y' })), end], /before an entry/],
    [
      'two pax headers',
      [pax(encodePaxRecords({ path: 'y' })), pax(encodePaxRecords({ path: 'z' })), header('0'), end],
      /before an entry/,
    ],
    ['a pax header with a path twice', [pax(Buffer.from('9 path=a\n9 path=b\n')), header('0'), end], /twice/],
    ['a pax header whose length lies', [pax(Buffer.from('99 path=a\n')), header('0'), end], /records/],
    ['a pax header without a key', [pax(Buffer.from('4 =\n')), header('0'), end], /records/],
    [
      'a pax header that makes a sparse file',
      [pax(Buffer.from('22 GNU.sparse.major=1\n')), header('0'), end],
      /GNU.sparse/,
    ],
    ['a pax header that makes a link', [pax(Buffer.from('14 linkpath=a\n')), header('0'), end], /linkpath/],
    [
      'a pax header with another alphabet',
      [pax(Buffer.from('21 hdrcharset=BINARY\n')), header('0'), end],
      /hdrcharset/,
    ],
    ['a negative size in a pax header', [pax(Buffer.from('11 size=-1\n')), header('0'), end], /whole number/],
    [
      'a size in a pax header that no number holds',
      [pax(Buffer.from('25 size=9999999999999999\n')), header('0'), end],
      /whole number/,
    ],
    ['a pax header of a gigabyte', [header('x', 'x', 2 ** 30)], /pax header may have/],
  ])('refuses %s', (_, blocks, why) => {
    const attempt = () => readBack(Buffer.concat(blocks))
    expect(attempt).toThrow(TransferError)
    expect(attempt).toThrow(why)
  })

  test('reads what others write with more blocks at the end, times and owners, and a name in two fields', () => {
    const long = `${'d'.repeat(120)}/file`
    const split = changed(345, 'd'.repeat(120), header('0', 'file', 3))
    const content = Buffer.alloc(512)
    content.write('abc')
    const noted = pax(Buffer.from('11 mtime=1\n'))
    const archive = Buffer.concat([noted, split, content, header('5', 'e/'), end, Buffer.alloc(8192)])
    expect(readBack(archive)).toEqual(
      new Map<string, Buffer | null>([
        [long, Buffer.from('abc')],
        ['e', null],
      ]),
    )
  })

  test.skipIf(!hasTar).each(['ustar', 'pax'])('reads what GNU tar writes as %s', format => {
    using place = new Place()
    const out = place.empty()
    const files: Record<string, string> = { 'a.txt': 'abc', 'sub/b': '', [`sub/${'n'.repeat(90)}`]: 'long' }
    for (const directory of ['sub', 'void']) mkdirSync(join(out, directory))
    for (const [path, text] of Object.entries(files)) writeFileSync(join(out, path), text)
    execFileSync('tar', [`--format=${format}`, '-cf', place.archive, '-C', out, 'a.txt', 'sub', 'void'])
    const sorted = new Map([...readBack(readFileSync(place.archive))].sort(([a], [b]) => (a < b ? -1 : 1)))
    expect(sorted).toEqual(place.read())
  })
})
