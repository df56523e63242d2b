import type { Overview } from '@arriero/api'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const TIB = 2 ** 40
const GIB = 2 ** 30

export const naive = (ms: number) => new Date(ms).toISOString().slice(0, 23)

/** A site on an ordinary bad night: one store is away, one destination does not answer. */
export function overviewAt(now: number): Overview {
  const first = Math.floor(now / HOUR) * HOUR - 47 * HOUR
  return {
    site_name: 'La Silla, archive',
    version: '0.1.0',
    time: naive(now),
    flow: Array.from({ length: 48 }, (_, index) => flowOf(first + index * HOUR)),
    backlog: [
      destination(
        'nyx',
        { files: 1834, bytes: 2.4 * TIB, bytes_per_hour: 310 * GIB, drain_seconds: 28_500 },
        now - 5 * HOUR,
      ),
      {
        ...destination(
          'erebus',
          { files: 412, bytes: 96 * GIB, bytes_per_hour: 0, drain_seconds: null },
          now - 3 * DAY,
        ),
        reachable: false,
      },
      {
        ...destination('hemera', { files: 0, bytes: 0, bytes_per_hour: 12 * GIB, drain_seconds: 0 }, undefined),
        enabled: false,
      },
    ],
    proof: {
      oldest_time: naive(now - 61 * DAY),
      unproven_files: 128,
      period_seconds: 90 * 86_400,
      by_state: { ok: 1_284_331, mismatch: 1, missing: 0, unreadable: 2, unavailable: 40_210, 'never-checked': 128 },
    },
    stores: [
      store('disk-01', {
        free: 4.1 * TIB,
        total: 60 * TIB,
        used_per_day: 0.34 * TIB,
        full_time: naive(now + 12 * DAY),
      }),
      store('disk-02', {
        free: 38.8 * TIB,
        total: 60 * TIB,
        used_per_day: 0.31 * TIB,
        full_time: naive(now + 125 * DAY),
      }),
      {
        ...store('disk-03', { free: null, total: null, used_per_day: null, full_time: null }),
        available: false,
        reason: 'its marker is not there',
      },
    ],
    needs: [
      {
        severity: 'error',
        title: 'The store disk-03 is away',
        detail:
          '40,210 copies are out of reach since 02:14 UTC. The directory is there, but its marker is not: the disk is not mounted.',
        next_step: 'Mount the disk; the librarian notices by itself.',
        page: '/stores',
      },
      {
        severity: 'error',
        title: 'Three copies have wrong bytes or cannot be read',
        detail: 'night-1/a.fits on disk-02 and two others.',
        next_step: 'Repair them from the copies at nyx.',
        page: '/errors',
      },
      {
        severity: 'warning',
        title: 'erebus does not answer',
        detail: '412 files wait for it since three days.',
        next_step: 'Call the operator of erebus, or pause sending to it.',
        page: '/sites',
      },
    ],
    tasks: { failed: 1, off: 2 },
    transfers: { incoming: 14, outgoing: 1846 },
  }
}

function flowOf(time: number): Overview['flow'][number] {
  const hour = new Date(time).getUTCHours()
  const isNight = hour < 10 || hour > 22
  const shape = (seed: number) => 0.6 + 0.4 * Math.sin(time / HOUR / seed)
  return {
    time: naive(time),
    in_bytes: Math.round((isNight ? 300 : 20) * GIB * shape(1.7)),
    in_files: Math.round((isNight ? 800 : 40) * shape(1.7)),
    out_bytes: Math.round(260 * GIB * shape(5)),
    out_files: Math.round(700 * shape(5)),
  }
}

type Backlog = Overview['backlog'][number]

function destination(
  librarian_name: string,
  counts: Pick<Backlog, 'files' | 'bytes' | 'bytes_per_hour' | 'drain_seconds'>,
  oldest: number | undefined,
): Backlog {
  const oldest_time = oldest === undefined ? null : naive(oldest)
  return { librarian_name, enabled: true, reachable: true, ...counts, bytes: Math.round(counts.bytes), oldest_time }
}

type Store = Overview['stores'][number]

function store(store_name: string, room: Pick<Store, 'free' | 'total' | 'used_per_day' | 'full_time'>): Store {
  const whole = (bytes: number | null) => (bytes === null ? null : Math.round(bytes))
  return {
    store_name,
    enabled: true,
    ingestable: true,
    available: true,
    reason: null,
    ...room,
    free: whole(room.free),
    total: whole(room.total),
  }
}
