/** A link that comes and goes, and what is seen of it meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sentBy } from './counters.ts'
import { senderDevice, setLink } from './namespaces.ts'

const UP_MS = 10_000
const DOWN_MS = 2000
const LOOK_MS = 20
/** More than what is said about files: these are bytes of files. */
const FLOWS = 100_000

export interface Watch {
  /** Seconds from when the first files were on the link until now, without those in which it was cut. */
  upSeconds(): number
  readonly cuts: number
  /** From when the link was back until files flowed again, each in seconds. */
  readonly resumed: readonly number[]
  stop(): Promise<void>
}

/** Runs in the sender's namespace. @param isCut every 10 s, for 2 s; false: the link stays */
export function watchLink(sender: string, { isCut }: { readonly isCut: boolean }): Watch {
  const ended = new AbortController()
  const resumed: number[] = []
  let begunAt: number | undefined
  let downSince: number | undefined
  let downMs = 0
  let cuts = 0

  /** Resolves when so much more has been sent. */
  const flowing = async (): Promise<number> => {
    const before = sentBy(senderDevice)
    while (sentBy(senderDevice) - before < FLOWS) await sleep(LOOK_MS, undefined, { signal: ended.signal })
    return performance.now()
  }
  const run = async () => {
    begunAt = await flowing()
    while (isCut) {
      await sleep(UP_MS, undefined, { signal: ended.signal })
      downSince = performance.now()
      setLink(sender, false)
      cuts++
      await sleep(DOWN_MS, undefined, { signal: ended.signal }).finally(() => setLink(sender, true))
      const upAt = performance.now()
      downMs += upAt - downSince
      downSince = undefined
      // What is over needs no link.
      void flowing().then(
        at => resumed.push((at - upAt) / 1000),
        () => {},
      )
    }
  }
  const running = run().catch(error => {
    if (!ended.signal.aborted) throw error
  })
  return {
    upSeconds() {
      const now = performance.now()
      const down = downMs + (downSince === undefined ? 0 : now - downSince)
      return (now - (begunAt ?? now) - down) / 1000
    },
    get cuts() {
      return cuts
    },
    resumed,
    async stop() {
      ended.abort()
      await running
    },
  }
}
