import { TransferError } from '../errors.ts'
import type { Listed, ListRequest, Source } from '../source.ts'

export interface ListOnlyOptions {
  readonly uri: string
  readonly origin: string
  /** Why it has no bytes, for people. */
  readonly why: string
  list(request: ListRequest): AsyncIterable<readonly Listed[]>
}

/** A source that names others and has no bytes of its own, such as a bundle. */
export function listOnly({ uri, origin, why, list }: ListOnlyOptions): Source {
  const refuse = () => Promise.reject(new TransferError('Unsupported', `Cannot fetch ${uri}: ${why}`, { url: uri }))
  return {
    uri,
    origin,
    capabilities: { parallel: false, list: true },
    list,
    probe: refuse,
    fetch: refuse,
    close: async () => {},
  }
}
