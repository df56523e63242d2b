import { existsSync } from 'node:fs'
import { LibrarianError } from '@arriero/api'
import type { Log } from '../log.ts'
import type { Catalogue } from './catalogue.ts'

export interface OpenCatalogueOptions {
  /** `sqlite:/path`, a path, or `postgres://user:password@host/database`. */
  readonly url: string
  readonly log?: Log | undefined
  /** Threads (SQLite) that read; 0: the one that writes does it as well. Default 1. */
  readonly readers?: number | undefined
  /** Connections (PostgreSQL) at once. Default 10. */
  readonly connections?: number | undefined
  /** PostgreSQL: there is a backup, so that the schema may be changed. SQLite makes one itself. Default false. */
  readonly isBackedUp?: boolean | undefined
  /** None is made: where there is none, it is refused. Default false. */
  readonly mustExist?: boolean | undefined
}

/** Opens the catalogue that a URL names, creates it where there is none, brings its schema up to date. */
export async function openCatalogue(options: OpenCatalogueOptions): Promise<Catalogue> {
  const { url, log, readers, connections, isBackedUp, mustExist } = options
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { openPostgresCatalogue } = await import('./postgres/catalogue.ts')
    return await openPostgresCatalogue({ url, log, connections, isBackedUp, mustExist })
  }
  const { openSqliteCatalogue } = await import('./sqlite/catalogue.ts')
  const path = sqlitePathOf(url)
  if (mustExist && !existsSync(path)) {
    throw new LibrarianError('Configuration', `Cannot open the catalogue ${path}: there is none`, {
      remedy: 'Check the settings; one that was lost comes back with arriero serve --restore newest.',
    })
  }
  return await openSqliteCatalogue({ path, log, readers })
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
