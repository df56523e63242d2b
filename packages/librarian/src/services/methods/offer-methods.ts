/**
 * What a receiver offers to senders (librarian 9). The order is a promise: real senders take the first entry and never ask
 * whether it is valid, so the first must be one that works for them, and a batch that they give to rsync never ends.
 */
import { LibrarianError } from '@arriero/api'
import type { MethodState } from '@arriero/transfer'
import { readProvider } from './provider.ts'

export interface OfferOptions {
  /** As the store's settings have it: `async_transfer_manager_data`. */
  readonly configured: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
  /** Others can write into its staging area. */
  readonly hasStaging: boolean
  /** We fetch from a librarian of ours by ourselves (decision 0031). */
  readonly canPull: boolean
}

const pull: MethodState = {
  hostnames: [],
  protocol: 'pull',
  version: 1,
  transfer_attempted: false,
  transfer_complete: false,
}

/** @throws LibrarianError Configuration for an entry that no sender understands */
export function offerMethods({ configured = {}, hasStaging, canPull }: OfferOptions): Record<string, MethodState> {
  const own = hasStaging ? Object.entries(configured).filter(([, { available }]) => available) : []
  const read = own.map(([key, { available: _, ...provider }]) => ({ key, ...known(key, provider) }))
  const first = read.filter(({ name }) => name !== 'rsync')
  const rsync = read.filter(({ name }) => name === 'rsync')
  const http = canPull ? [{ key: 'http', state: pull }] : []
  // A real sender fails with what it takes for a copy to nowhere, but would wait for rsync for ever.
  const ordered = first.length > 0 ? [...first, ...rsync, ...http] : http.length > 0 ? [...http, ...rsync] : []
  return Object.fromEntries(ordered.map(({ key, state }) => [key, state]))
}

function known(key: string, provider: unknown) {
  const read = readProvider(provider)
  if (read) return read
  const message = `Cannot offer ${key}: async_transfer_manager_data must have hostnames, hostname or destination_endpoint`
  throw new LibrarianError('Configuration', message)
}
