/**
 * Addresses of the JSON API, for bytes too. The XML API has the same headers, but there names are paths, and every URL
 * parser on the way takes `a/../b` for `b`; here a name is one segment, its slashes encoded, and arrives as it is. Caches
 * keep public objects of the XML API for an hour; and emulators speak JSON.
 */
import type { GsSettings } from './options.ts'

/** An object: its metadata, or with `alt=media` its bytes. */
export function objectUrl(
  { endpoint, userProject }: GsSettings,
  { bucket, object }: { readonly bucket: string; readonly object: string },
  query: Readonly<Record<string, string | undefined>>,
): URL {
  const path = `${bucketPath(bucket)}/o/${encodeURIComponent(object)}`
  return withQuery(new URL(endpoint + path), { ...query, userProject })
}

/** The objects of a bucket. */
export function objectsUrl(
  { endpoint, userProject }: GsSettings,
  bucket: string,
  query: Readonly<Record<string, string | undefined>>,
): URL {
  return withQuery(new URL(`${endpoint}${bucketPath(bucket)}/o`), { ...query, userProject })
}

function bucketPath(bucket: string): string {
  return `/storage/v1/b/${encodeURIComponent(bucket)}`
}

function withQuery(url: URL, query: Readonly<Record<string, string | undefined>>): URL {
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}
