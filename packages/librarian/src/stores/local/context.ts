import { LibrarianError } from '@arriero/api'
import { alignedBuffer, type IsStopped, Stopped } from './read-file.ts'
import { type Durability, systemDurability } from './sync-all.ts'
import { systemError } from './system-error.ts'
import type { Answer, Place } from './task.ts'

/** What a thread of the store works with. */
export interface Context extends Place {
  readonly buffer: Uint8Array
  readonly durability: Durability
  readonly isStopped: IsStopped
  /** Directories of which this thread knows that their names are durable, up to the root. */
  readonly durableDirectories: Set<string>
}

export function createContext(place: Place, more: Partial<Context> = {}): Context {
  return {
    ...place,
    buffer: alignedBuffer(),
    durability: systemDurability,
    isStopped: () => false,
    durableDirectories: new Set(),
    ...more,
  }
}

/** One item's failure is its own. */
export function answerOf<T>(action: string, what: string, act: () => T): Answer<T> {
  try {
    return { ok: true, value: act() }
  } catch (error) {
    if (error instanceof Stopped) throw error
    return refused(systemError(error, action, what))
  }
}

export function refused({ code, message }: LibrarianError): Answer<never> {
  return { ok: false, error: { code, message } }
}

export function errorOf({ code, message }: { code: LibrarianError['code']; message: string }): LibrarianError {
  return new LibrarianError(code, message)
}
