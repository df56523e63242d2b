import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { memoryEngine } from '../../test/memory-engine.ts'
import { contentOf } from '../../test/source-suite.ts'
import { pipeline } from './pipeline.ts'

const SIZE = 100_000
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

/** Some files of one size, and the most bytes that a run over them held. */
function setting(count: number) {
  const files = Object.fromEntries(numbers(count).map(n => [`memory:/${n}`, contentOf(SIZE)]))
  return { ...memoryEngine(files), uris: Object.keys(files) }
}

describe('the memory of a pipeline', () => {
  test('lets the foremost item pass a stage in which others wait for room: they may be waiting for it', async () => {
    const { engine, uris } = setting(8)
    const run = pipeline(uris)
      .locate(async (uri, { index }) => {
        if (index === 0) await pause(50)
        return { uri, size: SIZE }
      })
      .fetch({ concurrency: 2 })
      .map(({ size }) => size, { ordered: true })
      .run({ engine, maxBytes: 2.5 * SIZE, signal: AbortSignal.timeout(10_000) })
    expect((await run).done).toBe(8)
  })

  test('holds for content whose size is not known before', async () => {
    const { engine, uris } = setting(20)
    let most = 0
    const run = pipeline(uris)
      .fetch()
      .map(async ({ size }) => {
        most = Math.max(most, run.progress.heldBytes)
        await pause(1)
        return size
      })
      .start({ engine, maxBytes: 3 * SIZE })
    for await (const { ok } of run) expect(ok).toBe(true)
    // The foremost item never waits.
    expect(most).toBeLessThanOrEqual(4 * SIZE)
    expect(most).toBeGreaterThan(SIZE)
  })

  test('goes on at full width when the first content of unknown size cannot be had', async () => {
    let active = 0
    let most = 0
    const { engine } = memoryEngine(
      {},
      {
        onRequest: async () => {
          most = Math.max(most, ++active)
          await pause(5)
          active--
        },
      },
    )
    const summary = await pipeline(numbers(40).map(n => `memory:/${n}`))
      .fetch({ concurrency: 8 })
      .run({ engine, fetch: { retries: 0 } })
    expect(summary.failed).toBe(40)
    // How many exactly is for the engine's own limits to say.
    expect(most).toBeGreaterThan(1)
  })

  test('holds for what functions make, once they have shown how much that is', async () => {
    const { engine } = memoryEngine({})
    let most = 0
    const run = pipeline(numbers(100))
      .map(async () => Buffer.alloc(SIZE), { concurrency: 2 })
      .map(
        async bytes => {
          most = Math.max(most, run.progress.heldBytes)
          await pause(1)
          return bytes.length
        },
        { concurrency: 1 },
      )
      .start({ engine, maxBytes: 5 * SIZE })
    for await (const { ok } of run) expect(ok).toBe(true)
    expect(most).toBeLessThanOrEqual(6 * SIZE)
    expect(run.progress.heldBytes).toBe(0)
  })

  test.each(['completed', 'list'] as const)(
    'holds for results that nobody takes, in the order %s; leaving them ends the run',
    async resultOrder => {
      const { engine, uris } = setting(30)
      const run = pipeline(uris.map(uri => ({ uri, size: SIZE })))
        .fetch({ concurrency: 4 })
        .start({ engine, resultOrder, maxBytes: 5 * SIZE })
      const results = run[Symbol.asyncIterator]()
      await results.next()
      await pause(100)
      expect(run.progress.heldBytes).toBeLessThanOrEqual(6 * SIZE)
      expect(run.progress.done).toBeLessThan(12)
      await results.return?.()
      expect((await run.summary).isStopped).toBe(true)
      const all = await pipeline(uris)
        .fetch()
        .run({ engine, resultOrder, maxBytes: 2 * SIZE })
      expect(all.done).toBe(30)
    },
  )

  test('leaves no timer behind of items that were in time', async () => {
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    await pipeline(numbers(100))
      .map(async n => n, { timeoutMs: 60_000 })
      .run()
    expect(timers()).toBeLessThan(before + 10)
  })

  test('begins no function after the abort', async () => {
    const abort = new AbortController()
    let begun = 0
    const run = pipeline(numbers(100))
      .map(() => new Promise(() => begun++), { concurrency: 1 })
      .run({ signal: abort.signal })
    await pause(20)
    abort.abort(new Error('enough'))
    await expect(run).rejects.toThrow('enough')
    expect(begun).toBe(1)
  })
})
