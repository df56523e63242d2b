import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { download } from './download.ts'
import { TransferError } from './errors.ts'
import type { Hooks } from './hooks.ts'

const a = 'memory:/a'
const partSize = 64 * 1024
const content = contentOf(6 * partSize + 9)
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

let directory: string
let target: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-hooks-'))
  target = join(directory, 'target')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const visible = async () => (await readdir(directory)).filter(name => !name.startsWith('.arriero'))

/** Every hook, noting when it was called. */
function recording(calls: [name: string, argument: unknown][]): Hooks {
  const note = (name: string) => async (argument: unknown) => {
    calls.push([name, argument])
    await pause(0)
  }
  return {
    onPlan: note('onPlan'),
    onResource: note('onResource'),
    onPart: note('onPart'),
    onResponse: note('onResponse'),
    onChunk: note('onChunk'),
    onPartDone: note('onPartDone'),
    onVerify: note('onVerify'),
    onFileDone: note('onFileDone'),
    onRetry: async argument => {
      calls.push(['onRetry', argument])
      return undefined
    },
  }
}

describe('hooks of download()', () => {
  test('are called at their stage, with what belongs to it', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const calls: [string, unknown][] = []
    await download(a, target, { engine, partSize, concurrency: 1, hooks: recording(calls) })
    const order = calls.map(([name]) => name)
    expect(order[0]).toBe('onPlan')
    expect(order.slice(-2)).toEqual(['onVerify', 'onFileDone'])
    for (const name of ['onPart', 'onResponse', 'onChunk', 'onPartDone']) {
      expect(order.filter(one => one === name)).toHaveLength(7)
    }
    expect(order.filter(one => one === 'onResource')).toHaveLength(1)
    expect(order.indexOf('onResource')).toBeLessThan(order.indexOf('onChunk'))
    expect(order.indexOf('onPart')).toBeLessThan(order.indexOf('onResponse'))
    expect(order.indexOf('onChunk')).toBeLessThan(order.indexOf('onPartDone'))
    for (const [, argument] of calls) expect(argument).toMatchObject({ uri: a, file: target })
    const parts = calls
      .filter(([name]) => name === 'onPartDone')
      .map(([, argument]) => (argument as { part: { start: number } }).part.start)
    expect(parts.toSorted((x, y) => x - y)).toEqual([...Array(7).keys()].map(index => index * partSize))
    expect(calls.at(-1)?.[1]).toMatchObject({ error: undefined, bytes: content.length })
  })

  test('onChunk sees every byte once, and in order when it wants that', async () => {
    for (const chunkOrder of ['any', 'ascending'] as const) {
      const { engine } = memoryEngine({ [a]: content }, { onRequest: () => pause(Math.random() * 5) })
      const bytes = new Uint8Array(content.length)
      let count = 0
      const hooks: Hooks = {
        chunkOrder,
        onChunk: async ({ offset, bytes: chunk }) => {
          if (chunkOrder === 'ascending') expect(offset).toBe(count)
          await pause(1)
          bytes.set(chunk, offset)
          count += chunk.length
        },
      }
      await download(a, join(directory, chunkOrder), { engine, partSize, hooks })
      expect(count).toBe(content.length)
      expectSame(bytes, content)
      expectSame(await readFile(join(directory, chunkOrder)), content)
    }
  })

  test('onChunk in order sees all of a file that an earlier run began', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const abort = new AbortController()
    let chunks = 0
    const stopping = { onChunk: () => void (++chunks === 3 && abort.abort(new Error('stop'))) }
    await download(a, target, { engine, partSize, hooks: stopping, signal: abort.signal }).catch(() => {})
    let at = 0
    const hooks: Hooks = {
      chunkOrder: 'ascending',
      onChunk({ offset, bytes }) {
        expect(offset).toBe(at)
        at += bytes.length
      },
    }
    await download(a, target, { engine, partSize, hooks })
    expect(at).toBe(content.length)
    expect(await visible()).toEqual(['target'])
  })

  for (const name of ['onPlan', 'onResource', 'onPart', 'onResponse', 'onChunk', 'onPartDone', 'onVerify'] as const) {
    test(`a throw of ${name} fails with HookFailed and leaves nothing visible; advisory, it is passed over`, async () => {
      const failing = () => {
        throw new Error('no good')
      }
      const { engine } = memoryEngine({ [a]: content })
      const told: unknown[] = []
      const hooks: Hooks = { [name]: failing, onFileDone: ({ error }) => void told.push(error) }
      const failure = await download(a, target, { engine, partSize, hooks }).catch(error => error)
      expect(failure).toMatchObject({ code: 'HookFailed', cause: { message: 'no good' } })
      expect(failure.message).toContain(name)
      expect(told).toEqual([failure])
      expect(await visible()).not.toContain('target')
      expect(engine.slots.reserved).toBe(0)
      expect(engine.limits.inUse).toBe(0)
      expect(engine.progress).toMatchObject({ failed: 1, done: 0 })
      await download(a, target, { engine, partSize, hooks: { ...hooks, advisory: [name] } })
      expectSame(await readFile(target), content)
    })
  }

  test('a throw of onFileDone fails the call, and counts the file once', async () => {
    const { engine } = memoryEngine({ [a]: content })
    let calls = 0
    const hooks: Hooks = {
      onFileDone() {
        calls++
        throw new Error('no good')
      },
    }
    await expect(download(a, target, { engine, hooks })).rejects.toMatchObject({ code: 'HookFailed' })
    expect(calls).toBe(1)
    expect(engine.progress.done + engine.progress.failed).toBe(1)
    // Of a failure it hears too, but what went wrong first is what is reported.
    await expect(download('memory:/none', `${target}2`, { engine, hooks })).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('onRetry may veto, and may fail', async () => {
    for (const [onRetry, code, asked] of [
      [() => false, 'Network', 2],
      [() => Promise.reject(new Error('no good')), 'HookFailed', 2],
      [() => undefined, undefined, 8],
    ] as const) {
      let isCut = false
      const { engine, requests } = memoryEngine(
        { [a]: content },
        {
          onRequest: ({ range }) => {
            if (range?.start !== partSize || isCut) return
            isCut = true
            throw new TransferError('Network', 'cut')
          },
        },
      )
      Object.assign(engine, { random: () => 0 })
      const fetching = download(a, `${target}${code}`, { engine, partSize, concurrency: 1, hooks: { onRetry } })
      const failure = await fetching.then(
        () => undefined,
        error => error,
      )
      expect(failure?.code).toBe(code)
      expect(requests.length).toBe(asked)
      expect(engine.slots.reserved).toBe(0)
    }
  })

  test('the time spent in hooks is told', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const { timings } = await download(a, target, { engine, hooks: { onVerify: () => pause(30) as Promise<void> } })
    expect(timings.hooksMs).toBeGreaterThanOrEqual(25)
    expect(timings.totalMs).toBeGreaterThanOrEqual(timings.hooksMs)
  })
})
