import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CpuJob, type CpuPool, createCpuPool } from './cpu-pool.ts'

let directory: string
let pool: CpuPool
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-cpu-'))
  pool = createCpuPool({ size: 2, maxHeap: 64 << 20 })
})
afterEach(async () => {
  await pool.close()
  await rm(directory, { recursive: true, force: true })
})

/** Calls `name` of a module with this text. */
async function call(text: string, args: readonly unknown[] = [], more: Partial<CpuJob> = {}) {
  // A thread keeps the modules that it has loaded.
  const path = join(await mkdtemp(join(directory, 'module-')), 'functions.ts')
  await writeFile(path, text)
  return pool.run({ module: pathToFileURL(path).href, name: 'work', args, ...more })
}

const later = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

describe('createCpuPool()', () => {
  test('calls an export of a TypeScript module with its arguments and a context', async () => {
    const text = `export const work = (a: number, b: number, { warn, name }: { warn(text: string): void, name: string }) => {
      warn('careful'); return [a + b, name] }`
    const result = await call(text, [3, 4], { context: { name: 'x' } })
    expect(result).toEqual({ value: [7, 'x'], warnings: ['careful'] })
  })

  test('gives bytes as shared memory: what the function writes is seen here', async () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(8192)).subarray(4096)
    await call('export const work = ({ bytes }: { bytes: Uint8Array }) => void bytes.fill(7)', [{ bytes }])
    expect(bytes.every(byte => byte === 7)).toBe(true)
  })

  test('copies no bytes on the way, of whatever kind and however often they are named', async () => {
    const figures = new Float64Array(2000).fill(0.5)
    const text = `export const work = (list: Float64Array[], { item }: { item: { bytes: Float64Array } }) => {
      const isShared = [list[0], item.bytes].map(each => each.buffer instanceof SharedArrayBuffer)
      item.bytes[7] = 7
      return [...isShared, list[0].length, list[0][0], list[0][7]] }`
    const result = await call(text, [[figures]], { context: { item: { bytes: figures } } })
    expect(result.value).toEqual([true, true, 2000, 0.5, 7])
  })

  test('names what cannot go from thread to thread, both ways', async () => {
    await expect(call('export const work = () => 1', [{ call: () => 3 }])).rejects.toThrow(
      'what it is given cannot go from thread to thread: () => 3 could not be cloned',
    )
    await expect(call('export const work = () => ({ call: () => 3 })')).rejects.toThrow(
      'what it gave cannot go from thread to thread: () => 3 could not be cloned',
    )
    await expect(call('export const work = () => Symbol("mine")')).rejects.toThrow('Symbol(mine) could not be cloned')
    expect((await call('export const work = () => 1')).value).toBe(1)
  })

  test.each([
    'undefined',
    'null',
    'Object.create(null)',
    "Object.freeze(new Error('ice'))",
    '{ toString() { throw 1 } }',
  ])('a function that throws %s fails, and its thread lives', async thrown => {
    const error = await call(`export const work = () => { throw ${thrown} }`).catch(error => error)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('Error')
    expect(error.message).toMatch(/^(undefined|null|ice|it threw what cannot be written as text)$/)
  })

  test('takes bytes back without giving away the memory that others use', async () => {
    const text = `const kept = Buffer.from('small ones share their memory')
      export const work = (n: number) => ({ large: new Uint8Array(1 << 20).fill(n), small: Buffer.from('hello'), kept })`
    for (const n of [1, 2]) {
      const { value } = (await call(text, [n])) as { value: Record<'large' | 'small' | 'kept', Uint8Array> }
      expect(value.large.length).toBe(1 << 20)
      expect(value.large.every(byte => byte === n)).toBe(true)
      expect(Buffer.from(value.small).toString()).toBe('hello')
      expect(Buffer.from(value.kept).toString()).toBe('small ones share their memory')
    }
  })

  test('finds the engine from a module that lies where nothing is installed', async () => {
    const text = `import { TransferError } from '@arriero/transfer'
      export const work = () => { throw new TransferError('NotFound', 'no such book') }`
    await expect(call(text)).rejects.toMatchObject({ name: 'TransferError', code: 'NotFound', message: 'no such book' })
  })

  test('tells what was thrown with name, code and the line', async () => {
    const text = `\n\nexport const work = () => { throw Object.assign(new RangeError('too far'), { code: 'FAR' }) }`
    const error = await call(text).catch(error => error)
    expect(error).toMatchObject({ name: 'RangeError', code: 'FAR', message: 'too far' })
    expect(error.stack).toContain('functions.ts:3:')
  })

  test.each([
    [
      'runs out of memory',
      'const all = []; for (;;) all.push(new Array(1e5).fill(Math.random()))',
      'ran out of memory',
    ],
    ['exits', 'process.exit(3)', 'exit code 3'],
    ['fails in a timer', "return new Promise(() => setTimeout(() => { throw new Error('late') }, 5))", 'late'],
  ])('a function that %s fails its own call only; the next has a new thread', async (_, body, why) => {
    const other = call('export const work = () => new Promise(resolve => setTimeout(resolve, 300, "fine"))')
    await later(100)
    const path = join(directory, 'dying.mjs')
    await writeFile(path, `export const work = () => { ${body} }`)
    const dying = pool.run({ module: pathToFileURL(path).href, name: 'work', args: [] })
    await expect(dying).rejects.toMatchObject({ name: 'WorkerDied', message: expect.stringContaining(why) })
    expect((await other).value).toBe('fine')
    expect((await call('export const work = () => 1')).value).toBe(1)
    expect(pool.pending).toBe(0)
  })

  test('ends a function that computes for ever, by its time limit and by the signal', async () => {
    const forever = 'export const work = () => { for (;;); }'
    await expect(call(forever, [], { timeoutMs: 200 })).rejects.toMatchObject({ code: 'Timeout', retriable: false })
    const abort = new AbortController()
    const running = call(forever, [], { signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 100)
    await expect(running).rejects.toThrow('enough')
    expect((await call('export const work = () => 1')).value).toBe(1)
  })

  test('counts a time limit from when a thread is free, and lets a waiting call be aborted', async () => {
    // The second pair ends after 2 s, which its limit does not allow from when it was called.
    const slow = 'export const work = () => { const end = Date.now() + 1000; while (Date.now() < end); return 1 }'
    const all = [1, 2, 3, 4].map(() => call(slow, [], { timeoutMs: 1900 }))
    const abort = new AbortController()
    const waiting = call(slow, [], { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect((await Promise.all(all)).map(({ value }) => value)).toEqual([1, 1, 1, 1])
  })

  test('names what is missing: the module, or the export and those that there are', async () => {
    const module = pathToFileURL(join(directory, 'none.ts')).href
    await expect(pool.run({ module, name: 'work', args: [] })).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' })
    await expect(call('export const walk = () => 1, run = () => 2')).rejects.toThrow(
      /exports no function work: it exports run, walk|walk, run/,
    )
  })

  test('close() rejects what was under way and what comes later', async () => {
    const running = call('export const work = () => new Promise(() => setTimeout(() => {}, 1e6))')
    const failed = expect(running).rejects.toMatchObject({ code: 'Cancelled' })
    await later(200)
    await pool.close()
    await failed
    await expect(call('export const work = () => 1')).rejects.toMatchObject({ code: 'Cancelled' })
  })
})
