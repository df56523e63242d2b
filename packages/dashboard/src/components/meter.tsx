import { formatShare } from '../text/bytes.ts'
import type { Tone } from './tone.tsx'

export interface MeterProps {
  /** 0 to 1. */
  readonly share: number
  readonly tone?: Tone
  /** Of what. */
  readonly label: string
}

/** How full something is; the number stands beside it. */
export function Meter({ share, tone = 'busy', label }: MeterProps) {
  const text = formatShare(share)
  return (
    <span class="meter">
      <span class="meter-text number">{text}</span>
      <svg
        viewBox="0 0 100 8"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${text}`}
        class={`tone-${tone}`}
      >
        <rect class="meter-all" width="100" height="8" />
        <rect class="meter-part" width={Math.max(0, Math.min(100, share * 100))} height="8" />
      </svg>
    </span>
  )
}
