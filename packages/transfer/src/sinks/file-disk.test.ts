/** The file sink against a disk that is full or may not be written, and against other processes. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { createEngine, download } from '../index.ts'

const program = fileURLToPath(new URL('../../test/programs/try-download.ts', import.meta.url))
const MIB = 1 << 20
const content = contentOf(12 * MIB)
let directory: string
let source: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-disk-'))
  source = join(directory, 'source')
  await writeFile(source, content)
  await writeFile(join(directory, 'small'), content.subarray(0, MIB))
})
afterAll(() => rm(directory, { recursive: true }))

interface Outcome {
  readonly code?: string
  readonly message?: string
  readonly bytes?: number
  readonly names: readonly string[]
}

const mayMount = spawnSync('unshare', ['-Urm', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0
if (!mayMount) console.log('NOT RUN full and read-only disks: unshare -Urm may not mount a tmpfs here')

/** Downloads into a file system of its own, which vanishes with the process. */
function downloadOnto(mountOptions: string, from: string, options = {}, mode = ''): Outcome {
  const script = 'mount -t tmpfs -o "$1" none /mnt && shift && exec "$@"'
  const command = [process.execPath, program, from, '/mnt/target', JSON.stringify(options), mode]
  const { stdout, stderr } = spawnSync('unshare', ['-Urm', 'sh', '-c', script, 'sh', mountOptions, ...command], {
    encoding: 'utf8',
  })
  const line = stdout.trim().split('\n').at(-1)
  if (!line) throw new Error(stderr)
  return JSON.parse(line) as Outcome
}

describe.skipIf(!mayMount)('a full disk', () => {
  test('is noticed before anything is written, with what is needed and what is free', () => {
    const { code, message, names } = downloadOnto('size=4m', source)
    expect(code).toBe('NoSpace')
    expect(message).toContain(`needs ${content.length} bytes`)
    expect(names).toEqual([])
  })

  test('that fills up on the way is NoSpace without debris', () => {
    expect(downloadOnto('size=4m', source, {}, 'transform')).toMatchObject({ code: 'NoSpace', names: [] })
  })

  test('is NoSpace for a small file too', () => {
    const { code, names } = downloadOnto('size=512k', join(directory, 'small'))
    expect(code).toBe('NoSpace')
    expect(names).toEqual([])
  })

  test('has room for what fits, whichever way it is written', () => {
    expect(downloadOnto('size=16m', source)).toMatchObject({ bytes: content.length, names: ['target'] })
    expect(downloadOnto('size=16m', source, {}, 'transform')).toMatchObject({
      bytes: content.length,
      names: ['target'],
    })
    expect(downloadOnto('size=2m', join(directory, 'small'))).toMatchObject({ bytes: MIB, names: ['target'] })
  })
})

describe.skipIf(!mayMount)('a read-only disk', () => {
  test.each(['source', 'small'])('is a typed error, for %s', name => {
    const { code, message } = downloadOnto('ro', join(directory, name))
    expect(code).toBe('Disk')
    expect(message).toContain('read-only')
  })
})

describe('another process', () => {
  const options = JSON.stringify({ partSize: MIB, concurrency: 2, memoryBudget: 4 * MIB })

  test('at the same target keeps us off while it lives; when it is killed we go on', async () => {
    const target = join(directory, 'target')
    const child = spawn(process.execPath, [program, source, target, options, 'stall'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await using engine = createEngine()
    await expect(download(source, target, { engine })).rejects.toMatchObject({
      code: 'Locked',
      details: { owner: `process ${child.pid}` },
    })
    await expect(download(source, target, { engine, resume: false })).rejects.toMatchObject({ code: 'Locked' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await download(source, target, { engine, partSize: MIB })
    expectSame(await readFile(target), content)
    expect((await readdir(directory)).toSorted()).toEqual(['small', 'source', 'target'])
  })

  test('several at once for one target: one publishes, the others are told why, nothing is left over', async () => {
    const target = join(directory, 'raced')
    const children = [1, 2, 3, 4].map(async () => {
      const child = spawn(process.execPath, [program, source, target, options], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      child.stdout.on('data', data => {
        text += data
      })
      await once(child, 'close')
      return JSON.parse(text.trim().split('\n').at(-1) as string) as Outcome
    })
    const outcomes = await Promise.all(children)
    expect(outcomes.filter(({ bytes }) => bytes === content.length)).toHaveLength(1)
    for (const { code, bytes } of outcomes) if (!bytes) expect(['Locked', 'Exists']).toContain(code)
    expectSame(await readFile(target), content)
    expect((await readdir(directory)).filter(name => name.startsWith('raced'))).toEqual(['raced'])
  })
})
