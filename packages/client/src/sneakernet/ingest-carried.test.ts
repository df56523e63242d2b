import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Librarian } from '../librarian.ts'
import { readCarriedManifest } from './carried-manifest.ts'
import { type CarriedOutcome, ingestCarried } from './ingest-carried.ts'

let folder!: string
let calls: [string, Record<string, unknown>][]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-carried-'))
  calls = []
  for (const name of ['disk', 'disk/dir', 'staging']) await mkdir(join(folder, name))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const entry = (name: string, size: number, id = 3) => ({
  name,
  create_time: '2026-11-20T22:03:37.293159',
  size,
  checksum: 'xxh3:::fece70bec15fa5d04e440dc8809b1a8c',
  uploader: 'ada',
  source: 'ada',
  instance_path: `/mnt/drive/store/${name}`,
  deletion_policy: 0,
  instance_create_time: '2026-11-20T22:05:39.206016',
  instance_available: true,
  outgoing_transfer_id: id,
})

/** A librarian that has `taken` already. */
function librarian(taken: string[] = []): Librarian {
  let next = 100
  const record = (call: string) => async (request: Record<string, unknown>) => {
    calls.push([call, request])
    return {}
  }
  const stage = async (request: { destination_location: string; upload_name: string; source_transfer_id: number }) => {
    calls.push(['stage', request])
    if (taken.includes(request.destination_location)) throw new LibrarianError('FileExists', 'exists')
    const id = next++
    await mkdir(join(folder, 'staging', String(id)))
    return {
      staging_location: join(folder, 'staging', String(id), request.upload_name),
      transfer_providers: { local: { hostnames: [hostname()] } },
      source_transfer_id: request.source_transfer_id,
      destination_transfer_id: id,
    }
  }
  return { api: { clone: { stage, ongoing: record('ongoing'), staged: record('staged') } } } as unknown as Librarian
}

async function ingest(files: ReturnType<typeof entry>[], taken?: string[]): Promise<CarriedOutcome[]> {
  const path = join(folder, 'm.json')
  await writeFile(path, JSON.stringify({ librarian_name: 'site', store_name: 'drive', store_files: files }))
  const outcomes: CarriedOutcome[] = []
  const manifest = await readCarriedManifest(path)
  for await (const outcome of ingestCarried(librarian(taken), manifest, { root: join(folder, 'disk') })) {
    outcomes.push(outcome)
  }
  return outcomes
}

test('ingestCarried() says whose file it is and where it comes from the right way round', async () => {
  await writeFile(join(folder, 'disk', 'dir', 'f1.bin'), 'abc')
  expect(await ingest([entry('dir/f1.bin', 3)])).toMatchObject([{ ok: true, status: 'staged' }])
  expect(calls).toEqual([
    [
      'stage',
      {
        upload_size: 3,
        upload_checksum: 'xxh3:::fece70bec15fa5d04e440dc8809b1a8c',
        upload_name: 'f1.bin',
        destination_location: 'dir/f1.bin',
        uploader: 'ada',
        source: 'site',
        source_transfer_id: 3,
      },
    ],
    ['ongoing', { source_transfer_id: 3, destination_transfer_id: 100 }],
    ['staged', { source_transfer_id: 3, destination_transfer_id: 100 }],
  ])
  expect(await readFile(join(folder, 'staging', '100', 'f1.bin'), 'utf8')).toBe('abc')
})

test('ingestCarried() counts what is there already, and goes on after a failure', async () => {
  await writeFile(join(folder, 'disk', 'a'), 'abc')
  await writeFile(join(folder, 'disk', 'b'), 'other size')
  await writeFile(join(folder, 'disk', 'd'), 'abc')
  const outcomes = await ingest([entry('a', 3), entry('b', 3), entry('c', 3), entry('d', 3)], ['a'])
  expect(outcomes.map(each => (each.ok ? each.status : (each.error as { code: string }).code))).toEqual([
    'present',
    'SizeMismatch',
    'NotFound',
    'staged',
  ])
})

test('ingestCarried() takes nothing from outside the disk, whatever names and links say', async () => {
  await writeFile(join(folder, 'secret'), 'abc')
  await symlink(join(folder, 'secret'), join(folder, 'disk', 'link'))
  const outcomes = await ingest([entry('../secret', 3), entry('link', 3), entry('/etc/hostname', 3)])
  expect(outcomes.map(each => !each.ok && (each.error as { code: string }).code)).toEqual(Array(3).fill('PathUnsafe'))
  expect(calls).toEqual([])
})

test('readCarriedManifest() refuses what is no manifest', async () => {
  await writeFile(join(folder, 'x'), '{"librarian_name": "a"}')
  await expect(readCarriedManifest(join(folder, 'x'))).rejects.toThrow(/store_name/)
  await writeFile(join(folder, 'x'), 'not json')
  await expect(readCarriedManifest(join(folder, 'x'))).rejects.toMatchObject({ code: 'BadRequest' })
})
