/**
 * Makes the calls that stand in the catalogue as messages (reliability 8.14), until each is answered:
 *
 *   look      which librarians have messages that are due; now when it is woken, else every few seconds
 *   lane      one for each of them, so that one that is dead delays nobody; one process has it, by a lease
 *   page      the oldest messages; of what has happened to many transfers one call tells, where the other one knows that
 *   answer    the messages go, whatever it was; nobody asks twice
 *   silence   the librarian is left alone for a while, up to an hour; its messages wait in the catalogue
 *
 * Not promised: an order. Each message says all that it means, and may come twice.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Message } from '../../catalogue/operations/outbox.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Alarms } from '../alarms.ts'
import { holdLease } from '../hold-lease.ts'
import type { PeerConnection, PeerConnections } from '../peer-connections.ts'
import { PeerPauses, pauseMs } from '../peer-pauses.ts'
import { judgeAnswer } from './judge-answer.ts'
import { type Letter, lettersOf } from './letters.ts'

export interface DeliveryOptions {
  readonly catalogue: Pick<Catalogue, 'outbox' | 'leases' | 'peers'>
  readonly connections: PeerConnections
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  /** This process, as leases name it. */
  readonly holder: string
  readonly tuning?: DeliveryTuning | undefined
}

export interface DeliveryTuning {
  /** How often messages are looked for that another process has written. Default 10,000. */
  readonly everyMs?: number | undefined
  /** First pause after a failure. Default 1000. */
  readonly firstPauseMs?: number | undefined
  /** A call that was not answered for so long is made again. Default 600,000. */
  readonly callMs?: number | undefined
  /** Calls to one librarian at once. Default 8. */
  readonly atOnce?: number | undefined
  readonly random?: (() => number) | undefined
}

export interface Delivery {
  /** A message was written: look now. */
  wake(): void
  /** Until the signal; resolves when no call is under way any more. */
  work(signal: AbortSignal): Promise<void>
}

/** Messages of a page. */
const PAGE = 1000
/** Calls that were denied before the librarian is left alone. */
const MOST_DENIED = 3

interface Page {
  /** It has answered some call. */
  isHeard: boolean
  denied: number
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { catalogue, connections, alarms, clock, log, holder, tuning = {} } = options
  const { everyMs = 10_000, firstPauseMs, callMs = 600_000, atOnce = 8, random } = tuning
  const lanes = new Map<string, Promise<void>>()
  const pauses = new PeerPauses({ clock, random, firstMs: firstPauseMs })
  let nudge = new AbortController()
  let wakes = 0

  function wake(): void {
    wakes++
    if (!nudge.signal.aborted) nudge.abort()
  }

  async function look(signal: AbortSignal): Promise<void> {
    for (const peer of await catalogue.outbox.duePeers()) {
      if (lanes.has(peer) || pauses.isPaused(peer)) continue
      const before = wakes
      const lane = deliverTo(peer, signal)
        .catch(error => {
          pauses.failed(peer)
          if (!signal.aborted) log.warn({ err: error, peer }, 'Messages could not be delivered; they are tried again')
        })
        .finally(() => {
          lanes.delete(peer)
          // What was written while it ended would wait for the next look.
          if (wakes !== before) nudge.abort()
        })
      lanes.set(peer, lane)
    }
  }

  async function deliverTo(peer: string, signal: AbortSignal): Promise<void> {
    await using held = await holdLease(`messages:${peer}`, { catalogue, clock, holder })
    if (!held) return
    const both = AbortSignal.any([signal, held.lost])
    while (!both.aborted) {
      const messages = await catalogue.outbox.dueTo({ peer, limit: PAGE })
      if (messages.length === 0) return
      try {
        await deliverPage(messages, await connections.to(peer), both)
        pauses.answered(peer)
        await catalogue.peers.touch({ name: peer, seen: true })
      } catch (error) {
        if (both.aborted) return
        await rest(peer, error)
        return
      }
    }
  }

  async function rest(peer: string, error: unknown): Promise<void> {
    const known = error instanceof LibrarianError ? error : undefined
    pauses.failed(peer, known?.retryAfterSeconds)
    log.info(
      { err: error, peer, ms: Math.round(pauses.leftMs(peer)) },
      'A librarian cannot be told now; it is tried again',
    )
    if (known && mustBeMended.has(known.code)) await tellOperator(peer, known)
  }

  async function tellOperator(peer: string, { message, remedy }: LibrarianError): Promise<void> {
    await alarms.raise({
      severity: 'error',
      category: 'configuration',
      message: `Librarian ${peer} cannot be told what became of its transfers: ${message}. ${remedy}`,
      caller: 'messages',
    })
  }

  /** @throws what says that the librarian is not to be reached */
  async function deliverPage(messages: readonly Message[], to: PeerConnection, signal: AbortSignal): Promise<void> {
    const { capabilities } = await to.connection.greet({ signal })
    const letters = lettersOf(messages, capabilities)
    const page = { isHeard: false, denied: 0 }
    let failure: { readonly error: unknown } | undefined
    const queue = letters.values()
    const carry = async () => {
      for (const letter of queue) {
        if (failure || signal.aborted) return
        try {
          await send(letter, to, { page, signal })
        } catch (error) {
          failure ??= { error }
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(atOnce, letters.length) }, carry))
    if (failure) throw failure.error
  }

  async function send(
    letter: Letter,
    { peer, connection }: PeerConnection,
    { page, signal }: { readonly page: Page; readonly signal: AbortSignal },
  ): Promise<void> {
    const ids = letter.messages.map(({ id }) => id)
    try {
      const timed = AbortSignal.any([signal, AbortSignal.timeout(callMs)])
      const refusals = await letter.send(connection, timed)
      page.isHeard = true
      await catalogue.outbox.done({ ids })
      for (const { reason, count } of refusals) await tellRefusal(peer.name, 'clone/complete_many', reason, count)
    } catch (error) {
      signal.throwIfAborted()
      const isDenied = error instanceof LibrarianError && error.code === 'Denied'
      // It may be this call alone that our account there may not make; a wrong password is not tried for each of thousands.
      const isOwn = isDenied && (page.isHeard || ++page.denied < MOST_DENIED)
      const verdict = isOwn ? 'trouble' : judgeAnswer(error)
      if (verdict === 'silence') throw error
      if (isOwn) await tellOperator(peer.name, error)
      const reason = error instanceof Error ? error.message : String(error)
      if (verdict === 'answer') {
        await catalogue.outbox.done({ ids })
        const isExpected = error instanceof LibrarianError && error.code === 'Conflict'
        await tellRefusal(peer.name, letter.call, reason, ids.length, isExpected)
        return
      }
      const attempts = Math.max(...letter.messages.map(message => message.attempts)) + 1
      const seconds = pauseMs(attempts, firstPauseMs, random) / 1000
      await catalogue.outbox.later({ ids, seconds, reason: reason.slice(0, 500) })
    }
  }

  /** @param isExpected it had heard before, or had ended it itself */
  async function tellRefusal(
    peer: string,
    call: string,
    reason: string,
    count: number,
    isExpected = false,
  ): Promise<void> {
    log.info({ peer, call, reason, count }, 'A librarian refused what it was told of transfers')
    if (isExpected || !call.startsWith('clone/complete')) return
    await alarms.raise({
      severity: 'warning',
      category: 'transfer',
      message: `Librarian ${peer} did not take the message that clones of it are kept here: ${reason} Its own records find them later.`,
      caller: 'messages',
    })
  }

  return {
    wake,
    async work(signal) {
      while (!signal.aborted) {
        nudge = new AbortController()
        await look(signal).catch(error => {
          log.warn({ err: error }, 'Messages could not be looked for; the next try is soon')
        })
        const ms = Math.min(everyMs, pauses.shortestMs() ?? everyMs)
        await clock.sleep(Math.max(ms, 1), AbortSignal.any([signal, nudge.signal])).catch(() => {})
      }
      await Promise.all(lanes.values())
    },
  }
}

/** Time alone does not mend these. */
const mustBeMended: ReadonlySet<string> = new Set(['Denied', 'NotAuthenticated', 'Configuration', 'NoEndpoint'])
