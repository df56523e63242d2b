import { realpathSync } from 'node:fs'
import type { Settings } from '../config.ts'

/** Where a catalogue lies, for a marker: a path, or an address without the secrets of its URL. Undefined: nobody can tell. */
export function cataloguePlace({ catalogue }: Pick<Settings, 'catalogue'>): string | undefined {
  try {
    if (catalogue.engine === 'sqlite') return realpathSync(catalogue.path)
    const { hostname, port, pathname } = new URL(catalogue.url.reveal())
    return hostname ? `postgres://${hostname}:${port || 5432}${pathname}` : undefined
  } catch {
    return undefined
  }
}
