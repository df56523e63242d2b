import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Log } from '../../log.ts'
import type { Presence } from '../presence.ts'

export interface FreeWhatDiedOptions {
  readonly catalogue: Pick<Catalogue, 'leases' | 'pieces' | 'tasks'>
  readonly presence: Pick<Presence, 'holder' | 'isDead'>
  readonly log: Log
}

/**
 * What a process held that has ended for certain is free at once: whoever is started again goes on at once with what it did, and
 * not when its leases run out. Pieces of work and runs of tasks name no process, so they are freed where none is left that
 * may have them. Safety rests on none of this (reliability E2): every later write of theirs names what it held.
 */
export async function freeWhatDied({ catalogue, presence, log }: FreeWhatDiedOptions): Promise<void> {
  const held = await catalogue.leases.list()
  const dead = held.filter(({ holder }) => presence.isDead(holder))
  // A turn of an upload tells its next holder from whom it comes (`upload-turns.ts`).
  const free = dead.filter(({ resource }) => !/^upload(-wish)?:/.test(resource))
  for (const { resource, holder, token } of free) await catalogue.leases.release({ resource, holder, token })
  const isAlone = held.every(lease => !lease.resource.startsWith('process:') || isOurs(lease) || dead.includes(lease))
  if (isAlone) {
    await catalogue.pieces.abandon()
    await catalogue.tasks.abandon()
  }
  if (free.length > 0) log.info({ leases: free.length, isAlone }, 'what a process held that has ended is free')

  function isOurs({ holder }: { readonly holder: string }): boolean {
    return holder === presence.holder
  }
}
