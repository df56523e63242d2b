import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeState, done, doSome, passedOver } from '../../../test/state-suite.ts'
import { formatOwner, newOwner } from '../../owner.ts'
import { type FileStateOptions, openFileState } from './file-state.ts'

const stages = ['map', 'append']

describeState('openFileState()', async () => {
  const root = await mkdtemp(join(tmpdir(), 'arriero-state-'))
  const output = join(root, 'out.jsonl')
  return {
    open: () => openFileState({ path: join(root, 'state'), stages, output }),
    output: () => readFile(output, 'utf8'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
})

let root: string
let path: string
let output: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'arriero-state-'))
  path = join(root, 'state')
  output = join(root, 'out.jsonl')
})
afterEach(() => rm(root, { recursive: true }))

const open = (more: Partial<FileStateOptions> = {}) => openFileState({ path, stages, output, ...more })
const keys = ['a', 'b', 'ä', 'a', 'c']

/** Makes both files as a run leaves them that was never disturbed. */
async function written(): Promise<{ readonly state: Buffer; readonly lines: Buffer }> {
  const state = await open()
  await doSome(state, keys, () => true, 2)
  await state.close(true)
  return { state: await readFile(path), lines: await readFile(output) }
}

/** The next run finds both files whole, does what is missing, and then every item has its line once. */
async function expectConverges(): Promise<void> {
  const state = await open()
  await doSome(state, keys, () => true)
  await state.close(true)
  const lines = (await readFile(output, 'utf8')).split('\n')
  expect(lines.pop()).toBe('')
  expect(lines.toSorted()).toEqual(['["a",1]', '["a",2]', '["b",1]', '["c",1]', '["ä",1]'])
  const last = await open()
  expect(passedOver(last, keys)).toEqual(keys.map(() => true))
  await last.close(true)
}

describe('a state file after a kill', () => {
  test('may be torn at any byte', async () => {
    const { state, lines } = await written()
    const header = state.indexOf(10) + 1
    for (let size = 0; size <= state.length; size++) {
      await writeFile(path, state.subarray(0, size))
      // The header was safe before the first line was written.
      await writeFile(output, size < header ? '' : lines)
      await expectConverges().catch(error => {
        throw new Error(`torn at byte ${size}`, { cause: error })
      })
    }
  })

  test('may end in anything at all', async () => {
    const { state, lines } = await written()
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 60 }),
        async (tornRecord, tornLine) => {
          await writeFile(path, Buffer.concat([state, tornRecord]))
          await writeFile(output, Buffer.concat([lines, tornLine]))
          await expectConverges()
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(['{}', '[]', 'null', '3', '{"key":7}', '{"key":"z"}', '{"key":"z","status":"done","end":"x"}', '\0\0'])(
    'takes no whole line for a record that is none: %s',
    async line => {
      const { state } = await written()
      await writeFile(path, Buffer.concat([state, Buffer.from(`${line}\n`)]))
      await expectConverges()
      expect((await readFile(path)).equals(state)).toBe(true)
    },
  )

  test('refuses an output that has become shorter, at any byte, and touches neither file', async () => {
    const { state, lines } = await written()
    for (let size = 0; size < lines.length; size++) {
      await truncate(output, size)
      await expect(open()).rejects.toMatchObject({ code: 'Disk', remedy: expect.stringContaining('--fresh') })
      expect((await readFile(path)).equals(state)).toBe(true)
      expect(await readFile(output)).toHaveLength(size)
      await writeFile(output, lines)
    }
    await truncate(output, 3)
    const fresh = await open({ isFresh: true })
    await fresh.close(false)
    await expectConverges()
  })
})

describe('a state file', () => {
  test.each([
    ['a text', 'dear diary\n'],
    ['a text without a line break', '{"my":"only copy"}'],
    ['an image', '\u0089PNG\r\n\u001a\n\0\0'],
    ['the state of something else', '{"state":"arriero bench","version":1}\n'],
    ['a state of a later form', '{"state":"arriero pipeline","version":2,"stages":["map","append"]}\n'],
  ])('that is %s is refused and not touched, also when all is to begin anew', async (_, content) => {
    await writeFile(path, content)
    for (const isFresh of [false, true]) {
      await expect(open({ isFresh })).rejects.toMatchObject({
        code: 'Usage',
        message: /must be the state of a pipeline/,
      })
    }
    expect(await readFile(path, 'utf8')).toBe(content)
    expect(await readdir(root)).toEqual(['state'])
  })

  test('begun anew is kept when the output cannot be', async () => {
    const { state } = await written()
    await rm(output)
    await mkdir(output)
    await expect(open({ isFresh: true })).rejects.toMatchObject({ code: 'Disk' })
    expect((await readFile(path)).equals(state)).toBe(true)
  })

  test('that is a directory, a FIFO or a link is named, and nobody waits for it', async () => {
    await writeFile(join(root, 'elsewhere'), 'precious')
    await mkdir(join(root, 'directory'))
    spawnSync('mkfifo', [join(root, 'fifo')])
    await symlink(join(root, 'elsewhere'), join(root, 'link'))
    for (const name of ['directory', 'fifo', 'link']) {
      const failure = open({ path: join(root, name), isFresh: true })
      await expect(failure).rejects.toMatchObject({ code: 'Disk', message: /must be an ordinary file/ })
    }
    expect(await readFile(join(root, 'elsewhere'), 'utf8')).toBe('precious')
    expect((await readdir(root)).filter(name => name.includes('claim'))).toEqual([])
  })

  test('cannot be the output as well', async () => {
    await expect(open({ output: path })).rejects.toMatchObject({ code: expect.stringMatching(/Usage|Locked/) })
  })

  test('holds its output alone: another state that appends to it is refused', async () => {
    const first = await open()
    await expect(open({ path: join(root, 'other') })).rejects.toMatchObject({
      code: 'Locked',
      details: { file: output },
    })
    await first.close(false)
    expect((await readdir(root)).toSorted()).toEqual(['other', 'out.jsonl', 'state'])
  })

  test('is taken over from a process that is dead, and not from one that lives', async () => {
    const { pid = 0 } = spawnSync(process.execPath, ['-e', ''])
    await symlink(formatOwner({ ...newOwner(), pid }), `${path}.claim`)
    const state = await open()
    await expect(open()).rejects.toMatchObject({ code: 'Locked' })
    await state.close(false)
    expect((await readdir(root)).toSorted()).toEqual(['out.jsonl', 'state'])
  })

  test('moves with the files that were made', async () => {
    const before = join(root, 'before')
    const at = (directory: string) => openFileState({ path: join(directory, 'state'), stages: ['write'] })
    const first = await at(before)
    await mkdir(join(before, 'sub'))
    const made = join(before, 'sub', 'file ä')
    await writeFile(made, 'four')
    await first.commit([{ record: done('a', { outputs: [{ path: made, size: 4 }] }) }])
    await first.close(true)
    const after = join(root, 'after')
    await rename(before, after)
    const second = await at(after)
    expect(second.find('a').record).toBeDefined()
    await second.close(true)
    await truncate(join(after, 'sub', 'file ä'), 3)
    const third = await at(after)
    expect(third.find('a').record).toBeUndefined()
    await third.close(true)
  })

  test('of 100,000 records is opened and asked in seconds, in few bytes each', async () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `item-${index}`)
    const state = await open()
    await doSome(state, names, () => true, 10_000)
    await state.close(true)
    const before = process.memoryUsage().arrayBuffers
    const since = performance.now()
    const again = await open()
    expect(names.every(name => again.find(name).record?.key === name)).toBe(true)
    expect(again.find('item-none').record).toBeUndefined()
    expect(performance.now() - since).toBeLessThan(15_000)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000 * 100)
    await again.close(true)
  })
})
