/** When other librarians last called (librarian 3.10): their accounts are named after them (librarian 5.5). */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'

/** Told of every caller whose password was right. Never throws, and nobody waits for it. */
export type Hear = (caller: string) => void

export interface HeardPeersOptions {
  readonly catalogue: Pick<Catalogue, 'peers'>
  readonly clock: Clock
  readonly log: Log
}

/** A caller is looked up, and a peer written down, at most so often: a time to the minute tells who is silent. */
const EVERY_MS = 60_000
/** Callers remembered; more there are only where somebody makes accounts by the thousand. */
const MOST = 10_000

export function createHeardPeers({ catalogue: { peers }, clock, log }: HeardPeersOptions): Hear {
  const lastLook = new Map<string, number>()

  async function note(name: string): Promise<void> {
    if (await peers.find({ name })) await peers.touch({ name, heard: true })
  }

  return caller => {
    const now = clock.now()
    const last = lastLook.get(caller)
    if (last !== undefined && now - last < EVERY_MS) return
    if (lastLook.size >= MOST) lastLook.clear()
    lastLook.set(caller, now)
    note(caller).catch(error => {
      lastLook.delete(caller)
      log.warn({ err: error, peer: caller }, 'It could not be noted that another librarian called')
    })
  }
}
