/** A catalogue and its copies at one store: one has it, whatever happens in between; on both databases (reliability B4). */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { createLife } from '../src/stores/life.ts'
import { suiteOfBoth } from './both-databases.ts'
import { LocalPlace } from './local-place.ts'
import { keeperOf } from './store-suite.ts'

await suiteOfBoth(suite)

function suite(label: string, openCatalogue: () => Promise<Catalogue>): void {
  describe(`${label}: lives of a catalogue`, () => {
    const keeper = keeperOf('ours')
    let place: LocalPlace
    let catalogue: Catalogue
    beforeEach(async () => {
      place = await LocalPlace.make()
      catalogue = await openCatalogue()
    })
    afterEach(async () => {
      await catalogue.close()
      await place[Symbol.asyncDispose]()
    })

    const lifeOf = (lives: Catalogue['lives'], more: Partial<typeof keeper> = {}) =>
      createLife({ lives, store: 1, keeper: { ...keeper, ...more } })
    const open = (lives: Catalogue['lives'], more: Partial<typeof keeper> = {}) =>
      place.open({ keeper: { ...keeper, ...more }, life: lifeOf(lives, more) })
    const markerPath = () => join(place.root, '.arriero', 'marker.json')
    const markerLife = async () => JSON.parse(await readFile(markerPath(), 'utf8')).keeper.life as string | undefined

    /** As its rows are now; nothing that happens to the other is known to it. */
    async function copyOf(lives: Catalogue['lives']): Promise<Catalogue['lives']> {
      const copy = await openMemoryCatalogue()
      for (const coming of await lives.known({ store: 1 })) await copy.lives.announce({ store: 1, coming })
      return copy.lives
    }

    test('a copy of what it was before its last start has no store, and the original goes on', async () => {
      const first = await open(catalogue.lives)
      expect(await first.state()).toMatchObject({ available: true })
      const copied = await copyOf(catalogue.lives)
      const again = await open(catalogue.lives)
      expect(await again.state()).toMatchObject({ available: true })
      const bytes = await readFile(markerPath(), 'utf8')

      const copy = await open(copied)
      expect(await copy.state()).toMatchObject({
        available: false,
        reason: expect.stringContaining(place.root),
        remedy: expect.stringContaining('--take-over-stores'),
        otherKeeper: { catalogue: keeper.catalogue },
      })
      await expect(copy.openStaging('6a9b1c0e-0f6a-4a27-9a4e-0f1d1f6f7a01', 'x')).rejects.toMatchObject({
        code: 'StoreUnavailable',
      })
      expect(await readFile(markerPath(), 'utf8')).toBe(bytes)
      for (const one of [first, again]) expect(await one.state()).toMatchObject({ available: true })

      expect(await copy.takeOver()).toMatchObject({ catalogue: keeper.catalogue })
      expect(await copy.state()).toMatchObject({ available: true })
      for (const one of [first, again]) {
        expect(await one.state()).toMatchObject({ available: false })
        await expect(one.appendTrail([])).rejects.toMatchObject({ code: 'StoreUnavailable' })
      }
    })

    test('of a catalogue that runs and a copy of its last state, one has the store after both have looked', async () => {
      const original = await open(catalogue.lives)
      await original.state()
      const copy = await open(await copyOf(catalogue.lives))
      for (let look = 0; look < 3; look++) {
        const states = [await original.state(), await copy.state(), await original.state()]
        expect(states.map(({ available }) => available)).toEqual([look === 0, true, false])
      }
    })

    test('of copies that start in one moment one remains', async () => {
      await (await open(catalogue.lives)).state()
      const all = [catalogue.lives]
      for (let n = 0; n < 5; n++) all.push(await copyOf(catalogue.lives))
      const stores = await Promise.all(all.map(lives => open(lives)))
      await Promise.all(stores.map(store => store.state()))
      const states = await Promise.all(stores.map(store => store.state()))
      expect(states.filter(({ available }) => available)).toHaveLength(1)
    })

    test('a crash before or after the marker is written loses no store', async () => {
      await (await open(catalogue.lives)).state()
      for (let crash = 0; crash < 50; crash++) {
        const life = await markerLife()
        // The catalogue has noted it, and no marker has it.
        await lifeOf(catalogue.lives).announce({ ...keeper, life: life! }, place.root)
        expect(await markerLife()).toBe(life)
      }
      const next = await open(catalogue.lives)
      const before = await markerLife()
      expect(await next.state()).toMatchObject({ available: true })
      expect(await markerLife()).not.toBe(before)
      expect(await (await open(catalogue.lives)).state()).toMatchObject({ available: true })
    })

    test('processes of one catalogue that start and end at random keep the store', async () => {
      const seed = Date.now()
      console.info(`seed ${seed}`)
      let state = seed % 2147483647
      const random = (below: number) => {
        state = (state * 48271) % 2147483647
        return state % below
      }
      const running = [await open(catalogue.lives), await open(catalogue.lives)]
      for (let step = 0; step < 30; step++) {
        const starts = Array.from({ length: 1 + random(3) }, async () => {
          running[random(running.length)] = await open(catalogue.lives)
        })
        const looks = running.map(store => store.state())
        await Promise.all(starts)
        const states = [...(await Promise.all(looks)), ...(await Promise.all(running.map(store => store.state())))]
        expect(states.filter(({ available }) => !available)).toEqual([])
      }
    })

    test('who only looks writes nothing, and is told what a server would be', async () => {
      await (await open(catalogue.lives)).state()
      const copied = await copyOf(catalogue.lives)
      await (await open(catalogue.lives)).state()
      const before = await readFile(markerPath(), 'utf8')
      const look = (lives: Catalogue['lives']) => place.open({ keeper, life: lifeOf(lives), mayClaim: false })
      expect(await (await look(catalogue.lives)).state()).toMatchObject({ available: true })
      expect(await (await look(copied)).state()).toMatchObject({ available: false })
      expect(await readFile(markerPath(), 'utf8')).toBe(before)
    })

    test('a copy of the very last state is told by the original file, as long as that is there', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'arriero-lives-'))
      try {
        const [one, two] = [join(folder, 'one'), join(folder, 'two')]
        for (const path of [one, two]) await writeFile(path, '')
        const original = await open(catalogue.lives, { place: one })
        expect(await original.state()).toMatchObject({ available: true })
        const copied = await copyOf(catalogue.lives)
        const copy = await open(copied, { place: two })
        expect(await copy.state()).toMatchObject({ available: false, reason: expect.stringContaining(one) })
        expect(await original.state()).toMatchObject({ available: true })
        await rm(one)
        expect(await copy.state()).toMatchObject({ available: true })
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    test('a catalogue that does not answer leaves a store with a strange life alone, until it answers', async () => {
      let isAway = false
      const running = await open({
        ...catalogue.lives,
        known: async args => {
          if (isAway) throw new Error('away')
          return await catalogue.lives.known(args)
        },
      })
      expect(await running.state()).toMatchObject({ available: true })
      await (await open(catalogue.lives)).state()
      isAway = true
      expect(await running.state()).toMatchObject({ available: false, reason: expect.stringContaining('away') })
      isAway = false
      expect(await running.state()).toMatchObject({ available: true })
    })

    test('a look in the running process asks nobody', async () => {
      let asked = 0
      const store = await open({
        ...catalogue.lives,
        known: async args => {
          asked++
          return await catalogue.lives.known(args)
        },
      })
      await store.state()
      const before = asked
      for (let look = 0; look < 20; look++) await store.appendTrail([])
      expect(asked).toBe(before)
    })
  })
}
