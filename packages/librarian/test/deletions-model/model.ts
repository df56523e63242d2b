/**
 * Three sites that clone, rot, delete, tier, purge and restore the same files at the same time, crash at any call, lose each other,
 * jump in time by years, lie, and are rolled back to an old catalogue: and never does a deletion bring the good copies of a file
 * below the floor, nor a purge the last good bytes of it (reliability B1, B2, B3, B6, B7, E4, E5).
 *
 * What is good is not asked of anybody who is tested: the bytes that lie in the stores are compared with what was uploaded.
 */
import type { PeerProofs } from '../../src/services/proofs/peer-proofs.ts'
import type { MemoryStore } from '../../src/stores/memory.ts'
import { insertRemote } from '../catalogue-rows.ts'
import { bytesOf } from '../world.ts'
import { openSite, type Site } from './site.ts'

export interface ModelOptions {
  readonly seed: number
  readonly steps: number
  /** Steps until everything begins anew. Default 150. */
  readonly episode?: number
  /** Default: nothing is weakened, and nothing may happen. */
  readonly weaken?: ((peers: PeerProofs) => PeerProofs) | undefined
  readonly forgetsHolds?: boolean
  readonly progress?: (steps: number) => void
}

export interface ModelReport {
  readonly steps: number
  /** How often each kind of step was made, and had its way. */
  readonly done: Readonly<Record<string, number>>
  /** The first one, in words. */
  readonly violation: string | undefined
}

const floor = 2
const names = ['north', 'south', 'west']
const YEARS_MS = 3 * 365 * 86_400_000

export async function runModel(options: ModelOptions): Promise<ModelReport> {
  const { seed, steps, episode = 150, progress } = options
  const done: Record<string, number> = {}
  for (let at = 0; at < steps; at += episode) {
    const world = await openModel({ ...options, seed: seed + at, done })
    try {
      for (let step = at; step < Math.min(steps, at + episode); step++) {
        const violation = await world.step()
        if (violation !== undefined) return { steps: step + 1, done, violation: `step ${step + 1}: ${violation}` }
      }
    } finally {
      await world.close()
    }
    progress?.(Math.min(steps, at + episode))
  }
  return { steps, done, violation: undefined }
}

interface Count {
  /** Good bytes under the name: one for each store. */
  readonly kept: number
  /** Those, and those in the trash. */
  readonly all: number
}

async function openModel({ seed, weaken, forgetsHolds, done }: ModelOptions & { done: Record<string, number> }) {
  const random = randomFrom(seed)
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!
  const sites = new Map<string, Site>()
  const cut = new Set<string>()
  const files = new Map<string, Uint8Array>()
  const backups = new Map<string, Buffer>()
  let counts = new Map<string, Count>()
  let mayLose = false

  const reach = (from: string) => (to: string) => {
    if (cut.has([from, to].sort().join(' '))) throw new Error(`${to} cannot be reached from ${from}`)
    return sites.get(to)!
  }
  for (const name of names) {
    const others = names.filter(other => other !== name)
    const site = await openSite({ name, others, floor, random, reach: reach(name), weaken, forgetsHolds })
    sites.set(name, site)
  }

  function countOf(name: string): Count {
    const content = Buffer.from(files.get(name)!)
    const isGood = (bytes: unknown) => bytes instanceof Uint8Array && content.equals(bytes)
    let kept = 0
    let trashed = 0
    for (const store of [...sites.values()].flatMap(({ stores }) => stores)) {
      const there = store.contentsOf(name)
      if (isGood(there.kept)) kept += 1
      trashed += there.trashed.filter(isGood).length
    }
    return { kept, all: kept + trashed }
  }

  /** Only rot may take from a file what it needs. */
  function judge(what: string): string | undefined {
    const now = new Map([...files.keys()].map(name => [name, countOf(name)]))
    const before = counts
    counts = now
    if (mayLose) return undefined
    for (const [name, { kept, all }] of now) {
      const was = before.get(name)
      if (was && kept < was.kept && kept < floor)
        return `${what} left ${kept} good copies of ${name}, there were ${was.kept}`
      if (was && all < was.all && kept < floor) return `${what} purged ${name}, of which ${kept} good copies are kept`
    }
    return undefined
  }

  async function copiesAt(site: Site) {
    const { instances } = await site.catalogue().instances.all()
    return instances.filter(({ available }) => available === 1)
  }

  /** What was asked of a process that dies meanwhile has no end; a refusal is one. */
  async function attempt(site: Site, act: () => Promise<unknown>): Promise<boolean> {
    const { life } = site.process()
    const ended = act().then(
      () => true,
      () => false,
    )
    const isDone = await Promise.race([ended, life.died.then(() => false)])
    if (life.isDead()) await site.restart()
    return isDone
  }

  async function know(name: string, site: Site, storeId: number): Promise<void> {
    for (const other of sites.values()) {
      if (other === site) continue
      const peer = await other.catalogue().peers.find({ name: site.name })
      if (peer)
        await other
          .catalogue()
          .trial.write(insertRemote(name, peer.id, storeId))
          .catch(() => undefined)
    }
  }

  async function remove(site: Site, instanceId: number): Promise<boolean> {
    const { copies } = site.process()
    return await attempt(site, () => copies.gate.remove({ instanceId, actor: 'model', reason: 'test' }))
  }

  const acts: Record<string, () => Promise<boolean>> = {
    async upload() {
      if (files.size >= 8) return false
      const site = pick([...sites.values()])
      const name = `f${files.size}`
      const content = bytesOf(`${seed} ${name}`)
      files.set(name, content)
      const isDone = await attempt(site, () => site.process().copies.upload(name, content))
      if (!isDone) files.delete(name)
      else await know(name, site, 1)
      return isDone
    },

    async clone() {
      const site = pick([...sites.values()])
      const copy = pick(await copiesAt(site))
      if (!copy) return false
      const { maker, stores } = site.process().copies
      const found = await site.catalogue().instances.ofFile({ name: copy.file_name })
      const to = stores.all.find(({ id }) => id !== copy.store_id)!
      const isDone = await attempt(site, () => maker.make({ file: found!.file, from: copy, to }))
      if (isDone) await know(copy.file_name, site, to.id)
      return isDone
    },

    /** As a transfer between sites would end: committed there, and known here. */
    async send() {
      const name = pick([...files.keys()])
      const site = pick([...sites.values()])
      if (name === undefined || (await site.catalogue().instances.ofFile({ name }))) return false
      const isThere = [...sites.values()].some(
        other => other !== site && other.stores.some(store => hasGood(store, name)),
      )
      const isDone = isThere && (await attempt(site, () => site.process().copies.upload(name, files.get(name)!)))
      if (isDone) await know(name, site, 1)
      for (const other of isDone ? sites.values() : []) {
        for (const { store_id } of other === site ? [] : await copiesOf(other, name)) await know(name, other, store_id)
      }
      return isDone
    },

    async rot() {
      const name = pick([...files.keys()])
      if (name === undefined || countOf(name).kept < 2 || random() < 0.5) return false
      const store = pick([...sites.values()].flatMap(({ stores }) => stores).filter(each => hasGood(each, name)))
      if (random() < 0.3) store.lose(name)
      else store.damage(name, bytesOf('rotten'))
      return true
    },

    async delete() {
      const site = pick([...sites.values()])
      const copy = pick(await copiesAt(site))
      return copy !== undefined && (await remove(site, copy.id))
    },

    /** The same file, from everywhere at once. */
    async deleteTogether() {
      const name = pick([...files.keys()])
      if (name === undefined) return false
      const all: Promise<boolean>[] = []
      for (const site of sites.values()) {
        for (const copy of await copiesOf(site, name)) if (random() < 0.7) all.push(remove(site, copy.id))
      }
      return (await Promise.all(all)).includes(true)
    },

    async tier() {
      return (await acts.clone!()) && (await acts.delete!())
    },

    async purge() {
      const site = pick([...sites.values()])
      return await attempt(site, async () => {
        const { purged } = await site.process().copies.gate.purgeDue()
        if (purged === 0) throw new Error('nothing went')
      })
    },

    async restore() {
      const site = pick([...sites.values()])
      const trash = pick(await site.catalogue().trash.list({}))
      return (
        trash !== undefined &&
        (await attempt(site, () => site.process().copies.gate.restore({ ...trash, actor: 'model' })))
      )
    },

    async read() {
      const site = pick([...sites.values()])
      const { reader } = site.process().copies
      const copy = pick((await site.catalogue().instances.all()).instances)
      if (!copy) return false
      const { file } = (await site.catalogue().instances.ofFile({ name: copy.file_name }))!
      return await attempt(site, () => reader.read(file, copy))
    },

    async crashSoon() {
      pick([...sites.values()])
        .process()
        .life.killIn(1 + Math.floor(random() * 40))
      return true
    },

    async part() {
      const [one, other] = [pick(names), pick(names)].sort()
      const line = `${one} ${other}`
      if (cut.has(line)) cut.delete(line)
      else if (cut.size === 0 && one !== other) cut.add(line)
      return true
    },

    async jump() {
      pick([...sites.values()]).clockOffsetMs = random() < 0.3 ? 0 : (random() * 2 - 1) * YEARS_MS
      return true
    },

    async lie() {
      const site = pick([...sites.values()])
      site.isLying = !site.isLying && random() < 0.5
      return true
    },

    async backUp() {
      const site = pick([...sites.values()])
      backups.set(site.name, site.backUp())
      return true
    },

    async rollBack() {
      const site = pick([...sites.values()])
      const backup = backups.get(site.name)
      if (!backup) return false
      backups.delete(site.name)
      await site.rollBack(backup)
      return true
    },

    /** A person looks at the brakes, and at what waits. */
    async heal() {
      cut.clear()
      for (const site of sites.values()) {
        site.isLying = false
        for (const { id } of await site.catalogue().errors.search({ includeResolved: false, limit: 100 })) {
          await site.catalogue().errors.clear({ id })
        }
        await site.restart()
      }
      return true
    },
  }
  const weights: Readonly<Record<string, number>> = {
    upload: 6,
    clone: 14,
    send: 14,
    rot: 3,
    delete: 8,
    deleteTogether: 16,
    tier: 3,
    purge: 4,
    restore: 4,
    read: 4,
    crashSoon: 3,
    part: 1,
    jump: 2,
    lie: 0.5,
    backUp: 1,
    rollBack: 1,
    heal: 2,
  }
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)

  function choose(): string {
    let at = random() * total
    for (const [name, weight] of Object.entries(weights)) {
      at -= weight
      if (at <= 0) return name
    }
    return 'heal'
  }

  async function copiesOf(site: Site, name: string) {
    return (await copiesAt(site)).filter(({ file_name }) => file_name === name)
  }

  function hasGood(store: MemoryStore, name: string): boolean {
    const { kept } = store.contentsOf(name)
    return kept instanceof Uint8Array && Buffer.from(files.get(name)!).equals(kept)
  }

  return {
    async step(): Promise<string | undefined> {
      const name = choose()
      mayLose = name === 'rot'
      if (await acts[name]!()) done[name] = (done[name] ?? 0) + 1
      return judge(name)
    },
    async close() {
      for (const site of sites.values()) await site.close()
    },
  }
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
