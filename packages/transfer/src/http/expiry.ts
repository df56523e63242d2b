/** When presigned URLs die, and which URLs carry their own proof of permission (retrieval 8.3). */

const SIGNATURES = ['x-amz-signature', 'x-goog-signature', 'signature', 'sig', 'x-oss-signature']

/**
 * When a presigned URL dies, milliseconds since 1970, read from its query: S3 and GCS version 4 (date + lifetime),
 * S3 version 2, GCS version 2 and CloudFront (`Expires`, seconds since 1970), Azure (`se`, an ISO date).
 */
export function expiryOf(url: URL): number | undefined {
  if (url.search === '') return undefined
  const query = lowerCased(url)
  return (
    dateAndLifetime(query.get('x-amz-date'), query.get('x-amz-expires')) ??
    dateAndLifetime(query.get('x-goog-date'), query.get('x-goog-expires')) ??
    epochSeconds(query.get('expires')) ??
    (query.has('sig') ? isoDate(query.get('se')) : undefined)
  )
}

/** Whether the query itself authorises: such a URL must not also carry Authorization (S3 rejects two mechanisms). */
export function isQuerySigned(url: URL): boolean {
  if (url.search === '') return false
  const query = lowerCased(url)
  return SIGNATURES.some(name => query.has(name))
}

function lowerCased(url: URL): Map<string, string> {
  return new Map([...url.searchParams].map(([name, value]) => [name.toLowerCase(), value]))
}

/** `20260102T030405Z` and seconds. */
function dateAndLifetime(date: string | undefined, lifetime: string | undefined): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(date ?? '')
  if (!match || !/^\d{1,9}$/.test(lifetime ?? '')) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, ...number[]]
  return Date.UTC(year, (month as number) - 1, day, hour, minute, second) + Number(lifetime) * 1000
}

/** Shorter numbers are no dates of our time, but somebody's own parameter. */
function epochSeconds(value: string | undefined): number | undefined {
  return /^\d{9,11}$/.test(value ?? '') ? Number(value) * 1000 : undefined
}

function isoDate(value: string | undefined): number | undefined {
  const time = Date.parse(value ?? '')
  return Number.isNaN(time) ? undefined : time
}
