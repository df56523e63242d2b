/**
 * Two errors of a store's disk within an hour disable the store (reliability 5): one may be a sector, two are a disk. A
 * person enables it again.
 */
import type { Clock } from '@arriero/transfer'
import type { SiteStore } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'

const HOUR_MS = 3_600_000

export interface DiskTrouble {
  /** Counts one error of this store's disk. */
  note(store: SiteStore, error: Error): Promise<void>
}

export interface DiskTroubleOptions {
  readonly clock: Clock
  readonly alarms: Alarms
  disableStore(name: string): Promise<unknown>
}

export function createDiskTrouble({ clock, alarms, disableStore }: DiskTroubleOptions): DiskTrouble {
  const lastByStore = new Map<number, number>()
  return {
    async note(store, error) {
      const last = lastByStore.get(store.id)
      const now = clock.now()
      lastByStore.set(store.id, now)
      const isSecond = last !== undefined && now - last < HOUR_MS
      if (isSecond) await disableStore(store.name)
      await alarms.raise({
        severity: isSecond ? 'critical' : 'error',
        category: 'data_availability',
        message: isSecond
          ? `Store ${store.name} is disabled: its disk failed twice within an hour, last with: ${error.message}. Look at the disk, then enable the store.`
          : `The disk of store ${store.name} failed: ${error.message}. What was being written is discarded.`,
        caller: 'commit',
      })
    },
  }
}
