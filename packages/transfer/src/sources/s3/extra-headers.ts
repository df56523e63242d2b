import type { RequestHeaders } from '../../http/request-headers.ts'

type Given = Readonly<Record<string, string>>

const OF_STORE = /^x-amz-/i
const USUAL: RequestHeaders = { 'x-amz-checksum-mode': 'ENABLED' }
const PAYING: RequestHeaders = { ...USUAL, 'x-amz-request-payer': 'requester' }

/** Headers that are signed along: ours, and those of the caller's that speak to the store. */
export function extraHeaders(given: Given | undefined, requesterPays: boolean): RequestHeaders {
  const base = requesterPays ? PAYING : USUAL
  const more = Object.entries(given ?? {}).filter(([name]) => OF_STORE.test(name))
  if (more.length === 0) return base
  return { ...base, ...Object.fromEntries(more.map(([name, value]) => [name.toLowerCase(), value])) }
}

/** The caller's other headers. Authorization is what the signature is for. */
export function ownHeaders(given: Given): Given {
  return Object.fromEntries(
    Object.entries(given).filter(([name]) => !OF_STORE.test(name) && !/^authorization$/i.test(name)),
  )
}
