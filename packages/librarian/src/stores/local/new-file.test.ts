import { randomBytes } from 'node:crypto'
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { allocateShared } from '@arriero/transfer/paths'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Held } from './held.ts'
import { NewFile } from './new-file.ts'

const MIB = 1 << 20

let folder!: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arriero-new-file-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Of random bytes; those of `memory` begin so many after a page. */
function randomIn(memory: 'pages' | 'a byte after a page', size: number): Uint8Array {
  const room = new Uint8Array(allocateShared(size + 1))
  room.set(randomBytes(size + 1))
  return memory === 'pages' ? room.subarray(0, size) : room.subarray(1)
}

function write(where: string, pieces: readonly Uint8Array[], size: number): void {
  using held = Held.place(where)
  using file = new NewFile(held, 'f', size)
  for (const piece of pieces) file.write(piece)
  expect(file.size).toBe(size)
}

test.each([0, 1, 4095, 4096, 512 * 1024 - 1, 512 * 1024, MIB, MIB + 1, 5 * MIB + 4097])('%d bytes', size => {
  const bytes = randomIn('pages', size)
  write(folder, [bytes], size)
  expect(readFileSync(join(folder, 'f')).equals(bytes)).toBe(true)
})

test('memory that begins elsewhere, and pieces that end elsewhere, are written the ordinary way', () => {
  const pieces = [
    randomIn('a byte after a page', MIB),
    randomIn('pages', MIB + 100),
    randomIn('pages', MIB),
    randomBytes(3996),
    randomIn('pages', MIB),
  ]
  const all = Buffer.concat(pieces)
  write(folder, pieces, all.length)
  expect(readFileSync(join(folder, 'f')).equals(all)).toBe(true)
})

test('memory whose pages nobody promised is written all the same', () => {
  const bytes = new Uint8Array(randomBytes(2 * MIB).buffer, 0, 2 * MIB)
  write(folder, [bytes], bytes.length)
  expect(readFileSync(join(folder, 'f')).equals(bytes)).toBe(true)
})

test('a name that is taken is refused, and what has it stays', () => {
  write(folder, [randomIn('pages', MIB)], MIB)
  const before = readFileSync(join(folder, 'f'))
  expect(() => write(folder, [randomIn('pages', MIB)], MIB)).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  expect(readFileSync(join(folder, 'f')).equals(before)).toBe(true)
})

test.runIf(existsSync('/dev/shm'))('a file system in memory has it too', () => {
  const there = mkdtempSync('/dev/shm/arriero-new-file-')
  try {
    const bytes = randomIn('pages', 3 * MIB + 7)
    write(there, [bytes], bytes.length)
    expect(readFileSync(join(there, 'f')).equals(bytes)).toBe(true)
  } finally {
    rmSync(there, { recursive: true })
  }
})

test('its descriptors are closed, also after a failure', () => {
  const next = () => {
    const fd = openSync(folder, constants.O_RDONLY)
    closeSync(fd)
    return fd
  }
  const before = next()
  write(folder, [randomIn('pages', MIB)], MIB)
  expect(() => write(folder, [randomIn('pages', MIB)], MIB)).toThrow()
  expect(next()).toBe(before)
})
