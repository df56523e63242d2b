/**
 * Wakes the work on the queue as soon as there is some, so that a flow takes seconds and not the sum of what the settings say of
 * its tasks. Only within this process: elsewhere, and after a crash, the schedule finds the same work.
 */
import type { Clock } from '../../clock.ts'

export type Woken = 'consume' | 'check'

export interface Wake {
  /** Something is to be done, now or in so many milliseconds. Whoever works already looks once more. */
  want(what: Woken, inMs?: number): void
  /** Runs whenever it is wanted, one run at a time, until the signal. `run` never rejects. */
  serve(what: Woken, run: () => Promise<void>, signal: AbortSignal): Promise<void>
}

export function createWake({ clock }: { clock: Clock }): Wake {
  const due = new Map<Woken, number>()
  const changed = new Map<Woken, () => void>()

  async function nap(what: Woken, signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    changed.set(what, () => woken.abort(new Error('wanted')))
    const at = due.get(what)
    const ms = at === undefined ? LONGEST_MS : Math.min(LONGEST_MS, at - clock.now())
    if (ms > 0) await clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => {})
    changed.delete(what)
  }

  return {
    want(what, inMs = 0) {
      const at = clock.now() + inMs
      if ((due.get(what) ?? Number.POSITIVE_INFINITY) <= at) return
      due.set(what, at)
      changed.get(what)?.()
    },

    async serve(what, run, signal) {
      while (!signal.aborted) {
        const at = due.get(what)
        if (at === undefined || at > clock.now()) {
          await nap(what, signal)
          continue
        }
        due.delete(what)
        await run()
      }
    },
  }
}

/** Timers cannot be set for longer than some weeks. */
const LONGEST_MS = 3_600_000
