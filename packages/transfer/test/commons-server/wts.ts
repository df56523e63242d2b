/** Tokens of other commons (gen3 3). */
import { type Answer, indexdError, json } from './answers.ts'
import type { Call, CommonsState } from './state.ts'

const DAY_S = 86_400

export function wtsList(state: CommonsState, { query }: Call): Answer {
  const nowS = state.nowMs() / 1000
  const shown = state.connections.filter(({ endsAtS = 0 }) => query.get('unexpired') !== 'true' || endsAtS > nowS)
  const providers = shown.map(({ name, idp, baseUrl, endsAtS }) => ({
    name,
    idp,
    base_url: baseUrl,
    urls: [{ name, url: `${state.origin}/wts/oauth2/authorization_url?idp=${encodeURIComponent(idp)}` }],
    refresh_token_expiration: endsAtS === undefined ? null : remaining(endsAtS - nowS),
  }))
  return json({ providers })
}

export function wtsToken(state: CommonsState, { query, token }: Call): Answer {
  // Without a provider only a workspace is served, which is known by its address.
  const idp = query.get('idp')
  if (!token || idp === null) return indexdError(403, 'You need to be authenticated to use this resource')
  const expires = query.get('expires')
  if (expires !== null && !/^-?\d+$/.test(expires)) return indexdError(400, 'expires has to be an integer')
  const connection = state.connections.find(one => one.idp === idp)
  if (!connection) return indexdError(400, `Unknown provider ${idp}`)
  if (connection.endsAtS === undefined) return indexdError(403, "User doesn't have a refresh token")
  if (connection.endsAtS * 1000 <= state.nowMs())
    return indexdError(403, 'The refresh token has expired, please log in again')
  return json({ token: connection.issue(expires === null ? undefined : Number(expires)) })
}

function remaining(seconds: number): string {
  if (seconds <= 0) return 'expired'
  return seconds < DAY_S ? `${Math.ceil(seconds / 3600)} hours` : `${Math.floor(seconds / DAY_S)} days`
}
