/** Hooks that never answer, or answer what nobody can use: they are named, and nothing waits or is left half done. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { download } from './download.ts'
import { downloadAll } from './download-all.ts'
import type { EngineParts } from './engine.ts'
import { TransferError } from './errors.ts'
import type { FileVerdict, HookName, Hooks } from './hooks.ts'
import { readAll } from './iterate.ts'

const a = 'memory:/a'
const partSize = 64 * 1024
const content = contentOf(6 * partSize + 9)
const later = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
const never = () => new Promise<never>(() => {})

let directory: string
let target: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-hang-'))
  target = join(directory, 'target')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Names that people see: neither what a later run may go on with nor the engine's own. */
const visible = async () => (await readdir(directory)).filter(name => !/^\.arriero|\.part(\.journal)?$/.test(name))

function expectFree(engine: EngineParts): void {
  expect(engine.slots.reserved).toBe(0)
  expect(engine.limits.inUse).toBe(0)
  expect(engine.progress.active.size).toBe(0)
  expect(engine.cpu.pending).toBe(0)
}

const observers = ['onPlan', 'onResource', 'onPart', 'onResponse', 'onChunk', 'onPartDone', 'onVerify'] as const

describe('a hook that does not answer', () => {
  test.each([...observers, 'onFileDone', 'onDone'] as const)('%s: the item fails in time, by its name', async name => {
    const { engine } = memoryEngine({ [a]: content })
    const { promise: answer, resolve } = Promise.withResolvers<void>()
    const hooks: Hooks = { [name]: () => answer, timeoutMs: 40 }
    const failure = await download(a, target, { engine, partSize, hooks }).catch(error => error)
    expect(failure).toMatchObject({ code: 'HookFailed', retriable: false })
    expect(failure.message).toBe(`The hook ${name} did not answer within 0.04 s`)
    expect(failure.remedy).toContain('timeoutMs')
    // What is there already when the ends are told, stays.
    expect(await visible()).toEqual(['onFileDone', 'onDone'].includes(name) ? ['target'] : [])
    resolve()
    await later(0)
    expectFree(engine)
  })

  test.each(observers)('%s: advisory, it is passed over and not asked again', async name => {
    // Each part comes when the limit for the one before is over.
    const { engine } = memoryEngine({ [a]: content }, { onRequest: () => later(70) })
    let calls = 0
    const hang = () => {
      calls++
      return never()
    }
    const hooks: Hooks = { [name]: hang, advisory: [name], timeoutMs: 20 }
    await download(a, target, { engine, partSize, concurrency: 1, hooks })
    expectSame(await readFile(target), content)
    expect(calls).toBe(1)
  })

  test('an abort waits for none of them', async () => {
    await Promise.all([...observers, 'transform' as const].map(abortedWhileIn))
  })

  async function abortedWhileIn(name: HookName): Promise<void> {
    const { engine } = memoryEngine({ [a]: content })
    const abort = new AbortController()
    const reason = new Error('stop')
    const { promise: isCalled, resolve: called } = Promise.withResolvers<void>()
    const { promise: answer, resolve } = Promise.withResolvers<void>()
    const hang = () => {
      called()
      return answer
    }
    async function* hanging(bytes: AsyncIterable<Uint8Array>) {
      for await (const piece of bytes) {
        await hang()
        yield piece
      }
    }
    const hooks: Hooks = { [name]: name === 'transform' ? hanging : hang, timeoutMs: Number.POSITIVE_INFINITY }
    const path = join(directory, name)
    const fetching = download(a, path, { engine, partSize, hooks, signal: abort.signal })
    await isCalled
    abort.abort(reason)
    await expect(fetching, name).rejects.toBe(reason)
    expect(await visible()).not.toContain(name)
    resolve()
    await later(20)
    expectFree(engine)
  }

  test('one that hangs does not hold up a file that fails for another reason', async () => {
    const failed = new TransferError('Denied', 'no')
    const { engine } = memoryEngine(
      { [a]: content },
      { onRequest: ({ range }) => range?.start && Promise.reject(failed) },
    )
    const hooks: Hooks = { onChunk: never, timeoutMs: Number.POSITIVE_INFINITY }
    await expect(download(a, target, { engine, partSize, hooks })).rejects.toMatchObject({ code: 'Denied' })
  })

  test('an end that hangs does not hold up an abort', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const abort = new AbortController()
    const reason = new Error('stop')
    class Hanging implements Hooks {
      onResource() {
        abort.abort(reason)
      }
      onFileDone() {
        return never()
      }
      onDone() {
        return never()
      }
      close() {
        return never()
      }
    }
    await expect(download(a, target, { engine, hooks: Hanging, signal: abort.signal })).rejects.toBe(reason)
  })
})

describe('bytes that a hook was lent', () => {
  test('stay its own while it hangs, whatever the engine does meanwhile', async () => {
    const other = new Uint8Array(content.length).fill(7)
    const { engine } = memoryEngine({ [a]: content, 'memory:/other': other }, { memoryBudget: 8 * partSize })
    const { promise: answer, resolve } = Promise.withResolvers<void>()
    const lent: { readonly offset: number; readonly bytes: Uint8Array }[] = []
    const hooks: Hooks = {
      onChunk(chunk) {
        lent.push(chunk)
        return answer
      },
      timeoutMs: 40,
    }
    await expect(download(a, target, { engine, partSize, concurrency: 2, hooks })).rejects.toMatchObject({
      code: 'HookFailed',
    })
    expect(engine.slots.reserved).toBeGreaterThan(0)
    for (let round = 0; round < 5; round++) await readAll('memory:/other', { engine, partSize })
    for (const { offset, bytes } of lent) expectSame(bytes, content.subarray(offset, offset + bytes.length))
    resolve()
    await later(0)
    expectFree(engine)
  })

  test('stay its own in a pass that hangs, too', async () => {
    const other = new Uint8Array(content.length).fill(7)
    const { engine } = memoryEngine({ [a]: content, 'memory:/other': other }, { memoryBudget: 8 * partSize })
    const { promise: answer, resolve } = Promise.withResolvers<void>()
    let lent = new Uint8Array(0)
    const hooks: Hooks = {
      async *transform(bytes) {
        for await (const piece of bytes) {
          lent = piece as Uint8Array<ArrayBuffer>
          await answer
          yield piece
        }
      },
      timeoutMs: 40,
    }
    const failure = await download(a, target, { engine, partSize, hooks }).catch(error => error)
    expect(failure.message).toBe('The hook transform did not answer within 0.04 s')
    for (let round = 0; round < 5; round++) await readAll('memory:/other', { engine, partSize })
    expectSame(lent, content.subarray(0, lent.length))
    resolve()
    await later(0)
    expectFree(engine)
  })
})

describe('the time limit of a pass', () => {
  test('counts neither waiting for bytes nor for whoever takes what it makes', async () => {
    const { engine } = memoryEngine({ [a]: content }, { onRequest: () => later(60) })
    const hooks: Hooks = {
      async *transform(bytes) {
        for await (const piece of bytes) yield piece.slice()
      },
      timeoutMs: 40,
    }
    const { timings } = await download(a, target, { engine, partSize, concurrency: 1, hooks })
    expectSame(await readFile(target), content)
    expect(timings.hooks?.transform?.calls).toBe(1)
    expect(timings.hooks?.transform?.ms).toBeLessThan(40)
  })
})

describe('a hook that answers what nobody can use', () => {
  test.each([
    ['kepe', `gave "kepe"`],
    [true, 'gave true'],
    [{}, 'gave {}'],
    [{ rename: '' }, 'gave {"rename":""}'],
    [{ rename: 3 }, 'gave {"rename":3}'],
    [{ priority: Number.NaN }, 'gave {"priority":null}'],
    [null, 'gave null'],
    ['https://h/x?sig=secret', 'sig=***'],
  ])('onFile giving %j fails the entry and no other', async (given, shown) => {
    const { engine } = memoryEngine({ [a]: content, 'memory:/b': content })
    const hooks: Hooks = { onFile: ({ uri }) => (uri === a ? (given as FileVerdict) : undefined) }
    const errors: unknown[] = []
    const told: unknown[] = []
    const noting: Hooks = { onFileDone: ({ uri, error }) => void told.push([uri, (error as TransferError)?.code]) }
    for await (const item of downloadAll([a, 'memory:/b'], { directory, engine, hooks: [hooks, noting] })) {
      if (!item.ok) errors.push(item.error)
    }
    expect(errors).toMatchObject([{ code: 'HookFailed' }])
    const { message } = errors[0] as Error
    expect(message).toMatch(/^The hook onFile of hooks\[0\] must give 'keep', 'skip', \{ rename \}/)
    expect(message).toContain(shown)
    expect(message).not.toContain('secret')
    expect(await visible()).toEqual(['b'])
    expect(told).toEqual([
      [a, 'HookFailed'],
      ['memory:/b', undefined],
    ])
    expectFree(engine)
  })

  test('onRetry', async () => {
    let isCut = false
    const onRequest = () => {
      if (isCut) return
      isCut = true
      throw new TransferError('Network', 'cut')
    }
    const { engine } = memoryEngine({ [a]: content }, { onRequest })
    const hooks: Hooks = { onRetry: () => 'yes' as never }
    await expect(download(a, target, { engine, hooks })).rejects.toThrow(
      'The hook onRetry must give true, false or nothing, it gave "yes"',
    )
    expectFree(engine)
  })

  test.each([
    ['no iterable', () => 3, 'an async iterable of bytes, it gave a number'],
    ['nothing', () => undefined, 'an async iterable of bytes, it gave undefined'],
    [
      'text',
      async function* () {
        yield 'text'
      },
      'pieces of bytes (Uint8Array), it gave a string',
    ],
  ])('transform giving %s', async (_, transform, message) => {
    const { engine } = memoryEngine({ [a]: content })
    const hooks = { transform } as unknown as Hooks
    const failure = await download(a, target, { engine, hooks }).catch(error => error)
    expect(failure).toMatchObject({ code: 'HookFailed', message: `The hook transform must give ${message}` })
    expect(await visible()).toEqual([])
    expectFree(engine)
  })

  test('a pass that takes the loss of its input for the end does not make a short file', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const failing: Hooks = {
      async *transform(bytes) {
        for await (const piece of bytes) {
          yield piece
          throw new Error('half way')
        }
      },
    }
    const swallowing: Hooks = {
      async *transform(bytes) {
        try {
          yield* bytes
        } catch {
          // As if it had ended.
        }
      },
    }
    const fetching = download(a, target, { engine, partSize, hooks: [failing, swallowing] })
    await expect(fetching).rejects.toThrow('The hook transform of hooks[0] failed: half way')
    expect(await visible()).toEqual([])
    expectFree(engine)
  })
})

describe('the time in hooks', () => {
  test('is told by hook: of a file, of a run, and while it goes on', async () => {
    const { engine } = memoryEngine({ [a]: content, 'memory:/b': content })
    const hooks: Hooks = { onVerify: () => later(20), onPart() {}, onDone() {} }
    const run = downloadAll([a, 'memory:/b'], { directory, engine, partSize, hooks })
    for await (const item of run) {
      if (!item.ok) throw item.error
      const { hooks: times, hooksMs } = item.result.timings
      expect(times).toEqual({
        onVerify: { calls: 1, ms: expect.toSatisfy((ms: number) => ms > 15) },
        onPart: { calls: 7, ms: expect.any(Number) },
      })
      expect(hooksMs).toBeCloseTo((times?.onVerify?.ms ?? 0) + (times?.onPart?.ms ?? 0), 0)
    }
    const { hooks: times } = await run.summary
    expect(times?.onVerify?.calls).toBe(2)
    expect(times?.onPart?.calls).toBe(14)
    expect(engine.progress.hooksMs).toBeGreaterThan(30)
    expect(engine.progress.hooks.times).toMatchObject({
      onVerify: { calls: 2 },
      onDone: { calls: 1 },
    } satisfies Partial<Record<HookName, unknown>>)
  })

  test('is nothing where there are none', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const { timings } = await download(a, target, { engine })
    expect(timings).toMatchObject({ hooksMs: 0, hooks: undefined })
    expect(engine.progress.hooksMs).toBe(0)
  })
})
