/**
 * The brake of a round (reliability B4): where it finds more copies newly bad than a disk loses by rot, something else is wrong,
 * as a mount, a cable or this program. Then nothing more is marked until a person has looked and cleared the alarm.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Alarms } from '../alarms.ts'

/** So many may be found bad on the smallest store. */
const LEAST = 100
/** Of more, one in so many. */
const SHARE = 100
/** Larger stores are taken for as large as this: counting costs time. */
const MOST_COUNTED = 10_000_000

export interface Brake {
  /** Whether so many more may be marked as bad. False: none may, from now on. */
  admits(count: number): boolean
  /** Undefined: it is off. */
  readonly why: string | undefined
  /** Sounds the alarm, if it is on. */
  tell(): Promise<void>
}

const callerOf = (store: string) => `brake of readings of store ${store}`

export interface BrakeOptions {
  readonly catalogue: Pick<Catalogue, 'scrubbing'>
  readonly alarms: Alarms
  readonly store: { readonly id: number; readonly name: string }
}

export async function createBrake({ catalogue, alarms, store }: BrakeOptions): Promise<Brake> {
  const open = await catalogue.scrubbing.openAlarm({ caller: callerOf(store.name) })
  const kept = await catalogue.scrubbing.countOnStore({ storeId: store.id, most: MOST_COUNTED })
  const most = Math.max(LEAST, Math.floor(kept / SHARE))
  let marked = 0
  let why =
    open === undefined
      ? undefined
      : `the brake of store ${store.name} is on since an earlier reading: look at its disk, then clear error ${open}`
  return {
    admits(count) {
      if (why !== undefined) return false
      if (marked + count > most) {
        why = `more than ${most} copies of store ${store.name} are missing or bad in one run: nothing more was marked`
        return false
      }
      marked += count
      return true
    },
    get why() {
      return why
    },
    async tell() {
      if (why === undefined || open !== undefined) return
      await alarms.raise({
        severity: 'critical',
        category: 'data_integrity',
        message: `The brake is on: ${why}. Look at its disk and its mount; copies are read again when this error was cleared.`,
        caller: callerOf(store.name),
      })
    },
  }
}
