/** What the numbers of the overview come to, in a word. */
import type { Overview } from '@arriero/api'
import type { Tone } from '../../components/tone.tsx'
import { formatBytes, formatCount, formatFiles } from '../../text/bytes.ts'
import { formatAgo, formatDuration, parseTime } from '../../text/time.ts'

export interface Verdict {
  readonly tone: Tone
  readonly answer: string
  readonly detail?: string
}

/** A person can wait so long before a thing is called stuck. */
const JUST_BEGUN_SECONDS = 60
/** A store that is full sooner than this is worth a word; seconds. */
const SOON_SECONDS = 30 * 86_400

export function verdictOfNeeds(needs: Overview['needs']): Verdict {
  const errors = needs.filter(({ severity }) => severity === 'error').length
  if (errors > 0) return { tone: 'bad', answer: formatFiles(errors, 'error'), ...others(needs.length - errors) }
  if (needs.length > 0) return { tone: 'warn', answer: formatFiles(needs.length, 'warning') }
  return { tone: 'good', answer: 'Nothing' }
}

function others(warnings: number): Pick<Verdict, 'detail'> {
  return warnings > 0 ? { detail: `and ${formatFiles(warnings, 'warning')}` } : {}
}

/** Flowing: bytes moved in this hour or the one before. Stuck: some wait, and not only since now, and none moved. */
export function verdictOfFlow({ flow, backlog }: Pick<Overview, 'flow' | 'backlog'>, now = Date.now()): Verdict {
  const stuck = backlog.filter(each => each.enabled && isStuck(each, now))
  if (stuck.length > 0) {
    return {
      tone: 'bad',
      answer: 'Stuck',
      detail: `to ${stuck.map(({ librarian_name }) => librarian_name).join(', ')}`,
    }
  }
  const moved = flow.slice(-2).reduce((sum, hour) => sum + hour.in_bytes + hour.out_bytes, 0)
  return moved > 0 ? { tone: 'good', answer: 'Yes' } : { tone: 'idle', answer: 'Nothing moves, nothing waits' }
}

/** Whether what waits for a site does not move. What has only just begun could not have moved yet. */
export function isStuck(of: Overview['backlog'][number], now = Date.now()): boolean {
  const { files, drain_seconds, oldest_time } = of
  const hasJustBegun = oldest_time !== null && now - parseTime(oldest_time) < JUST_BEGUN_SECONDS * 1000
  return files > 0 && drain_seconds === null && !hasJustBegun
}

export function verdictOfProofs(proof: Overview['proof'], now = Date.now()): Verdict {
  const { by_state, unproven_files, oldest_time, period_seconds } = proof
  const bad = (by_state.mismatch ?? 0) + (by_state.missing ?? 0) + (by_state.unreadable ?? 0)
  if (bad > 0) return { tone: 'bad', answer: `${formatCount(bad)} bad ${bad === 1 ? 'copy' : 'copies'}` }
  const away = by_state.unavailable ?? 0
  if (away > 0) return { tone: 'warn', answer: `${formatCount(away)} out of reach` }
  if (unproven_files > 0) return { tone: 'warn', answer: `${formatCount(unproven_files)} never read` }
  if (oldest_time === null) return { tone: 'idle', answer: 'Nothing is kept yet' }
  const age = (now - parseTime(oldest_time)) / 1000
  const detail = `oldest proof ${formatDuration(age)} old`
  const isLate = period_seconds !== null && age > period_seconds
  return isLate ? { tone: 'warn', answer: 'Later than planned', detail } : { tone: 'good', answer: 'Yes', detail }
}

export function verdictOfStores(stores: Overview['stores'], now = Date.now()): Verdict {
  const used = stores.filter(({ enabled }) => enabled)
  const away = used.filter(({ available }) => !available)
  if (away.length > 0) {
    return { tone: 'bad', answer: `${formatFiles(away.length, 'store')} away`, detail: away.map(name).join(', ') }
  }
  const soon = used.filter(({ full_time }) => full_time !== null && parseTime(full_time) - now < SOON_SECONDS * 1000)
  if (soon.length > 0) {
    const first = soon.toSorted((a, b) => parseTime(a.full_time!) - parseTime(b.full_time!))[0]!
    return { tone: 'warn', answer: 'Not for long', detail: `${first.store_name} is full ${when(first, now)}` }
  }
  const free = used.reduce((sum, store) => sum + (store.free ?? 0), 0)
  return { tone: 'good', answer: 'Yes', detail: `${formatBytes(free)} free` }
}

function name({ store_name }: { readonly store_name: string }): string {
  return store_name
}

function when({ full_time }: { readonly full_time: string | null }, now: number): string {
  return formatAgo(parseTime(full_time!), now)
}
