import { LibrarianError } from '@arriero/api/errors'
import { alignedBuffer, type IsStopped, Stopped } from './read-file.ts'
import { type Durability, systemDurability } from './sync-all.ts'
import { codeOf, systemError } from './system-error.ts'
import type { Answer, Place, PlainError } from './task.ts'

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

export function refused({ code, message, cause }: LibrarianError): Answer<never> {
  return { ok: false, error: { code, message, system: codeOf(cause) } }
}

export function errorOf({ code, message, system }: PlainError): LibrarianError {
  if (system === undefined) return new LibrarianError(code, message)
  return new LibrarianError(code, message, { cause: Object.assign(new Error(message), { code: system }) })
}
