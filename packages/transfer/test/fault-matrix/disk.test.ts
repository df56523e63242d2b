/** Fault matrix, retrieval 19: disks and targets that refuse, and several processes at one target. */
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { download } from '../../src/index.ts'
import { faults, startFaultServer } from '../fault-server.ts'
import { type Outcome, programCommand, spawnDownload, watch } from './programs.ts'
import { dataOf, EVEN, expectFile, expectSame, failing, KIB, MIB, namesIn, ODD, setUp } from './setting.ts'

/** A user and mount namespace of one's own is all that a small disk needs. */
const canMount = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
if (!canMount) console.info('NOT RUN: small and read-only disks, this machine allows no unprivileged mounts')

/**
 * A download by another process onto a disk of its own, mounted so at `directory`; `left` are the names that stayed.
 */
async function onDisk(
  directory: string,
  mount: string,
  url: string,
  options: object = {},
): Promise<{ outcome: Outcome; left: string[] }> {
  const target = `${directory}/data`
  const program = programCommand('download', url, target, JSON.stringify(options))
  const quoted = program.map(word => `'${word}'`).join(' ')
  const script = `${mount.replaceAll('DIR', `'${directory}'`)} && ${quoted} > '${directory}.out'; ls -A '${directory}' > '${directory}.ls'; tail -n 1 '${directory}.out'`
  const outcome = await watch(['unshare', '-Urm', 'sh', '-c', script]).outcome
  const left = (await readFile(`${directory}.ls`, 'utf8')).split('\n').filter(name => name !== '')
  return { outcome, left }
}

describe.runIf(canMount)('a disk of 8 MiB', () => {
  const small = 'mount -t tmpfs -o size=8m none DIR'

  test('disk full, size known → NoSpace before anything is written, saying how much is missing', async () => {
    const setting = await setUp()
    await mkdir(setting.path('disk'))
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: EVEN })
    const { outcome, left } = await onDisk(setting.path('disk'), small, url, { partSize: MIB })
    expect(outcome).toMatchObject({ code: 'NoSpace', needed: EVEN })
    expect(outcome.free).toBeLessThanOrEqual(8 * MIB)
    expect(left).toEqual([])
    expect(server.sent).toBeLessThan(EVEN)
  })

  test('disk full, size unknown → NoSpace in the middle, and no debris', async () => {
    const setting = await setUp()
    await mkdir(setting.path('disk'))
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: EVEN, script: faults.chunked() })
    const { outcome, left } = await onDisk(setting.path('disk'), small, url, { partSize: MIB })
    expect(outcome.code).toBe('NoSpace')
    expect(left).toEqual([])
  })

  test('disk full while it is written to, because somebody else took the space → NoSpace, resumable state only', async () => {
    const setting = await setUp()
    await mkdir(setting.path('disk'))
    await using server = await startFaultServer({ bytesPerSecond: 4 * MIB })
    const { url } = server.resource('/data', { size: 7 * MIB })
    const shared = `${small} && { (sleep 0.9; head -c 6000000 /dev/zero > DIR/hog) & } 2> /dev/null`
    const { outcome, left } = await onDisk(setting.path('disk'), shared, url, { partSize: MIB })
    expect(outcome.code).toBe('NoSpace')
    expect(left.filter(name => name !== 'hog').every(name => /^data\.part(\.journal)?$/.test(name))).toBe(true)
  })

  test('disk full for a small file that is published in a group → NoSpace, and no debris', async () => {
    const setting = await setUp()
    await mkdir(setting.path('disk'))
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: 2 * MIB })
    const { outcome, left } = await onDisk(setting.path('disk'), 'mount -t tmpfs -o size=1m none DIR', url)
    expect(outcome.code).toBe('NoSpace')
    expect(left).toEqual([])
  })

  test.each([100 * KIB, EVEN])('read-only target, %i bytes → Disk, and no debris', async size => {
    const setting = await setUp()
    await mkdir(setting.path('disk'))
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size })
    const { outcome, left } = await onDisk(setting.path('disk'), 'mount -t tmpfs -o ro none DIR', url)
    expect(outcome).toMatchObject({ code: 'Disk', message: expect.stringContaining('read-only') })
    expect(left).toEqual([])
  })
})

test.each([100 * KIB, ODD])('the target is a directory, %i bytes → a typed error, and no debris', async size => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size })
  await mkdir(setting.path('inner/data'), { recursive: true })
  // A directory as target gets the file inside it: this one's name is taken by a directory.
  await expect(download(url, setting.path('inner'), { engine: setting.engine })).rejects.toMatchObject({ code: 'Disk' })
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['inner', 'inner/data'])
})

test.each([100 * KIB, ODD])('the target’s directory is a file, %i bytes → Disk, and no debris', async size => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size })
  await writeFile(setting.path('file'), 'I am no directory')
  await expect(download(url, setting.path('file/data'), { engine: setting.engine })).rejects.toMatchObject({
    code: 'Disk',
  })
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['file'])
})

test.each([100 * KIB, ODD])('the target’s directory is missing, %i bytes → it is made', async size => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size })
  await download(url, setting.path('a/b/data'), { engine: setting.engine, partSize: MIB })
  await expectFile(setting.path('a/b/data'), size)
})

test.each([100 * KIB, ODD])('the target exists, %i bytes → Exists, and not a byte of it is touched', async size => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size })
  await writeFile(setting.path('data'), 'mine')
  await expect(download(url, setting.path('data'), { engine: setting.engine })).rejects.toMatchObject({
    code: 'Exists',
  })
  expect(await readFile(setting.path('data'), 'utf8')).toBe('mine')
  expect(server.requests).toHaveLength(0)
})

test.each([100 * KIB, ODD])(
  'the target appears while it is fetched, %i bytes → Exists, and it is not replaced',
  async size => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size })
    const hooks = { onVerify: () => writeFile(setting.path('data'), 'mine') }
    const options = { engine: setting.engine, partSize: MIB, hooks }
    await expect(download(url, setting.path('data'), options)).rejects.toMatchObject({ code: 'Exists' })
    expect(await readFile(setting.path('data'), 'utf8')).toBe('mine')
    await setting.engine.close()
    expect(await namesIn(setting.directory)).toEqual(['data'])
  },
)

test('wrong checksum: not even a byte under the final name, at any time', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD })
  const error = await failing('download', url, setting, { checksums: [`md5:${'0'.repeat(32)}`], partSize: MIB })
  expect(error.code).toBe('ChecksumMismatch')
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual([])
})

describe.each([
  ['of one part', 200 * KIB],
  ['of many parts', ODD],
])('a file %s', (_, size) => {
  test('three processes, one target → one succeeds, no other one harms it, nothing is left behind', async () => {
    const setting = await setUp()
    await using server = await startFaultServer({ bytesPerSecond: 24 * MIB })
    const { url } = server.resource('/data', { size })
    const processes = [1, 2, 3].map(() => spawnDownload(url, setting.path('data'), { partSize: MIB }))
    const outcomes = await Promise.all(processes.map(({ outcome }) => outcome))
    const codes = outcomes.map(({ code }) => code).sort()
    expect(codes).toContain('ok')
    expect(codes.filter(code => !['ok', 'Locked', 'Exists'].includes(code))).toEqual([])
    expect(codes.filter(code => code === 'ok')).toHaveLength(1)
    expectSame(await readFile(setting.path('data')), dataOf(size))
    expect(await namesIn(setting.directory)).toEqual(['data'])
  })

  test('two processes, one target, two versions of the file → one of them, whole', async () => {
    const setting = await setUp()
    await using server = await startFaultServer({ bytesPerSecond: 24 * MIB })
    const urls = [0, 1].map(version => server.resource(`/${version}`, { size, version }).url)
    const processes = urls.map(url => spawnDownload(url, setting.path('data'), { partSize: MIB }))
    const outcomes = await Promise.all(processes.map(({ outcome }) => outcome))
    const winner = outcomes.findIndex(({ code }) => code === 'ok')
    expect(winner).not.toBe(-1)
    await expectFile(setting.path('data'), size, winner)
    expect(await namesIn(setting.directory)).toEqual(['data'])
  })
})

test('two downloads of one process at one target → one succeeds, nothing is left behind', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD })
  const both = [1, 2].map(() => download(url, setting.path('data'), { engine: setting.engine, partSize: MIB }))
  const outcomes = await Promise.allSettled(both)
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  await expectFile(setting.path('data'), ODD)
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['data'])
})
