import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryEngine } from '../../test/memory-engine.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { createEngine, type Engine } from '../engine.ts'
import { TransferError } from '../errors.ts'
import { listEach } from '../list.ts'
import { pipeline } from './pipeline.ts'
import type { ItemResult } from './results.ts'
import { drop } from './stage.ts'

let directory: string
let engine: Engine
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-pipeline-'))
  engine = createEngine({ cpuWorkers: 2 })
})
afterEach(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

async function resultsOf<Item, Value>(run: AsyncIterable<ItemResult<Item, Value>>): Promise<ItemResult<Item, Value>[]> {
  return Array.fromAsync(run)
}

async function moduleOf(text: string): Promise<URL> {
  const path = join(await mkdtemp(join(directory, 'module-')), 'functions.ts')
  await writeFile(path, text)
  return pathToFileURL(path)
}

describe('pipeline()', () => {
  test('takes every item through every stage and tells each once', async () => {
    const run = pipeline(numbers(1000))
      .map(n => n + 1)
      .map(async n => n * 2)
      .start({ engine })
    const results = await resultsOf(run)
    const values = results.map(result => (result.ok && result.status === 'done' ? result.value : undefined))
    expect(values.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(1000).map(n => (n + 1) * 2))
    expect(await run.summary).toMatchObject({ items: 1000, done: 1000, failed: 0, isStopped: false })
    expect(run.progress).toMatchObject({ listed: 1000, isListed: true, inFlight: 0 })
  })

  test('reads generators, sync and async, and functions that make them; an empty list is done at once', async () => {
    const some = async function* () {
      yield* numbers(3)
    }
    for (const list of [numbers(3).values(), some(), () => numbers(3), () => some()]) {
      expect(await pipeline(list).run({ engine })).toMatchObject({ done: 3 })
    }
    expect(await pipeline([]).run({ engine })).toMatchObject({ items: 0, done: 0 })
    await expect(pipeline('text' as never).run({ engine })).rejects.toMatchObject({ code: 'Usage' })
  })

  test('may run twice', async () => {
    const it = pipeline(() => numbers(5)).map(n => n)
    expect((await it.run({ engine })).done).toBe(5)
    expect((await it.run({ engine })).done).toBe(5)
  })

  test('each stage works on as many items as it may, and not more', async () => {
    let active = 0
    let most = 0
    await pipeline(numbers(40))
      .map(
        async () => {
          most = Math.max(most, ++active)
          await pause(1)
          active--
        },
        { concurrency: 5 },
      )
      .run({ engine })
    expect(most).toBe(5)
  })

  test('begins no more items than may be under way: a slow stage stops those before it', async () => {
    let begun = 0
    let ended = 0
    let most = 0
    await pipeline(
      (function* () {
        for (const n of numbers(100)) {
          most = Math.max(most, ++begun - ended)
          yield n
        }
      })(),
    )
      .map(async n => {
        await pause(1)
        ended++
        return n
      })
      .run({ engine, maxItems: 7 })
    expect(most).toBeLessThanOrEqual(8)
  })

  test('a consumer that does not take results stops admission', async () => {
    let begun = 0
    const run = pipeline(numbers(1000))
      .map(n => begun++ + n)
      .start({ engine, maxItems: 10 })
    const iterator = run[Symbol.asyncIterator]()
    await iterator.next()
    await pause(20)
    expect(begun).toBeLessThanOrEqual(21)
    await iterator.return?.()
    expect((await run.summary).isStopped).toBe(true)
  })

  test('an ordered stage is entered in the order of the list, whatever fails or is dropped before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('good', 'bad', 'dropped', 'slow'), { maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        async (fates, maxItems) => {
          const seen: number[] = []
          const summary = await pipeline(fates.entries())
            .map(
              async ([index, fate]) => {
                await pause(fate === 'slow' ? 3 : Math.random())
                if (fate === 'bad') throw new Error('bad')
                return fate === 'dropped' ? drop() : index
              },
              { concurrency: 6 },
            )
            .map(index => seen.push(index), { ordered: true, concurrency: 1 })
            .run({ engine, maxItems })
          const good = [...fates.entries()].filter(([, fate]) => fate === 'good' || fate === 'slow')
          expect(seen).toEqual(good.map(([index]) => index))
          expect(summary.done).toBe(good.length)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('gives results in the order of the list when asked', async () => {
    const run = pipeline(numbers(50))
      .map(async n => {
        await pause(Math.random() * 3)
        if (n % 7 === 0) throw new Error('seven')
        return n
      })
      .start({ engine, resultOrder: 'list', maxItems: 8 })
    expect((await resultsOf(run)).map(({ index }) => index)).toEqual(numbers(50))
  })

  test('a failure ends its item alone, and names the stage, the item and the line', async () => {
    const module = await moduleOf(
      'export function clean(n: number) {\n  if (n === 3) throw new RangeError("too far")\n  return n }',
    )
    const run = pipeline(numbers(5)).map<(n: number) => number>(module, 'clean').start({ engine })
    const failed = (await resultsOf(run)).filter(result => !result.ok)
    expect(failed).toHaveLength(1)
    expect(failed[0]).toMatchObject({
      index: 3,
      item: 3,
      stage: 'map clean',
      at: expect.stringMatching(/^functions\.ts:2:\d+$/),
    })
    const { error } = failed[0] as { error: TransferError }
    expect(error).toMatchObject({ code: 'StageFailed' })
    expect(error.message).toBe('map clean, item 4 (3): RangeError: too far')
    expect(await run.summary).toMatchObject({ done: 4, failed: 1, isStopped: false })
  })

  test('stops after the first failure, or after some, when told so; what is under way is done', async () => {
    const failing = pipeline(numbers(500)).map(
      async n => {
        await pause(1)
        if (n >= 20) throw new Error('no')
      },
      { concurrency: 4 },
    )
    const first = await failing.run({ engine, onError: 'stop', maxItems: 8 })
    expect(first).toMatchObject({ isStopped: true, done: 20 })
    expect(first.items).toBeLessThan(40)
    const some = await failing.run({ engine, maxFailures: 10, maxItems: 8 })
    expect(some.failed).toBeGreaterThan(10)
    expect(some.failed).toBeLessThan(30)
  })

  test('tries again what may help, as often as told', async () => {
    Object.assign(engine, { random: () => 0 })
    const calls = new Map<string, number>()
    const fail = (name: string, error: Error) => {
      const count = (calls.get(name) ?? 0) + 1
      calls.set(name, count)
      if (count < 3) throw error
      return count
    }
    const cut = new TransferError('Network', 'cut')
    const gone = new TransferError('NotFound', 'gone')
    const no = new Error('no')
    const [plain, told, network, final] = await Promise.all([
      pipeline([1])
        .map(() => fail('plain', no))
        .run({ engine }),
      pipeline([1])
        .map(async () => fail('told', no), { retries: 2 })
        .run({ engine }),
      pipeline([1])
        .map(() => fail('network', cut), { retries: 2 })
        .run({ engine }),
      pipeline([1])
        .map(() => fail('final', gone), { retries: 2 })
        .run({ engine }),
    ])
    expect([plain.done, told.done, network.done, final.done]).toEqual([0, 1, 1, 0])
    expect(network.stages[0]?.retries).toBe(2)
    expect([calls.get('plain'), calls.get('final')]).toEqual([1, 1])
    const last = await resultsOf(
      pipeline([1])
        .map(
          () => {
            throw new Error('always')
          },
          { retries: 1 },
        )
        .start({ engine }),
    )
    expect(last[0]).toMatchObject({ ok: false, attempts: 2 })
  })

  test('ends what takes too long, here and in threads', async () => {
    const module = await moduleOf('export const spin = (n: number) => { if (n === 1) for (;;); return n }')
    const here = await resultsOf(
      pipeline([0, 1])
        .map(n => (n === 1 ? new Promise(() => {}) : n), { timeoutMs: 50 })
        .start({ engine }),
    )
    const there = await resultsOf(
      pipeline([0, 1]).map<(n: number) => number>(module, 'spin', { timeoutMs: 300 }).start({ engine }),
    )
    for (const results of [here, there]) {
      expect(results.map(({ ok }) => ok).toSorted()).toEqual([false, true])
      const [error] = results.flatMap(result => (result.ok ? [] : [result.error]))
      expect(error).toMatchObject({ code: 'Timeout', retriable: false })
    }
  })

  test('a thread that dies fails its item, named; the rest goes on', async () => {
    const small = createEngine({ cpuWorkers: 2, cpuWorkerHeap: 32 << 20 })
    const module = await moduleOf(`export const work = (n: number) => {
      if (n === 2) { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())) }
      if (n === 4) process.exit(9)
      return n }`)
    const run = pipeline(numbers(8)).map<(n: number) => number>(module, 'work').start({ engine: small })
    const errors = (await resultsOf(run)).flatMap(result => (result.ok ? [] : [result.error.message])).toSorted()
    expect(errors).toEqual([
      expect.stringContaining('map work, item 3 (2): its thread ran out of memory'),
      expect.stringContaining('map work, item 5 (4): its thread ended with exit code 9'),
    ])
    expect(await run.summary).toMatchObject({ done: 6, failed: 2 })
    await small.close()
  })

  test('what is wrong with a module is told before the first item', async () => {
    let isRead = false
    const list = () => {
      isRead = true
      return [1]
    }
    const state = join(directory, 'state.jsonl')
    for (const [url, name, text] of [
      [await moduleOf('export const other = () => 1'), 'clean', /map clean: .*no function clean: it exports other/],
      [await moduleOf('export const clean = () => {{'), 'clean', /map clean: .*(Expected|Unexpected|SyntaxError)/s],
      [pathToFileURL(join(directory, 'none.ts')), 'clean', /map clean: .*none\.ts/],
    ] as const) {
      const failure = await pipeline(list)
        .map(url, name)
        .run({ engine, state })
        .catch(error => error)
      expect(failure).toMatchObject({ code: 'Usage', message: expect.stringMatching(text) })
    }
    expect(isRead).toBe(false)
    await expect(stat(state)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(() => pipeline([1]).map('./clean.ts', 'clean')).toThrow(/must be a file: URL .* got \.\/clean\.ts/)
  })

  test('functions that give what they must not are named', async () => {
    const wrong = [
      pipeline([1]).locate(() => 42 as never),
      pipeline([1]).filter(() => 'yes' as never),
      pipeline([1])
        .map(() => 3)
        .write(() => 'a', { directory }),
      pipeline([1])
        .map(() => 'text')
        .write(() => undefined as never, { directory }),
      pipeline([1])
        .map(() => 'text')
        .write(() => '../outside', { directory }),
      pipeline([1]).fetch(),
    ]
    const messages = []
    for (const each of wrong) {
      const [result] = await Array.fromAsync<ItemResult>(each.start({ engine }))
      messages.push(result?.ok === false ? result.error.message : 'none')
    }
    expect(messages).toEqual([
      'locate: its function gave 42; it must give a URL, { uri } or { uris }, or drop(reason)',
      'filter: its function gave "yes"; it must give true, false or drop(reason)',
      'write: its function gave 3; it must give bytes, a text, or an object with `bytes`',
      'write: its function gave undefined; it must give a relative path',
      expect.stringContaining('..'),
      'fetch: its function gave 1; it must give a URL, { uri } or { uris }, or drop(reason)',
    ])
  })

  test('a list that fails ends the run after what is under way, with its own error', async () => {
    const ended: number[] = []
    const failing = async function* () {
      yield* numbers(3)
      throw new TransferError('Network', 'the listing broke off')
    }
    const run = pipeline(failing())
      .map(async n => {
        await pause(10)
        ended.push(n)
      })
      .run({ engine })
    await expect(run).rejects.toMatchObject({ code: 'Network' })
    expect(ended).toEqual([0, 1, 2])
  })

  test('an abort ends all at once, also functions that do not listen', async () => {
    const abort = new AbortController()
    const run = pipeline(numbers(100))
      .map(() => new Promise(() => {}))
      .run({ engine, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 20)
    await expect(run).rejects.toThrow('enough')
  })

  test('lets functions take `warn` apart from the item', async () => {
    const careful = (value: number, { warn }: { warn(text: string): void }) => {
      warn('careful')
      return value
    }
    const results = await Array.fromAsync(pipeline([1]).map(careful).start())
    expect(results).toMatchObject([{ status: 'done', warnings: ['careful'] }])
  })

  test('tells warnings and what was dropped, with the reason', async () => {
    const run = pipeline(numbers(3))
      .filter(n => n !== 0)
      .map((n, item) => {
        item.warn('careful')
        return n === 1 ? drop('no use') : n
      })
      .start({ engine, resultOrder: 'list' })
    expect(await resultsOf(run)).toMatchObject([
      { status: 'dropped', reason: 'filter left it out' },
      { status: 'dropped', reason: 'no use', warnings: ['careful'] },
      { status: 'done', value: 2, warnings: ['careful'] },
    ])
  })

  test('takes `drop()` from a thread', async () => {
    const module = await moduleOf(
      `import { drop } from '@arriero/transfer'\nexport const work = (n: number) => n === 1 ? drop('no use') : n`,
    )
    const run = pipeline(numbers(2)).map<(n: number) => number>(module, 'work').start({ engine, resultOrder: 'list' })
    expect(await resultsOf(run)).toMatchObject([
      { status: 'done', value: 0 },
      { status: 'dropped', reason: 'no use' },
    ])
  })

  test('tells no secret and no control character in a reason', async () => {
    const [result] = await resultsOf(
      pipeline([1])
        .map(() => drop('https://me:pw@h/a?sig=s3cr3t \x1b[31m'))
        .start({ engine }),
    )
    expect(result).toMatchObject({ status: 'dropped', reason: 'https://h/a?sig=*** \\x1b[31m' })
  })

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['what has no text', Object.create(null)],
    ['what cannot be frozen further', Object.freeze(new Error('ice'))],
  ])('a function that throws %s fails its item alone', async (_, thrown) => {
    const throwing = async (n: number) => {
      if (n === 1) throw thrown
      return n
    }
    const run = pipeline(numbers(3)).map(throwing, { retries: 1, timeoutMs: 5000 }).start({ engine })
    Object.assign(engine, { random: () => 0 })
    const failed = (await resultsOf(run)).filter(({ ok }) => !ok)
    expect(failed).toMatchObject([{ index: 1, attempts: 2, error: { code: 'StageFailed' } }])
  })

  test('a list that throws is told with the item and the line', async () => {
    const module = await moduleOf('export function* rows() {\n  yield 1\n  throw new TypeError("no column File") }')
    const { rows } = await import(module.href)
    await expect(pipeline(rows()).run({ engine })).rejects.toMatchObject({
      code: 'StageFailed',
      message: expect.stringMatching(/^list, item 2: TypeError: no column File \(functions\.ts:3:\d+\)$/),
    })
  })

  test('names stages, and never two alike', () => {
    const clean = (n: number) => n
    const { stages } = pipeline([1])
      .map(clean)
      .map(clean)
      .locate(() => 'x')
      .fetch({ name: 'take' })
    expect(stages.map(({ name }) => name)).toEqual(['map clean', 'map clean 2', 'locate', 'take'])
    expect(() => pipeline([1]).map(clean, { name: 'a' }).map(clean, { name: 'a' })).toThrow('Two stages')
  })
})

describe('pipeline().fetch()', () => {
  const one = contentOf(300_000)
  const two = contentOf(5)

  test('gives verified bytes in shared memory, for threads too', async () => {
    const { engine } = memoryEngine({ 'memory:/one': one, 'memory:/two': two })
    const module = await moduleOf(`import { createHash } from 'node:crypto'
      export const digest = ({ bytes }: { bytes: Uint8Array }) =>
        [bytes.buffer instanceof SharedArrayBuffer, createHash('sha256').update(bytes).digest('hex')]`)
    const run = pipeline(['memory:/one', 'memory:/two'])
      .fetch()
      .map<(fetched: { bytes: Uint8Array }) => [boolean, string]>(module, 'digest')
      .start({ engine, resultOrder: 'list' })
    const { createHash } = await import('node:crypto')
    const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    expect(await resultsOf(run)).toMatchObject([{ value: [true, sha(one)] }, { value: [true, sha(two)] }])
  })

  test('holds content to the checksums of its entry, and takes mirrors', async () => {
    const { engine } = memoryEngine({ 'memory:/one': one })
    const run = pipeline([
      { uri: 'memory:/one', checksums: ['md5:00000000000000000000000000000000'] },
      { uris: ['memory:/none', 'memory:/one'], size: one.length },
    ])
      .fetch()
      .start({ engine, resultOrder: 'list' })
    expect(await resultsOf(run)).toMatchObject([{ ok: false, error: { code: 'ChecksumMismatch' } }, { ok: true }])
  })

  test('fetches to files under the names given, and never two to one', async () => {
    const { engine } = memoryEngine({ 'memory:/one': one, 'memory:/two': two })
    const files = join(directory, 'files')
    const run = pipeline(['memory:/one', 'memory:/two'])
      .fetch({ directory: files, path: ({ uris }) => `sub/${uris?.[0]?.at(-1)}` })
      .start({ engine })
    expect((await resultsOf(run)).every(({ ok }) => ok)).toBe(true)
    expectSame(await readFile(join(files, 'sub/e')), one)
    expectSame(await readFile(join(files, 'sub/o')), two)
    const clash = await pipeline(['memory:/one', 'memory:/two'])
      .fetch({ directory: files, path: () => 'same' })
      .run({ engine })
    expect(clash).toMatchObject({ done: 1, failed: 1 })
  })

  test('holds no more bytes than allowed, whatever the stages after it do with them', async () => {
    const files = Object.fromEntries(numbers(40).map(n => [`memory:/${n}`, contentOf(100_000)]))
    const { engine } = memoryEngine(files)
    let most = 0
    const run = pipeline(Object.keys(files).map(uri => ({ uri, size: 100_000 })))
      .fetch({ concurrency: 10 })
      .map(
        async ({ size }) => {
          most = Math.max(most, run.progress.heldBytes)
          await pause(Math.random() * 3)
          return size
        },
        { ordered: true, concurrency: 2 },
      )
      .start({ engine, maxBytes: 350_000 })
    expect((await resultsOf(run)).every(({ ok }) => ok)).toBe(true)
    // The foremost item never waits.
    expect(most).toBeLessThanOrEqual(450_000)
    expect(most).toBeGreaterThan(0)
    expect(run.progress.heldBytes).toBe(0)
  })
})

describe('pipeline().write()', () => {
  test('writes texts, bytes and what was fetched; nothing is half there after a failure', async () => {
    const { engine } = memoryEngine({ 'memory:/one': contentOf(9) })
    await pipeline(['a', 'b', 'bad'])
      .map(text => {
        if (text === 'bad') throw new Error('no')
        return text === 'a' ? 'text' : Buffer.alloc(20 << 20, 7)
      })
      .write((_, { item }) => `out/${item}`, { directory })
      .run({ engine })
    expect(await readFile(join(directory, 'out/a'), 'utf8')).toBe('text')
    expect((await stat(join(directory, 'out/b'))).size).toBe(20 << 20)
    await pipeline(['memory:/one'])
      .fetch()
      .write(() => 'one', { directory })
      .run({ engine })
    expectSame(await readFile(join(directory, 'one')), contentOf(9))
    await engine.close()
    expect((await readdir(directory)).toSorted()).toEqual(['one', 'out'])
  })

  test('replaces what is there unless told not to', async () => {
    const write = (ifExists: 'overwrite' | 'error') =>
      pipeline(['new'])
        .write(() => 'file', { directory, ifExists })
        .run({ engine })
    await writeFile(join(directory, 'file'), 'old')
    expect((await write('error')).failed).toBe(1)
    expect((await write('overwrite')).done).toBe(1)
    expect(await readFile(join(directory, 'file'), 'utf8')).toBe('new')
  })
})

describe('what is published by a link', () => {
  test('leaves no second name behind', async () => {
    const large = Buffer.alloc(20 << 20, 7)
    await pipeline(['a'])
      .map(() => large)
      .write(() => 'large', { directory, ifExists: 'error' })
      .run({ engine })
    await pipeline(['a']).append(join(directory, 'lines')).run({ engine })
    for (const name of ['large', 'lines']) expect((await stat(join(directory, name))).nlink).toBe(1)
  })
})

describe('a pipeline with a state', () => {
  test('does what is not done, and passes the rest over', async () => {
    const state = join(directory, 'state.jsonl')
    let fails = true
    const calls: number[] = []
    const it = pipeline(() => numbers(10))
      .map(n => {
        calls.push(n)
        if (fails && n % 3 === 0) throw new Error('not yet')
        return String(n)
      })
      .write((_, { item }) => `${item}.txt`, { directory })
    expect(await it.run({ engine, state })).toMatchObject({ done: 6, failed: 4 })
    fails = false
    calls.length = 0
    expect(await it.run({ engine, state })).toMatchObject({ done: 4, skipped: 6 })
    expect(calls).toEqual([0, 3, 6, 9])
    await rm(join(directory, '5.txt'))
    await writeFile(join(directory, '7.txt'), 'changed')
    expect(await it.run({ engine, state })).toMatchObject({ done: 2, skipped: 8 })
    expect(await it.run({ engine, state, fresh: true })).toMatchObject({ done: 10, skipped: 0 })
  })

  test('asks again whether sources have changed when told so', async () => {
    const { engine, files } = memoryEngine({ 'memory:/a': contentOf(5), 'memory:/b': contentOf(6) })
    const state = join(directory, 'state.jsonl')
    const it = pipeline(['memory:/a', 'memory:/b'])
      .fetch()
      .write((_, { index }) => `${index}`, { directory })
    expect(await it.run({ engine, state })).toMatchObject({ done: 2 })
    expect(await it.run({ engine, state, recheck: true })).toMatchObject({ unchanged: 2 })
    files.set('memory:/b', contentOf(7))
    expect(await it.run({ engine, state })).toMatchObject({ skipped: 2 })
    expect(await it.run({ engine, state, recheck: true })).toMatchObject({ unchanged: 1, done: 1 })
    expect(await it.run({ engine, state, recheck: true })).toMatchObject({ unchanged: 2 })
    expect((await stat(join(directory, '1'))).size).toBe(7)
  })

  test('knows a listed file again that has changed, and does it again only when told so', async () => {
    const inputs = join(directory, 'inputs')
    await mkdir(inputs)
    await writeFile(join(inputs, 'a.txt'), 'one')
    await writeFile(join(inputs, 'b.txt'), 'two')
    const state = join(directory, 'state.jsonl')
    const output = join(directory, 'out.txt')
    const it = pipeline(() => listEach(`${inputs}/*.txt`))
      .fetch()
      .map(({ bytes }) => Buffer.from(bytes).toString())
      .append(output, { ordered: true })
    expect(await it.run({ engine, state })).toMatchObject({ done: 2 })
    await writeFile(join(inputs, 'b.txt'), 'three')
    expect(await it.run({ engine, state })).toMatchObject({ done: 0, skipped: 2 })
    expect(await readFile(output, 'utf8')).toBe('one\ntwo\n')
    expect(await it.run({ engine, state, recheck: true })).toMatchObject({ done: 1, unchanged: 1 })
    expect(await readFile(output, 'utf8')).toBe('one\ntwo\nthree\n')
  })

  test('does equal items as often as they are listed, also over several runs', async () => {
    const state = join(directory, 'state.jsonl')
    const output = join(directory, 'out.txt')
    let budget = 2
    const it = pipeline(['x', 'x', 'y', 'x'])
      .map(text => {
        if (budget-- <= 0) throw new Error('later')
        return text
      })
      .append(output)
    await it.run({ engine, state })
    budget = 10
    expect(await it.run({ engine, state })).toMatchObject({ done: 2, skipped: 2 })
    expect((await readFile(output, 'utf8')).split('\n').toSorted()).toEqual(['', 'x', 'x', 'x', 'y'])
  })

  test('is refused to two runs at once, to other stages, and where the file is something else', async () => {
    const state = join(directory, 'state.jsonl')
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = pipeline([1])
      .map(() => promise)
      .run({ engine, state })
    await pause(50)
    await expect(
      pipeline([1])
        .map(n => n)
        .run({ engine, state }),
    ).rejects.toMatchObject({ code: 'Locked' })
    resolve()
    await first
    const other = pipeline([1]).filter(() => true)
    await expect(other.run({ engine, state })).rejects.toMatchObject({ code: 'Usage', message: /other stages/ })
    expect((await other.run({ engine, state, fresh: true })).done).toBe(1)
    await writeFile(join(directory, 'text'), 'dear diary\n')
    await expect(other.run({ engine, state: join(directory, 'text') })).rejects.toMatchObject({ code: 'Usage' })
    expect(await readFile(join(directory, 'text'), 'utf8')).toBe('dear diary\n')
  })

  test('needs a key where items have none', async () => {
    const state = join(directory, 'state.jsonl')
    await expect(pipeline([new Map()]).run({ engine, state })).rejects.toMatchObject({ code: 'Usage' })
    const keyed = pipeline([new Map([['id', 7]])], { key: map => String(map.get('id')) })
    expect((await keyed.run({ engine, state })).done).toBe(1)
    expect((await keyed.run({ engine, state })).skipped).toBe(1)
  })
})

describe('pipeline().append()', () => {
  test('without a state the file is there when all is done, and not before', async () => {
    const output = join(directory, 'out.jsonl')
    const it = pipeline(numbers(3))
      .map(async n => pause(5).then(() => ({ n })))
      .append(output, { ordered: true })
    const run = it.run({ engine })
    await pause(8)
    await expect(stat(output)).rejects.toMatchObject({ code: 'ENOENT' })
    await run
    expect(await readFile(output, 'utf8')).toBe('{"n":0}\n{"n":1}\n{"n":2}\n')
    await expect(it.run({ engine })).rejects.toMatchObject({ code: 'Exists' })
    await rm(output)
    const failing = pipeline(numbers(3))
      .map(
        n => {
          if (n === 1) throw new Error('no')
          return n
        },
        { concurrency: 1 },
      )
      .append(output)
    await failing.run({ engine, onError: 'stop', maxItems: 1 })
    await expect(stat(output)).rejects.toMatchObject({ code: 'ENOENT' })
    expect((await readdir(directory)).filter(name => !name.startsWith('.arriero'))).toEqual([])
  })

  test('refuses an output that the state knows nothing of', async () => {
    const output = join(directory, 'out.txt')
    await writeFile(output, 'precious\n')
    const state = join(directory, 'state.jsonl')
    await mkdir(join(directory, 'x'))
    await expect(pipeline(['a']).append(output).run({ engine, state })).rejects.toMatchObject({ code: 'Exists' })
    expect(await readFile(output, 'utf8')).toBe('precious\n')
  })
})
