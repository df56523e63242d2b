/** Numbers and times, the same everywhere. */
import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'
import { formatBytes, formatCount } from '../text/bytes.ts'
import { formatAgo, formatDuration, formatTime, parseTime } from '../text/time.ts'

/** `1.50 GiB`; pointed at, all its digits. */
export function Bytes({ of }: { readonly of: number | null | undefined }) {
  if (of === null || of === undefined) return <None />
  return (
    <span class="number" title={`${formatCount(of)} bytes`}>
      {formatBytes(of)}
    </span>
  )
}

export function Count({ of }: { readonly of: number | null | undefined }) {
  return of === null || of === undefined ? <None /> : <span class="number">{formatCount(of)}</span>
}

export interface TimeProps {
  /** As the wire has it. */
  readonly at: string | null | undefined
  /** `both`: how long ago, and when; default. `ago`: the time only when pointed at. */
  readonly form?: 'both' | 'ago' | 'time'
}

export function Time({ at, form = 'both' }: TimeProps) {
  const now = useStore(useServices().clock)
  if (at === null || at === undefined) return <None />
  const ms = parseTime(at)
  const exact = formatTime(ms, { precise: true })
  return (
    <time class="time" dateTime={Number.isNaN(ms) ? undefined : new Date(ms).toISOString()} title={exact}>
      {form !== 'time' && <span class="ago">{formatAgo(ms, now)}</span>}
      {form !== 'ago' && <span class="when">{formatTime(ms)}</span>}
    </time>
  )
}

export interface TimeByProps {
  readonly at: string
  readonly who: string
}

/** When it was done, and by whom. */
export function TimeBy({ at, who }: TimeByProps) {
  return (
    <span class="told">
      <Time at={at} />
      <span class="soft">by {who}</span>
    </span>
  )
}

export function Duration({ seconds }: { readonly seconds: number | null | undefined }) {
  return seconds === null || seconds === undefined ? <None /> : <span class="number">{formatDuration(seconds)}</span>
}

/** There is nothing to say. */
export function None({ why = 'none' }: { readonly why?: string }) {
  return (
    <span class="none">
      <span aria-hidden="true">–</span>
      <span class="unseen">{why}</span>
    </span>
  )
}
