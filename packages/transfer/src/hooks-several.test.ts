/** Several objects of hooks, and objects that are made for one call. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { download } from './download.ts'
import { downloadAll } from './download-all.ts'
import { TransferError } from './errors.ts'
import { ActiveHooks } from './hooks/active-hooks.ts'
import type { FileEntry, FileVerdict, HookArguments, Hooks } from './hooks.ts'
import { readAll } from './iterate.ts'

const a = 'memory:/a'
const content = contentOf(100_000)

let directory: string
let target: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-several-'))
  target = join(directory, 'target')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

function active(...objects: Hooks[]): ActiveHooks {
  const { engine } = memoryEngine({})
  return new ActiveHooks(objects, objects, engine)
}

describe('several objects of hooks', () => {
  test('are called in their order, each with its own `this`', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const calls: string[] = []
    class Named implements Hooks {
      readonly name: string
      constructor(name: string) {
        this.name = name
      }
      async onVerify() {
        await new Promise(resolve => setImmediate(resolve))
        calls.push(this.name)
      }
    }
    await download(a, target, {
      engine,
      hooks: [new Named('one'), new Named('two'), { onVerify: () => void calls.push('three') }],
    })
    expect(calls).toEqual(['one', 'two', 'three'])
  })

  test('the first failure ends an observer’s turn, and says whose it was', async () => {
    const { engine } = memoryEngine({ [a]: content })
    class Picky implements Hooks {
      onVerify() {
        throw new Error('no good')
      }
    }
    let isReached = false
    const hooks: Hooks[] = [{}, new Picky(), { onVerify: () => void (isReached = true) }]
    const failure = await download(a, target, { engine, hooks }).catch(error => error)
    expect(failure).toMatchObject({ code: 'HookFailed', message: 'The hook onVerify of Picky failed: no good' })
    expect(isReached).toBe(false)
    const plain: Hooks[] = [{}, { onVerify: () => Promise.reject(new Error('no good')) }]
    await expect(download(a, target, { engine, hooks: plain })).rejects.toThrow('onVerify of hooks[1] failed')
  })

  test('an object’s advisory hooks are its own', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const fail = () => {
      throw new Error('no good')
    }
    let calls = 0
    const quiet: Hooks = { onVerify: fail, advisory: ['onVerify'] }
    await download(a, target, { engine, hooks: [quiet, { onVerify: () => void calls++ }] })
    expect(calls).toBe(1)
    await expect(download(a, `${target}2`, { engine, hooks: [quiet, { onVerify: fail }] })).rejects.toMatchObject({
      code: 'HookFailed',
    })
  })

  test('ends are told to all, whoever fails', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const told: string[] = []
    const hooks = ['one', 'two'].map(
      (name): Hooks => ({
        onFileDone: () => Promise.reject(new Error(`${name} file`)),
        onDone() {
          told.push(name)
          throw new Error(`${name} end`)
        },
      }),
    )
    await expect(download(a, target, { engine, hooks })).rejects.toThrow('one file')
    expect(told).toEqual(['one', 'two'])
  })

  test('of `onFile` a skip is final, renames compose, and the first priority holds', async () => {
    const entry: FileEntry = { uri: a, path: 'a', size: 1 }
    const seen: (string | undefined)[] = []
    const saying = (...verdicts: (FileVerdict | undefined)[]) =>
      active(
        ...verdicts.map(
          (verdict): Hooks => ({
            onFile({ path }) {
              seen.push(path)
              return verdict
            },
          }),
        ),
      ).askFile(entry, undefined)
    expect(await saying(undefined, 'keep')).toBeUndefined()
    expect(await saying({ rename: 'b' }, { rename: 'c', priority: 2 }, { priority: 3 })).toEqual({
      path: 'c',
      priority: 2,
    })
    expect(seen.slice(2)).toEqual(['a', 'b', 'c'])
    expect(await saying({ rename: 'b' }, 'skip', { rename: 'c' })).toBe('skip')
    expect(seen.slice(5)).toEqual(['a', 'b'])
  })

  test('of `onRetry` any false vetoes', async () => {
    const argument = { uri: a, file: undefined, error: new TransferError('Network', 'cut'), attempt: 1, delayMs: 0 }
    const saying = (...given: (boolean | undefined)[]) =>
      active(...given.map((one): Hooks => ({ onRetry: () => one }))).allowsRetry(argument, undefined)
    expect(await saying(undefined, true)).toBe(true)
    expect(await saying(true, false, true)).toBe(false)
    expect(await active({}).allowsRetry(argument, undefined)).toBe(true)
  })

  test('`resolve` is handed on, and only what is redacted is seen', async () => {
    const seen: string[] = []
    const note = (answer: string | undefined): Hooks => ({
      resolve(uri) {
        seen.push(uri)
        return answer
      },
    })
    const hooks = active(note(undefined), note('https://h/b?sig=secret'), note('https://h/b?sig=***'))
    expect(await hooks.resolve('https://me:secret@h/a', undefined)).toBe('https://h/b?sig=secret')
    expect(seen).toEqual(['https://h/a', 'https://h/a', 'https://h/b?sig=***'])
  })

  test('of `credentials` the first to name a header decides it', async () => {
    const request: HookArguments['credentials'] = { origin: 'https://h:443', isRefresh: false }
    const hooks = active(
      { credentials: () => undefined },
      { credentials: () => ({ Authorization: 'one' }) },
      { credentials: () => ({ authorization: 'two', 'X-Key': 'key' }) },
    )
    expect(await hooks.credentials(request)).toEqual({ Authorization: 'one', 'X-Key': 'key' })
    expect(await active({ credentials: () => undefined }).credentials(request)).toBeUndefined()
  })

  test('`transform`s stand one behind the other', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const adding = (n: number): Hooks => ({
      async *transform(bytes) {
        for await (const piece of bytes) yield piece.map(byte => byte * 2 + n)
      },
    })
    const bytes = await readAll(a, { engine, partSize: 4096, hooks: [adding(1), adding(0)] })
    expectSame(
      bytes,
      content.map(byte => (byte * 2 + 1) * 2),
    )
  })

  test('one that wants its chunks in order is enough', async () => {
    const { engine } = memoryEngine(
      { [a]: content },
      { onRequest: () => new Promise(go => setTimeout(go, Math.random() * 5)) },
    )
    const offsets: number[] = []
    const hooks: Hooks[] = [
      { onChunk: ({ offset }) => void offsets.push(offset) },
      { onChunk() {}, chunkOrder: 'ascending' },
    ]
    await download(a, target, { engine, partSize: 8192, hooks })
    expect(offsets).toEqual(offsets.toSorted((x, y) => x - y))
  })
})

describe('what makes hooks', () => {
  const lives: string[] = []
  class Living implements Hooks {
    readonly #seen: string[] = []
    constructor() {
      lives.push('made')
    }
    onFileDone({ uri }: { readonly uri: string }) {
      this.#seen.push(uri)
    }
    async [Symbol.asyncDispose]() {
      lives.push(`closed after ${this.#seen.length}`)
    }
  }
  beforeEach(() => void lives.splice(0))

  test('a class makes one object for a call, and it is closed at the end', async () => {
    const { engine } = memoryEngine({ 'memory:/a': content, 'memory:/b': content })
    const run = downloadAll(['memory:/a', 'memory:/b'], { directory, engine, hooks: Living })
    for await (const { ok } of run) expect(ok).toBe(true)
    await run.summary
    expect(lives).toEqual(['made', 'closed after 2'])
  })

  test('it is closed after a failure, after an abort, and when the consumer leaves', async () => {
    const { engine } = memoryEngine({ [a]: content })
    await expect(download('memory:/none', target, { engine, hooks: Living })).rejects.toMatchObject({
      code: 'NotFound',
    })
    expect(lives.splice(0)).toEqual(['made', 'closed after 1'])
    const reason = new Error('stop')
    const abort = new AbortController()
    const stopping: Hooks = { onResource: () => abort.abort(reason) }
    await expect(download(a, target, { engine, hooks: [Living, stopping], signal: abort.signal })).rejects.toBe(reason)
    expect(lives.splice(0)).toEqual(['made', 'closed after 1'])
    for await (const _ of downloadAll([a, a, a], { directory, engine, hooks: Living })) break
    expect(lives).toEqual(['made', expect.stringMatching(/^closed/)])
  })

  test('a function makes one too, `close` will do, and the last that was made is closed first', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const make = (name: string) => async (): Promise<Hooks> => ({ close: () => void lives.push(name) })
    await download(a, target, { engine, hooks: [make('one'), make('two')] })
    expect(lives).toEqual(['two', 'one'])
  })

  test('an object of the caller’s is the caller’s to close', async () => {
    const { engine } = memoryEngine({ [a]: content })
    await download(a, target, { engine, hooks: new Living() })
    expect(lives).toEqual(['made'])
  })

  test('what cannot be made, or is no object of hooks, begins nothing and closes what was made before', async () => {
    const { engine, requests } = memoryEngine({ [a]: content })
    class Broken {
      constructor() {
        throw new Error('no database')
      }
    }
    const broken = await download(a, target, { engine, hooks: [Living, Broken] }).catch(error => error)
    expect(broken).toMatchObject({ code: 'HookFailed', message: 'The hook object Broken failed: no database' })
    const wrong = download(a, target, { engine, hooks: [Living, () => ({ onChunks() {} }) as Hooks] })
    await expect(wrong).rejects.toMatchObject({ code: 'Usage' })
    expect(lives).toEqual(['made', 'closed after 0', 'made', 'closed after 0'])
    expect(requests).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test('a failure to close fails the call, when all are closed', async () => {
    const { engine } = memoryEngine({ [a]: content })
    const failing = (): Hooks => ({ close: () => Promise.reject(new Error('disk full')) })
    const failure = await download(a, target, { engine, hooks: [Living, failing] }).catch(error => error)
    expect(failure).toMatchObject({ code: 'HookFailed', message: 'The hook close failed: disk full' })
    expect(lives.at(-1)).toMatch(/^closed/)
    expectSame(await readFile(target), content)
  })
})
