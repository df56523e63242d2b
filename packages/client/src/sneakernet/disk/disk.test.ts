import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Of } from '../../../test/packing-librarian.ts'
import { listLine, parseListLine } from '../bag/layout.ts'
import { DiskNames, type DiskPowers, FAT_LIMIT, probeDisk } from './probe.ts'
import { readBack, readBackBuffer } from './read-back.ts'

let folder!: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-disk-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const fat: DiskPowers = {
  isCaseBlind: true,
  refused: '<>:"|?*',
  longestPart: 255,
  hasLargeFiles: false,
  blockSize: 32_768,
}

test('DiskNames refuses what FAT cannot keep, and takes the rest', () => {
  const names = new DiskNames(fat)
  const problem = (name: string, size = 1) => names.problem({ name, size, kind: 'file' })
  expect(problem('a/b')).toBeUndefined()
  expect(problem('A/c')).toMatch(/one name where case/)
  expect(problem('what?')).toMatch(/\?/)
  expect(problem('large', FAT_LIMIT)).toBeUndefined()
  expect(problem('larger', FAT_LIMIT + 1)).toMatch(/4 GiB/)
})

test('probeDisk() finds what this file system can, and leaves nothing', async () => {
  expect(await probeDisk(folder)).toMatchObject({ refused: '', longestPart: 255, hasLargeFiles: true })
  expect(await readdir(folder)).toEqual([])
})

test.each([0, 1, 511, 512, 4096, (4 << 20) - 1, 4 << 20, (4 << 20) + 513])(
  'readBack() of %i bytes is their digest',
  async size => {
    const path = join(folder, 'f')
    await writeFile(path, Buffer.alloc(size, 7))
    const item = { kind: 'file', files: [''], directories: [] } as const
    const found = await readBack(path, item, ['md5'], readBackBuffer(), new AbortController().signal)
    expect(found).toMatchObject({ size, sha256: await sha256Of(path), members: [['', size, await sha256Of(path)]] })
  },
)

test('list lines encode what BagIt encodes and nothing else, and come back', () => {
  const sha256 = 'a'.repeat(64)
  expect(listLine(sha256, 'data/50% ä')).toBe(`${sha256}  data/50%25 ä\n`)
  for (const path of ['data/50%', 'data/50%25', 'data/a b', 'data/%0A']) {
    expect(parseListLine(listLine(sha256, path).trimEnd())).toEqual({ sha256, path })
  }
})
