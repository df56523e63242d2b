/** Hooks in threads: named by module and export, over shared memory. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { download } from './download.ts'
import { downloadAll } from './download-all.ts'
import type { EngineParts } from './engine.ts'
import { TransferError } from './errors.ts'
import type { Hooks, WorkerHook } from './hooks.ts'
import { readAll } from './iterate.ts'

const a = 'memory:/a'
const partSize = 64 * 1024
const content = contentOf(6 * partSize + 9)
const later = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

const MODULE = `
import { appendFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { TransferError, type HookContext, type Hooks } from '@arriero/transfer'

const log = new URL('./log', import.meta.url)

export function onChunk({ offset, bytes }: { offset: number; bytes: Uint8Array }) {
  const isShared = bytes.buffer instanceof SharedArrayBuffer
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  appendFileSync(log, JSON.stringify({ offset, length: bytes.length, sum, isShared, isThread: threadId > 0 }) + '\\n')
}
export function onFile({ path }: { path: string | undefined }) {
  return path === 'skipped' ? 'skip' : { rename: 'renamed-' + path }
}
export function onRetry({ error }: { error: { name: string; code: string; message: string } }) {
  appendFileSync(log, JSON.stringify([error.name, error.code, error.message]) + '\\n')
  return false
}
export const resolve = (uri: string) => uri
export function fails() { throw new TypeError('no good') }
export function denies() { throw new TransferError('Denied', 'not this one') }
export function exits() { process.exit(3) }
export function eats() { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())) }
export function hangs() { for (;;); }
export async function* inverted(bytes: AsyncIterable<Uint8Array>) {
  for await (const piece of bytes) yield piece.map(byte => 255 - byte)
}
export async function* same(bytes: AsyncIterable<Uint8Array>) { yield* bytes }
export async function* small(bytes: AsyncIterable<Uint8Array>) {
  for await (const piece of bytes) yield Buffer.from([piece.length & 255])
}
export async function* head(bytes: AsyncIterable<Uint8Array>) {
  for await (const piece of bytes) { yield piece.slice(0, 10); return }
}
export async function* cleans(bytes: AsyncIterable<Uint8Array>) {
  appendFileSync(log, 'began\\n')
  try { for await (const piece of bytes) yield piece } finally { appendFileSync(log, 'cleaned\\n') }
}
export async function* throwsLate(bytes: AsyncIterable<Uint8Array>) {
  yield* bytes
  throw new TypeError('at the end')
}
export async function* exitsLate(bytes: AsyncIterable<Uint8Array>) {
  for await (const piece of bytes) { yield piece; process.exit(4) }
}
export async function* hangsLate(bytes: AsyncIterable<Uint8Array>) {
  for await (const piece of bytes) { yield piece; for (;;); }
}
export async function* text() { yield 'text' }
export const nothing = () => undefined
`

let directory: string
let module: string
let target: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-threads-'))
  module = join(directory, 'hooks.ts')
  target = join(directory, 'out', 'target')
  await writeFile(module, MODULE)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const hook = (name: string): WorkerHook => ({ module: pathToFileURL(module), export: name })
const logged = async () => (await readFile(join(directory, 'log'), 'utf8')).trimEnd().split('\n')
const visible = async () =>
  (await readdir(join(directory, 'out')).catch(() => [])).filter(name => !/^\.arriero|\.part(\.journal)?$/.test(name))

/** One thread more is none too few: a pass and a hook of the same file must not wait for each other. */
const engineOf = (options = {}) =>
  memoryEngine({ [a]: content }, { cpuWorkers: 1, cpuWorkerHeap: 64 << 20, ...options }).engine

async function expectFree(engine: EngineParts): Promise<void> {
  // Bytes stay reserved until the thread that may look at them has ended.
  await expect.poll(() => [engine.transforms.busy, engine.slots.reserved]).toEqual([0, 0])
  expect(engine.limits.inUse).toBe(0)
  expect(engine.cpu.pending).toBe(0)
}

describe('hooks in threads', () => {
  test('see the very bytes that were fetched, where they lie', async () => {
    const engine = engineOf()
    await download(a, target, { engine, partSize, hooks: { onChunk: hook('onChunk') } })
    const chunks = (await logged()).map(line => JSON.parse(line)).sort((x, y) => x.offset - y.offset)
    expect(chunks).toHaveLength(7)
    for (const { offset, length, sum, isShared, isThread } of chunks) {
      const piece = content.subarray(offset, offset + length)
      expect({ sum, isShared, isThread }).toEqual({
        sum: piece.reduce((total, byte) => total + byte, 0),
        isShared: true,
        isThread: true,
      })
    }
    expectSame(await readFile(target), content)
    await expectFree(engine)
  })

  test('answer as functions do', async () => {
    const engine = engineOf()
    const entries = ['kept', 'skipped'].map((path, index) => ({ index, uris: [a], path, checksums: [] }))
    const run = downloadAll(entries, { directory: join(directory, 'out'), engine, hooks: { onFile: hook('onFile') } })
    for await (const item of run) expect(item.ok).toBe(true)
    expect(await run.summary).toMatchObject({ downloaded: 1, skipped: 1 })
    expect(await visible()).toEqual(['renamed-kept'])
  })

  test('are told errors with what belongs to them', async () => {
    const engine = engineOf({
      onRequest: () => {
        throw new TransferError('Network', 'cut')
      },
    })
    const fetching = download(a, target, { engine, hooks: { onRetry: hook('onRetry') } })
    await expect(fetching).rejects.toMatchObject({ code: 'Network' })
    expect(await logged()).toEqual(['["TransferError","Network","cut"]'])
    await expectFree(engine)
  })

  test.each([
    ['fails', 'HookFailed', 'failed: no good'],
    ['missing', 'HookFailed', 'exports no function missing'],
    ['exits', 'HookFailed', 'its thread ended with exit code 3'],
    ['eats', 'HookFailed', 'its thread ran out of memory'],
    ['hangs', 'HookFailed', 'did not answer within 0.5 s'],
  ])('one that %s fails the item, by hook, module and export', async (name, code, message) => {
    const engine = engineOf()
    const timeoutMs = name === 'hangs' ? 500 : 60_000
    const failure = await download(a, target, { engine, partSize, hooks: { onChunk: hook(name), timeoutMs } }).catch(
      error => error,
    )
    expect(failure).toMatchObject({ code })
    expect(failure.message).toContain(`The hook onChunk (${name} of ${pathToFileURL(module).href})`)
    expect(failure.message).toContain(message)
    expect(await visible()).toEqual([])
    await expectFree(engine)
    await download(a, target, { engine, partSize, hooks: { onVerify: hook('onChunk'), advisory: ['onVerify'] } })
    expectSame(await readFile(target), content)
  })

  test('a TransferError of theirs is what it says', async () => {
    const engine = engineOf()
    const failure = await download(a, target, { engine, hooks: { onPlan: hook('denies') } }).catch(error => error)
    expect(failure).toBeInstanceOf(TransferError)
    expect(failure).toMatchObject({ code: 'Denied', message: 'not this one' })
  })

  test('an abort ends one that computes for ever', async () => {
    const engine = engineOf()
    const abort = new AbortController()
    const reason = new Error('stop')
    const stopping: Hooks = { onChunk: () => void setTimeout(() => abort.abort(reason), 300) }
    const hooks = [stopping, { onChunk: hook('hangs'), timeoutMs: Number.POSITIVE_INFINITY }]
    await expect(download(a, target, { engine, partSize, hooks, signal: abort.signal })).rejects.toBe(reason)
    await expectFree(engine)
  })
})

describe('a pass in a thread', () => {
  test('makes of the bytes what a function would', async () => {
    const engine = engineOf()
    await download(a, target, { engine, partSize, hooks: { transform: hook('inverted') } })
    expectSame(
      await readFile(target),
      content.map(byte => 255 - byte),
    )
    expectSame(await readAll(a, { engine, partSize, hooks: { transform: hook('same') } }), content)
    expect([...(await readAll(a, { engine, partSize, hooks: { transform: hook('small') } }))]).toEqual([
      0, 0, 0, 0, 0, 0, 9,
    ])
    expectSame(await readAll(a, { engine, partSize, hooks: { transform: hook('head') } }), content.subarray(0, 10))
    await expectFree(engine)
  })

  test('stands behind others, and beside other hooks in threads, also when there is one thread', async () => {
    const engine = engineOf()
    const hooks: Hooks[] = [
      { transform: hook('inverted'), onChunk: hook('onChunk') },
      { transform: bytes => bytes },
      { transform: hook('inverted') },
    ]
    const uris = Array.from({ length: 6 }, () => a)
    const entries = uris.map((uri, index) => ({ index, uris: [uri], path: `f${index}`, checksums: [] }))
    const out = join(directory, 'out')
    for await (const item of downloadAll(entries, { directory: out, engine, partSize, hooks })) {
      if (!item.ok) throw item.error
      expectSame(await readFile(item.result.path), content)
    }
    expect(await logged()).toHaveLength(6 * 7)
    await expectFree(engine)
  })

  test.each([
    ['throwsLate', 'failed: at the end'],
    ['fails', 'failed: no good'],
    ['exitsLate', 'its thread ended with exit code 4'],
    ['hangsLate', 'did not answer within 0.5 s'],
    ['missing', 'exports no function missing'],
    ['nothing', 'must give an async iterable of bytes'],
    ['text', 'must give pieces of bytes (Uint8Array), it gave a string'],
  ])('that %s fails the item, by hook, module and export', async (name, message) => {
    const engine = engineOf()
    const hooks: Hooks = { transform: hook(name), timeoutMs: name === 'hangsLate' ? 500 : 60_000 }
    const failure = await download(a, target, { engine, partSize, hooks }).catch(error => error)
    expect(failure).toMatchObject({ code: 'HookFailed' })
    expect(failure.message).toContain(`The hook transform (${name} of ${pathToFileURL(module).href})`)
    expect(failure.message).toContain(message)
    expect(await visible()).toEqual([])
    await expectFree(engine)
  })

  test('may clean up when the fetch fails', async () => {
    const engine = engineOf({
      onRequest: async ({ range }: { readonly range: { readonly start: number } | undefined }) => {
        if ((range?.start ?? 0) < 3 * partSize) return
        // One that has not begun has nothing to clean up.
        await vi.waitUntil(() => existsSync(join(directory, 'log')), { timeout: 20_000 })
        throw new TransferError('Denied', 'no more')
      },
    })
    const fetching = download(a, target, { engine, partSize, hooks: { transform: hook('cleans') } })
    await expect(fetching).rejects.toMatchObject({ code: 'Denied' })
    expect(await logged()).toEqual(['began', 'cleaned'])
    await expectFree(engine)
  })

  test('is ended by an abort, and so is one that waits for a thread', async () => {
    const engine = engineOf()
    const abort = new AbortController()
    const reason = new Error('stop')
    const hooks: Hooks = { transform: hook('hangsLate'), timeoutMs: Number.POSITIVE_INFINITY }
    const options = { engine, partSize, hooks, signal: abort.signal }
    const both = [download(a, target, options), download(a, `${target}2`, options)]
    const settled = Promise.allSettled(both)
    await later(300)
    abort.abort(reason)
    expect(await settled).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    await expectFree(engine)
  })
})
