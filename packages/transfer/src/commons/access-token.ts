/** Exchanges what a person holds for a token that services take (gen3 2.2, 2.3). */
import { TransferError } from '../errors.ts'
import { parseHttpDate } from '../http/http-date.ts'
import { oneHeader } from '../integrity/headers.ts'
import { answerText } from './answer-text.ts'
import { type Api, type ApiAnswer, jsonOf } from './api.ts'
import type { IssuedToken } from './authority.ts'
import type { Credential } from './credentials.ts'
import { decodeClaims } from './jwt.ts'

/** The shortest token that is worth asking for when the key itself is about to end, s. */
const SHORTEST_S = 60

/** @throws TransferError Denied with reason `cred_rejected` */
export async function issueAccessToken(
  api: Api,
  credential: Extract<Credential, { kind: 'key' }>,
  signal: AbortSignal,
  now: () => number = Date.now,
): Promise<IssuedToken> {
  const { endpoint, apiKey, expiresAt } = credential
  const address = `${endpoint}/user/credentials/api/access_token`
  const exchange = (query: string) =>
    api.ask({
      url: address + query,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: apiKey }),
      signal,
    })
  const askedAt = now()
  let answer = await exchange('')
  const left = Math.floor((expiresAt - now()) / 1000 - 5)
  // A token of the usual lifetime would outlive the key.
  if (answer.status === 400 && left >= SHORTEST_S) answer = await exchange(`?expires_in=${left}`)
  return issuedToken(answer, 'access_token', endpoint, askedAt)
}

/** OAuth2 client credentials; commons must allow downloads with them. */
export async function issueClientToken(
  api: Api,
  { endpoint, id, secret }: Extract<Credential, { kind: 'client' }>,
  signal: AbortSignal,
  now: () => number = Date.now,
): Promise<IssuedToken> {
  const askedAt = now()
  const answer = await api.ask({
    method: 'POST',
    url: `${endpoint}/user/oauth2/token?grant_type=client_credentials&scope=user%20data%20openid`,
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    signal,
  })
  return issuedToken(answer, 'access_token', endpoint, askedAt)
}

/** The token in an answer, with its end by our clock. */
export function issuedToken(answer: ApiAnswer, field: string, endpoint: string, askedAt: number): IssuedToken {
  if (answer.status !== 200) throw refused(answer, endpoint)
  const token = (jsonOf(answer, endpoint) as Record<string, unknown> | null)?.[field]
  const claims = typeof token === 'string' ? decodeClaims(token) : undefined
  if (typeof token !== 'string' || !claims) {
    const message = `Cannot use the token of ${endpoint}: it must be a web token`
    throw new TransferError('Protocol', message, { retriable: false })
  }
  // The token speaks of the server's clock, which may be another one than ours.
  const serverNow = parseHttpDate(oneHeader(answer.headers, 'date')) ?? askedAt
  const endsAt = claims.exp === undefined ? Number.POSITIVE_INFINITY : claims.exp * 1000
  const lifetimeMs = Math.max(0, endsAt - serverNow)
  return { token, expiresAt: askedAt + lifetimeMs, lifetimeMs }
}

function refused(answer: ApiAnswer, endpoint: string): TransferError {
  const { status } = answer
  const said = answerText(answer)
  const message = `Cannot log in at ${endpoint}: it answered ${status}${said && `: ${said}`}`
  if (status >= 500 || status === 429) return new TransferError('Network', message, { status })
  const remedy = `Make a new key on the profile page of ${endpoint}.`
  return new TransferError('Denied', message, { status, reason: 'cred_rejected', remedy })
}
