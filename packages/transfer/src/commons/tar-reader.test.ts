import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeTar } from '../../test/commons-server/tar.ts'
import { TarReader } from './tar-reader.ts'

interface Read {
  readonly path: string
  readonly size: number
  readonly bytes: Buffer
  readonly isWhole: boolean
}

/** What a reader tells of an archive that comes in these pieces. */
function read(pieces: Iterable<Uint8Array>): { files: Read[]; isEnded: boolean } {
  const files: Read[] = []
  const amend = (change: (last: Read) => Partial<Read>) => {
    const last = files.pop() as Read
    files.push({ ...last, ...change(last) })
  }
  const reader = new TarReader({
    begin: member => files.push({ ...member, bytes: Buffer.alloc(0), isWhole: false }),
    data: bytes => amend(last => ({ bytes: Buffer.concat([last.bytes, bytes]) })),
    end: () => amend(() => ({ isWhole: true })),
  })
  for (const piece of pieces) reader.push(piece)
  return { files, isEnded: reader.isEnded }
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

interface HeaderOptions {
  readonly type?: string
  readonly size?: number
  readonly sizeField?: Buffer
  readonly magic?: string
  readonly prefix?: string
}

function header(name: string, options: HeaderOptions = {}): Buffer {
  const { type = '0', size = 0, sizeField, magic = 'ustar\x0000', prefix = '' } = options
  const block = Buffer.alloc(512)
  block.write(name, 0, 100)
  if (sizeField) sizeField.copy(block, 124)
  else block.write(`${size.toString(8).padStart(11, '0')} `, 124)
  block.fill(' ', 148, 156)
  block.write(type, 156)
  block.write(magic, 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Content of a member with its padding. */
function body(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

function pax(records: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    const bytes = Buffer.byteLength(rest)
    let length = bytes + String(bytes).length
    length = bytes + String(length).length
    return `${length}${rest}`
  })
  const content = Buffer.from(text.join(''))
  return Buffer.concat([header('pax', { type: 'x', size: content.length }), body(content)])
}

const END = Buffer.alloc(1024)

describe('TarReader', () => {
  const members = fc.array(
    fc.record({
      name: fc.stringMatching(/^[a-z0-9-]{1,40}\/[a-zA-Z0-9._ -]{1,60}[a-z]$/),
      bytes: fc.uint8Array({ maxLength: 1500 }),
    }),
    { maxLength: 6 },
  )

  test('tells every file and every byte, wherever the archive is cut', () => {
    fc.assert(
      fc.property(members, fc.array(fc.nat()), (given, cuts) => {
        const { files, isEnded } = read(cutAt(makeTar(given), cuts))
        expect(isEnded).toBe(true)
        expect(files).toEqual(
          given.map(({ name, bytes }) => ({
            path: name,
            size: bytes.length,
            bytes: Buffer.from(bytes),
            isWhole: true,
          })),
        )
      }),
    )
  })

  test('calls a file whole only when its last byte has come, and never ends early', () => {
    fc.assert(
      fc.property(members, fc.nat(), (given, cut) => {
        const tar = makeTar(given)
        const length = cut % tar.length
        const { files, isEnded } = read([tar.subarray(0, length)])
        expect(isEnded).toBe(false)
        for (const [index, { bytes, isWhole, size }] of files.entries()) {
          expect(isWhole).toBe(bytes.length === size)
          expect(bytes).toEqual(Buffer.from(given[index]?.bytes.subarray(0, bytes.length) as Uint8Array))
        }
      }),
    )
  })

  test('either reads an archive with one byte changed or says that it is none', () => {
    fc.assert(
      fc.property(members, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
        const tar = makeTar(given)
        const index = at % tar.length
        tar[index] = (tar[index] as number) ^ change
        try {
          read([tar])
        } catch (error) {
          expect(error).toMatchObject({ code: 'Protocol' })
        }
      }),
    )
  })

  test('takes long names from GNU and from pax, and sizes from pax', () => {
    const long = `${'directory/'.repeat(30)}ü.txt`
    const gnu = Buffer.concat([
      header('././@LongLink', { type: 'L', size: Buffer.byteLength(long) + 1, magic: 'ustar  \0' }),
      body(`${long}\0`),
      header('directory/', { size: 3, magic: 'ustar  \0' }),
      body('abc'),
    ])
    const posix = Buffer.concat([
      pax({ mtime: '1.5', path: long, size: '4' }),
      header('short', { size: 0 }),
      body('abcd'),
    ])
    const plain = Buffer.concat([header('plain', { size: 1, prefix: 'a/b' }), body('x')])
    const { files } = read(cutAt(Buffer.concat([gnu, posix, plain, END]), [100, 700, 1301, 2222]))
    expect(files.map(({ path, bytes }) => [path, bytes.toString()])).toEqual([
      [long, 'abc'],
      [long, 'abcd'],
      ['a/b/plain', 'x'],
    ])
  })

  test('does not take what GNU keeps in the place of the prefix for one', () => {
    const { files } = read([header('name', { magic: 'ustar  \0', prefix: '14524652445' }), END])
    expect(files).toMatchObject([{ path: 'name', size: 0, isWhole: true }])
  })

  test('passes over directories, links and whatever it does not know, with their content', () => {
    const tar = Buffer.concat([
      header('d/', { type: '5', size: 512 }),
      header('old directory/', { type: '\0' }),
      header('link', { type: '2', size: 99 }),
      header('global', { type: 'g', size: 5 }),
      body('hello'),
      header('dump', { type: 'D', size: 700 }),
      body(Buffer.alloc(700)),
      header('file', { type: '\0', size: 2 }),
      body('ok'),
      END,
    ])
    const { files } = read([tar])
    expect(files.map(({ path, bytes }) => [path, bytes.toString()])).toEqual([['file', 'ok']])
  })

  test('reads sizes in base 256', () => {
    const sizeField = Buffer.alloc(12)
    sizeField[0] = 0x80
    sizeField.writeUIntBE(0x2_0000_0001, 6, 6)
    const { files } = read([header('large', { sizeField })])
    expect(files).toMatchObject([{ size: 0x2_0000_0001, isWhole: false }])
  })

  test.each([
    ['a web page', Buffer.from('<html>'.repeat(100)), 'octal'],
    ['a header of which a byte is another', header('x').fill('y', 0, 1), 'checksum'],
    ['a negative size', header('x', { sizeField: Buffer.alloc(12, 0xff) }), 'size'],
    ['a size that is no number', header('x', { sizeField: Buffer.from('0000000009x\0') }), 'octal'],
    ['a file behind an empty block', Buffer.concat([Buffer.alloc(512), header('x')]), 'empty block'],
    ['a name without end', header('x', { type: 'L', size: 1 << 30 }), 'name'],
    ['broken records', Buffer.concat([header('x', { type: 'x', size: 9 }), body('99 path=a')]), 'records'],
  ])('refuses %s', (_, bytes, rule) => {
    expect(() => read([bytes])).toThrow(expect.objectContaining({ code: 'Protocol' }))
    expect(() => read([bytes])).toThrow(rule)
  })

  test('ignores what stands behind the end', () => {
    expect(read([makeTar([]), Buffer.from('<html>'.repeat(200))])).toEqual({ files: [], isEnded: true })
  })
})
