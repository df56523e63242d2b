/**
 * What every method must do (contract in src/method.ts). A method's own tests call `describeMethod` with a factory.
 */
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Method, MethodItem, MethodStanding, MethodState } from '../src/method.ts'
import { testData } from './data.ts'

export interface MethodSubject extends AsyncDisposable {
  readonly method: Method
  /** As another process has it. */
  open(): Method
  /** As a receiver offers it. */
  readonly offered: MethodState
  /** As one that it cannot be used for is offered. */
  readonly unusable: MethodState
  /** Directory of the sender. */
  readonly sources: string
  /** Path of a name in the receiver's place, as the receiver says it. */
  target(name: string): string
  /** Where it arrives on this machine. */
  arrived(name: string): string
  /** Work is done elsewhere, and waits while it is held. Undefined: the call that begins it does it. */
  readonly hold?: ((isHeld: boolean) => void) | undefined
  /** So slow that a batch of megabytes can be broken off. Default: the method. */
  readonly slow?: Method | undefined
}

/** Names that some tool or other takes for something else. */
export const awkwardNames = [
  'plain.g3',
  'with blank',
  ' leading and trailing ',
  'quo"te\'s',
  '-rf',
  '--delete',
  '#comment',
  ';comment',
  'new\nline',
  'tab\tand\rreturn',
  '$(touch hacked) `id` $HOME',
  'back\\slash',
  '*.[g3]?{a,b}',
  'ünïcode/日本語/🔭',
  'colon:and@at',
  'far:colon',
  '~',
  '%h%%p',
  'a/b/c/d/e/deep',
  '.hidden/.file',
  `long-${'x'.repeat(250)}`,
]

type Content = Readonly<Record<string, Uint8Array>>

export function describeMethod(name: string, { make }: { make(): Promise<MethodSubject> }): void {
  describe(name, () => {
    let subject: MethodSubject
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(() => subject[Symbol.asyncDispose]())

    async function putFile(path: string, content: Uint8Array): Promise<MethodItem> {
      const source = join(subject.sources, path)
      await mkdir(dirname(source), { recursive: true })
      await writeFile(source, content)
      return { source, target: subject.target(path), size: content.length, isTree: false }
    }

    async function putTree(path: string, content: Content): Promise<MethodItem> {
      const source = join(subject.sources, path)
      await mkdir(source, { recursive: true })
      for (const [member, bytes] of Object.entries(content)) {
        await mkdir(dirname(join(source, member)), { recursive: true })
        await writeFile(join(source, member), bytes)
      }
      const size = Object.values(content).reduce((sum, { length }) => sum + length, 0)
      return { source, target: subject.target(path), size, isTree: true }
    }

    const nameOf = ({ source }: MethodItem) => source.slice(subject.sources.length + 1)

    async function expectArrived(items: readonly MethodItem[]): Promise<void> {
      for (const item of items) {
        expect(await snapshot(subject.arrived(nameOf(item)))).toEqual(await snapshot(item.source))
      }
    }

    async function begin(items: readonly MethodItem[], method = subject.method): Promise<MethodState> {
      // What comes back is kept as JSON, by whoever asks after it.
      return JSON.parse(JSON.stringify(await method.transfer(items, { state: subject.offered })))
    }

    test('it brings files and trees of awkward names, and says so to another process', async () => {
      const items = [
        ...(await Promise.all(awkwardNames.map((path, at) => putFile(path, testData(at * 1000))))),
        await putFile('large', testData(3 * 2 ** 20 + 1)),
        await putTree('a tree', {
          'one\ntwo': testData(10),
          '-x/ y /"z"': testData(70_000),
          empty: testData(0),
          '.arriero-other': testData(3),
        }),
        await putTree('-empty tree', {}),
      ]
      await mkdir(join(subject.sources, 'a tree', 'no files', 'here'), { recursive: true })
      const state = await begin(items)
      expect(state.transfer_attempted).toBe(true)
      expect(await settled(subject.open(), state)).toEqual({ status: 'complete' })
      await expectArrived(items)
      const details = await subject.open().details(state)
      expect(details).toMatchObject({ taskId: expect.stringMatching(/./), bytes: expect.any(Number) })
      expect(details!.duration).toBeCloseTo((Date.parse(details!.endTime) - Date.parse(details!.startTime)) / 1000, 3)
      expect(Math.abs(Date.parse(details!.endTime) - Date.now())).toBeLessThan(60_000)
    })

    test('it brings names that nobody thought of', async () => {
      const character = fc.oneof(
        fc.constantFrom(...' "\'$`\\*?[]{}()<>|&;#~!-=:,\n\t\r'),
        fc.string({ unit: 'grapheme', minLength: 1 }),
      )
      const segment = fc
        .array(character, { minLength: 1, maxLength: 12 })
        .map(parts => parts.join('').replace(/[/\0]/g, '_').toWellFormed())
        .filter(text => text !== '.' && text !== '..' && Buffer.byteLength(text) < 200)
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(segment, { minLength: 20, maxLength: 30 }), async names => {
          const items = await Promise.all(names.map((name, at) => putFile(`odd/${at}/${name}`, Buffer.from(name))))
          expect(await settled(subject.method, await begin(items))).toEqual({ status: 'complete' })
          await expectArrived(items)
          await rm(join(subject.sources, 'odd'), { recursive: true })
          await rm(subject.arrived('odd'), { recursive: true })
        }),
        { numRuns: 3 },
      )
    })

    test('what is there already is left alone', async () => {
      const items = [
        await putFile('file', testData(5000)),
        await putTree('tree', { a: testData(10), 'b/c': testData(20) }),
      ]
      expect(await settled(subject.method, await begin(items))).toEqual({ status: 'complete' })
      const before = await Promise.all(['file', 'tree/a', 'tree/b/c'].map(path => lstat(subject.arrived(path))))
      const more = await putFile('more', testData(7))
      expect(await settled(subject.method, await begin([...items, more]))).toEqual({ status: 'complete' })
      await expectArrived([...items, more])
      const after = await Promise.all(['file', 'tree/a', 'tree/b/c'].map(path => lstat(subject.arrived(path))))
      expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(before.map(({ ino, mtimeMs }) => [ino, mtimeMs]))
    })

    test('a batch that was broken off and is given again comes whole, and no file has its name before', async () => {
      const items = [
        ...(await Promise.all([1, 2, 3, 4, 5, 6].map(at => putFile(`part/${at}`, testData(4 * 2 ** 20 + at))))),
        await putTree('part/tree', Object.fromEntries([1, 2, 3, 4].map(at => [`m/${at}`, testData(2 ** 20)]))),
      ]
      await breakOff(subject, items)
      for (const item of items.filter(({ isTree }) => !isTree)) {
        const arrived = await readFile(subject.arrived(nameOf(item))).catch(() => undefined)
        if (arrived) expect(arrived.equals(await readFile(item.source))).toBe(true)
      }
      expect(await settled(subject.method, await begin(items))).toEqual({ status: 'complete' })
      await expectArrived(items)
    })

    test('a source that has vanished is a failure with its reason', async () => {
      const items = [await putFile('there', testData(10)), await putFile('gone', testData(10))]
      await rm(items[1]!.source)
      const state = await begin(items)
      const standing = await settled(subject.open(), state)
      expect(standing).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/no such file|FILE_NOT_FOUND/i),
      })
      expect(await subject.method.details(state)).toBeUndefined()
    })

    test('a target that cannot be written is a failure with its reason', async () => {
      await mkdir(dirname(subject.arrived('in the way')), { recursive: true })
      await writeFile(subject.arrived('in the way'), '')
      const item = await putFile('in the way of/it', testData(10))
      const state = await begin([{ ...item, target: subject.target('in the way/it') }])
      const standing = await settled(subject.open(), state)
      expect(standing).toMatchObject({ status: 'failed', reason: expect.stringMatching(/\w/) })
    })

    test('what was never begun is running, and may be cancelled', async () => {
      expect(await subject.method.status(subject.offered)).toEqual({ status: 'running' })
      await subject.method.cancel(subject.offered)
      expect(await subject.method.details(subject.offered)).toBeUndefined()
    })

    test('what has ended may be cancelled, and stays what it is', async () => {
      const state = await begin([await putFile('done', testData(10))])
      expect(await settled(subject.method, state)).toEqual({ status: 'complete' })
      await subject.method.cancel(state)
      await subject.method.cancel(state)
      expect(await subject.method.status(state)).toEqual({ status: 'complete' })
    })

    test('a call that is aborted before it began moves nothing', async () => {
      const item = await putFile('never', testData(10))
      const reason = new Error('enough')
      const given = { state: subject.offered, signal: AbortSignal.abort(reason) }
      await expect(subject.method.transfer([item], given)).rejects.toBe(reason)
      await expect(lstat(subject.arrived('never'))).rejects.toThrow('ENOENT')
    })

    test('it says why it cannot be used, and is not used then', async () => {
      const item = await putFile('file', testData(1))
      expect(subject.method.whyNot(subject.offered)).toBeUndefined()
      for (const state of [subject.unusable, {}]) {
        expect(subject.method.whyNot(state)).toMatch(/\w/)
        await expect(subject.method.transfer([item], { state })).rejects.toMatchObject({ code: 'Unsupported' })
      }
    })

    test.each(['relative/path', '/a/../b', '/a/./b', '/a//b', '/a/', '/a\0b'])(
      'it takes no path such as %j',
      async path => {
        const item = await putFile('file', testData(1))
        const state = subject.offered
        await expect(subject.method.transfer([{ ...item, target: path }], { state })).rejects.toMatchObject({
          code: 'Usage',
        })
        await expect(subject.method.transfer([], { state })).rejects.toMatchObject({ code: 'Usage' })
      },
    )
  })
}

/** When nothing changes any more. */
export async function settled(method: Method, state: MethodState): Promise<MethodStanding> {
  for (;;) {
    const standing = await method.status(state)
    if (standing.status === 'complete' || standing.status === 'failed') return standing
    await delay(10)
  }
}

async function breakOff({ method, slow = method, offered, hold }: MethodSubject, items: readonly MethodItem[]) {
  if (hold) {
    hold(true)
    const state = await method.transfer(items, { state: offered })
    expect(await method.status(state)).toEqual({ status: 'running' })
    await method.cancel(state)
    expect(await settled(method, state)).toMatchObject({ status: 'failed', reason: expect.stringMatching(/cancel/i) })
    return hold(false)
  }
  const breaking = new AbortController()
  const reason = new Error('the process ends')
  const onProgress = () => breaking.abort(reason)
  const broken = slow.transfer(items, { state: offered, signal: breaking.signal, onProgress })
  await expect(broken).rejects.toBe(reason)
}

/** Everything at and below a path: what it is, its mode for its owner, its bytes. */
async function snapshot(path: string): Promise<unknown> {
  const stats = await lstat(path)
  if (!stats.isDirectory()) return (await readFile(path)).toString('base64')
  const names = (await readdir(path)).sort()
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await snapshot(join(path, name))])))
}
