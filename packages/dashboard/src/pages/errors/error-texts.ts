import type { ErrorCategory, ErrorSeverity } from '@arriero/api'
import type { Tone } from '../../components/tone.tsx'

const tones: Readonly<Record<ErrorSeverity, Tone>> = { critical: 'bad', error: 'bad', warning: 'warn', info: 'idle' }

export function toneOfSeverity(severity: ErrorSeverity): Tone {
  return tones[severity]
}

/** `librarian_network_availability` is `librarian network availability`. */
export function categoryText(category: ErrorCategory): string {
  return category.replaceAll('_', ' ')
}
