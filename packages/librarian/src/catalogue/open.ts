import { LibrarianError } from '@arriero/api'
import type { Log } from '../log.ts'
import type { Catalogue } from './catalogue.ts'

export interface OpenCatalogueOptions {
  /** `sqlite:/path`, a path, or `postgres://user:password@host/database`. */
  readonly url: string
  readonly log?: Log | undefined
  /** Threads (SQLite) that read. Default 1. */
  readonly readers?: number | undefined
  /** Connections (PostgreSQL) at once. Default 10. */
  readonly connections?: number | undefined
}

/** Opens the catalogue that a URL names, creates it where there is none, brings its schema up to date. */
export async function openCatalogue(options: OpenCatalogueOptions): Promise<Catalogue> {
  const { url, log, readers, connections } = options
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { openPostgresCatalogue } = await import('./postgres/catalogue.ts')
    return await openPostgresCatalogue({ url, log, connections })
  }
  const { openSqliteCatalogue } = await import('./sqlite/catalogue.ts')
  return await openSqliteCatalogue({ path: sqlitePathOf(url), log, readers })
}

/** The path that a URL names. `sqlite:///a` and `sqlite:/a` are the same; `sqlite:a` is relative. */
export function sqlitePathOf(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]
  if (scheme === undefined) return url
  const path = scheme === 'sqlite' ? decodeURIComponent(url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')) : ''
  if (path === '' || path === ':memory:' || path.startsWith('//')) {
    // Not the URL itself: it may hold a password.
    throw new LibrarianError(
      'Configuration',
      `Cannot open the catalogue: its URL must be a path, sqlite:/path or postgres://…, and begins with ${scheme}:`,
    )
  }
  return path
}
