import type { NewUpload, StageOutcome } from '../../catalogue/operations/uploads.ts'

export type Announce = (uploads: readonly NewUpload[]) => Promise<readonly StageOutcome[]>

/** Uploads of one transaction, at most: some tens of milliseconds. */
const MOST = 2048

interface Call {
  readonly uploads: readonly NewUpload[]
  readonly resolve: (outcomes: readonly StageOutcome[]) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Announcements that come while one is written share the next transaction. Side by side they would beat each other, since
 * each counts the room that the others take. A name that comes twice waits for its turn: the later one replaces the earlier.
 */
export function announceTogether(announce: Announce): Announce {
  const waiting: Call[] = []
  let isRunning = false

  async function run(): Promise<void> {
    isRunning = true
    while (waiting.length > 0) await runOne(takeTogether(waiting))
    isRunning = false
  }

  async function runOne(calls: readonly Call[]): Promise<void> {
    try {
      const outcomes = await announce(calls.flatMap(({ uploads }) => uploads))
      let at = 0
      for (const { uploads, resolve } of calls) {
        resolve(outcomes.slice(at, at + uploads.length))
        at += uploads.length
      }
    } catch (error) {
      if (calls.length === 1) return calls[0]!.reject(error)
      // One that the catalogue refuses must not hold up its neighbours.
      for (const call of calls) await runOne([call])
    }
  }

  return uploads =>
    new Promise((resolve, reject) => {
      waiting.push({ uploads, resolve, reject })
      if (!isRunning) void run()
    })
}

/** In the order of their coming, up to the first that does not fit in. */
function takeTogether(waiting: Call[]): Call[] {
  const names = new Set<string>()
  let count = 0
  for (const { uploads } of waiting) {
    if (count > 0 && (names.size + uploads.length > MOST || uploads.some(({ name }) => names.has(name)))) break
    for (const { name } of uploads) names.add(name)
    count++
  }
  return waiting.splice(0, count)
}
