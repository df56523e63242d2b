/** Sends to one librarian what it lacks (librarian 12.3). */
import { type Instant, instantOf, millisecondsOf } from '@arriero/api'
import type { FileCursor } from '../../catalogue/operations/files.ts'
import type { Peer } from '../../catalogue/operations/peers.ts'
import type { TaskContext, TaskResult, TaskSettings } from '../../tasks/task.ts'
import { someNames } from '../some-names.ts'
import { leaseSecondsOf, ownHolder, type SendingParts } from './parts.ts'
import { isRefusal, tellRefused } from './refused-account.ts'
import type { BatchOutcome, SendBatch } from './send-batch.ts'

export type SendClone = (settings: TaskSettings<'send_clone'>, context: TaskContext) => Promise<TaskResult>

/** Files looked at by one question. */
const PAGE = 2000
const DAY_MS = 86_400_000

export function createSendClone(parts: SendingParts, sendBatch: SendBatch): SendClone {
  const { catalogue, connections, alarms, clock } = parts

  return async (settings, context) => {
    const { destination_librarian: destination, store_preference: store } = settings
    const peer = await catalogue.peers.find({ name: destination })
    if (!peer) return ended('off', `there is no librarian ${destination}`)
    const preferred = store === null ? undefined : await catalogue.stores.find({ name: store })
    if (store !== null && !preferred) return ended('off', `there is no store ${store}`)
    if (!peer.transfersEnabled) return await paused(settings, context)
    const why = await whyNot(peer, context.signal)
    if (why !== undefined) return ended('partial', why)
    return await sendAll(settings, preferred?.id, context)
  }

  async function sendAll(settings: Parameters<SendClone>[0], preferredStore: number | undefined, context: TaskContext) {
    const { destination_librarian: destination, age_in_days: ageInDays } = settings
    const counts = { sent: 0, known: 0, failed: 0, without: 0 }
    const batchSize = Math.max(1, settings.send_batch_size)
    await catalogue.sending.endOrphans({ destination, holder: ownHolder(parts), seconds: leaseSecondsOf(parts) })
    for await (const names of batches(destination, ageInDays, batchSize)) {
      if (context.signal.aborted || context.isOverdue()) return { ...ended('partial', 'the time is over'), counts }
      const outcome = await sendBatch({ destination, names, preferredStore }, { signal: context.signal })
      if (outcome === 'busy') return { ...ended('partial', `somebody else sends to ${destination}`), counts }
      add(counts, outcome)
      context.progress(counts)
      await tellMissing(destination, outcome.without)
      if (outcome.stop !== undefined) return { ...ended('partial', outcome.stop), counts }
    }
    return { ...ended('done', `${counts.sent} files are on their way to ${destination}`), counts }
  }

  /** Names of files that the destination lacks, so many at once. */
  async function* batches(destination: string, ageInDays: number, size: number): AsyncGenerator<string[]> {
    let names: string[] = []
    let after: FileCursor | undefined
    do {
      const page = await catalogue.sending.candidates({ destination, ageInDays, after, limit: PAGE })
      names.push(...page.names)
      for (; names.length >= size; names = names.slice(size)) yield names.slice(0, size)
      after = page.next
    } while (after)
    if (names.length > 0) yield names
  }

  /** Undefined: it can be sent to. Who has refused our account is asked first whether it still does. */
  async function whyNot({ name, refusedSince }: Peer, signal: AbortSignal): Promise<string | undefined> {
    try {
      const { connection } = await connections.to(name)
      await connection.ping.any({}, { signal })
      await catalogue.peers.touch({ name, seen: true })
      if (refusedSince === null) return undefined
      await connection.ping.logged({}, { signal })
      await catalogue.peers.refuse({ name, refuses: false })
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      if (isRefusal(error)) return await tellRefused(parts, name, error)
      parts.log.warn({ err: error, peer: name }, 'The librarian does not answer; nothing is sent to it now')
      return `${name} does not answer`
    }
  }

  async function tellMissing(destination: string, without: readonly string[]): Promise<void> {
    if (without.length === 0) return
    await alarms.raise({
      severity: 'error',
      category: 'data_availability',
      message: `Cannot send ${someNames(without)} to ${destination}: no good copy is available`,
      caller: 'send_clone',
    })
  }

  /** Switched off by an operator: said again now and then, so that it is not forgotten. */
  async function paused(settings: Parameters<SendClone>[0], { cursor, keep }: TaskContext): Promise<TaskResult> {
    const { destination_librarian: destination, warn_disabled_timer: days } = settings
    const now = clock.wallNow()
    const last = (cursor as { warned?: Instant } | undefined)?.warned
    const since = last === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - millisecondsOf(last))
    if (days !== null && since >= days * DAY_MS) {
      keep({ warned: instantOf(new Date(now)) })
      await alarms.raise({
        severity: 'warning',
        category: 'configuration',
        message: `Nothing is sent to ${destination}: transfers to it are switched off`,
        caller: 'send_clone',
      })
    }
    return ended('done', `transfers to ${destination} are switched off`)
  }
}

function ended(outcome: TaskResult['outcome'], note: string): TaskResult {
  return { outcome, note, counts: {} }
}

function add(counts: Record<'sent' | 'known' | 'failed' | 'without', number>, outcome: BatchOutcome): void {
  counts.sent += outcome.sent.length
  counts.known += outcome.known
  counts.failed += outcome.failed
  counts.without += outcome.without.length
}
