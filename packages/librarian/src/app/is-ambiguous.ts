/**
 * Whether two readers of one request could take it for two different ones (reliability 6): a header that must be there once is
 * there twice, or nobody says which host is meant. Node keeps the first of two and tells nobody.
 */
import type { IncomingMessage } from 'node:http'

const single: ReadonlySet<string> = new Set(['host', 'authorization', 'content-type', 'upload-offset', 'upload-length'])

export function isAmbiguous({ rawHeaders, httpVersion }: Pick<IncomingMessage, 'rawHeaders' | 'httpVersion'>): boolean {
  const met = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    if (!single.has(name)) continue
    if (met.has(name)) return true
    met.add(name)
  }
  return httpVersion === '1.1' && !met.has('host')
}
