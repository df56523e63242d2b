import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TransferError } from '../errors.ts'
import { assertInside, resolveTarget } from './target.ts'

describe('resolveTarget()', () => {
  test.each(['a.fits', 'run 1/a.fits', 'a/b/c', '.hidden', 'a..b', '-rf', '~a', 'a/~', 'é/ü', 'console', 'xy:z'])(
    'puts %j below the directory',
    path => {
      expect(resolveTarget('/data', path)).toBe(`/data/${path}`)
    },
  )

  test.each([
    ['..', '".."'],
    ['a/../b', '".."'],
    ['./a', '"."'],
    ['/etc/passwd', 'absolute'],
    ['~', 'home directory, got "~"'],
    ['~root/x', 'home directory, got "~root"'],
    ['', 'empty'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['a\u0000b', 'U+0000'],
    ['a\nb', 'U+000A'],
    ['a\u202eb', 'U+202E'],
    ['a\u0085', 'U+0085'],
    ['a\\b', 'backslash, got "a\\b"'],
    ['C:/x', 'drive letter, got "C:"'],
    ['c:x', 'drive letter'],
    ['a./b', 'dot or a space, got "a."'],
    ['a /b', 'dot or a space, got "a "'],
    ['x/NUL', 'device name, got "NUL"'],
    ['aux.txt/b', 'device name, got "aux.txt"'],
    ['lpt9', 'device name'],
    ['\ud800', 'surrogate'],
    ['é'.repeat(128), '255 bytes, got 256'],
    [`${'a/'.repeat(2048)}a`, '4096 bytes, got 4097'],
  ])('refuses %j and names what was met', (path, met) => {
    expect(() => resolveTarget('/data', path)).toThrow(
      expect.objectContaining({ code: 'PathUnsafe', message: expect.stringContaining(met) }),
    )
  })

  test('accepts segments of 255 bytes and paths of 4096', () => {
    expect(() => resolveTarget('/data', 'é'.repeat(127))).not.toThrow()
    expect(() => resolveTarget('/data', `${'a/'.repeat(2047)}ab`)).not.toThrow()
  })

  test('never shows control characters in its message', () => {
    expect(() => resolveTarget('/data', '\u001b[2J/..')).toThrow(/^[^\u0000-\u001f]*$/)
  })

  test('works below the root directory', () => {
    expect(resolveTarget('/', 'a/b')).toBe('/a/b')
  })

  test('whatever it accepts lies strictly inside the directory', () => {
    const path = fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', '~', ' ', ':', 'C', '\u0000') })
    fc.assert(
      fc.property(path, text => {
        let target: string
        try {
          target = resolveTarget('/data/x', text)
        } catch (error) {
          expect(error).toBeInstanceOf(TransferError)
          return
        }
        expect(relative('/data/x', target)).toBe(text)
        expect(target.split(sep)).not.toContain('..')
      }),
      { numRuns: 2000 },
    )
  })
})

describe('assertInside()', () => {
  let base: string
  let root: string
  beforeEach(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'arriero-target-')))
    root = join(base, 'root')
    await mkdir(join(root, 'real'), { recursive: true })
    await mkdir(join(base, 'outside'))
  })
  afterEach(() => rm(base, { recursive: true }))

  test('accepts targets whose parents exist or do not', async () => {
    await assertInside(root, join(root, 'a'))
    await assertInside(root, join(root, 'real/a'))
    await assertInside(root, join(root, 'new/deep/a'))
    await assertInside(join(base, 'not-there'), join(base, 'not-there/x/a'))
  })

  test('refuses a parent that is a symbolic link to outside', async () => {
    await symlink(join(base, 'outside'), join(root, 'link'))
    await expect(assertInside(root, join(root, 'link/a'))).rejects.toMatchObject({ code: 'PathUnsafe' })
    await expect(assertInside(root, join(root, 'link/new/a'))).rejects.toMatchObject({ code: 'PathUnsafe' })
  })

  test('refuses a link to a directory whose name only begins with the root', async () => {
    await mkdir(join(base, 'root-2'))
    await symlink('../root-2', join(root, 'link'))
    await expect(assertInside(root, join(root, 'link/a'))).rejects.toMatchObject({ code: 'PathUnsafe' })
  })

  test('refuses a parent that is a dangling link, because making it would follow the link', async () => {
    await symlink(join(base, 'nowhere'), join(root, 'link'))
    await expect(assertInside(root, join(root, 'link/a'))).rejects.toMatchObject({ code: 'PathUnsafe' })
  })

  test('accepts links that stay inside, and a root that is itself a link of the user', async () => {
    await symlink('real', join(root, 'link'))
    await assertInside(root, join(root, 'link/a'))
    await symlink(root, join(base, 'mine'))
    await assertInside(join(base, 'mine'), join(base, 'mine/real/a'))
  })

  test('is not misled by directories that others make meanwhile', async () => {
    for (let round = 0; round < 100; round++) {
      const directory = join(root, `new ${round}`)
      const [looked] = await Promise.allSettled([assertInside(root, join(directory, 'a')), mkdir(directory)])
      expect(looked).toMatchObject({ status: 'fulfilled' })
    }
  })

  test('reports a parent that is a file as Disk', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(assertInside(root, join(root, 'file/b/a'))).rejects.toMatchObject({ code: 'Disk' })
  })
})
