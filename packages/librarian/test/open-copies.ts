/** A world with the services around single copies. */
import { randomBytes } from 'node:crypto'
import { silentLog } from '../src/log.ts'
import { createAddFile } from '../src/services/add-file.ts'
import { createCopyMaker } from '../src/services/copies/make-copy.ts'
import { type CopyReader, createCopyReader } from '../src/services/copies/read-copies.ts'
import { createAlarms } from '../src/services/create-alarms.ts'
import { createDeletionGate } from '../src/services/deletion/gate.ts'
import { createInstanceAdmin } from '../src/services/instance-admin.ts'
import type { PeerProofs } from '../src/services/proofs/peer-proofs.ts'
import { createValidation } from '../src/services/validation.ts'
import { createFakePeers } from './fake-peers.ts'
import { newGround, openWorld, type WorldOptions } from './world.ts'

export interface CopiesOptions extends WorldOptions {
  /** Default 1. */
  readonly floor?: number
  /** Negative: at once. */
  readonly purgeAfterSeconds?: number
  /** What other librarians show, made with what reads ours. Default: what a test says (`peers`). */
  readonly peersOf?: (reader: CopyReader) => PeerProofs
}

export async function openCopies(options: CopiesOptions = {}) {
  const ground = options.ground ?? (await newGround(['main', 'second', 'third']))
  const world = await openWorld({ ...options, ground })
  const catalogue = options.wrapCatalogue?.(ground.catalogue) ?? ground.catalogue
  const { stores } = world
  const alarms = createAlarms({ catalogue, log: silentLog })
  const clock = options.clock ?? {
    ...performance,
    now: () => performance.now(),
    wallNow: () => Date.now(),
    sleep: async () => {},
  }
  let reads = 0
  const counted = {
    ...stores,
    byId: (id: number) => {
      const site = stores.byId(id)
      if (!site) return undefined
      const store = new Proxy(site.store, {
        get(target, key) {
          const value = Reflect.get(target, key, target)
          if (key === 'examine') reads += 1
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      return { ...site, store }
    },
  }
  const reader = createCopyReader({ catalogue, stores: counted, alarms, log: silentLog, by: 'here', atOnce: 2 })
  const validation = createValidation({ catalogue, stores, reader, clock, cacheMs: 60_000 })
  const presence = {
    holder: world.holder,
    gone: async (all: readonly string[]) => new Set(all.filter(one => options.dead?.has(one))),
  }
  const peers = createFakePeers()
  const gate = createDeletionGate({
    peers: options.peersOf?.(reader) ?? peers,
    catalogue,
    stores,
    reader,
    alarms,
    presence,
    clock,
    log: silentLog,
    floor: options.floor ?? 1,
    purgeAfterSeconds: options.purgeAfterSeconds,
  })
  const { commits } = world
  const maker = createCopyMaker({ catalogue, stores, commits, reader, presence, log: silentLog, random: randomBytes })
  const admin = createInstanceAdmin({ catalogue, stores, gate })
  const addFile = createAddFile({ catalogue, stores, commits: world.commits })

  /** Another copy, as a clone would make it. */
  async function copyTo(storeId: number, name: string): Promise<number> {
    const { instances } = (await ground.catalogue.instances.ofFile({ name }))!
    const source = ground.stores[instances[0]!.store_id - 1]!
    await using file = await source.open(name)
    const bytes = new Uint8Array(Buffer.concat(await Array.fromAsync(file.read(0, file.size))))
    ground.stores[storeId - 1]!.damage(name, bytes)
    const { id } = await ground.catalogue.instances.add({
      name,
      storeId,
      path: ground.stores[storeId - 1]!.pathOf(name),
    })
    return id
  }

  const copyOf = async (name: string, storeId = 1) =>
    (await ground.catalogue.instances.ofFile({ name }))!.instances.find(one => one.store_id === storeId)

  /** What the audit has of deletions, oldest first. */
  async function audited() {
    const entries = await ground.catalogue.audit.list({ limit: 1000 })
    return entries
      .filter(({ action }) => action.startsWith('deletion/'))
      .reverse()
      .map(({ actor, action, subject, detail }) => ({ actor, action, subject, ...JSON.parse(detail) }))
  }

  return {
    ...world,
    audited,
    ground,
    catalogue,
    validation,
    reader,
    gate,
    peers,
    maker,
    admin,
    addFile,
    copyTo,
    copyOf,
    reads: () => reads,
  }
}
