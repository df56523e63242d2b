/** Who may ask for tokens, and which tokens are good (librarian 9.3): the twin of Globus's authorization service. */
import { randomUUID } from 'node:crypto'
import type { GlobusAnswer, GlobusRequest } from './globus-server.ts'

const scope = 'urn:globus:auth:scope:transfer.api.globus.org:all'

export class Identities {
  readonly clientId = randomUUID()
  readonly clientSecret = `secret/+${randomUUID()}`
  readonly refreshToken = `refresh-${randomUUID()}`
  /** s */
  lifetime = 172_800
  /** Tokens given out so far. */
  given = 0
  readonly #valid = new Set<string>()

  /** None that was given out is taken any more. */
  expireAll(): void {
    this.#valid.clear()
  }

  takes(authorization: string | undefined): boolean {
    return this.#valid.has(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '')
  }

  /** POST /v2/oauth2/token */
  answer({ headers, body }: GlobusRequest): GlobusAnswer {
    if (!headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
      return refused(400, 'invalid_request')
    const form = new URLSearchParams(body)
    const grant = form.get('grant_type')
    if (grant === 'client_credentials') {
      const basic = Buffer.from(`${this.clientId}:${this.clientSecret}`).toString('base64')
      if (headers.authorization !== `Basic ${basic}`) return refused(401, 'invalid_client')
      if (form.get('scope') !== scope) return refused(400, 'unknown_scope')
      return { status: 200, document: this.#token() }
    }
    if (grant === 'refresh_token') {
      if (form.get('client_id') !== this.clientId) return refused(401, 'invalid_client')
      // What was sent is repeated, as careless services do.
      if (form.get('refresh_token') !== this.refreshToken)
        return refused(400, 'invalid_grant', form.get('refresh_token'))
      const other = { access_token: `other-${randomUUID()}`, resource_server: 'auth.globus.org', scope: 'openid' }
      return { status: 200, document: { ...other, expires_in: this.lifetime, other_tokens: [this.#token()] } }
    }
    return refused(400, 'unsupported_grant_type')
  }

  #token() {
    const access_token = `token-${randomUUID()}`
    this.#valid.add(access_token)
    this.given++
    const resource_server = 'transfer.api.globus.org'
    return { access_token, scope, resource_server, expires_in: this.lifetime, token_type: 'Bearer' }
  }
}

function refused(status: number, error: string, repeated?: string | null): GlobusAnswer {
  return { status, document: { error, message: repeated ? `not good: ${repeated}` : '' } }
}
