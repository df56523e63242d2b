/** A link that comes and goes, and what is seen of it meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sentBy } from './counters.ts'
import { senderDevice, setLink } from './namespaces.ts'

const UP_MS = 10_000
const DOWN_MS = 2000
const LOOK_MS = 20
/** More than what is said about files: these are bytes of files. */
const FLOWS = 100_000

export interface Flow {
  /** From the first bytes of files to the last, without the time in which the link was cut. */
  readonly seconds: number
  /** When the last ones had crossed, ms. */
  readonly endedAt: number
  readonly cuts: number
  /** From when the link was back until files flowed again, each in seconds. */
  readonly resumed: readonly number[]
}

export interface Watch {
  stop(): Promise<void>
  /** After `stop`. */
  flow(): Flow
}

interface Cut {
  readonly from: number
  to: number
}

/** Runs in the sender's namespace. @param isCut every 10 s, for 2 s; false: the link stays */
export function watchLink(sender: string, { isCut }: { readonly isCut: boolean }): Watch {
  const ended = new AbortController()
  const { signal } = ended
  const seen = [{ at: performance.now(), sent: sentBy(senderDevice) }]
  const cuts: Cut[] = []
  const begun = Promise.withResolvers<void>()

  const look = async () => {
    for (;;) {
      await sleep(LOOK_MS, undefined, { signal })
      const sent = sentBy(senderDevice)
      seen.push({ at: performance.now(), sent })
      if (sent - seen[0]!.sent >= FLOWS) begun.resolve()
    }
  }
  const cut = async () => {
    await begun.promise
    while (isCut) {
      await sleep(UP_MS, undefined, { signal })
      // The program that switches takes its time: what of it is in doubt counts as if the link were there.
      setLink(sender, false)
      const one = { from: performance.now(), to: Number.POSITIVE_INFINITY }
      cuts.push(one)
      await sleep(DOWN_MS, undefined, { signal }).finally(() => {
        one.to = performance.now()
        setLink(sender, true)
      })
    }
  }
  const quietly = (work: Promise<void>) =>
    work.catch(error => {
      if (!signal.aborted) throw error
    })
  const running = [quietly(look()), quietly(cut())]

  return {
    async stop() {
      ended.abort()
      begun.resolve()
      await Promise.all(running)
    },
    flow() {
      const whenSent = (bytes: number) => seen.find(({ sent }) => sent >= bytes)?.at
      const startedAt = whenSent(seen[0]!.sent + FLOWS)!
      const endedAt = whenSent(seen.at(-1)!.sent - FLOWS)!
      const within = cuts.filter(({ from }) => from < endedAt)
      const down = within.reduce((sum, { from, to }) => sum + Math.min(to, endedAt) - from, 0)
      const resumed = within.flatMap(({ to }) => {
        const before = seen.findLast(({ at }) => at <= to)!
        const at = whenSent(before.sent + FLOWS)
        return at === undefined || at > endedAt ? [] : [(at - to) / 1000]
      })
      return { seconds: (endedAt - startedAt - down) / 1000, endedAt, cuts: within.length, resumed }
    },
  }
}
