/** Carried disks as real file systems: images that are mounted, filled, unmounted and mounted again (reliability 5, 7.11, 7.12). */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSites, type Sites } from '../../program/sites.ts'

const execute = promisify(execFile)

type DiskType = 'ext4' | 'vfat' | 'exfat'

async function makeImage(image: string, type: DiskType, size: number): Promise<void> {
  await writeFile(image, '')
  await truncate(image, size)
  await execute(`mkfs.${type}`, type === 'ext4' ? ['-q', '-F', image] : [image])
}

/**
 * By the kernel; exFAT, where that does not know it, by a program in user space: slower, and the same names, modes and limits.
 *
 * @returns how it is unmounted
 */
async function mountImage(
  image: string,
  directory: string,
  type: DiskType,
  isReadOnly: boolean,
): Promise<() => Promise<void>> {
  const unmount = async () => void (await execute('umount', [directory]))
  try {
    await execute('mount', ['-t', type, '-o', isReadOnly ? 'loop,ro' : 'loop', image, directory])
    return unmount
  } catch (error) {
    if (type !== 'exfat') throw error
  }
  const device = (await execute('losetup', ['-f', '--show', image])).stdout.trim()
  const detach = async () => void (await execute('losetup', ['-d', device]))
  try {
    await execute('mount.exfat-fuse', ['-o', isReadOnly ? 'ro' : 'rw', device, directory])
  } catch (error) {
    await detach()
    throw error
  }
  return async () => {
    await unmount()
    await detach()
  }
}

/** Whether this machine makes and mounts such images. */
async function canMount(type: DiskType): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-image-'))
  try {
    await makeImage(join(folder, 'image'), type, 20 << 20)
    await mkdir(join(folder, 'disk'))
    const unmount = await mountImage(join(folder, 'image'), join(folder, 'disk'), type, false)
    await unmount()
    return true
  } catch {
    return false
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

let sites!: Sites
/** By name, how each is unmounted. */
const mounted = new Map<string, () => Promise<void>>()
const types = new Map<string, DiskType>()

beforeEach(async () => {
  sites = await openSites({ isConnected: false })
}, 240_000)
afterEach(async () => {
  for (const name of [...mounted.keys()]) await unmount(name)
  await sites[Symbol.asyncDispose]()
})

const pack = (disk: string) => ['sneakernet', 'pack', '--librarian', 'peru', '--to', 'chile', '--disk', disk, '--json']

async function makeDisk(name: string, type: DiskType, size: number): Promise<string> {
  await makeImage(sites.at(`${name}.img`), type, size)
  await mkdir(sites.at(name))
  types.set(name, type)
  await mount(name)
  return sites.at(name)
}

async function mount(name: string, isReadOnly = false): Promise<void> {
  mounted.set(name, await mountImage(sites.at(`${name}.img`), sites.at(name), types.get(name)!, isReadOnly))
}

async function unmount(name: string): Promise<void> {
  await mounted.get(name)!()
  mounted.delete(name)
}

async function remount(name: string): Promise<void> {
  await unmount(name)
  await mount(name, true)
}

async function uploadLarge(count: number): Promise<void> {
  await mkdir(sites.at('large'))
  for (let at = 0; at < count; at++) await writeFile(sites.at('large', `f${at}`), randomBytes(4 << 20))
  await sites.good(['upload', '--each', '--librarian', 'peru', 'large', '.'])
}

if (await canMount('ext4')) {
  test('two ext4 disks take what has no room on one, and are read when mounted read-only', twoDisks, 400_000)
} else test.skip('NOT RUN ext4: no image of it can be mounted here', () => {})
for (const type of ['vfat', 'exfat'] as const) {
  if (await canMount(type)) {
    test(
      `${type} disk: refused before the first byte where it cannot keep the names, else read at the far side`,
      () => fatDisk(type),
      400_000,
    )
  } else test.skip(`NOT RUN ${type}: no image of it can be made and mounted here`, () => {})
}

async function twoDisks(): Promise<void> {
  const first = await makeDisk('first', 'ext4', 24 << 20)
  await uploadLarge(5)
  const report = JSON.parse((await sites.good(pack(first))).stdout)
  expect(report).toMatchObject({ medium: 'medium', failed: 0 })
  expect(report.files).toBeGreaterThan(0)
  expect(report.left.files).toBe(5 - report.files)
  const second = await makeDisk('second', 'ext4', 40 << 20)
  expect(JSON.parse((await sites.good(pack(second))).stdout)).toMatchObject({
    files: 5 - report.files,
    left: { files: 0 },
  })
  for (const name of ['first', 'second']) {
    await remount(name)
    await execute('sha256sum', ['-c', 'manifest-sha256.txt'], { cwd: sites.at(name) })
    await sites.good(['sneakernet', 'ingest', sites.at(name), '--librarian', 'chile'])
  }
}

/** No modes, no links, names that differ in case are one: nothing of that may matter to who reads it. */
async function fatDisk(type: 'vfat' | 'exfat'): Promise<void> {
  const disk = await makeDisk('fat', type, 40 << 20)
  await sites.upload({ 'what?': '1', a: '2', Twin: '3', twin: '4', 'long name of more than eight letters': '5' })
  const refused = await sites.run(pack(disk))
  expect([refused.code, refused.stdout]).toEqual([2, expect.stringContaining('night/what?')])
  expect(refused.stdout).toMatch(/night\/[Tt]win: .*night\/[Tt]win/)
  expect(await readdir(disk)).not.toContain('data')
  const names = ['night/a', 'night/Twin', 'night/long name of more than eight letters']
  await writeFile(sites.at('names'), names.map(name => `${name}\n`).join(''))
  await sites.good([...pack(disk), '--files', 'names'])
  await remount('fat')
  await execute('sha256sum', ['-c', 'manifest-sha256.txt'], { cwd: disk })
  await sites.good(['sneakernet', 'ingest', disk, '--librarian', 'chile'])
  for (const name of names) await sites.good(['download', name, '-o', `back/${name}`, '--librarian', 'chile'])
  expect(await readFile(sites.at('back', 'night', 'Twin'), 'utf8')).toBe('3')
}
