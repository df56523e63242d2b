import { execFileSync, spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestPath } from '@arriero/transfer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readItem } from './local-item.ts'
import { openTree } from './open-tree.ts'
import type { Outgoing } from './outgoing.ts'

const hasTar = /GNU tar/.test(spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout ?? '')

let folder!: string
let root!: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-tree-'))
  root = join(folder, 'tree')
  await mkdir(join(root, 'sub', 'void'), { recursive: true })
  await writeFile(join(root, 'a'), 'abc')
  await writeFile(join(root, 'empty'), '')
  await writeFile(join(root, 'sub', 'b'), Buffer.alloc(100_000, 'b'))
  await writeFile(join(root, 'sub', 'Ångström'), 'x')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function bytesOf(outgoing: Outgoing, start = 0, pieceSize = 7001): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let at = start; at < outgoing.size; at += pieceSize) {
    const piece = Buffer.alloc(Math.min(pieceSize, outgoing.size - at))
    await outgoing.read(piece, at)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

describe('openTree()', () => {
  test('gives the same bytes from any place on, in a later run too, whatever the times of its files', async () => {
    await using tree = openTree(await readItem(root))
    const whole = await bytesOf(tree)
    await utimes(join(root, 'a'), 1, 1)
    await using later = openTree(await readItem(root))
    for (const start of [0, 1, 511, 512, 600, 50_000, whole.length - 1024, whole.length]) {
      expect((await bytesOf(later, start, 4099)).equals(whole.subarray(start)), `${start}`).toBe(true)
    }
  })

  test.skipIf(!hasTar)('is what GNU tar unpacks to the same tree', async () => {
    await using tree = openTree(await readItem(root))
    const archive = join(folder, 'a.tar')
    await writeFile(archive, await bytesOf(tree))
    await mkdir(join(folder, 'out'))
    execFileSync('tar', ['-x', '-f', archive, '-C', join(folder, 'out')])
    const digest = async (path: string) => (await digestPath(path, { functions: ['xxh3'], links: 'refuse' })).sha256
    expect(await digest(join(folder, 'out'))).toBe(await digest(root))
  })

  test('counts the bytes of files, and says how long the whole is', async () => {
    await using tree = openTree(await readItem(root))
    expect(tree.countOf(0, tree.size)).toBe(100_004)
    expect(tree.countOf(0, 512)).toBe(0)
    expect(tree.headers['upload-length']).toBe(String(tree.size))
  })

  test('tells a file that changed since it was looked at, before and while it is read', async () => {
    await using tree = openTree(await readItem(root))
    await appendFile(join(root, 'a'), 'x')
    await expect(bytesOf(tree)).rejects.toMatchObject({
      code: 'ResourceChanged',
      message: expect.stringContaining('/a'),
    })
    await using other = openTree(await readItem(root))
    const offset = other.size - 1024 - 50_000
    await other.read(Buffer.alloc(10), offset)
    await writeFile(join(root, 'sub', 'b'), Buffer.alloc(100_000, 'c'))
    await expect(bytesOf(other, offset + 10)).rejects.toMatchObject({ code: 'ResourceChanged' })
  })

  test('follows links where they were followed when it was looked at', async () => {
    await symlink('a', join(root, 'link'))
    await using tree = openTree(await readItem(root, { links: 'follow' }))
    expect(tree.countOf(0, tree.size)).toBe(100_007)
    expect((await bytesOf(tree)).includes(await readFile(join(root, 'a')))).toBe(true)
  })

  test.each([
    [['Data', 'data'], /one name/],
    [['aux.c'], /reserved/],
    [['back\\slash'], /backslash/],
  ])('refuses %j before anything is sent', async (names, why) => {
    for (const name of names) await writeFile(join(root, name), '')
    await expect(readItem(root)).rejects.toMatchObject({ code: 'Usage', message: expect.stringMatching(why) })
  })

  test('refuses more members than the librarian takes, saying how many', async () => {
    const item = await readItem(root)
    expect(() => openTree(item, { mostMembers: 5 })).toThrow(/takes 5 .* it has 6/)
    await using _ = openTree(item, { mostMembers: 6 })
  })
})
