import { LibrarianError } from '@arriero/api'
import type { Outcome } from './store.ts'

export function succeeded<T>(value: T): Outcome<T> {
  return { ok: true, value }
}

/** What has no name of its own is ours to mend: `Internal`. */
export function failed(error: unknown): Outcome<never> {
  return { ok: false, error: asLibrarianError(error) }
}

export function asLibrarianError(error: unknown): LibrarianError {
  if (error instanceof LibrarianError) return error
  return new LibrarianError('Internal', `The store failed: ${(error as Error)?.message ?? String(error)}`, {
    cause: error,
  })
}

/** One item's failure is its own; an abort is everybody's. */
export async function outcomeOf<T>(act: () => T | Promise<T>, signal?: AbortSignal): Promise<Outcome<T>> {
  try {
    return succeeded(await act())
  } catch (error) {
    signal?.throwIfAborted()
    return failed(error)
  }
}
