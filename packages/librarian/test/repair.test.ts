/** Repair of bad copies, over a catalogue and stores in memory (reliability B5; traps 3, 9). */
import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { rebuild } from '../src/services/recovery/rebuild.ts'
import { replay } from '../src/services/recovery/replay.ts'
import type { Upstream } from '../src/services/repair/upstream.ts'
import type { MemoryStore } from '../src/stores/memory.ts'
import type { MemoryContent } from '../src/stores/memory-content.ts'
import { fallAt } from './fall.ts'
import { catalogueOf, keep, memoryGround, openIntegrity } from './open-integrity.ts'
import { bytesOf } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })
const tree = (second: string): MemoryContent =>
  new Map([
    ['a.txt', bytesOf('first')],
    ['empty', null],
    ['sub/b.txt', bytesOf(second)],
  ])

async function contentOf(store: MemoryStore, name: string, member?: string): Promise<string> {
  await using open = await store.open(name, member)
  return Buffer.concat(await Array.fromAsync(open.read(0, open.size))).toString()
}

async function quarantineOf(store: MemoryStore): Promise<string[]> {
  const removed = await Array.fromAsync(store.removed())
  return removed.flatMap(({ id, place }) => (place === 'quarantine' ? [id] : []))
}

async function bothHave(content: MemoryContent = bytesOf('good')) {
  const ground = await memoryGround()
  await keep(ground, 'a', content)
  return { ...ground, main: ground.stores[0]!, second: ground.stores[1]!, site: openIntegrity(ground) }
}

test('B5: damaged, missing and unreadable copies get the good bytes; the bad ones are kept', async () => {
  for (const [harm, state] of [
    [(store: MemoryStore) => store.damage('a', bytesOf('evil')), 'mismatch'],
    [(store: MemoryStore) => store.lose('a'), 'missing'],
    [(store: MemoryStore) => store.makeUnreadable('a'), 'unreadable'],
  ] as const) {
    const { main, site, catalogue } = await bothHave()
    harm(main)
    const [first, second] = await site.repair.repairFile('a', { actor: 'ada' })
    expect(first).toMatchObject({ state, outcome: 'repaired', source: 'store second' })
    expect(second).toMatchObject({ outcome: 'good' })
    expect(await contentOf(main, 'a')).toBe('good')
    expect(await site.statesOf('a')).toEqual(['ok', 'ok'])
    expect(await catalogue.instances.corrupt()).toEqual([])
    expect(await quarantineOf(main)).toEqual(state === 'mismatch' ? [first!.quarantineId] : [])
    const [entry] = await catalogue.audit.list({})
    expect(entry).toMatchObject({ actor: 'ada', action: 'repair', subject: 'a' })
    expect(JSON.parse(entry!.detail)).toMatchObject({ found: state, source: 'store second', outcome: 'done' })
  }
})

test('G1: a catalogue that is made again knows what lies in the quarantine, whose it was, since when, and why', async () => {
  const { main, site, stores } = await bothHave()
  main.damage('a', bytesOf('evil'))
  const [repaired] = await site.repair.repairFile('a', { actor: 'ada' })
  const id = repaired!.quarantineId!
  const before = await site.catalogue.repairs.get({ id })
  const catalogue = await catalogueOf(['main', 'second'])
  const report = await rebuild({ catalogue, stores: site.stores, clock: systemClock, directories: 'none' })
  expect(report.problems).toEqual([])
  const { state, path, file_name, found, source, actor, started, sha256 } = before!
  const same = { state, path, file_name, found, source, actor, started, sha256, store_id: 1 }
  expect(await catalogue.repairs.get({ id })).toMatchObject({ ...same, ended: started, holder: '' })
  // It is purged as all others, where every copy is read and good.
  const later = openIntegrity({ catalogue, stores, keepSeconds: -1 })
  expect(await later.repair.purgeDue(later.run)).toEqual({ purged: 1, kept: 0 })
  expect(await quarantineOf(main)).toEqual([])
})

test('a restored catalogue learns of it too; of what no trail tells, it is told', async () => {
  const { main, site } = await bothHave()
  const backup = await catalogueOf(['main', 'second'])
  main.damage('a', bytesOf('evil'))
  const [repaired] = await site.repair.repairFile('a', { actor: 'ada' })
  const id = repaired!.quarantineId!
  expect((await replay({ catalogue: site.catalogue, stores: site.stores })).problems).toEqual([])
  expect((await replay({ catalogue: backup, stores: site.stores })).problems).toEqual([])
  expect(await backup.repairs.get({ id })).toMatchObject({ file_name: 'a', path: main.pathOf('a'), state: 'done' })
  Object.assign(main, { readTrail: async function* () {} })
  const other = await catalogueOf(['main', 'second'])
  expect((await replay({ catalogue: other, stores: site.stores })).problems).toEqual([
    expect.stringContaining(`main: the quarantine has ${id}, and no trail tells what it is`),
  ])
})

test('a tree with one bad member is repaired as a whole, and the bad one is kept whole', async () => {
  const { main, site } = await bothHave(tree('other'))
  main.damage('a', tree('rehto'))
  const [first] = await site.repair.repairFile('a', { actor: 'ada' })
  expect(first).toMatchObject({ outcome: 'repaired' })
  expect(await contentOf(main, 'a', 'sub/b.txt')).toBe('other')
  expect(await quarantineOf(main)).toEqual([first!.quarantineId])
})

test('trap 9: two members that swapped their contents are found and repaired, though the wire’s digest is the same', async () => {
  const { main, site } = await bothHave(tree('other'))
  main.damage(
    'a',
    new Map([
      ['a.txt', bytesOf('other')],
      ['empty', null],
      ['sub/b.txt', bytesOf('first')],
    ]),
  )
  expect(await site.repair.repairFile('a', { actor: 'ada' })).toMatchObject([
    { outcome: 'repaired' },
    { outcome: 'good' },
  ])
  expect(await contentOf(main, 'a', 'sub/b.txt')).toBe('other')
})

test('a dry run says from where, and changes nothing', async () => {
  const { main, site, catalogue } = await bothHave()
  main.damage('a', bytesOf('evil'))
  const told = await site.repair.repairFile('a', { actor: 'ada', isDry: true })
  expect(told).toMatchObject([{ outcome: 'repairable', source: 'store second' }, { outcome: 'good' }])
  expect(await contentOf(main, 'a')).toBe('evil')
  expect(await catalogue.audit.list({})).toEqual([])
})

test('where all copies are bad, all are kept, an alarm says so, and nothing is deleted', async () => {
  const { main, second, site } = await bothHave()
  main.damage('a', bytesOf('evil'))
  second.damage('a', bytesOf('bad!'))
  expect(await site.repair.repairFile('a', { actor: 'ada' })).toMatchObject([{ outcome: 'kept' }, { outcome: 'kept' }])
  expect([await contentOf(main, 'a'), await contentOf(second, 'a')]).toEqual(['evil', 'bad!'])
  expect([...(await quarantineOf(main)), ...(await quarantineOf(second))]).toEqual([])
  expect(site.raised.filter(({ caller }) => caller === 'repair')).toHaveLength(2)
})

test('a store that is not there is not repaired, and is no reason to say that a copy is bad', async () => {
  const { main, site } = await bothHave()
  main.unavailableBecause = 'unplugged'
  expect(await site.repair.repairFile('a', { actor: 'ada' })).toMatchObject([
    { outcome: 'unavailable' },
    { outcome: 'good' },
  ])
  main.unavailableBecause = undefined
  expect(await site.statesOf('a')).toEqual(['ok', 'ok'])
})

/** A librarian of ours that gives these bytes; or a real one that is asked to send. */
function upstreamWith(give: Uint8Array | undefined, asked: string[] = []): Upstream {
  return {
    candidates: async ({ source }) => [source],
    canFetch: async () => give !== undefined,
    async *fetch() {
      yield give!
    },
    async askToSend(librarian, name) {
      asked.push(`${librarian} ${name}`)
      return 77
    },
  }
}

test('trap 3: the last copy is repaired from upstream, and is never gone meanwhile', async () => {
  const ground = await memoryGround(['main'])
  await keep(ground, 'a', bytesOf('good'))
  const [main] = ground.stores
  main!.damage('a', bytesOf('evil'))
  const lying = openIntegrity({ ...ground, upstream: upstreamWith(bytesOf('liar')) })
  expect(await lying.repair.repairFile('a', { actor: 'ada' })).toMatchObject([{ outcome: 'kept' }])
  expect(await contentOf(main!, 'a')).toBe('evil')
  expect(await quarantineOf(main!)).toEqual([])
  const site = openIntegrity({ ...ground, upstream: upstreamWith(bytesOf('good')) })
  expect(await site.repair.repairFile('a', { actor: 'ada' })).toMatchObject([
    { outcome: 'repaired', source: 'librarian far' },
  ])
  expect(await contentOf(main!, 'a')).toBe('good')
  // Nothing is left of what did not match.
  expect([await Array.fromAsync(main!.works()), await Array.fromAsync(main!.spools())]).toEqual([[], []])
})

test('a real librarian is asked to send once, and what it sends takes the place of the bad copy', async () => {
  const ground = await memoryGround(['main'])
  await keep(ground, 'a', bytesOf('good'))
  const [main] = ground.stores
  const { catalogue } = ground
  main!.damage('a', bytesOf('evil'))
  const asked: string[] = []
  const site = openIntegrity({ ...ground, upstream: upstreamWith(undefined, asked) })
  expect(await site.repair.repairFile('a', { actor: 'ada' })).toMatchObject([{ outcome: 'requested' }])
  expect(asked).toEqual(['far a'])
  expect(await contentOf(main!, 'a')).toBe('evil')
  expect(await catalogue.replacements.expected({ fileName: 'a' })).toMatchObject([{ instance_id: 1, store_id: 1 }])
  const staged = async (content: string, id: string) => {
    await main!.openStaging(id, 'a')
    main!.stage(id, 'a', bytesOf(content))
    return {
      fileName: 'a',
      transferId: 77,
      librarian: 'far',
      storeId: 1,
      origin: { from: 'staging' as const, id, uploadName: 'a' },
    }
  }
  await expect(site.repair.takeReplacement({ ...(await staged('good', 's')), librarian: 'other' })).rejects.toEqual(
    code('Conflict'),
  )
  await expect(site.repair.takeReplacement(await staged('liar', 's'))).rejects.toEqual(code('Mismatch'))
  expect(await contentOf(main!, 'a')).toBe('evil')
  expect(await site.repair.takeReplacement(await staged('good', 's'))).toMatchObject({ outcome: 'repaired' })
  expect(await contentOf(main!, 'a')).toBe('good')
  expect(await quarantineOf(main!)).toHaveLength(1)
  expect(await catalogue.replacements.expected({ fileName: 'a' })).toEqual([])
  // What was killed between the repair and the end of its transfer finds the copy good.
  expect(await site.repair.takeReplacement(await staged('good', 's'))).toMatchObject({ outcome: 'good' })
})

test('B5, A3: a repair that is killed at any call loses no byte, and the next one has the same end', async () => {
  for (const content of [bytesOf('good'), tree('other')]) {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; ; at += 1) {
        const { catalogue, stores, main } = await bothHave(content)
        const isTree = !(content instanceof Uint8Array)
        main.damage('a', isTree ? tree('rehto') : bytesOf('evil'))
        const fall = fallAt({ at, how: 'kill', when })
        const ground = { catalogue, stores }
        const dying = openIntegrity({ ...ground, wrapCatalogue: fall.wrapCatalogue, wrapStore: fall.wrapStore })
        await Promise.race([dying.repair.repairFile('a', { actor: 'ada' }), fall.died])
        if (fall.fallen() === undefined) break
        const where = `${isTree ? 'tree' : 'file'}, ${when} call ${at}, ${fall.fallen()}`
        const next = openIntegrity({ ...ground, dead: new Set([dying.holder]) })
        const other = openIntegrity({ ...ground, dead: new Set([dying.holder]) })
        await Promise.all([next.repair.recover(), other.repair.recover()])
        expect(await catalogue.repairs.interrupted(), where).toEqual([])
        const member = isTree ? 'sub/b.txt' : undefined
        const kept = (await quarantineOf(main)).length
        expect(await contentOf(main, 'a', member), where).toBe(
          kept ? (isTree ? 'other' : 'good') : isTree ? 'rehto' : 'evil',
        )
        await next.repair.repairFile('a', { actor: 'ada' })
        expect(await contentOf(main, 'a', member), where).toBe(isTree ? 'other' : 'good')
        expect(await quarantineOf(main), where).toHaveLength(1)
        expect(await next.statesOf('a'), where).toEqual(['ok', 'ok'])
        const left = [await Array.fromAsync(main.works()), await Array.fromAsync(main.spools())].flat()
        const known = [
          ...(await catalogue.intents.know({ ids: left })),
          ...(await catalogue.uploads.know({ names: left })),
        ]
        // What is left is known to have ended, so that the sweep removes it.
        expect(
          known.filter(state => state === 'live' || state === 'open'),
          where,
        ).toEqual([])
      }
    }
  }
}, 60_000)

test('a repair of which any call fails is gone on with as soon as somebody asks again', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at += 1) {
      const { catalogue, stores, main } = await bothHave()
      main.damage('a', bytesOf('evil'))
      const fall = fallAt({ at, how: 'throw', when })
      const site = openIntegrity({ catalogue, stores, wrapCatalogue: fall.wrapCatalogue, wrapStore: fall.wrapStore })
      await site.repair.repairFile('a', { actor: 'ada' }).catch(() => {})
      if (fall.fallen() === undefined) break
      const where = `${when} call ${at}, ${fall.fallen()}`
      const [first] = await site.repair.repairFile('a', { actor: 'ada' })
      expect(['good', 'repaired'], where).toContain(first?.outcome)
      expect(await contentOf(main, 'a'), where).toBe('good')
      expect(await quarantineOf(main), where).toHaveLength(1)
      expect(await catalogue.repairs.interrupted(), where).toEqual([])
    }
  }
}, 60_000)

test('a copy that is being repaired cannot be deleted, and one that goes cannot be repaired', async () => {
  const { catalogue, site } = await bothHave()
  const id = 'a'.repeat(32)
  const repair = { id, holder: 'one', instanceId: 1, actor: 'ada', found: 'mismatch' } as const
  await catalogue.repairs.begin(repair)
  await expect(catalogue.repairs.begin({ ...repair, id: 'b'.repeat(32) })).rejects.toEqual(code('Busy'))
  const deletion = { id, holder: 'one', instanceId: 1, actor: 'ada', reason: '', proofInstanceIds: [2], evidence: [] }
  await catalogue.deletions.announce(deletion)
  await expect(catalogue.deletions.begin(deletion)).rejects.toEqual(code('Busy'))
  await catalogue.repairs.fail({ id, holder: 'one', why: 'test' })
  await catalogue.deletions.begin(deletion)
  await expect(catalogue.repairs.begin({ ...repair, id: 'c'.repeat(32) })).rejects.toEqual(code('NotFound'))
  expect(await site.statesOf('a')).toHaveLength(2)
})

test('the quarantine is emptied after its time, and only where all copies are read and good', async () => {
  const { catalogue, stores, main, second, site } = await bothHave()
  main.damage('a', bytesOf('evil'))
  await site.repair.repairFile('a', { actor: 'ada' })
  const { signal } = new AbortController()
  expect(await site.repair.purgeDue({ signal })).toEqual({ purged: 0, kept: 0 })
  expect(await quarantineOf(main)).toHaveLength(1)
  const later = openIntegrity({ catalogue, stores, keepSeconds: -1 })
  second.damage('a', bytesOf('bad!'))
  expect(await later.repair.purgeDue({ signal })).toEqual({ purged: 0, kept: 1 })
  expect(await quarantineOf(main)).toHaveLength(1)
  await later.repair.repairFile('a', { actor: 'ada' })
  expect(await later.repair.purgeDue({ signal })).toEqual({ purged: 2, kept: 0 })
  expect([...(await quarantineOf(main)), ...(await quarantineOf(second))]).toEqual([])
  expect(await contentOf(main, 'a')).toBe('good')
  const acts = (await catalogue.audit.list({})).map(({ detail }) => JSON.parse(detail).outcome)
  expect(acts).toEqual(['purged', 'purged', 'done', 'done'])
})

test('all bad copies are found by their state, whatever it is, and repaired file by file', async () => {
  const ground = await memoryGround()
  const names = Array.from({ length: 30 }, (_, at) => `f${at}`)
  for (const name of names) await keep(ground, name, bytesOf(`good ${name}`))
  const site = openIntegrity(ground)
  for (const [at, name] of names.entries()) {
    const store = ground.stores[at % 2]!
    if (at % 3 === 0) store.lose(name)
    else store.damage(name, bytesOf('evil'))
  }
  for (const { name } of ground.stores) await site.scrubAll(name)
  expect(await site.repairAll()).toMatchObject({ repaired: 30, kept: 0, good: 30 })
  for (const name of names) expect(await site.statesOf(name)).toEqual(['ok', 'ok'])
  expect(await site.repairAll()).toMatchObject({ repaired: 0 })
})
