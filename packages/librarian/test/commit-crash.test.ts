/**
 * A process is stopped at every call it makes while it commits; another recovers; then every promise about visibility and
 * acknowledgement holds, and the client's second attempt has the end that the first would have had.
 */
import { describe, expect, test } from 'vitest'
import { sweep } from '../src/services/recovery/sweep.ts'
import type { MemoryContent } from '../src/stores/memory-content.ts'
import { type Acknowledged, checkInvariants } from './check-invariants.ts'
import { type Fall, type FallOptions, fallAt } from './fall.ts'
import { seeWorld } from './see-world.ts'
import { bytesOf, newGround, openWorld, type World, type WorldGround } from './world.ts'

const contents: readonly (readonly [string, MemoryContent])[] = [
  ['night/1.fits', bytesOf('a file')],
  [
    'night/2',
    new Map([
      ['a.txt', bytesOf('abc')],
      ['sub/b.txt', bytesOf('')],
      ['empty', null],
    ]),
  ],
]

const quickClock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  sleep: (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => setTimeout(() => (signal?.aborted ? reject(signal.reason) : resolve()), 1)),
}

interface Run {
  readonly ground: WorldGround
  readonly world: World
  readonly fall: Fall
  readonly acknowledged: Acknowledged[]
}

/** Announces and commits everything at once, until all is answered or the process is dead. */
async function run(options: FallOptions): Promise<Run> {
  const ground = await newGround()
  const fall = fallAt(options)
  const world = await openWorld({
    ground,
    clock: quickClock,
    wrapCatalogue: fall.wrapCatalogue,
    wrapStore: fall.wrapStore,
  })
  const acknowledged: Acknowledged[] = []
  const work = Promise.allSettled(
    contents.map(async ([name, content]) => {
      await world.upload(name, content)
      acknowledged.push({ name, content })
    }),
  )
  await Promise.race([work, fall.died])
  return { ground, world, fall, acknowledged }
}

async function recoverFrom({ ground, world }: Run, options?: FallOptions): Promise<{ world: World; fall: Fall }> {
  const fall = fallAt(options ?? { at: Infinity, how: 'kill', when: 'before' })
  const next = await openWorld({
    ground,
    clock: quickClock,
    dead: new Set([world.holder, ...((ground as { dead?: string[] }).dead ?? [])]),
    wrapCatalogue: fall.wrapCatalogue,
    wrapStore: fall.wrapStore,
  })
  await Promise.race([
    next.recovery.recover().then(async () => {
      for (const site of next.stores.all) await sweep(site, ground.catalogue)
    }),
    fall.died,
  ])
  return { world: next, fall }
}

async function uploadAgain(world: World, acknowledged: Acknowledged[]): Promise<void> {
  for (const [name, content] of contents) {
    try {
      await world.upload(name, content)
    } catch (error) {
      // It is kept already: what the first attempt asked for has happened.
      expect(error).toMatchObject({ code: 'FileExists' })
    }
    acknowledged.push({ name, content })
  }
}

async function countCalls(): Promise<number> {
  const { fall } = await run({ at: Infinity, how: 'kill', when: 'before' })
  return fall.calls()
}

describe.each(['before', 'after'] as const)('killed %s a call', when => {
  test('traps 5 and 7: whatever the call, recovery leaves no half, loses nothing acknowledged, and a second try converges', async () => {
    const calls = await countCalls()
    expect(calls).toBeGreaterThan(10)
    for (let at = 1; at <= calls; at += 1) {
      const first = await run({ at, how: 'kill', when })
      const { world } = await recoverFrom(first)
      const where = `${when} call ${at}, ${first.fall.fallen()}`
      expect(checkInvariants(await seeWorld(first.ground), first.acknowledged), where).toEqual([])
      await uploadAgain(world, first.acknowledged)
      for (const site of world.stores.all) await sweep(site, first.ground.catalogue)
      expect(checkInvariants(await seeWorld(first.ground), first.acknowledged), `${where}, again`).toEqual([])
    }
  })

  test('recovery that is killed itself is recovered by the next', async () => {
    const calls = await countCalls()
    for (let at = 1; at <= calls; at += 1) {
      for (let inRecovery = 1; ; inRecovery += 1) {
        const first = await run({ at, how: 'kill', when })
        const second = await recoverFrom(first, { at: inRecovery, how: 'kill', when })
        if (second.fall.fallen() === undefined) break
        Object.assign(first.ground, { dead: [second.world.holder] })
        await recoverFrom(first)
        const where = `call ${at} ${first.fall.fallen()}, then ${when} ${second.fall.fallen()} of recovery`
        expect(checkInvariants(await seeWorld(first.ground), first.acknowledged), where).toEqual([])
      }
    }
  })
})

describe.each(['before', 'after'] as const)('a call fails, %s it has had its effect', when => {
  test('the process goes on, tells its caller the truth, and brings itself to an end', async () => {
    const calls = await countCalls()
    for (let at = 1; at <= calls; at += 1) {
      const { ground, world, fall, acknowledged } = await run({ at, how: 'throw', when })
      await world.commits.close()
      await world.recovery.recover()
      for (const site of world.stores.all) await sweep(site, ground.catalogue)
      expect(checkInvariants(await seeWorld(ground), acknowledged), `${when} call ${at}, ${fall.fallen()}`).toEqual([])
      await world.recovery.close()
    }
  })
})
