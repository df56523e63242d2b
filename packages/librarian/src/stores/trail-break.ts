import { LibrarianError } from '@arriero/api'
import type { TrailBreak } from './store.ts'

/** Whoever does not ask for breaks must not read past one unknowingly. */
export function refuseBreak({ place, reason }: TrailBreak): never {
  throw new LibrarianError('Internal', `The trail is broken at ${place}: ${reason}`, {
    remedy: 'See what is different by `arriero doctor --catalogue`.',
  })
}
