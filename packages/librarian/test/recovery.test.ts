/** Recovery beside other recoveries, and beside traffic: only what nobody works on is touched (reliability E2, 8.13). */
import { expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { fallAt } from './fall.ts'
import { bytesOf, newGround, openWorld, type World, type WorldGround } from './world.ts'

const COUNT = 20

/** A process that died with all its commits verified, and none of them published. */
async function leaveIntents(ground: WorldGround): Promise<string> {
  const fall = fallAt({ at: Number.POSITIVE_INFINITY, how: 'kill', when: 'before' })
  let isDead = false
  const never = new Promise<never>(() => undefined)
  const dying = await openWorld({
    ground,
    wrapCatalogue: fall.wrapCatalogue,
    wrapStore: store => new Proxy(store, { get: (target, key) => (key === 'publish' ? die : bound(target, key)) }),
  })
  const die = () => {
    isDead = true
    return never
  }
  for (let n = 0; n < COUNT; n++) void dying.upload(`left/${n}`, bytesOf(`left ${n}`))
  await expect.poll(() => isDead).toBe(true)
  await expect.poll(async () => (await ground.catalogue.intents.list()).length).toBeGreaterThan(0)
  return dying.holder
}

const bound = (target: object, key: PropertyKey) => {
  const value = Reflect.get(target, key)
  return typeof value === 'function' ? value.bind(target) : value
}

/** Notes which intents are taken over, and by how many. */
function noting(taken: string[]): (catalogue: Catalogue) => Catalogue {
  return catalogue => ({
    ...catalogue,
    intents: {
      ...catalogue.intents,
      takeOver: async args => {
        const intent = await catalogue.intents.takeOver(args)
        if (intent) taken.push(intent.id)
        return intent
      },
    },
  })
}

test.each(['in one process', 'in two'])('recoveries at once, %s: each intent is finished once, by one', async where => {
  const ground = await newGround()
  const dead = new Set([await leaveIntents(ground)])
  const left = (await ground.catalogue.intents.list()).map(({ id }) => id)
  const taken: string[] = []
  const wrapCatalogue = noting(taken)
  const one = await openWorld({ ground, dead, wrapCatalogue })
  const two = where === 'in two' ? await openWorld({ ground, dead, wrapCatalogue }) : one
  const reports = await Promise.all([one, two, one, two].map(world => world.recovery.recover()))
  expect(taken.toSorted()).toEqual(left.toSorted())
  expect(reports.reduce((sum, report) => sum + report.finished, 0)).toBe(left.length)
  expect(reports.reduce((sum, report) => sum + report.failed + report.undone, 0)).toBe(0)
  expect(await ground.catalogue.intents.list()).toEqual([])
  const { files, instances } = await ground.catalogue.instances.all()
  expect([files.length, instances.length]).toEqual([left.length, left.length])
})

test('recovery during traffic takes what a dead process left, and nothing of those who live', async () => {
  const ground = await newGround()
  const dead = new Set([await leaveIntents(ground)])
  const left = (await ground.catalogue.intents.list()).map(({ id }) => id)
  const taken: string[] = []
  const worlds = await Promise.all(
    Array.from({ length: 3 }, () =>
      openWorld({ ground, dead, wrapCatalogue: noting(taken), limits: { batchCount: 3 } }),
    ),
  )
  let isOver = false
  const recoverAll = async (world: World) => {
    while (!isOver) {
      await world.recovery.recover()
      // A catalogue in memory never leaves the loop's turn by itself.
      await new Promise(setImmediate)
    }
  }
  const recoveries = worlds.map(recoverAll)
  const uploads = worlds.flatMap((world, who) =>
    Array.from({ length: COUNT }, (_, n) => world.upload(`live/${who}/${n}`, bytesOf(`${who} ${n}`))),
  )
  const ends = await Promise.allSettled(uploads)
  isOver = true
  await Promise.all(recoveries)
  expect(ends.filter(({ status }) => status === 'rejected')).toEqual([])
  expect(taken.toSorted()).toEqual(left.toSorted())
  expect(await ground.catalogue.intents.list()).toEqual([])
})
