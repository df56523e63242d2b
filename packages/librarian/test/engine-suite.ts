/** What every task engine must do. Each calls it with a way to open one, and to start processes that work beside it. */
import { describe, expect, test } from 'vitest'
import type { Handler, Poison, QueueOptions, TaskEngine } from '../src/engine/engine.ts'
import type { SourceProcess } from './source-process.ts'

export interface EngineGround {
  /** An engine of this process; several are like several processes. */
  open(options?: { readonly onPoison?: (poison: Poison) => void }): TaskEngine
  /** A process of its own (`programs/engine-worker.ts`); undefined where one process has all. */
  readonly start: (() => SourceProcess) | undefined
  /** The database's clock is put so many seconds ahead, or back: what is stored then is from another time. */
  shiftClock(seconds: number): Promise<void>
  /** How many pieces are stored, waiting or not. */
  count(): Promise<number>
  end(): Promise<void>
}

const patience = { timeout: 60_000, interval: 20 }
const queue = 'suite'

export function engineSuite(name: string, ground: () => Promise<EngineGround>): void {
  describe(`${name}: pieces`, () => pieces(ground))
  describe(`${name}: processes`, () => processes(ground))
}

/** An engine at work, with what it was asked to do so far. */
async function worker(on: EngineGround, handler: Handler = async () => undefined, options: QueueOptions = {}) {
  const engine = on.open()
  const begun: string[] = []
  const ended: string[] = []
  const stop = new AbortController()
  await engine.handle(
    queue,
    async (key, context) => {
      begun.push(key)
      const again = await handler(key, context)
      ended.push(key)
      return again
    },
    options,
  )
  const start = () => {
    const working = engine.work(stop.signal)
    return async () => {
      stop.abort(new Error('The test ends it'))
      await working
      await engine[Symbol.asyncDispose]()
    }
  }
  return { engine, begun, ended, start }
}

/** Handlers that go on until they are let go. */
function gate() {
  const waiting = new Map<string, () => void>()
  const handler: Handler = (key, { signal }) =>
    new Promise((resolve, reject) => {
      waiting.set(key, () => resolve(undefined))
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const open = (key: string) => {
    waiting.get(key)?.()
    waiting.delete(key)
  }
  return { handler, open }
}

function pieces(ground: () => Promise<EngineGround>): void {
  test('what is wanted twenty times before it begins is done once, and nothing of it is left', async () => {
    await using on = disposable(await ground())
    const { engine, begun, start } = await worker(on)
    await Promise.all(Array.from({ length: 20 }, () => engine.want(queue, 'a')))
    await engine.want(queue, 'a', { inMs: 3_600_000 })
    const stop = start()
    await expect.poll(() => begun.length, patience).toBe(1)
    await expect.poll(() => on.count(), patience).toBe(0)
    await stop()
    expect(begun).toEqual(['a'])
  }, 90_000)

  test('what is wanted while it runs runs once more afterwards, and never beside itself', async () => {
    await using on = disposable(await ground())
    const { handler, open } = gate()
    const { engine, begun, ended, start } = await worker(on, handler, { atOnce: 3 })
    const stop = start()
    await engine.want(queue, 'a')
    await expect.poll(() => begun.length, patience).toBe(1)
    await Promise.all(Array.from({ length: 5 }, () => engine.want(queue, 'a')))
    await engine.want(queue, 'b')
    await expect.poll(() => begun, patience).toEqual(['a', 'b'])
    open('a')
    await expect.poll(() => begun, patience).toEqual(['a', 'b', 'a'])
    open('a')
    open('b')
    await expect.poll(() => on.count(), patience).toBe(0)
    expect(ended).toHaveLength(3)
    await stop()
  }, 90_000)

  test('greater priorities go first, and what is wanted later does not go before its time', async () => {
    await using on = disposable(await ground())
    const { engine, begun, start } = await worker(on)
    await engine.want(queue, 'late', { inMs: 1500, priority: 9 })
    await engine.want(queue, 'low')
    await engine.want(queue, 'high', { priority: 5 })
    await engine.want(queue, 'raised')
    await engine.want(queue, 'raised', { priority: 7 })
    const wanted = performance.now()
    const stop = start()
    await expect.poll(() => begun, patience).toEqual(['raised', 'high', 'low', 'late'])
    expect(performance.now() - wanted).toBeGreaterThan(1000)
    await stop()
  }, 90_000)

  test('what is wanted at once does not wait for the time that was wanted before', async () => {
    await using on = disposable(await ground())
    const { engine, begun, start } = await worker(on)
    await engine.want(queue, 'a', { inMs: 3_600_000 })
    const stop = start()
    await engine.want(queue, 'a')
    await expect.poll(() => begun, patience).toEqual(['a'])
    await stop()
  }, 90_000)

  test('a piece that asks for it is done again', async () => {
    await using on = disposable(await ground())
    const { engine, begun, start } = await worker(on, async () => (begun.length < 3 ? { againInMs: 20 } : undefined))
    await engine.want(queue, 'a')
    const stop = start()
    await expect.poll(() => begun.length, patience).toBe(3)
    await expect.poll(() => on.count(), patience).toBe(0)
    await stop()
  }, 90_000)

  test('a piece that fails is tried again later, and holds up no other', async () => {
    await using on = disposable(await ground())
    const { engine, begun, start } = await worker(on, async key => {
      if (key === 'bad' && begun.filter(one => one === 'bad').length < 3) throw new Error('it fails')
      return undefined
    })
    const stop = start()
    await engine.want(queue, 'bad')
    await expect.poll(() => begun.length, patience).toBe(1)
    await engine.want(queue, 'good')
    await expect.poll(() => begun.slice(0, 2), patience).toEqual(['bad', 'good'])
    await expect.poll(() => begun, patience).toEqual(['bad', 'good', 'bad', 'bad'])
    await expect.poll(() => on.count(), patience).toBe(0)
    await stop()
  }, 90_000)

  test('a stop aborts what runs, waits for it, and leaves it to the next one', async () => {
    await using on = disposable(await ground())
    const first = await worker(on, gate().handler)
    await first.engine.want(queue, 'a')
    const stop = first.start()
    await expect.poll(() => first.begun, patience).toEqual(['a'])
    await stop()
    expect(first.ended).toEqual([])
    const second = await worker(on)
    const stopSecond = second.start()
    await expect.poll(() => second.ended, patience).toEqual(['a'])
    await stopSecond()
  }, 90_000)

  test('while a bound of all processes is reached, no engine takes more of the queue', async () => {
    await using on = disposable(await ground())
    const { handler, open } = gate()
    const bound = { atOnce: 2, atOnceEverywhere: 1 }
    let others = 0
    const two = [await worker(on, handler, bound), await worker(on, handler, bound)]
    for (const { engine } of two) {
      await engine.handle('other', async () => {
        others++
        return undefined
      })
    }
    const begun = () => two.flatMap(one => one.begun)
    const ended = () => two.flatMap(one => one.ended)
    await two[0]!.engine.want(queue, 'a')
    const stops = two.map(one => one.start())
    await expect.poll(begun, patience).toEqual(['a'])
    await two[0]!.engine.want(queue, 'b')
    // What is wanted of another queue shows that they have looked.
    for (const { engine } of two) await engine.want('other', 'c')
    await expect.poll(() => others, patience).not.toBe(0)
    expect(begun()).toEqual(['a'])
    open('a')
    await expect.poll(begun, patience).toHaveLength(2)
    expect(ended()).toEqual(['a'])
    open('b')
    await expect.poll(ended, patience).toEqual(['a', 'b'])
    await Promise.all(stops.map(stop => stop()))
  }, 90_000)

  test.each([
    ['back', -3 * 365 * 86_400],
    ['ahead', 3 * 365 * 86_400],
  ])(
    'a clock that is put %s three years leaves nothing waiting',
    async (_, seconds) => {
      await using on = disposable(await ground())
      const { engine, begun, start } = await worker(on)
      await engine.want(queue, 'a')
      await engine.want(queue, 'b', { inMs: 1000 })
      await on.shiftClock(seconds)
      const stop = start()
      await expect.poll(() => begun.toSorted(), { ...patience, timeout: 80_000 }).toEqual(['a', 'b'])
      await stop()
    },
    90_000,
  )
}

function processes(ground: () => Promise<EngineGround>): void {
  test('a piece of a process that is killed is done by another one within its heartbeat', async context => {
    await using on = disposable(await ground())
    if (!on.start) return context.skip('it has one process')
    const engine = on.open()
    await engine.handle(queue, async () => undefined)
    await engine.want(queue, 'hang')
    const first = on.start()
    await first.printed(2)
    const second = on.start()
    await second.printed(1)
    first.child.kill('SIGKILL')
    const killed = performance.now()
    await second.printed(2)
    expect(second.lines).toEqual(['ready', 'begins hang'])
    // Of 20 s, on a machine that is busy.
    expect(performance.now() - killed).toBeLessThan(30_000)
    await end(second)
    await engine[Symbol.asyncDispose]()
  }, 120_000)

  test('a process that wakes after its piece went to another one ends it, and changes nothing', async context => {
    await using on = disposable(await ground())
    if (!on.start) return context.skip('it has one process')
    const engine = on.open()
    await engine.handle(queue, async () => undefined)
    await engine.want(queue, 'hang')
    const stale = on.start()
    await stale.printed(2)
    stale.child.kill('SIGSTOP')
    const second = on.start()
    await second.printed(2)
    stale.child.kill('SIGCONT')
    await stale.printed(3)
    expect(stale.lines).toEqual(['ready', 'begins hang', 'aborted hang'])
    expect(second.lines).toEqual(['ready', 'begins hang'])
    expect(await on.count()).toBe(1)
    await Promise.all([end(stale), end(second)])
    await engine[Symbol.asyncDispose]()
  }, 120_000)

  test('of 20 engines that race each piece goes to one', async () => {
    await using on = disposable(await ground())
    const all = await Promise.all(Array.from({ length: 20 }, () => worker(on)))
    const keys = Array.from({ length: 60 }, (_, n) => `piece ${n}`)
    await Promise.all(keys.map(key => all[0]!.engine.want(queue, key)))
    const stops = all.map(one => one.start())
    await expect.poll(() => all.flatMap(one => one.ended).length, patience).toBeGreaterThanOrEqual(keys.length)
    await expect.poll(() => on.count(), patience).toBe(0)
    await Promise.all(stops.map(stop => stop()))
    expect(all.flatMap(one => one.begun).toSorted()).toEqual(keys.toSorted())
  }, 120_000)
}

async function end(process: SourceProcess): Promise<void> {
  process.child.kill('SIGTERM')
  expect(await process.exited).toBe(0)
}

function disposable<G extends EngineGround>(ground: G): G & AsyncDisposable {
  return Object.assign(ground, { [Symbol.asyncDispose]: () => ground.end() })
}
