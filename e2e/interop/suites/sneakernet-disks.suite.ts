/** Carried disks as real file systems: images that are mounted, filled, unmounted and mounted again (reliability 5, 7.11, 7.12). */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSites, type Sites } from '../../program/sites.ts'

const execute = promisify(execFile)

type DiskType = 'ext4' | 'vfat'

async function makeImage(image: string, type: DiskType, size: number): Promise<void> {
  await writeFile(image, '')
  await truncate(image, size)
  await execute(`mkfs.${type}`, type === 'ext4' ? ['-q', '-F', image] : [image])
}

/** Whether this machine makes and mounts such images. */
async function canMount(type: DiskType): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-image-'))
  try {
    await makeImage(join(folder, 'image'), type, 20 << 20)
    await mkdir(join(folder, 'disk'))
    await execute('mount', ['-o', 'loop', join(folder, 'image'), join(folder, 'disk')])
    await execute('umount', [join(folder, 'disk')])
    return true
  } catch {
    return false
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

let sites!: Sites
let mounted: string[] = []

beforeEach(async () => {
  sites = await openSites({ isConnected: false })
}, 240_000)
afterEach(async () => {
  for (const directory of mounted.splice(0)) await execute('umount', [directory])
  await sites[Symbol.asyncDispose]()
})

const pack = (disk: string) => ['sneakernet', 'pack', '--librarian', 'peru', '--to', 'chile', '--disk', disk, '--json']

async function makeDisk(name: string, type: DiskType, size: number): Promise<string> {
  await makeImage(sites.at(`${name}.img`), type, size)
  await mkdir(sites.at(name))
  await mount(name)
  return sites.at(name)
}

async function mount(name: string, options = 'loop'): Promise<void> {
  await execute('mount', ['-o', options, sites.at(`${name}.img`), sites.at(name)])
  mounted.push(sites.at(name))
}

async function remount(name: string): Promise<void> {
  await execute('umount', [sites.at(name)])
  mounted = mounted.filter(each => each !== sites.at(name))
  await mount(name, 'loop,ro')
}

async function uploadLarge(count: number): Promise<void> {
  await mkdir(sites.at('large'))
  for (let at = 0; at < count; at++) await writeFile(sites.at('large', `f${at}`), randomBytes(4 << 20))
  await sites.good(['upload', '--each', '--librarian', 'peru', 'large', '.'])
}

if (await canMount('ext4')) {
  test('two ext4 disks take what has no room on one, and are read when mounted read-only', twoDisks, 400_000)
} else test.skip('NOT RUN ext4: no image of it can be mounted here', () => {})
if (await canMount('vfat')) {
  test('a FAT disk is refused before the first byte where it cannot keep the names', fatDisk, 400_000)
} else test.skip('NOT RUN vfat: no image of it can be made and mounted here', () => {})

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

async function fatDisk(): Promise<void> {
  const disk = await makeDisk('fat', 'vfat', 40 << 20)
  await sites.upload({ 'what?': '1', a: '2' })
  const refused = await sites.run(pack(disk))
  expect([refused.code, refused.stdout]).toEqual([2, expect.stringContaining('night/what?')])
  expect(await readdir(disk)).not.toContain('data')
  await writeFile(sites.at('names'), 'night/a\n')
  await sites.good([...pack(disk), '--files', 'names'])
  await remount('fat')
  await sites.good(['sneakernet', 'ingest', disk, '--librarian', 'chile'])
}
