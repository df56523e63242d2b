import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LibrarianError } from '@arriero/api'
import { createEngine, type Engine } from '@arriero/transfer'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type PackingTwin, packingTwin } from '../../../test/packing-librarian.ts'
import { bagItems, openBag } from '../bag/open-bag.ts'
import type { DiskPowers } from '../disk/probe.ts'
import { type PackOptions, packDisk } from './pack-disk.ts'

const execute = promisify(execFile)
const everything: DiskPowers = {
  isCaseBlind: false,
  refused: '',
  longestPart: 255,
  hasLargeFiles: true,
  blockSize: 4096,
}

let folder!: string
let engine!: Engine
let failed: [string, string][]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-pack-'))
  engine = createEngine({})
  failed = []
  for (const name of ['disk', 'store']) await mkdir(join(folder, name))
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const disk = (...names: string[]) => join(folder, 'disk', ...names)

async function twinOf(files: Readonly<Record<string, string>>, names = Object.keys(files)): Promise<PackingTwin> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, 'store', name)), { recursive: true })
    await writeFile(join(folder, 'store', name), content)
  }
  return await packingTwin(join(folder, 'store'), names)
}

function pack({ librarian }: PackingTwin, more: Partial<PackOptions> = {}) {
  const onFailed = (name: string, error: unknown) => void failed.push([name, (error as { code: string }).code])
  const order = { destination: 'chile', directory: disk(), label: 'seven' }
  return packDisk(librarian, order, { engine, onFailed, ...more })
}

test('packDisk() makes a bag that coreutils can check, with plain files under their plain names', async () => {
  const twin = await twinOf({ 'a b/ä.txt': 'one', 'tree/x/y': 'two', 'tree/z': '', empty: '' }, [
    'a b/ä.txt',
    'tree',
    'empty',
  ])
  const report = await pack(twin)
  expect(report).toMatchObject({ files: 3, bytes: 6, failed: 0, left: { files: 0 } })
  expect(await readFile(disk('data', 'a b', 'ä.txt'), 'utf8')).toBe('one')
  const { stdout } = await execute('sha256sum', ['-c', 'manifest-sha256.txt'], { cwd: disk() })
  expect(stdout.trim().split('\n').sort()).toEqual([
    'data/a b/ä.txt: OK',
    'data/empty: OK',
    'data/tree/x/y: OK',
    'data/tree/z: OK',
  ])
  await execute('sha256sum', ['-c', 'tagmanifest-sha256.txt'], { cwd: disk() })
  expect((await readdir(disk())).sort()).toEqual([
    'arriero-manifest.jsonl',
    'arriero-signature.json',
    'bag-info.txt',
    'bagit.txt',
    'data',
    'manifest-sha256.txt',
    'tagmanifest-sha256.txt',
  ])
  expect(await readFile(disk('bag-info.txt'), 'utf8')).toMatch(/^Payload-Oxum: 6\.4$/m)
  const items = await Array.fromAsync(bagItems(await openBag(disk())))
  expect(items.map(({ name, kind, uploader, transfer_id }) => [name, kind, uploader, transfer_id])).toEqual([
    ['a b/ä.txt', 'file', 'ada', 101],
    ['empty', 'file', 'ada', 102],
    ['tree', 'tree', 'ada', 103],
  ])
})

test('packDisk() lists names with a percent sign as BagIt does, and once more for sha256sum', async () => {
  await pack(await twinOf({ '100%': 'x' }))
  expect(await readFile(disk('manifest-sha256.txt'), 'utf8')).toContain('  data/100%25\n')
  const { stdout } = await execute('sha256sum', ['-c', 'sha256sum.txt'], { cwd: disk() })
  expect(stdout).toBe('data/100%: OK\n')
})

test('packDisk() tells before the first byte what the disk cannot keep', async () => {
  const twin = await twinOf({ 'a:b': '1', Twin: '2', twin: '3', fine: '4' })
  const probe = async () => ({ ...everything, isCaseBlind: true, refused: ':' })
  await expect(pack(twin, { probe })).rejects.toMatchObject({
    code: 'Unsupported',
    message: expect.stringMatching(/cannot keep 2 of the files:\n {2}a:b: .*\n {2}twin: .*Twin/s),
  })
  expect(twin.calls).not.toContain('add')
  expect(await readdir(disk('.arriero-packing'))).toEqual([])
})

test('packDisk() begins nothing on a disk that has room for none of the files, and says by how much', async () => {
  const twin = await twinOf({ large: 'x'.repeat(100_000), small: 'y'.repeat(50_000) })
  for (const [free, message] of [
    [1 << 20, /4194304 bytes are needed for directories and lists alone, 1048576 are free/],
    [(4 << 20) + 50_000, /the smallest of 2 needs \d+ bytes, there are 50000: \d+ too few/],
  ] as const) {
    await expect(pack(twin, { free: async () => free })).rejects.toMatchObject({
      code: 'NoSpace',
      message: expect.stringMatching(message),
    })
    expect(await readdir(disk())).toEqual([])
  }
  // The librarian has heard of it once, and that it will not come.
  expect(twin.calls.filter(call => ['begin', 'giveUp', 'add'].includes(call))).toEqual(['begin', 'giveUp'])
})

test('packDisk() says before the first byte that not all have room, and packs those that have', async () => {
  const twin = await twinOf({ large: 'x'.repeat(100_000), small: 'y'.repeat(50_000) })
  const short: unknown[] = []
  const onShort = (each: { files: number; needed: number; room: number }) =>
    short.push(each, twin.calls.includes('add'))
  const report = await pack(twin, { free: async () => (4 << 20) + 70_000, onShort })
  expect(report).toMatchObject({ files: 1, left: { files: 1, bytes: 100_000 } })
  expect(short).toEqual([{ files: 2, needed: expect.any(Number), room: 70_000 }, false])
})

test('packDisk() leaves a disk as empty as it was where the librarian does not want it begun', async () => {
  const twin = await twinOf({ a: '1' })
  twin.onCall = name => {
    if (name === 'begin') throw new LibrarianError('Conflict', 'another disk has this label')
  }
  await expect(pack(twin)).rejects.toMatchObject({ code: 'Conflict' })
  expect(await readdir(disk())).toEqual([])
})

test('packDisk() touches no disk that holds something else, and none that is packed', async () => {
  const twin = await twinOf({ a: '1' })
  await writeFile(disk('holiday.jpg'), 'x')
  await expect(pack(twin)).rejects.toMatchObject({ code: 'Exists', message: expect.stringContaining('holiday.jpg') })
  expect(await readdir(disk())).toEqual(['holiday.jpg'])
  await rm(disk('holiday.jpg'))
  await mkdir(disk('lost+found'))
  await pack(twin)
  await expect(pack(await twinOf({ b: '1' }))).rejects.toMatchObject({
    code: 'Exists',
    message: expect.stringContaining('packed'),
  })
})

test('packDisk() goes on from its journal after any call has failed, and copies nothing twice', async () => {
  const names = Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => [`f${String(at).padStart(3, '0')}`, `c${at}`]),
  )
  const twin = await twinOf(names)
  for (const [call, nth] of [
    ['add', 2],
    ['seal', 1],
    ['sign', 1],
  ] as const) {
    let left: number = nth
    twin.onCall = name => {
      if (name === call && --left === 0) throw new Error('cut off')
    }
    await expect(pack(twin)).rejects.toThrow('cut off')
    // A line that the end has cut.
    await writeFile(disk('arriero-packing.jsonl'), '{"name":"f9', { flag: 'a' })
  }
  twin.onCall = () => {}
  expect(await pack(twin)).toMatchObject({ files: 300 })
  const { stdout } = await execute('sha256sum', ['-c', 'manifest-sha256.txt'], { cwd: disk() })
  expect(stdout.trim().split('\n').length).toBe(300)
})

test('packDisk() leaves out a copy that is not what the catalogue says, and packs the others', async () => {
  const twin = await twinOf({ a: 'good', b: 'good too' })
  await writeFile(join(folder, 'store', 'a'), 'evil')
  expect(await pack(twin)).toMatchObject({ files: 1, failed: 1 })
  expect(failed).toEqual([['a', 'ChecksumMismatch']])
  expect(await readdir(disk('data'))).toEqual(['b'])
})

test('packDisk() takes another librarian’s disk up again for nobody else', async () => {
  const twin = await twinOf({ a: '1' })
  twin.onCall = name => {
    if (name === 'seal') throw new Error('cut off')
  }
  await expect(pack(twin)).rejects.toThrow('cut off')
  const order = { destination: 'spain', directory: disk() }
  await expect(packDisk(twin.librarian, order, { engine, onFailed: () => {} })).rejects.toMatchObject({
    code: 'Exists',
    message: expect.stringContaining('for chile'),
  })
})

test('openBag() refuses lists that are not the signed ones, and disks that were not packed to their end', async () => {
  await pack(await twinOf({ a: '1' }))
  await cp(disk(), join(folder, 'copy'), { recursive: true })
  for (const name of ['arriero-manifest.jsonl', 'manifest-sha256.txt', 'tagmanifest-sha256.txt', 'bag-info.txt']) {
    const text = await readFile(disk(name), 'utf8')
    await writeFile(disk(name), `${text}\n`)
    await expect(openBag(disk()), name).rejects.toMatchObject({
      code: 'ChecksumMismatch',
      message: expect.stringContaining(name),
    })
    await writeFile(disk(name), text)
  }
  await openBag(disk())
  await rm(disk('arriero-signature.json'))
  await expect(openBag(disk())).rejects.toMatchObject({ code: 'NotFound' })
  await writeFile(disk('arriero-packing.jsonl'), '')
  await expect(openBag(disk())).rejects.toMatchObject({ code: 'Unverifiable' })
})
