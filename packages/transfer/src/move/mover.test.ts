import { describe, expect, test } from 'vitest'
import { type MemoryEngineOptions, memoryEngine } from '../../test/memory-engine.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { abortable } from '../abortable.ts'
import { TransferError } from '../errors.ts'
import { readAll } from '../iterate.ts'
import type { Range } from '../resource.ts'
import type { FetchRequest, Landing, Source } from '../source.ts'

const partSize = 64 * 1024
const MIB = 1 << 20
const a = 'memory:/a'
const b = 'memory:/b'
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Lets a test stand between the mover and its sources. */
function wrapped(
  contents: Record<string, Uint8Array>,
  wrap: (source: Source) => Source,
  options: MemoryEngineOptions = {},
) {
  const setting = memoryEngine(contents, options)
  const { openSources } = setting.engine
  Object.assign(setting.engine, {
    random: () => 0,
    openSources: async (...args: Parameters<typeof openSources>) => (await openSources(...args)).map(wrap),
  })
  return setting
}

/** A source whose fetches do as `how` says. */
function fetching(how: (source: Source, request: FetchRequest) => Promise<void>) {
  return (source: Source): Source => ({ ...source, fetch: request => how(source, request) })
}

/** Pours so many bytes, then fails. */
function cutAfter(count: number, request: FetchRequest): FetchRequest {
  return {
    ...request,
    answered: answer => {
      const landing = request.answered(answer)
      let left = count
      return {
        room: () => {
          if (left === 0) throw new TransferError('Network', 'cut')
          return landing.room().subarray(0, left)
        },
        advance: bytes => {
          left -= bytes
          landing.advance(bytes)
        },
        whenRoom: () => landing.whenRoom(),
        get isComplete() {
          return landing.isComplete
        },
      } satisfies Landing
    },
  }
}

describe('move()', () => {
  test('goes on exactly where a part was cut, in the same memory', async () => {
    const content = contentOf(20 * partSize + 5)
    const asked: string[] = []
    let count = 0
    const { engine } = wrapped(
      { [a]: content },
      fetching((source, request) => {
        asked.push(`${request.range?.start}-${request.range?.end}`)
        return source.fetch(count++ % 2 === 0 ? cutAfter(10_001, request) : request)
      }),
    )
    expectSame(await readAll(a, { engine, partSize }), content)
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked).toContain(`10001-${partSize}`)
    expect(engine.slots.reserved).toBe(0)
  })

  test('never asks for more connections than it was given', async () => {
    const content = contentOf(30 * partSize)
    for (const concurrency of [1, 3]) {
      let most = 0
      const { engine, active } = memoryEngine(
        { [a]: content },
        { onRequest: () => pause(2).then(() => void (most = Math.max(most, active()))) },
      )
      expectSame(await readAll(a, { engine, partSize, concurrency }), content)
      expect(most).toBe(concurrency)
    }
  })

  test('gives up after so many attempts without progress, and frees everything', async () => {
    let attempts = 0
    const { engine } = wrapped(
      { [a]: contentOf(10 * partSize) },
      fetching((source, request) => {
        if (request.range?.start !== 2 * partSize) return source.fetch(request)
        attempts++
        throw new TransferError('Network', 'cut')
      }),
    )
    await expect(readAll(a, { engine, partSize, retries: 3 })).rejects.toMatchObject({ code: 'Network' })
    expect(attempts).toBe(4)
    expect(engine.slots.reserved).toBe(0)
    expect(engine.limits.inUse).toBe(0)
    expect(engine.progress.connections).toBe(0)
  })

  test('does not retry what cannot be mended', async () => {
    for (const code of ['Disk', 'NotFound', 'Usage'] as const) {
      const { engine, requests } = memoryEngine(
        { [a]: contentOf(10) },
        {
          onRequest: () => {
            throw new TransferError(code, 'no')
          },
        },
      )
      await expect(readAll(a, { engine })).rejects.toMatchObject({ code })
      expect(requests).toHaveLength(1)
    }
  })

  test('an error of no known kind passes through as it is', async () => {
    const strange = new Error('strange')
    const { engine } = memoryEngine({ [a]: contentOf(10) }, { onRequest: () => Promise.reject(strange) })
    await expect(readAll(a, { engine })).rejects.toBe(strange)
  })

  test('gives way to a mirror when a place is gone, and spreads over all of them', async () => {
    const content = contentOf(40 * partSize)
    const { engine, requests } = memoryEngine({ [a]: content, [b]: content })
    expectSame(await readAll('memory:/none', { engine, partSize, mirrors: [a, b] }), content)
    expect(requests.length).toBeGreaterThan(40)
  })

  test('a mirror of another size is never mixed in, also where it comes as a stream', async () => {
    for (const source of [{}, { hasRanges: false }]) {
      let isFirst = true
      const { engine } = wrapped(
        { [a]: contentOf(10 * partSize), [b]: contentOf(12 * partSize, 2) },
        fetching((from, request) => {
          if (from.uri === b) return from.fetch(request)
          if (!isFirst) throw new TransferError('NotFound', 'gone')
          isFirst = false
          return from.fetch(cutAfter(3 * partSize, request))
        }),
        { source },
      )
      const failure = await readAll(a, { engine, partSize, mirrors: [b], concurrency: 1 }).catch(error => error)
      if (failure instanceof Uint8Array) expectSame(failure, contentOf(12 * partSize, 2))
      else expect(failure).toBeInstanceOf(TransferError)
    }
  })

  test('streams and parts of many files share four connections and the memory of four parts', async () => {
    const content = contentOf(6 * partSize + 1)
    for (const source of [{}, { hasRanges: false }, { hasRanges: false, hasSize: false }]) {
      const { engine } = memoryEngine({ [a]: content }, { source, memoryBudget: 4 * partSize, connections: 4 })
      const all = [...Array(16).keys()].map(() => readAll(a, { engine, partSize, digests: ['md5'] }))
      for (const bytes of await Promise.all(all)) expectSame(bytes, content)
      expect(engine.slots.reserved).toBe(0)
    }
  })

  test('two connections for everything are enough for everybody', async () => {
    const content = contentOf(6 * partSize)
    const { engine } = memoryEngine(
      { [a]: content },
      { memoryBudget: 8 * partSize, connections: 2, totalConnections: 2 },
    )
    const all = [...Array(20).keys()].map(() => readAll(a, { engine, partSize }))
    for (const bytes of await Promise.all(all)) expectSame(bytes, content)
  })

  test('takes over the second half of a slow part', async () => {
    const content = contentOf(12 * MIB)
    let slow = 0
    const { engine } = wrapped(
      { [a]: content },
      fetching(async (source, request) => {
        if (request.range?.start !== 0) return source.fetch(request)
        slow++
        return source.fetch({
          ...request,
          answered: answer => {
            const landing = request.answered(answer)
            return {
              // As slow as a few hundred KiB/s.
              room: () => (isReady ? landing.room().subarray(0, 4096) : landing.room().subarray(0, 0)),
              advance: bytes => {
                landing.advance(bytes)
                isReady = false
              },
              whenRoom: () => pause(5).then(() => void (isReady = true)),
              get isComplete() {
                return landing.isComplete
              },
            }
          },
        })
      }),
    )
    let isReady = true
    const startedAt = performance.now()
    expectSame(await readAll(a, { engine, partSize: 8 * MIB, concurrency: 4 }), content)
    expect(slow).toBe(1)
    // Alone it would take ten seconds.
    expect(performance.now() - startedAt).toBeLessThan(7000)
    expect(engine.slots.reserved).toBe(0)
  })

  test('asks a second time for a tail that fell silent, and takes what comes first', async () => {
    const content = contentOf(10 * partSize)
    let isStuck = false
    const { engine } = wrapped(
      { [a]: content },
      fetching(async (source, request) => {
        if (request.range?.start !== 9 * partSize || isStuck) return source.fetch(request)
        isStuck = true
        request.answered({
          resource: await source.probe(request),
          start: 9 * partSize,
          end: content.length,
          framing: 'length',
        })
        await abortable(pause(60_000), request.signal)
      }),
    )
    expectSame(await readAll(a, { engine, partSize, digests: ['sha256'] }), content)
    expect(engine.progress.hedges).toBe(1)
    expect(engine.slots.reserved).toBe(0)
    expect(engine.limits.inUse).toBe(0)
  })

  test('redial() has what silent requests lack fetched at once, nothing that came, and costs no retry', async () => {
    const content = contentOf(12 * partSize)
    const asked: Range[] = []
    let silent = 0
    let isCut = true
    const { engine } = wrapped(
      { [a]: content },
      fetching(async (source, request) => {
        asked.push(request.range!)
        if (!isCut) return source.fetch(request)
        await source.fetch(cutAfter(10_001, request)).catch(() => {})
        silent++
        await abortable(new Promise(() => {}), request.signal)
      }),
    )
    const reading = readAll(a, { engine, partSize, retries: 1, concurrency: 4 })
    while (silent < 4 || engine.progress.connections > silent) await pause(1)
    const before = asked.length
    engine.redial(60_000)
    expect(asked.length).toBe(before)
    isCut = false
    engine.redial(0)
    expectSame(await reading, content)
    expect(engine.progress.retries).toBe(0)
    const bytes = asked.slice(before).reduce((sum, { start, end }) => sum + end - start, 0)
    expect(bytes).toBe(content.length - silent * 10_001)
    expect(engine.slots.reserved).toBe(0)
    expect(engine.limits.inUse).toBe(0)
    expect(engine.underWay.size).toBe(0)
  })

  test('stopping at any moment ends every request and frees everything', async () => {
    const content = contentOf(20 * partSize)
    for (const ms of [0, 1, 2, 3, 5, 8, 13]) {
      const { engine, active } = memoryEngine(
        { [a]: content },
        { onRequest: ({ signal }) => abortable(pause(2), signal) },
      )
      const reason = new Error('enough')
      const abort = new AbortController()
      const reading = readAll(a, { engine, partSize, digests: ['md5'], signal: abort.signal }).catch(error => error)
      await pause(ms)
      abort.abort(reason)
      const outcome = await reading
      if (!(outcome instanceof Uint8Array)) expect(outcome).toBe(reason)
      expect(active()).toBe(0)
      expect(engine.slots.reserved).toBe(0)
      expect(engine.limits.inUse).toBe(0)
    }
  })
})
