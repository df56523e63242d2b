/** Uploads one after another in several lanes, until they are ended; each is tried until it is kept, or refused for good. */
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, type Uploader } from './uploader.ts'

export interface Stream {
  /** How often each status ended a try; 0: the connection ended without an answer. */
  readonly statuses: ReadonlyMap<number, number>
  /** Resolves when so many more have been kept. */
  grown(by: number): Promise<void>
  /** Resolves when so many lanes are at an upload that they had not begun yet. */
  begun(lanes: number): Promise<void>
  /** Resolves when what was begun has ended, by whatever end. */
  end(): Promise<void>
}

export function startStream(client: Uploader, { lanes, size }: { lanes: number; size: number }): Stream {
  const statuses = new Map<number, number>()
  let isOver = false
  /** Of each lane. */
  const tries = Array.from({ length: lanes }, () => 0)

  async function tryOnce(name: string, content: Uint8Array): Promise<number> {
    const status = await client.upload(name, content).then(
      answer => answer.status,
      () => 0,
    )
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    return status
  }

  async function run(lane: number): Promise<void> {
    for (let n = 0; !isOver; n++) {
      const content = bytesOf(lane * 10_000 + n, size)
      for (let status = -1; status !== 200 && !(isOver && status !== -1); ) {
        tries[lane]!++
        // One whose end was never told may be kept: another name, so that no refusal hides a loss.
        status = await tryOnce(`stream/${lane}/${n}-${statuses.get(status) ?? 0}-${Math.random()}`, content)
        if (status !== 200) await sleep(100)
      }
    }
  }

  const running = Array.from({ length: lanes }, (_, lane) => run(lane))
  return {
    statuses,
    async grown(by) {
      const from = client.kept.length
      const deadline = Date.now() + 60_000
      while (client.kept.length < from + by) {
        if (Date.now() > deadline) {
          throw new Error(`Only ${client.kept.length - from} of ${by} were kept: ${JSON.stringify([...statuses])}`)
        }
        await sleep(50)
      }
    },
    async begun(count) {
      const before = [...tries]
      const deadline = Date.now() + 60_000
      while (tries.filter((tried, lane) => tried > before[lane]!).length < count) {
        if (Date.now() > deadline) throw new Error(`Lanes do not go on: ${before} tries, then ${tries}`)
        await sleep(10)
      }
    },
    async end() {
      isOver = true
      await Promise.all(running)
    },
  }
}
