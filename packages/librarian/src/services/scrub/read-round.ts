/**
 * Reads many copies of one store in full, several at once, and records what was found (reliability C1–C3, B4).
 *
 *   group     many small copies, or one large one
 *   read      past the page cache where the store can; what is not good once more. While a group is recorded the next is read
 *   look      where anything is bad: is it still the same disk?
 *   brake     are there more bad ones than rot makes? Then nothing more is marked
 *   record    one transaction for each group: this is the progress that a kill leaves
 *
 * Ends early for the signal, when it is overdue, at the brake, and when the disk is not there: what was not read is read by the
 * next run.
 */
import type { ScrubCopy } from '../../catalogue/operations/scrubbing.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { Log } from '../../log.ts'
import type { Outcome } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { CopyReader, Finding } from '../copies/read-copies.ts'
import { createLimit } from '../limit.ts'
import type { Brake } from './brake.ts'
import { inGroups } from './groups.ts'
import type { Pace } from './pace.ts'

export interface RoundOptions {
  readonly site: SiteStore
  readonly reader: Pick<CopyReader, 'look' | 'record'>
  readonly brake: Brake
  readonly pace: Pace
  /** Groups that are read at once. */
  readonly atOnce: number
  readonly log: Log
  readonly signal: AbortSignal
  readonly isOverdue: () => boolean
  readonly progress: (counts: RoundCounts) => void
  /** After each group was recorded: up to here everything was read. For this, groups are read one after the other. */
  readonly recorded?: ((last: ScrubCopy) => void) | undefined
}

export type RoundCounts = Readonly<Record<'read' | 'bytes' | 'bad' | 'skipped', number>>

export interface RoundReport {
  readonly counts: RoundCounts
  /** `all`: everything that was to be read · `overdue` · `braked`, `gone`: nothing more was marked, and `why` */
  readonly end: 'all' | 'overdue' | 'braked' | 'gone'
  readonly why: string | undefined
}

interface Seen {
  readonly copy: ScrubCopy
  readonly findings: readonly Finding[]
}

const bad: ReadonlySet<CopyState> = new Set<CopyState>(['mismatch', 'missing', 'unreadable'])

export async function readRound(copies: AsyncIterable<ScrubCopy>, options: RoundOptions): Promise<RoundReport> {
  const { site, reader, brake, pace, atOnce, log, signal, isOverdue, progress, recorded } = options
  const before = await site.store.state()
  const counts = { read: 0, bytes: 0, bad: 0, skipped: 0 }
  const reading = createLimit(atOnce)
  let end: RoundReport['end'] = 'all'
  let why: string | undefined
  const stop = (how: RoundReport['end'], because?: string) => {
    if (end !== 'all') return
    end = how
    why = because
  }
  if (!before.available) return { counts, end: 'gone', why: before.reason }
  if (brake.why !== undefined) return { counts, end: 'braked', why: brake.why }

  async function work(groups: AsyncGenerator<ScrubCopy[]>): Promise<void> {
    while (end === 'all') {
      signal.throwIfAborted()
      if (isOverdue()) return stop('overdue', 'its time was over')
      const { value: group, done } = await groups.next()
      if (done) return
      const outcomes = await reading(async () => {
        await waitFor(group)
        return await reader.look(group, { isDirect: true, signal })
      })
      await judge(group, outcomes)
    }
  }

  /** What nobody has read for longer than the period waits for no limit: a scrub is never starved. */
  async function waitFor(group: readonly ScrubCopy[]): Promise<void> {
    const bytes = group.reduce((sum, { file, isOverdue: isLate }) => sum + (isLate ? 0 : file.size), 0)
    if (bytes > 0) await pace.take(bytes, signal)
  }

  async function judge(group: readonly ScrubCopy[], outcomes: readonly Outcome<readonly Finding[]>[]): Promise<void> {
    const seen = seenOf(group, outcomes)
    const gone = seen.find(one => stateOf(one) === 'unavailable')
    if (gone) return stop('gone', gone.findings.at(-1)?.reason)
    const newlyBad = seen.filter(one => bad.has(stateOf(one)) && !bad.has(one.copy.instance.state))
    if (seen.some(one => bad.has(stateOf(one))) && !(await isSameDisk()))
      return stop('gone', 'another disk is there now')
    if (end === 'braked') return
    if (newlyBad.length > 0 && !brake.admits(newlyBad.length)) {
      stop('braked', brake.why)
      return await record(seen.filter(one => stateOf(one) === 'ok'))
    }
    await record(seen)
    const last = group.at(-1)
    if (last) recorded?.(last)
  }

  function seenOf(group: readonly ScrubCopy[], outcomes: readonly Outcome<readonly Finding[]>[]): Seen[] {
    return group.flatMap((copy, at): Seen[] => {
      const outcome = outcomes[at]!
      if (outcome.ok) return [{ copy, findings: outcome.value }]
      counts.skipped += 1
      log.warn({ err: outcome.error, file: copy.file.name, store: site.name }, 'A copy could not be read now')
      return []
    })
  }

  async function isSameDisk(): Promise<boolean> {
    const now = await site.store.state()
    return now.available && before.available && now.uuid === before.uuid
  }

  async function record(seen: readonly Seen[]): Promise<void> {
    await reader.record(seen)
    for (const one of seen) {
      counts.read += 1
      counts.bytes += one.copy.file.size
      if (stateOf(one) !== 'ok') counts.bad += 1
    }
    progress(counts)
  }

  const groups = inGroups(copies)
  const length = recorded ? 1 : 2 * atOnce
  const works = await Promise.allSettled(Array.from({ length }, () => work(groups)))
  await groups.return(undefined)
  const failure = works.find(one => one.status === 'rejected')
  if (failure) throw failure.reason
  await brake.tell()
  return { counts, end, why }
}

function stateOf({ findings }: Seen): CopyState {
  return findings.at(-1)?.outcome ?? 'never-checked'
}
