/**
 * Brings the catalogue and the stores together again after a crash (reliability A3, A6), and looks after commits that could
 * not be finished when they were asked for. It never deletes what it cannot explain.
 */
import type { Clock } from '@arriero/transfer'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Intent } from '../../catalogue/operations/intents.ts'
import type { Log } from '../../log.ts'
import type { Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import type { Presence } from '../presence.ts'
import { type RecoveredAs, recoverIntent } from './recover-intent.ts'

export interface Recovery extends AsyncDisposable {
  /** All intents that nobody works on. What cannot be finished now is left, and tried again. */
  recover(): Promise<RecoveryReport>
  /** One of a transfer; false where somebody works on it, or it was left. */
  recoverTransfer(transferId: number): Promise<boolean>
  /** Intents of this process that it could not finish: they are tried again, later and later. */
  leave(ids: readonly string[]): void
  close(): Promise<void>
}

export type RecoveryReport = Readonly<Record<RecoveredAs, number>>

export interface RecoveryOptions {
  readonly catalogue: Pick<Catalogue, 'intents'>
  readonly stores: Stores
  readonly presence: Presence
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  /** Of proofs: this librarian. */
  readonly by: string
  /** Whether a commit of this process is under way. */
  isWorkingOn(intentId: string): boolean
}

const FIRST_WAIT_MS = 1000
const LAST_WAIT_MS = 60_000

export function createRecovery(options: RecoveryOptions): Recovery {
  const { catalogue, stores, presence, alarms, clock, log, by, isWorkingOn } = options
  const stop = new AbortController()
  const told = new Set<string>()
  /** Intents that a recovery of this process is at: a second one, meanwhile, would take them from the first. */
  const recovering = new Set<string>()
  let retrying: Promise<void> | undefined

  async function recover(): Promise<RecoveryReport> {
    const report = { finished: 0, undone: 0, failed: 0, left: 0 }
    const intents = await catalogue.intents.list()
    const gone = await presence.gone([...new Set(intents.map(({ holder }) => holder))])
    for (const intent of intents) {
      if (isInHands(intent, gone)) continue
      report[await recoverOne(intent)] += 1
    }
    if (report.left > 0) leave([])
    return report
  }

  function isInHands({ id, holder }: Intent, gone: ReadonlySet<string>): boolean {
    if (recovering.has(id)) return true
    return holder === presence.holder ? isWorkingOn(id) : !gone.has(holder)
  }

  async function recoverOne(found: Intent): Promise<RecoveredAs> {
    const { holder } = presence
    const site = stores.byId(found.store_id)
    if (!site) return await tellOnce(found, `its store ${found.store_id} is not in the settings`)
    recovering.add(found.id)
    try {
      const intent = await catalogue.intents.takeOver({ id: found.id, token: found.token, holder })
      if (!intent) return 'left'
      const end = await recoverIntent(intent, site, { catalogue, alarms, holder, by })
      log.info({ file: intent.file_name, store: site.name, end }, 'an interrupted commit was recovered')
      return end
    } catch (error) {
      return await tellOnce(found, error instanceof Error ? error.message : String(error))
    } finally {
      recovering.delete(found.id)
    }
  }

  async function tellOnce({ id, file_name }: Intent, why: string): Promise<RecoveredAs> {
    log.warn({ file: file_name, why }, 'an interrupted commit waits')
    if (!told.has(id)) {
      told.add(id)
      await alarms.raise({
        severity: 'error',
        category: 'data_availability',
        message: `The commit of ${file_name} waits to be finished: ${why}. It is tried again by itself.`,
        caller: 'recovery',
      })
    }
    return 'left'
  }

  async function recoverTransfer(transferId: number): Promise<boolean> {
    const intent = await catalogue.intents.ofTransfer({ transferId })
    if (!intent) return true
    if (isInHands(intent, await presence.gone([intent.holder]))) return false
    return (await recoverOne(intent)) !== 'left'
  }

  function leave(ids: readonly string[]): void {
    if (ids.length > 0) log.warn({ ids }, 'commits are left to recovery')
    if (stop.signal.aborted) return
    retrying ??= retry().finally(() => {
      retrying = undefined
    })
  }

  async function retry(): Promise<void> {
    let waitMs = FIRST_WAIT_MS
    while (!stop.signal.aborted) {
      try {
        await clock.sleep(waitMs, stop.signal)
        if ((await recoverMine()) === 0) return
      } catch (error) {
        if (stop.signal.aborted) return
        log.warn({ error }, 'interrupted commits could not be looked at')
      }
      waitMs = Math.min(waitMs * 2, LAST_WAIT_MS)
    }
  }

  /** How many still wait. */
  async function recoverMine(): Promise<number> {
    let left = 0
    for (const intent of await catalogue.intents.list()) {
      if (intent.holder !== presence.holder || isInHands(intent, new Set())) continue
      if ((await recoverOne(intent)) === 'left') left += 1
    }
    return left
  }

  async function close(): Promise<void> {
    stop.abort(new Error('the server stops'))
    await retrying
  }

  return { recover, recoverTransfer, leave, close, [Symbol.asyncDispose]: close }
}
