/** One site of the model: the real gate, reader, commits and challenges, over a catalogue and stores in memory. */
import { randomBytes } from 'node:crypto'
import { FLOWS } from '@arriero/api'
import type { Catalogue } from '../../src/catalogue/catalogue.ts'
import { openMemoryCatalogue } from '../../src/catalogue/memory.ts'
import { silentLog } from '../../src/log.ts'
import type { PeerConnections } from '../../src/services/peer-connections.ts'
import { createChallenges } from '../../src/services/proofs/answer-challenges.ts'
import { createPeerProofs } from '../../src/services/proofs/ask-peers.ts'
import type { PeerProofs } from '../../src/services/proofs/peer-proofs.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { SiteStore } from '../../src/stores/stores.ts'
import { openCopies } from '../open-copies.ts'
import { operations, type TrialCatalogue } from '../trial-operations.ts'
import { createLife, type Life } from './life.ts'

export interface SiteOptions {
  readonly name: string
  readonly others: readonly string[]
  readonly floor: number
  random(): number
  /** Another site, unless it cannot be reached from here now. @throws Error */
  reach(name: string): Site
  /** Weakens what other librarians are asked, to see whether the model notices. */
  readonly weaken?: ((peers: PeerProofs) => PeerProofs) | undefined
  /** Nobody's hold is taken, and everybody is told that it was. */
  readonly forgetsHolds?: boolean | undefined
}

export interface Process {
  readonly life: Life
  readonly copies: Awaited<ReturnType<typeof openCopies>>
  readonly challenges: ReturnType<typeof createChallenges>
}

export interface Site {
  readonly name: string
  readonly stores: readonly MemoryStore[]
  /** Of the machine's clock, ms. */
  clockOffsetMs: number
  /** It says that it has what it is asked for, and has read nothing. */
  isLying: boolean
  process(): Process
  catalogue(): TrialCatalogue
  /** The process is gone; the next one recovers what it has left. */
  restart(): Promise<void>
  /** All that the catalogue has now. */
  backUp(): Buffer
  /** Goes on with what it had then, while the stores are as they are. */
  rollBack(backup: Buffer): Promise<void>
  close(): Promise<void>
}

const stores = ['disk', 'tape']

export async function openSite(options: SiteOptions): Promise<Site> {
  const { name, others, random } = options
  const memory = stores.map(store => new MemoryStore({ name: `${name}-${store}` }))
  const dead = new Set<string>()
  let catalogue: TrialCatalogue
  let copyAll: () => Buffer
  let process: Process
  let restarting: Promise<void> | undefined

  const site: Site = {
    name,
    stores: memory,
    clockOffsetMs: 0,
    isLying: false,
    process: () => process,
    catalogue: () => catalogue,
    restart() {
      restarting ??= (async () => {
        dead.add(process.copies.holder)
        process.life.kill()
        process = await begin()
        restarting = undefined
      })()
      return restarting
    },
    backUp: () => copyAll(),
    async rollBack(backup) {
      const before = process
      before.life.kill()
      await catalogue.close()
      await open(backup)
      dead.add(before.copies.holder)
      process = await begin()
    },
    close: () => catalogue.close(),
  }

  async function open(from?: Buffer): Promise<void> {
    catalogue = (await openMemoryCatalogue({
      registry: operations,
      from,
      now: () => Date.now() + site.clockOffsetMs,
      copier: copy => {
        copyAll = copy
      },
    })) as TrialCatalogue
  }

  async function begin(): Promise<Process> {
    const life = createLife({ pause: () => Math.floor(random() * 4), isAfter: () => random() < 0.5 })
    const sites = memory.map(
      (store, at) => ({ id: at + 1, name: store.name, store: life.wrapStore(store) }) as SiteStore,
    )
    let challenges: ReturnType<typeof createChallenges> | undefined
    const copies = await openCopies({
      ground: { catalogue, stores: memory },
      wrapCatalogue: real => life.wrapCatalogue(options.forgetsHolds ? withoutHolds(real) : real),
      wrapStore: life.wrapStore,
      dead,
      floor: options.floor,
      purgeAfterSeconds: -60,
      clock: {
        now: () => performance.now(),
        wallNow: () => Date.now() + site.clockOffsetMs,
        // Nothing is tried again by itself: the model says when.
        sleep: () => new Promise(() => undefined),
      },
      peersOf: reader => {
        const seen = life.wrapCatalogue(options.forgetsHolds ? withoutHolds(catalogue) : catalogue)
        const stores = { byId: (id: number) => sites.find(site => site.id === id) }
        const common = { reader, stores, random: randomBytes, log: silentLog }
        challenges = createChallenges({ ...common, catalogue: seen })
        const clock = { now: () => performance.now(), wallNow: Date.now, sleep: async () => {} }
        const peers = createPeerProofs({ ...common, catalogue: seen, connections: connections(), name, clock })
        return options.weaken?.(peers) ?? peers
      },
    })
    await copies.recovery.recover()
    await copies.gate.recover()
    await copies.maker.recover()
    return { life, copies, challenges: challenges! }
  }

  /** As the wire would, without it: an answer of a process that dies on the way is none. */
  function connections(): PeerConnections {
    return {
      async to(other) {
        const peer = options.reach(other)
        const capabilities = new Set([FLOWS])
        const connection = {
          greet: async () => ({ capabilities }),
          proof: proofCalls(peer, () => options.reach(other)),
        }
        return { peer: { name: other }, connection } as never
      },
    }
  }

  function proofCalls(peer: Site, reachAgain: () => Site) {
    const ofLiving = async <T>(call: (process: Process) => Promise<T>): Promise<T> => {
      const { life } = peer.process()
      const result = await Promise.race([call(peer.process()), life.died.then(() => undefined)])
      reachAgain()
      if (result === undefined) throw new Error(`${peer.name} has gone away`)
      return result
    }
    return {
      challenge: async (asked: { file_name: string; nonce: string; hold_seconds: number }) => {
        if (peer.isLying) return lie(peer.name)
        const { file_name: fileName, nonce, hold_seconds: holdSeconds } = asked
        const copies = await ofLiving(({ challenges }) => challenges.answer({ fileName, nonce, holdSeconds, by: name }))
        return { librarian: peer.name, copies: copies.map(toWire) }
      },
      release: ({ hold_ids }: { hold_ids: readonly string[] }) =>
        ofLiving(async ({ challenges }) => ({ released: await challenges.release(hold_ids, name) })),
    }
  }

  await open()
  await catalogue!.stores.synchronise({
    stores: memory.map(store => ({
      name: store.name,
      ingestable: true,
      type: 'local',
      data: {},
      transferManagers: {},
    })),
  })
  for (const [at, other] of others.entries()) {
    await catalogue!.peers.add({ name: other, url: 'http://localhost', port: 1 + at, authenticator: 'a:b' })
  }
  process = await begin()
  return site
}

type Challenged = Awaited<ReturnType<ReturnType<typeof createChallenges>['answer']>>[number]

function toWire({ storeId, instanceId, state, size, answer, holdId }: Challenged) {
  return {
    store_id: storeId,
    instance_id: instanceId,
    state,
    size: size ?? null,
    answer: answer ?? null,
    hold_id: holdId ?? null,
  }
}

function lie(librarian: string) {
  const answer = randomBytes(32).toString('hex')
  return { librarian, copies: [{ store_id: 1, instance_id: 1, state: 'ok', size: 9, answer, hold_id: 'held' }] }
}

function withoutHolds(catalogue: Catalogue): Catalogue {
  return { ...catalogue, holds: { ...catalogue.holds, take: async () => true } }
}
