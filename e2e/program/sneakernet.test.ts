/** A disk is carried from Peru to Chile, by whole processes; every way in which it may go wrong (reliability G4, 5). */
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Outcome } from '../program.ts'
import { openSites, type Sites } from './sites.ts'

const execute = promisify(execFile)

let sites!: Sites

/** Without a network between them, and no directory that both see. */
beforeEach(async ({ task }) => {
  const isConnected = task.name.includes('with a network')
  sites = await openSites({ isConnected, ...(isConnected ? { chile: { hostnames: [hostname()] } } : {}) })
  await mkdir(sites.at('disk'))
}, 120_000)
afterEach(() => sites[Symbol.asyncDispose]())

const disk = (...names: string[]) => sites.at('disk', ...names)

const pack = (more: readonly string[] = [], directory = 'disk') => [
  ...['sneakernet', 'pack', '--librarian', 'peru', '--to', 'chile', '--disk', directory, '--json'],
  ...more,
]
const ingest = (more: readonly string[] = [], directory = 'disk') => [
  ...['sneakernet', 'ingest', directory, '--librarian', 'chile', '--json'],
  ...more,
]

interface Row {
  readonly ok?: boolean
  readonly name?: string
  readonly status?: string
  readonly error?: { readonly code: string }
}

function rowsOf({ stdout }: Outcome): Row[] {
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Row)
}

const told = ({ stdout, stderr }: Outcome) => stdout + stderr

async function disks(site: 'peru' | 'chile') {
  const { stdout } = await sites.good(['sneakernet', 'status', '--librarian', site, '--json'])
  return stdout
    .trim()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

/** What Chile keeps is what was uploaded in Peru. */
async function expectKept(...names: string[]): Promise<void> {
  await rm(sites.at('back'), { recursive: true, force: true })
  for (const name of names) {
    await sites.good(['download', `night/${name}`, '-o', `back/${name}`, '--librarian', 'chile'])
    expect(await readFile(sites.at('back', name), 'utf8')).toBe(await readFile(sites.at('night', name), 'utf8'))
  }
}

test('a disk is packed, checked by coreutils, read, read again, and signed for without a network', async () => {
  await sites.upload({ a: 'one', 'deep/b': 'two', empty: '' })
  await mkdir(sites.at('tree', 'x'), { recursive: true })
  await writeFile(sites.at('tree', 'x', 'y'), 'why')
  await sites.good(['upload', 'tree', 'trees/one', '--librarian', 'peru'])
  await sites.good(pack(['--label', 'seven']))
  const { stdout } = await execute('sha256sum', ['-c', 'manifest-sha256.txt'], { cwd: disk() })
  expect(stdout).toContain('data/trees/one/x/y: OK')
  expect(await disks('peru')).toMatchObject([
    { label: 'seven', state: 'packed', files: 4, in_transit: 4, confirmed: 0 },
  ])

  const first = await sites.good(ingest(['--receipt', 'receipt']))
  expect(rowsOf(first).filter(({ status }) => status === 'done')).toHaveLength(4)
  await expectKept('a', 'deep/b', 'empty')
  const again = await sites.good(ingest())
  expect(
    rowsOf(again)
      .filter(({ ok }) => ok)
      .map(({ status }) => status),
  ).toEqual(['done', 'done', 'done', 'done'])
  const found = await sites.good(['search', 'night/a', '--librarian', 'chile', '--json'])
  expect(JSON.parse(found.stdout)).toMatchObject({ source: 'peru', size: 3 })

  await sites.good(['sneakernet', 'confirm', 'receipt', '--librarian', 'peru'])
  await sites.good(['sneakernet', 'confirm', 'receipt', '--librarian', 'peru'])
  expect(await disks('peru')).toMatchObject([{ confirmed: 4, in_transit: 0, failed: 0 }])
  await mkdir(sites.at('next'))
  expect((await sites.run(pack([], 'next'))).code).toBe(4)
}, 240_000)

test('packing that is killed goes on, and the disk is whole', async () => {
  const files = Object.fromEntries(Array.from({ length: 700 }, (_, at) => [`f${at}`, `content ${at}\n`.repeat(50)]))
  await sites.upload(files)
  for (let kill = 0; kill < 3; kill++) {
    const { process, outcome } = sites.start(pack())
    const before = await journalSize()
    while ((await journalSize()) === before && process.exitCode === null) await sleep(2)
    process.kill('SIGKILL')
    await outcome
  }
  const code = (await sites.run(pack())).code
  // The last one that was killed may have come to its end.
  expect([0, 7]).toContain(code)
  const { stdout } = await execute('sha256sum', ['-c', 'manifest-sha256.txt'], { cwd: disk(), maxBuffer: 1 << 24 })
  expect(stdout.trim().split('\n')).toHaveLength(700)
  expect(await readdir(disk())).not.toContain('arriero-packing.jsonl')
  expect(await disks('peru')).toMatchObject([{ state: 'packed', files: 700, in_transit: 700 }])
}, 240_000)

async function journalSize(): Promise<number> {
  return await stat(disk('arriero-packing.jsonl')).then(
    ({ size }) => size,
    () => 0,
  )
}

test('reading that is killed, and a librarian that is killed meanwhile, end with every file kept once', async () => {
  const names = Array.from({ length: 300 }, (_, at) => `f${at}`)
  await sites.upload(Object.fromEntries(names.map(name => [name, `content of ${name}`])))
  await sites.good(pack())
  for (let kill = 0; kill < 3; kill++) {
    const { process, outcome } = sites.start(ingest())
    const before = await kept()
    while ((await kept()) <= before && process.exitCode === null) await sleep(10)
    process.kill('SIGKILL')
    await outcome
    if (kill !== 1) continue
    await sites.chile.kill()
    await sites.chile.start()
  }
  await sites.good(ingest())
  expect(await disks('chile')).toMatchObject([{ state: 'read', confirmed: 300, failed: 0, arrived: 0 }])
  await expectKept('f0', 'f150', 'f299')
}, 240_000)

async function kept(): Promise<number> {
  const listed = await disks('chile')
  return listed.reduce((sum, { confirmed }) => sum + confirmed, 0)
}

test('a disk that somebody edited: each bad file has one line, what nobody listed is left alone, the rest is kept', async () => {
  await sites.upload({ good: 'good', changed: 'to be changed', gone: 'to be gone', linked: 'to be linked' })
  await sites.good(pack())
  await writeFile(disk('data', 'night', 'changed'), 'to be CHANGED')
  await rm(disk('data', 'night', 'gone'))
  await rm(disk('data', 'night', 'linked'))
  await symlink('/etc/hostname', disk('data', 'night', 'linked'))
  await writeFile(disk('data', 'night', 'extra'), 'extra')
  const outcome = await sites.run(ingest())
  expect(outcome.code).toBe(1)
  expect(
    Object.fromEntries(rowsOf(outcome).flatMap(row => (row.name ? [[row.name, row.error?.code ?? 'ok']] : []))),
  ).toEqual({
    'night/good': 'ok',
    'night/changed': 'checksum_mismatch',
    'night/gone': 'not_found',
    'night/linked': 'path_unsafe',
  })
  expect(outcome.stderr).toContain('data/night/extra is in no list of the disk')
  expect(await disks('chile')).toMatchObject([{ confirmed: 1, failed: 3 }])
  expect((await sites.run(['download', 'night/extra', '-o', 'x', '--librarian', 'chile'])).code).toBe(4)
  expect(await disks('peru')).toMatchObject([{ in_transit: 4, confirmed: 0 }])

  await sites.good(['sneakernet', 'give-up', (await disks('peru'))[0].disk_id, '--librarian', 'peru'])
  await mkdir(sites.at('second'))
  await sites.good(pack([], 'second'))
  await sites.good(ingest([], 'second'))
  await expectKept('good', 'changed', 'gone', 'linked')
}, 240_000)

test('swapped, half-written, misdirected and foreign disks change nothing, and say why in one line', async () => {
  await sites.upload({ a: 'one' })
  await sites.good(pack())
  await sites.upload({ b: 'two' })
  await mkdir(sites.at('second'))
  await sites.good(pack([], 'second'))

  await cp(disk(), sites.at('swapped'), { recursive: true })
  await rename(sites.at('swapped', 'data'), sites.at('swapped', 'was'))
  await cp(sites.at('second', 'data'), sites.at('swapped', 'data'), { recursive: true })
  await rm(sites.at('swapped', 'was'), { recursive: true })
  const swapped = await sites.run(ingest([], 'swapped'))
  expect([swapped.code, told(swapped)]).toEqual([4, expect.stringMatching(/not on the disk|no list/)])

  await cp(sites.at('second', 'arriero-manifest.jsonl'), sites.at('swapped', 'arriero-manifest.jsonl'))
  const mixed = await sites.run(ingest([], 'swapped'))
  expect([mixed.code, told(mixed)]).toEqual([3, expect.stringContaining('arriero-manifest.jsonl is not the one')])

  await cp(disk(), sites.at('half'), { recursive: true })
  await rm(sites.at('half', 'arriero-signature.json'))
  expect((await sites.run(ingest([], 'half'))).code).toBe(4)

  const misdirected = await sites.run(['sneakernet', 'ingest', 'disk', '--librarian', 'peru'])
  expect([misdirected.code, told(misdirected)]).toEqual([1, expect.stringContaining('it is for chile')])

  const signature = JSON.parse(await readFile(disk('arriero-signature.json'), 'utf8'))
  await cp(disk(), sites.at('forged'), { recursive: true })
  const statement = signature.statement.replace('"files":1', '"files":2')
  await writeFile(sites.at('forged', 'arriero-signature.json'), JSON.stringify({ ...signature, statement }))
  const forged = await sites.run(ingest([], 'forged'))
  expect([forged.code, told(forged)]).toEqual([3, expect.stringContaining('not signed it')])

  expect((await sites.run(['download', 'night/a', '-o', 'x', '--librarian', 'chile'])).code).toBe(4)
  await sites.good(ingest())
  await sites.good(ingest([], 'second'))
  await expectKept('a', 'b')
}, 240_000)

test('with a network the source hears by itself, and the origin’s digest, uploader and time are kept', async () => {
  await sites.upload({ a: 'one', b: 'two' })
  await sites.good(pack())
  await sites.good(ingest())
  const deadline = Date.now() + 60_000
  while ((await disks('peru'))[0].confirmed < 2 && Date.now() < deadline) await sleep(100)
  expect(await disks('peru')).toMatchObject([{ state: 'read', confirmed: 2, in_transit: 0, failed: 0 }])
  const [here, there] = await Promise.all(
    ['peru', 'chile'].map(async site => {
      const { stdout } = await sites.good(['search', 'night/a', '--librarian', site, '--json'])
      return JSON.parse(stdout)
    }),
  )
  for (const field of ['checksum', 'create_time', 'size']) expect(there[field], field).toBe(here[field])
  await mkdir(sites.at('next'))
  expect((await sites.run(pack([], 'next'))).code).toBe(4)
}, 180_000)

test('the commands of the older client carry a store: no second transfer, and the same again finds all there', async () => {
  await sites.upload({ a: 'one' })
  const manifest = (file: string) => [
    ...['librarian', 'get-store-manifest', 'peru', '--store', 'files', '--destination-librarian', 'chile'],
    ...['--output', file],
  ]
  await sites.good(manifest('m.json'))
  await sites.good(manifest('again.json'))
  const text = await readFile(sites.at('m.json'), 'utf8')
  expect(text).toBe(await readFile(sites.at('again.json'), 'utf8'))
  expect(text).toBe(JSON.stringify(JSON.parse(text), undefined, 2))
  expect(JSON.parse(text)).toMatchObject({ librarian_name: 'peru', store_files: [{ name: 'night/a', size: 3 }] })
  expect(JSON.parse(text).store_files[0].outgoing_transfer_id).toBeGreaterThan(0)
  const root = sites.at('peru', 'files')
  const take = ['librarian', 'ingest-manifest', 'chile', '--manifest', 'm.json', '--store-root', root]
  expect((await sites.good(take)).stdout).toBe('Successfully ingested 1/1 files, 0/1 already existed.\n')
  expect((await sites.good(take)).stdout).toBe('Successfully ingested 0/1 files, 1/1 already existed.\n')
  await expectKept('a')
}, 180_000)
