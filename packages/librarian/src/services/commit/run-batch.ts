/** The steps of `commits.ts`, for one batch on one store. */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Log } from '../../log.ts'
import type { Outcome, Prepared, Published, Work } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import type { DiskTrouble } from './disk-trouble.ts'
import { asLibrarianError, finishesLater, judgeFailure, onlyDamaged, takenOver } from './failures.ts'
import { beginWorkOf, type CommitItem, preparedOf, publicationOf, trailRecordOf, workOf } from './item.ts'
import { prepareInPlace } from './prepare-in-place.ts'
import { removeOrigin } from './remove-origin.ts'

export interface BatchOptions {
  readonly catalogue: Pick<Catalogue, 'intents'>
  readonly alarms: Alarms
  readonly diskTrouble: DiskTrouble
  readonly log: Log
  /** Of intents: this process. */
  readonly holder: string
  /** Of proofs: this librarian. */
  readonly by: string
  /** Intents that can only go forward, and could not: recovery is asked to look after them. */
  leave(ids: readonly string[]): void
  /** Ids of works whose private copies are gone since last asked; `putBack` where they were not told. */
  readonly settled: { take(): readonly string[]; add(ids: readonly string[]): void }
}

/** Never rejects: every item is answered. */
export async function runBatch(store: SiteStore, items: readonly CommitItem[], options: BatchOptions): Promise<void> {
  const batch = createBatch(store, options)
  try {
    const begun = await batch.begin(items)
    const prepared = await batch.record(await batch.prepare(begun))
    const published = await batch.publish(prepared)
    const done = await batch.finish(await batch.appendTrail(published))
    await batch.settle(done)
  } catch (error) {
    // Only faults of this program come here; nobody must wait for ever because of one.
    options.log.error({ error }, 'a batch of commits failed')
    for (const item of items) item.reject(asLibrarianError(error))
    options.leave(items.map(({ id }) => id))
  }
}

function createBatch(site: SiteStore, options: BatchOptions) {
  const { catalogue, alarms, diskTrouble, log, holder, by, leave, settled } = options
  const { store } = site

  async function begin(items: readonly CommitItem[]): Promise<CommitItem[]> {
    const forget = settled.take()
    const outcomes = await attempt(() => catalogue.intents.begin({ holder, works: items.map(beginWorkOf), forget }))
    if (!outcomes.ok) {
      settled.add(forget)
      // The answer may have been lost after the commit of the transaction: what is there will be undone.
      abandonAll(items, outcomes.error)
      return []
    }
    const begun: CommitItem[] = []
    for (const [index, item] of items.entries()) {
      const outcome = outcomes.value[index]!
      if (outcome.outcome === 'begun') {
        item.token = outcome.token
        item.createTime = outcome.createTime
        item.order = outcome.order
        begun.push(item)
      } else if (outcome.outcome === 'completed') {
        item.resolve({ outcome: 'same' })
      } else {
        if (outcome.code === 'FileExists') await removeOriginOf(item)
        item.reject(new LibrarianError(outcome.code, outcome.message))
      }
    }
    return begun
  }

  async function prepare(items: readonly CommitItem[]): Promise<CommitItem[]> {
    const outcomes = await prepareAll(items)
    const good: CommitItem[] = []
    for (const [index, item] of items.entries()) {
      const outcome = outcomes[index]!
      if (outcome.ok) {
        item.prepared = outcome.value
        good.push(item)
      } else {
        await giveUp(item, outcome.error)
      }
    }
    return good
  }

  /** All becomes a private copy, but for what lies in its place where nobody could write to it: that is read there. */
  async function prepareAll(items: readonly CommitItem[]): Promise<Outcome<Prepared>[]> {
    const works: Work[] = []
    for (const item of items) {
      const { origin, name } = item.request
      if (origin.from !== 'place') works.push(workOf(item, origin))
      else if (store.capabilities.canAdopt) works.push(workOf(item, { from: 'place', name }))
    }
    const copied = await attempt(() => (works.length ? store.prepare(works) : Promise.resolve([])))
    const byId = new Map(works.map(({ id }, index) => [id, copied.ok ? copied.value[index]! : copied]))
    return await Promise.all(items.map(async item => byId.get(item.id) ?? (await prepareInPlace(store, item.request))))
  }

  async function record(items: readonly CommitItem[]): Promise<CommitItem[]> {
    if (items.length === 0) return []
    const works = items.map(item => {
      const { kind, size, checksum, sha256, manifest } = preparedOf(item)
      return { id: item.id, token: item.token, kind, size, checksum, sha256, manifest }
    })
    const outcomes = await attempt(() => catalogue.intents.prepared({ holder, works }))
    if (!outcomes.ok) {
      abandonAll(items, outcomes.error)
      return []
    }
    const good: CommitItem[] = []
    for (const [index, item] of items.entries()) {
      const outcome = outcomes.value[index]!
      const { name } = item.request
      if (outcome === 'go') good.push(item)
      if (outcome === 'stale') item.reject(takenOver(name))
      if (outcome === 'same') {
        item.resolve({ outcome: 'same' })
        await settle([item])
      }
      if (outcome === 'damaged') await giveUp(item, onlyDamaged(name))
      if (outcome === 'other') {
        const message = `Cannot commit ${name}: other content is kept under this name already`
        await giveUp(item, new LibrarianError('FileExists', message))
      }
    }
    return good
  }

  async function publish(items: readonly CommitItem[]): Promise<CommitItem[]> {
    if (items.length === 0) return []
    const outcomes = await attempt(() => publishAll(items))
    const good: CommitItem[] = []
    for (const [index, item] of items.entries()) {
      const outcome = outcomes.ok ? outcomes.value[index]! : outcomes
      if (outcome.ok) {
        item.published = outcome.value
        good.push(item)
      } else {
        await giveUpUnlessPublished(item, outcome.error)
      }
    }
    return good
  }

  function isAdopted({ request }: CommitItem): boolean {
    return request.origin.from === 'place' && store.capabilities.canAdopt
  }

  async function publishAll(items: readonly CommitItem[]): Promise<Outcome<Published>[]> {
    const adopted = items.filter(isAdopted)
    const others = items.filter(item => !isAdopted(item))
    const done = new Map<CommitItem, Outcome<Published>>()
    const outcomes = others.length > 0 ? await store.publish(others.map(publicationOf)) : []
    for (const [index, item] of others.entries()) done.set(item, outcomes[index]!)
    for (const item of adopted) done.set(item, await attempt(() => store.adopt(publicationOf(item))))
    return items.map(item => done.get(item)!)
  }

  async function giveUpUnlessPublished(item: CommitItem, error: LibrarianError): Promise<void> {
    // What may not be replaced is as it was, though its bytes are the right ones.
    if (isAdopted(item) && error.code === 'Unacceptable') return giveUp(item, error)
    const state = await attempt(() => store.inspect(publicationOf(item)))
    if (!state.ok || state.value === 'published') return abandon(item, error)
    // What lay there is aside, and comes back only as the private copy.
    if (isAdopted(item) && state.value === 'prepared') return abandon(item, error)
    if (state.value === 'foreign') {
      await alarms.raise({
        severity: 'error',
        category: 'data_integrity',
        message: `Store ${site.name} holds something under ${item.request.name} that the catalogue does not know: ${error.message}. See \`arriero doctor --catalogue\`.`,
        caller: 'commit',
      })
    }
    await giveUp(item, error)
  }

  async function appendTrail(items: readonly CommitItem[]): Promise<CommitItem[]> {
    if (items.length === 0) return []
    const appended = await attempt(() => store.appendTrail(items.map(item => trailRecordOf(item, item.createTime))))
    if (appended.ok) return [...items]
    abandonAll(items, appended.error)
    await noteTrouble(appended.error)
    return []
  }

  async function finish(items: readonly CommitItem[]): Promise<CommitItem[]> {
    if (items.length === 0) return []
    const works = items.map(({ id, token, published }) => ({ id, token, ...published! }))
    const done = await attempt(() => catalogue.intents.finish({ holder, by, works }))
    if (!done.ok) {
      if (items.length === 1) {
        abandonAll(items, done.error)
        return []
      }
      // One row that the catalogue refuses must not hold up its neighbours.
      const singly: CommitItem[] = []
      for (const item of items) singly.push(...(await finish([item])))
      return singly
    }
    const good: CommitItem[] = []
    for (const [index, item] of items.entries()) {
      if (done.value[index]) {
        item.resolve({ outcome: 'committed' })
        good.push(item)
      } else {
        item.reject(takenOver(item.request.name))
      }
    }
    return good
  }

  /** Nobody waits for this any more; what it leaves behind, the sweep finds. */
  async function settle(items: readonly CommitItem[]): Promise<void> {
    if (items.length === 0) return
    const ids = items.map(({ id }) => id)
    const gone = await attempt(() => store.settle(ids))
    if (gone.ok) settled.add(ids)
    else log.warn({ store: site.name, error: gone.error }, 'private copies are left for the sweep')
    await Promise.all(items.map(removeOriginOf))
  }

  /** Before anything is published: the end of this commit, told to its sender. */
  async function giveUp(item: CommitItem, thrown: unknown): Promise<void> {
    const { error, keepsTransfer, isDiskTrouble } = judgeFailure(thrown, item.request.origin.from)
    const failed = await attempt(() =>
      catalogue.intents.fail({
        holder,
        works: [{ id: item.id, token: item.token, reason: error.message, keepsTransfer }],
      }),
    )
    if (!failed.ok) return abandon(item, error)
    if (!failed.value[0]) return item.reject(takenOver(item.request.name))
    if (keepsTransfer) await settlePrivate(item)
    else await settle([item])
    if (isDiskTrouble) await diskTrouble.note(site, error)
    if (error.code === 'NoSpace') await raiseFull()
    item.reject(error)
  }

  async function settlePrivate(item: CommitItem): Promise<void> {
    const gone = await attempt(() => store.settle([item.id]))
    if (gone.ok) settled.add([item.id])
  }

  async function removeOriginOf({ request: { origin } }: CommitItem): Promise<void> {
    const removed = await attempt(() => removeOrigin(store, origin))
    if (!removed.ok) log.warn({ store: site.name, error: removed.error }, 'a staging area is left for the sweep')
  }

  function abandon(item: CommitItem, error: unknown): void {
    leave([item.id])
    item.reject(finishesLater(item.request.name, error))
  }

  function abandonAll(items: readonly CommitItem[], error: unknown): void {
    for (const item of items) abandon(item, error)
  }

  async function noteTrouble(error: LibrarianError): Promise<void> {
    if (judgeFailure(error).isDiskTrouble) await diskTrouble.note(site, error)
    if (error.code === 'NoSpace') await raiseFull()
  }

  /** Without the name of what met it: it is one condition, however many meet it. */
  async function raiseFull(): Promise<void> {
    await alarms.raise({
      severity: 'error',
      category: 'store_full',
      message: `Store ${site.name} is full: what is sent to it is refused. Free some space on its disk; it goes on by itself.`,
      caller: 'commit',
    })
  }

  return { begin, prepare, record, publish, appendTrail, finish, settle }
}

async function attempt<T>(act: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (error) {
    return { ok: false, error: asLibrarianError(error) }
  }
}
