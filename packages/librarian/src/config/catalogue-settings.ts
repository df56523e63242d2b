/** Which database: by one URL, or by the database_ keys of existing settings. */
import { resolve } from 'node:path'
import { LibrarianError } from '@arriero/api'
import type { RawSettings } from './schema.ts'
import { Secret } from './secret.ts'
import type { CatalogueSettings } from './settings.ts'

export function catalogueSettings(
  raw: RawSettings,
  { password, dataDirectory }: { password: Secret | undefined; dataDirectory: string },
): CatalogueSettings {
  if (raw.catalogue !== null) {
    if (raw.database !== null) throw refuse('the settings have both catalogue and database; keep one')
    return fromUrl(raw.catalogue, { password, dataDirectory })
  }
  const driver = raw.database_driver.split('+')[0]
  if (driver === 'sqlite') return { engine: 'sqlite', path: resolve(dataDirectory, raw.database ?? 'catalogue.db') }
  if (driver !== 'postgresql' && driver !== 'postgres') {
    throw refuse(`database_driver must be sqlite or postgresql+psycopg, not ${raw.database_driver}`)
  }
  return { engine: 'postgres', url: new Secret(postgresUrl(raw, password)) }
}

/** The password may be apart from the URL, so that the settings hold no secret. */
function fromUrl(
  url: string,
  { password, dataDirectory }: { password: Secret | undefined; dataDirectory: string },
): CatalogueSettings {
  const sqlite = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)
  if (sqlite?.[1]) return { engine: 'sqlite', path: resolve(dataDirectory, sqlite[1]) }
  if (/^postgres(ql)?:\/\//.test(url)) return { engine: 'postgres', url: new Secret(withPassword(url, password)) }
  throw refuse('catalogue must be sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME')
}

function withPassword(text: string, password: Secret | undefined): string {
  if (!password) return text
  const url = URL.parse(text)
  if (!url) throw refuse('the URL in catalogue cannot be read')
  if (url.password !== '') throw refuse('both the URL in catalogue and database_password hold a password; keep one')
  url.password = encodeURIComponent(password.reveal())
  return url.href
}

function postgresUrl(raw: RawSettings, password: Secret | undefined): string {
  const url = new URL('postgres://localhost')
  url.hostname = raw.database_host ?? 'localhost'
  if (raw.database_port !== null) url.port = String(raw.database_port)
  if (raw.database_user !== null) url.username = encodeURIComponent(raw.database_user)
  if (password) url.password = encodeURIComponent(password.reveal())
  url.pathname = `/${encodeURIComponent(raw.database ?? '')}`
  return url.href
}

function refuse(met: string): LibrarianError {
  return new LibrarianError('Configuration', `Cannot tell which database to use: ${met}`)
}
