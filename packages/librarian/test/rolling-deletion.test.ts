/** Deletions that count on other librarians (reliability B, librarian 12.10): over a catalogue and stores in memory. */
import { describe, expect, test } from 'vitest'
import { silentLog } from '../src/log.ts'
import { createBulkDeletions } from '../src/services/deletion/bulk-deletions.ts'
import { createLocalClones } from '../src/services/local-clones/local-clones.ts'
import type { PeerProofReport } from '../src/services/proofs/peer-proofs.ts'
import { createRollingDeletionTask } from '../src/tasks/rolling-deletion.ts'
import type { TaskContext, TaskResult } from '../src/tasks/task.ts'
import { createTierTask } from '../src/tasks/tier.ts'
import { insertRemote } from './catalogue-rows.ts'
import { openSite, type Site } from './deletions-model/site.ts'
import { proven } from './fake-peers.ts'
import { type CopiesOptions, openCopies } from './open-copies.ts'
import type { TrialCatalogue } from './trial-operations.ts'
import { bytesOf } from './world.ts'

const code = (code: string) => expect.objectContaining({ code })
const by = { actor: 'ada', reason: 'test' }
const bad = (librarian: string, state: 'mismatch' | 'missing' | 'unreadable' = 'mismatch') => {
  return { librarian, storeId: 1, instanceId: 7, state, reason: 'read twice' }
}

async function openOne(options: CopiesOptions = {}) {
  const world = await openCopies(options)
  await world.upload('a', bytesOf('good'))
  return { ...world, instanceId: (await world.copyOf('a'))!.id }
}

/** What other librarians hold by our rows, each on its first store. */
async function hear(
  { catalogue }: Awaited<ReturnType<typeof openCopies>>,
  name: string,
  librarians: readonly string[],
) {
  const { trial } = catalogue as TrialCatalogue
  for (const [at, librarian] of librarians.entries()) {
    const peer = { name: librarian, url: 'http://localhost', port: 1 + at, authenticator: 'a:b' }
    await catalogue.peers.add(peer)
    await trial.write(insertRemote(name, (await catalogue.peers.find({ name: librarian }))!.id))
  }
}

describe('remove()', () => {
  test('B1: copies that other librarians have proven count, and are held until the copy is in the trash', async () => {
    const world = await openOne({ floor: 2 })
    world.peers.answer = () => ({ proven: [proven('b'), proven('c')] })
    expect(await world.gate.remove({ ...by, instanceId: world.instanceId })).toMatchObject({ remoteProofs: 2 })
    expect(world.peers.asked).toMatchObject([{ fileName: 'a', instanceId: world.instanceId }])
    expect(world.peers.asked[0]!.holdSeconds).toBeGreaterThan(0)
    expect(world.peers.released.map(({ librarian }) => librarian)).toEqual(['b', 'c'])
    expect((await world.audited()).at(-1)).toMatchObject({
      outcome: 'done',
      proofs: [
        { librarian: 'b', store: '1', state: 'ok', medium: 'peer-challenge' },
        { librarian: 'c', store: '1', state: 'ok', medium: 'peer-challenge' },
      ],
    })
  })

  const refusals: readonly (readonly [string, Partial<PeerProofReport>, RegExp])[] = [
    ['B1: one fewer than the floor', { proven: [proven('b')] }, /2 good copies must remain .* there are 1/],
    [
      'trap 1, B3: any bad one among good ones',
      { proven: [proven('b'), proven('c')], disagreeing: [bad('d')] },
      /the one of d is mismatch/,
    ],
    [
      'B3: one whose bytes are gone, among good ones',
      { proven: [proven('b'), proven('c')], disagreeing: [bad('d', 'missing')] },
      /the one of d is missing/,
    ],
    [
      'B3: librarians that cannot be reached',
      { proven: [proven('b')], unreachable: [{ librarian: 'c', reason: 'it did not answer' }] },
      /c proved nothing: it did not answer/,
    ],
    [
      'E5: what a librarian of release 5.0.1 only says',
      { proven: [proven('b')], claimed: [{ librarian: 'old', storeId: 1, instanceId: 1 }] },
      /what old says it has is a claim, not a proof/,
    ],
    [
      'E5: proofs, where our own bytes are not as the catalogue has them',
      { own: { instanceId: 1, state: 'mismatch' }, proven: [proven('b'), proven('c')] },
      /a copy of ours must be good .* it is mismatch/,
    ],
    [
      'B6: a good copy that is going itself',
      { proven: [proven('b'), { ...proven('c'), holdId: undefined, heldUntilMs: 0 }] },
      /there are 1; c proved nothing: its copy is good, but may go/,
    ],
    [
      'B6: a proof that is held no longer',
      { proven: [proven('b'), { ...proven('c'), heldUntilMs: 0 }] },
      /c holds its copy no longer/,
    ],
  ]
  test.each(refusals)('keeps the copy for %s', async (_, answer, why) => {
    const world = await openOne({ floor: 2 })
    world.peers.answer = () => answer
    await expect(world.gate.remove({ ...by, instanceId: world.instanceId })).rejects.toMatchObject({
      code: 'KeepsLastCopy',
      message: expect.stringMatching(why),
    })
    expect(await world.copyOf('a')).toMatchObject({ available: 1 })
    expect(await world.ground.stores[0]!.stat('a')).toBeDefined()
    expect(await world.catalogue.deletions.announced()).toEqual([])
    expect(world.peers.released).toEqual(
      answer.own ? [] : (answer.proven ?? []).filter(({ holdId }) => holdId !== undefined),
    )
    expect((await world.audited()).at(-1)).toMatchObject({ outcome: 'refused', code: 'KeepsLastCopy' })
  })

  test('F4: what a task is refused is in the audit once, until the reason is another; what a person is, always', async () => {
    const world = await openOne({ floor: 2 })
    const ask = (actor: string) => world.gate.remove({ actor, reason: 'test', instanceId: world.instanceId })
    const refused = async (actor: string) => {
      await expect(ask(actor)).rejects.toEqual(code('KeepsLastCopy'))
      return (await world.audited()).filter(entry => entry.actor === actor).length
    }
    expect([await refused('task:tier'), await refused('task:tier')]).toEqual([1, 1])
    expect([await refused('ada'), await refused('ada')]).toEqual([1, 2])
    expect([await refused('task:rolling_deletion'), await refused('task:tier')]).toEqual([1, 1])
    world.peers.answer = () => ({ disagreeing: [bad('d')] })
    expect([await refused('task:tier'), await refused('task:tier')]).toEqual([2, 2])
    world.peers.answer = () => ({})
    expect(await refused('task:tier')).toBe(3)
    world.peers.answer = () => ({ proven: [proven('b'), proven('c')] })
    await ask('task:tier')
    expect((await world.audited()).at(-1)).toMatchObject({ actor: 'task:tier', outcome: 'done' })
  })

  test('B6: a hold that ends while the copy is being written down as going takes it back', async () => {
    const world = await openOne({ floor: 1 })
    let asked = 0
    const late = {
      ...proven('b'),
      // Held when it is asked first, and not any more when the row is there.
      get heldUntilMs() {
        asked += 1
        return asked === 1 ? Number.POSITIVE_INFINITY : 0
      },
    }
    world.peers.answer = () => ({ proven: [late] })
    await expect(world.gate.remove({ ...by, instanceId: world.instanceId })).rejects.toEqual(code('KeepsLastCopy'))
    expect(await world.copyOf('a')).toMatchObject({ available: 1 })
    expect(await world.ground.stores[0]!.stat('a')).toBeDefined()
  })

  test('B6: a copy that others hold stays, and nobody can hold one that was announced before anybody was asked', async () => {
    const world = await openOne({ floor: 1 })
    const hold = { id: 'a'.repeat(32), instanceId: world.instanceId, holder: 'b', seconds: 60 }
    expect(await world.catalogue.holds.take(hold)).toBe(true)
    await expect(world.gate.remove({ ...by, instanceId: world.instanceId })).rejects.toEqual(code('Busy'))
    await world.catalogue.holds.release({ ids: [hold.id], holder: 'b' })
    let isHeld: boolean | undefined
    world.peers.answer = async () => {
      isHeld = await world.catalogue.holds.take(hold)
      return { proven: [proven('b')] }
    }
    await world.gate.remove({ ...by, instanceId: world.instanceId })
    expect(isHeld).toBe(false)
  })

  test('nobody is asked where the copies here are enough, unless some must be elsewhere', async () => {
    const world = await openOne({ floor: 1 })
    await world.copyTo(2, 'a')
    await world.copyTo(3, 'a')
    await expect(world.gate.remove({ ...by, instanceId: world.instanceId, remoteCopies: 1 })).rejects.toEqual(
      code('KeepsLastCopy'),
    )
    expect(world.peers.asked).toHaveLength(1)
    await world.gate.remove({ ...by, instanceId: world.instanceId })
    expect(world.peers.asked).toHaveLength(1)
  })

  test('B2: a purge asks them anew, with the bytes in the trash where there are no others', async () => {
    const world = await openOne({ floor: 1, purgeAfterSeconds: -60 })
    world.peers.answer = () => ({ proven: [proven('b')] })
    const { id } = await world.gate.remove({ ...by, instanceId: world.instanceId })
    world.peers.answer = () => ({ disagreeing: [bad('b')] })
    expect(await world.gate.purgeDue()).toEqual({ purged: 0, kept: 1 })
    world.peers.answer = () => ({ proven: [proven('b')] })
    expect(await world.gate.purgeDue()).toEqual({ purged: 1, kept: 0 })
    expect(world.peers.asked.slice(1)).toMatchObject([{ trashId: id }, { trashId: id }])
  })
})

describe('plan()', () => {
  test('shows what was read and what is missing, and changes nothing', async () => {
    const world = await openOne({ floor: 2 })
    await world.copyTo(2, 'a')
    const before = await world.catalogue.audit.list({})
    expect(await world.gate.plan({ instanceId: world.instanceId })).toMatchObject({
      fileName: 'a',
      storeName: 'main',
      floor: 2,
      evidence: [{ store: 'second', state: 'ok', medium: 'medium', time: expect.any(String) }],
      whyNot: expect.stringMatching(/2 good copies must remain .* there are 1/),
    })
    world.peers.answer = () => ({ proven: [proven('b')] })
    expect(await world.gate.plan({ instanceId: world.instanceId })).toMatchObject({ whyNot: undefined })
    expect(world.peers.asked.at(-1)).toMatchObject({ holdSeconds: 0 })
    expect(await world.copyOf('a')).toMatchObject({ available: 1 })
    expect([await world.catalogue.audit.list({}), await world.catalogue.trash.list({})]).toEqual([before, []])
  })
})

/** As the engine calls a task. */
function contextOf(kept: { cursor?: unknown }): TaskContext {
  return {
    signal: new AbortController().signal,
    isOverdue: () => false,
    progress: () => {},
    cursor: kept.cursor,
    keep: cursor => {
      kept.cursor = cursor
    },
  }
}

async function openTasks(options: CopiesOptions = {}) {
  const world = await openCopies(options)
  const { catalogue, stores, gate, maker } = world
  const deletions = createBulkDeletions({ catalogue, gate, log: silentLog })
  const clones = createLocalClones({ catalogue, maker, stores, alarms: { raise: async () => {} }, log: silentLog })
  const rolling = createRollingDeletionTask({ deletions, stores })
  const tier = createTierTask({ clones, deletions, stores })
  const common = { task_name: 't', every: 1000, soft_timeout: null }
  const roll = (given: object = {}): Promise<TaskResult> => {
    const settings = { ...common, store_name: 'main', age_in_days: 0, number_of_remote_copies: 1, ...flags, ...given }
    return rolling.run(settings as never, contextOf({}))
  }
  const move = (given: object = {}): Promise<TaskResult> => {
    const settings = { ...common, from_store: 'main', to_store: 'second', age_in_days: 0, files_per_run: 100, ...given }
    return tier.run(settings as never, contextOf({}))
  }
  return { ...world, roll, move }
}

const flags = { verify_downstream_checksums: true, mark_unavailable: true, force_deletion: true, dry_run: false }

describe('rolling deletion', () => {
  test('deletes what enough others have proven, keeps the rest, and says why', async () => {
    const world = await openTasks({ floor: 1 })
    for (const name of ['a', 'b', 'c']) await world.upload(name, bytesOf(name))
    await hear(world, 'a', ['north', 'south'])
    await hear(world, 'b', ['north', 'south'])
    await hear(world, 'c', ['north'])
    world.peers.answer = ({ fileName }) =>
      fileName === 'a'
        ? { proven: [proven('north'), proven('south')] }
        : { proven: [proven('north')], disagreeing: [bad('south')] }
    const counts = { deleted: 1, kept: 1, lacking: 1, protected: 0 }
    const asIf = await world.roll({ number_of_remote_copies: 2, dry_run: true })
    expect(asIf).toMatchObject({ counts, note: expect.stringMatching(/^dry run: 1 would go/) })
    expect(await world.copyOf('a')).toBeDefined()
    const done = await world.roll({ number_of_remote_copies: 2 })
    expect(done).toMatchObject({ outcome: 'done', counts, note: expect.stringMatching(/the one of south is mismatch/) })
    const left = (await world.catalogue.instances.all()).instances.map(({ file_name }) => file_name)
    expect(left).toEqual(['b', 'c'])
    expect((await world.audited()).filter(({ outcome }) => outcome === 'done')).toMatchObject([
      { actor: 'task:rolling_deletion', subject: 'a' },
    ])
  })

  test('trap 1: where every copy elsewhere is bad, the last good one stays, and the run says which are bad', async () => {
    const world = await openTasks({ floor: 1 })
    await world.upload('a', bytesOf('a'))
    await hear(world, 'a', ['north', 'south'])
    world.peers.answer = () => ({ disagreeing: [bad('north'), bad('south', 'missing')] })
    expect(await world.roll({ verify_downstream_checksums: false })).toMatchObject({
      counts: { deleted: 0, kept: 1 },
      note: expect.stringMatching(/the one of north is mismatch/),
    })
    expect(await world.copyOf('a')).toMatchObject({ available: 1, state: 'ok' })
    expect(await world.ground.stores[0]!.stat('a')).toBeDefined()
  })

  test('E4: spares what is young, and what is dated in the future', async () => {
    const world = await openTasks({ floor: 1 })
    await world.upload('a', bytesOf('a'))
    await hear(world, 'a', ['north'])
    world.peers.answer = () => ({ proven: [proven('north')] })
    expect(await world.roll({ age_in_days: 1 })).toMatchObject({ counts: { deleted: 0, kept: 0 } })
    expect(await world.roll({ age_in_days: -1 })).toMatchObject({ counts: { deleted: 1 } })
  })

  test('spares what must not be deleted unless it is forced to, and is off where there is no such store', async () => {
    const world = await openTasks({ floor: 1 })
    await world.upload('a', bytesOf('a'))
    await hear(world, 'a', ['north'])
    world.peers.answer = () => ({ proven: [proven('north')] })
    expect(await world.roll({ force_deletion: false })).toMatchObject({ counts: { deleted: 0, protected: 1 } })
    expect(await world.roll()).toMatchObject({ counts: { deleted: 1 } })
    expect(await world.roll({ store_name: 'nowhere' })).toMatchObject({ outcome: 'off' })
  })

  test('a floor of the gate is not lowered by a setting of the task', async () => {
    const world = await openTasks({ floor: 2 })
    await world.upload('a', bytesOf('a'))
    await hear(world, 'a', ['north'])
    world.peers.answer = () => ({ proven: [proven('north')] })
    expect(await world.roll({ number_of_remote_copies: 0 })).toMatchObject({ counts: { deleted: 0, kept: 1 } })
  })
})

describe('tier', () => {
  test('B7: copies, reads back, and only then deletes, under the floor that always holds', async () => {
    const world = await openTasks({ floor: 2 })
    for (const name of ['a', 'b']) await world.upload(name, bytesOf(name))
    await world.copyTo(3, 'a')
    await world.validation.validate('a')
    expect(await world.move()).toMatchObject({ outcome: 'done', counts: { copied: 2, failed: 0, deleted: 1, kept: 1 } })
    const copies = (await world.catalogue.instances.all()).instances
    expect(copies.map(({ file_name, store_id }) => [file_name, store_id]).sort()).toEqual([
      ['a', 2],
      ['a', 3],
      ['b', 1],
      ['b', 2],
    ])
    expect((await world.audited()).find(({ outcome }) => outcome === 'done')).toMatchObject({ actor: 'task:tier' })
  })

  test('goes on with what was copied and not deleted yet', async () => {
    const world = await openTasks({ floor: 1 })
    await world.upload('a', bytesOf('a'))
    const { file, instances } = (await world.catalogue.instances.ofFile({ name: 'a' }))!
    await world.maker.make({ file, from: instances[0]!, to: world.stores.byName('second')! })
    expect(await world.move()).toMatchObject({ counts: { copied: 0, deleted: 1 } })
    expect(await world.copyOf('a', 2)).toMatchObject({ state: 'ok' })
    expect(await world.copyOf('a', 1)).toBeUndefined()
  })
})

describe('between real sites', () => {
  /** A file at three sites, each of which knows of both others; the peers' answers are those of their gates. */
  async function openSites() {
    const names = ['north', 'south', 'west']
    const sites = new Map<string, Site>()
    for (const name of names) {
      const others = names.filter(other => other !== name)
      sites.set(name, await openSite({ name, others, floor: 2, random: () => 0, reach: other => sites.get(other)! }))
    }
    const [north, south, west] = [...sites.values()] as [Site, Site, Site]
    const keep = async (site: Site) => {
      await site.process().copies.upload('a', bytesOf('good'))
      for (const { id } of await site.catalogue().peers.list())
        await site.catalogue().trial.write(insertRemote('a', id))
    }
    const remove = async (site: Site) => {
      const { gate, copyOf } = site.process().copies
      return await gate.remove({ ...by, instanceId: (await copyOf('a'))!.id })
    }
    return { north, south, west, keep, remove }
  }

  test('trap 1: where both other sites have rotted, no site deletes, whichever is asked', async () => {
    const { north, south, west, keep, remove } = await openSites()
    for (const site of [north, south, west]) await keep(site)
    for (const rotten of [south, west]) rotten.stores[0]!.damage('a', bytesOf('evil'))
    for (const site of [north, south, west]) await expect(remove(site)).rejects.toEqual(code('KeepsLastCopy'))
    for (const site of [north, south, west]) expect(site.stores[0]!.contentsOf('a').kept).toBeDefined()
  })

  test('trap 2: a copy counts once, however many librarians tell of it, and the one that goes for nothing', async () => {
    const { north, south, west, keep, remove } = await openSites()
    await keep(north)
    await keep(south)
    // West is believed to have one, and has none.
    await expect(remove(north)).rejects.toMatchObject({
      code: 'KeepsLastCopy',
      message: expect.stringMatching(/there are 1/),
    })
    await keep(west)
    expect(await remove(north)).toMatchObject({ remoteProofs: 2 })
    expect(north.stores[0]!.contentsOf('a').kept).toBeUndefined()
    await expect(remove(south)).rejects.toEqual(code('KeepsLastCopy'))
  })

  test('trap 2: what was good a moment ago is read again, and counts for nothing when it has rotted since', async () => {
    const { north, south, west, keep, remove } = await openSites()
    for (const site of [north, south, west]) await keep(site)
    const { copies } = north.process()
    expect(await copies.gate.plan({ instanceId: 1 })).toMatchObject({ whyNot: undefined })
    west.stores[0]!.damage('a', bytesOf('evil'))
    await expect(remove(north)).rejects.toMatchObject({ message: expect.stringMatching(/the one of west is mismatch/) })
    expect(north.stores[0]!.contentsOf('a').kept).toBeDefined()
  })

  test('B6: of three sites that delete at once, none goes that another one counted on', async () => {
    const { north, south, west, keep, remove } = await openSites()
    for (const site of [north, south, west]) await keep(site)
    const ends = await Promise.allSettled([north, south, west].map(remove))
    expect(ends.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
    expect([north, south, west].filter(({ stores }) => stores[0]!.contentsOf('a').kept).length).toBeGreaterThanOrEqual(
      2,
    )
    for (const site of [north, south, west]) {
      expect(await site.catalogue().deletions.announced()).toEqual([])
      expect(await site.catalogue().trial.read('SELECT * FROM hold')).toEqual([])
    }
  })
})
