import type { HttpCredentials } from './credentials.ts'
import { checkedHeaders, type RequestHeaders } from './request-headers.ts'
import { originOf } from './request-url.ts'

const NONE: RequestHeaders = {}

type Asked = { readonly origin: string; readonly isRefresh: boolean }

/** The caller's `credentials` hook as a provider: asked once per origin, and again after a refusal. */
export function hookCredentials(
  askHook: (request: Asked) => Promise<Readonly<Record<string, string>> | undefined>,
): HttpCredentials {
  const known = new Map<string, RequestHeaders | Promise<RequestHeaders>>()

  const ask = (origin: string, isRefresh: boolean): Promise<RequestHeaders> => {
    const asked = askHook({ origin, isRefresh }).then(given => (given ? checkedHeaders(given) : NONE))
    known.set(origin, asked)
    asked.then(
      headers => known.set(origin, headers),
      () => known.delete(origin),
    )
    return asked
  }

  return {
    headers({ url }) {
      const origin = originOf(url)
      return known.get(origin) ?? ask(origin, false)
    },
    async refresh({ url }) {
      const origin = originOf(url)
      // Requests that were refused together are renewed together.
      const before = known.get(origin)
      const renewed = before instanceof Promise ? before : ask(origin, true)
      return (await renewed) !== NONE
    },
  }
}
