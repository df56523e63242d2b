import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assertUnchanged, openMember, readItem } from './local-item.ts'

let folder!: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-item-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('readItem()', () => {
  test('of a file, through links to it', async () => {
    await writeFile(join(folder, 'a'), 'abc')
    await symlink(join(folder, 'a'), join(folder, 'link'))
    const item = await readItem(join(folder, 'link'))
    expect(item).toMatchObject({ kind: 'file', size: 3, members: [{ path: '', size: 3 }] })
    expect(item.root).toBe(join(folder, 'a'))
  })

  test('of a tree: hidden files, empty files and empty directories', async () => {
    await mkdir(join(folder, 't', 'sub', 'empty'), { recursive: true })
    await writeFile(join(folder, 't', 'sub', 'b.txt'), '')
    await writeFile(join(folder, 't', '.hid'), 'x')
    await writeFile(join(folder, 't', 'a.txt'), 'abc')
    const item = await readItem(join(folder, 't'))
    expect(item).toMatchObject({ kind: 'tree', size: 4, directories: ['sub', 'sub/empty'] })
    expect(item.members.map(member => member.path)).toEqual(['.hid', 'a.txt', 'sub/b.txt'])
  })

  test('refuses links inside a tree, or follows those to files', async () => {
    await mkdir(join(folder, 't'))
    await writeFile(join(folder, 'outside'), '12345')
    await symlink(join(folder, 'outside'), join(folder, 't', 'link'))
    await expect(readItem(join(folder, 't'))).rejects.toThrow(/must not hold symbolic links/)
    expect(await readItem(join(folder, 't'), { links: 'follow' })).toMatchObject({ size: 5 })
    await symlink(folder, join(folder, 't', 'up'))
    await expect(readItem(join(folder, 't'), { links: 'follow' })).rejects.toThrow(/link to a directory/)
    await rm(join(folder, 't', 'up'))
    await symlink('nowhere', join(folder, 't', 'broken'))
    await expect(readItem(join(folder, 't'), { links: 'follow' })).rejects.toThrow(/leads nowhere/)
  })

  test('refuses a pipe without waiting for it, and names that are no UTF-8', async () => {
    await mkdir(join(folder, 't'))
    execFileSync('mkfifo', [join(folder, 't', 'pipe')])
    await expect(readItem(join(folder, 't'))).rejects.toThrow(/not a pipe/)
    await mkdir(join(folder, 'u'))
    await writeFile(Buffer.concat([Buffer.from(`${folder}/u/`), Buffer.from([0x66, 0xff])]), 'x')
    await expect(readItem(join(folder, 'u'))).rejects.toThrow(/must be UTF-8/)
  })

  test.each([
    ['names that differ only by case', ['a', 'A'], /would be one name where case/],
    ['directories that do, too', ['sub/a', 'SUB/b'], /would be one name where case/],
    ['a name that other systems cannot keep', ['con'], /con/i],
  ])('refuses %s as wrong use, in the user’s own words', async (_, paths, why) => {
    for (const path of paths) {
      await mkdir(dirname(join(folder, 't', path)), { recursive: true })
      await writeFile(join(folder, 't', path), 'x')
    }
    const error = await readItem(join(folder, 't')).catch(error => error)
    expect(error).toMatchObject({ code: 'Usage', message: expect.stringMatching(why) })
    expect(error.message).toContain(join(folder, 't'))
    expect(error.remedy).toMatch(/^Rename it/)
  })

  test('tells what is not there as not found', async () => {
    await expect(readItem(join(folder, 'no'))).rejects.toMatchObject({ code: 'NotFound' })
  })
})

describe('assertUnchanged() and openMember()', () => {
  test.each([
    ['a longer file', () => appendFile(join(folder, 't', 'a'), 'x')],
    [
      'other bytes of the same size, with the old time set back',
      async () => {
        await writeFile(join(folder, 't', 'a'), 'xyz')
        await utimes(join(folder, 't', 'a'), 1, 1)
      },
    ],
    ['a new file', () => writeFile(join(folder, 't', 'new'), '')],
    ['a file that is gone', () => rm(join(folder, 't', 'b'))],
  ])('see %s', async (_, change) => {
    await mkdir(join(folder, 't'))
    await writeFile(join(folder, 't', 'a'), 'abc')
    await writeFile(join(folder, 't', 'b'), 'def')
    await utimes(join(folder, 't', 'a'), 1, 1)
    const item = await readItem(join(folder, 't'))
    await assertUnchanged(join(folder, 't'), item)
    await change()
    await expect(assertUnchanged(join(folder, 't'), item)).rejects.toMatchObject({ code: 'ResourceChanged' })
  })

  test('openMember() refuses another file under the same name', async () => {
    await writeFile(join(folder, 'a'), 'abc')
    const { members } = await readItem(join(folder, 'a'))
    await (await openMember(members[0]!)).close()
    await rm(join(folder, 'a'))
    await writeFile(join(folder, 'a'), 'abc')
    await expect(openMember(members[0]!)).rejects.toMatchObject({ code: 'ResourceChanged' })
  })
})
