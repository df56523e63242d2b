/**
 * Several processes on one catalogue and one store, random uploads, faults and kills from a printed seed; after recovery all
 * promises about visibility and acknowledgement hold.
 */
import { expect, test } from 'vitest'
import { sweep } from '../src/services/recovery/sweep.ts'
import type { MemoryContent } from '../src/stores/memory-content.ts'
import { type Acknowledged, checkInvariants } from './check-invariants.ts'
import { type Fall, fallAt } from './fall.ts'
import { seeWorld } from './see-world.ts'
import { ada, ben, bytesOf, newGround, openWorld, type World } from './world.ts'

const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 1e9))
const rounds = 40
/** Few, so that they meet; some lie in others. */
const names = ['a', 'a/b', 'a/b/c', 'x', 'y/z', 'y/z/1', 'y/z/2']

test(`random uploads by several processes that fail and die keep every promise (ARRIERO_SEED=${seed})`, async () => {
  const random = randomFrom(seed)
  for (let round = 0; round < rounds; round += 1) {
    const problems = await playRound(random)
    expect(problems, `round ${round} of seed ${seed}`).toEqual([])
  }
}, 60_000)

async function playRound(random: (below: number) => number): Promise<string[]> {
  const ground = await newGround()
  const acknowledged: Acknowledged[] = []
  const falls: Fall[] = []
  const worlds: World[] = []
  for (let count = 0; count < 3; count += 1) {
    const at = random(2) === 0 ? 1 + random(60) : Infinity
    const how = random(2) === 0 ? 'kill' : 'throw'
    const fall = fallAt({ at, how, when: random(2) === 0 ? 'before' : 'after' })
    falls.push(fall)
    const { wrapCatalogue, wrapStore } = fall
    worlds.push(await openWorld({ ground, clock: quickClock, wrapCatalogue, wrapStore }))
  }
  await Promise.all(worlds.map((world, index) => play(world, falls[index]!, random, acknowledged)))
  for (const world of worlds) await Promise.race([world.recovery.close(), falls[worlds.indexOf(world)]!.died])
  const dead = new Set(worlds.map(({ holder }) => holder))
  const last = await openWorld({ ground, clock: quickClock, dead })
  await last.recovery.recover()
  for (const site of last.stores.all) await sweep(site, ground.catalogue)
  return checkInvariants(await seeWorld(ground), acknowledged)
}

/** What one process is asked for, until it is all answered or the process is dead. */
async function play(
  world: World,
  fall: Fall,
  random: (below: number) => number,
  acknowledged: Acknowledged[],
): Promise<void> {
  const wanted = Array.from({ length: 6 }, () => ({
    name: names[random(names.length)]!,
    content: contentOf(random(3)),
    caller: random(2) === 0 ? ada : ben,
  }))
  const work = wanted.map(async ({ name, content, caller }) => {
    try {
      await world.upload(name, content, { caller })
      acknowledged.push({ name, content })
    } catch {
      // Refused, or failed: nothing was promised.
    }
  })
  await Promise.race([Promise.all(work), fall.died])
}

function contentOf(kind: number): MemoryContent {
  if (kind === 0) return bytesOf('one')
  if (kind === 1) return bytesOf('two')
  return new Map([['f', bytesOf('in a tree')]])
}

const quickClock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  sleep: (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => setTimeout(() => (signal?.aborted ? reject(signal.reason) : resolve()), 1)),
}

/** The same numbers for the same seed: xorshift32. */
function randomFrom(start: number): (below: number) => number {
  let state = start >>> 0 || 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}
