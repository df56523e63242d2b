/** Whether the audit log is what was written: read from its first entry, a stretch at a time, then only what is new. */
import { type Instant, instantOf } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { AuditHead } from '../../catalogue/operations/audit.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'

export interface ChainState {
  readonly time: Instant
  /** That were checked. */
  readonly entries: number
  /** The first that is not what was written, or does not follow the one before. */
  readonly broken: { readonly id: number; readonly why: string } | undefined
}

export interface AuditChain {
  /** What the last check found, at once; it is being checked again. Undefined: the first check is under way. */
  state(): ChainState | undefined
  /** Resolves when the check that runs is done. */
  settled(): Promise<void>
}

export interface AuditChainOptions {
  readonly catalogue: Pick<Catalogue, 'audit'>
  readonly clock: Clock
  readonly log: Log
  /** From the first entry again: what was changed behind our back lies in the past. Default an hour. */
  readonly wholeEveryMs?: number
}

/** Between stretches, so that a long log takes little of the time. */
const BREATH_MS = 10

export function createAuditChain({
  catalogue: { audit },
  clock,
  log,
  wholeEveryMs = 3_600_000,
}: AuditChainOptions): AuditChain {
  let state: ChainState | undefined
  let head: AuditHead | undefined
  let entries = 0
  let wholeAt = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined

  async function check(): Promise<void> {
    if (clock.now() - wholeAt >= wholeEveryMs) {
      head = undefined
      entries = 0
      wholeAt = clock.now()
    }
    for (;;) {
      const { checked, next, broken } = await audit.verify(head ? { after: head } : {})
      entries += checked
      if (broken || !next) {
        // What is broken stays so until it is read as a whole again.
        state = { time: instantOf(new Date(clock.wallNow())), entries, broken }
        return
      }
      head = next
      await clock.sleep(BREATH_MS)
    }
  }

  return {
    state() {
      running ??= check()
        .catch(error => log.warn({ err: error }, 'The audit log could not be checked; it is tried again'))
        .finally(() => {
          running = undefined
        })
      return state
    },
    settled: async () => await running,
  }
}
