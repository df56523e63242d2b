/** The twin's token endpoint and metadata server. */
import { createVerify, generateKeyPairSync } from 'node:crypto'

export interface IssuedToken {
  readonly value: string
  readonly kind: 'service_account' | 'authorized_user' | 'metadata'
}

export class Identities {
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #valid = new Set<string>()
  /** Every token handed out. */
  readonly issued: IssuedToken[] = []
  /** Seconds that tokens live, as it is said. */
  expiresIn = 3600
  /** Why a token was not given. */
  readonly refusals: string[] = []

  /** The content of a key file. */
  serviceAccountKey(tokenUri: string): Record<string, string> {
    return {
      type: 'service_account',
      project_id: 'twin',
      private_key_id: 'k1',
      private_key: this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      client_email: 'reader@twin.iam.gserviceaccount.com',
      client_id: '1',
      token_uri: tokenUri,
    }
  }

  authorizedUser(tokenUri: string): Record<string, string> {
    return {
      type: 'authorized_user',
      client_id: 'app',
      client_secret: 'app-secret',
      refresh_token: 'refresh-me',
      token_uri: tokenUri,
    }
  }

  isValid(token: string): boolean {
    return this.#valid.has(token)
  }

  /** Every token so far is refused from now on. */
  revokeAll(): void {
    this.#valid.clear()
  }

  issue(kind: IssuedToken['kind']): Record<string, unknown> {
    const value = `twin-token-${this.issued.length + 1}-S3cr3t`
    this.#valid.add(value)
    this.issued.push({ value, kind })
    return { access_token: value, expires_in: this.expiresIn, token_type: 'Bearer' }
  }

  /** RFC 7523 and RFC 6749, section 6. */
  exchange(form: URLSearchParams, tokenUri: string): Record<string, unknown> | undefined {
    if (form.get('grant_type') === 'refresh_token') {
      const isKnown = form.get('refresh_token') === 'refresh-me' && form.get('client_secret') === 'app-secret'
      return isKnown ? this.issue('authorized_user') : this.#refuse('unknown refresh token')
    }
    const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const isSigned = createVerify('RSA-SHA256')
      .update(`${head}.${claims}`)
      .verify(this.#keys.publicKey, Buffer.from(signature, 'base64url'))
    if (!isSigned) return this.#refuse('bad signature')
    const { aud, iss, scope, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))
    if (aud !== tokenUri) return this.#refuse(`audience ${aud}`)
    if (iss !== 'reader@twin.iam.gserviceaccount.com') return this.#refuse(`issuer ${iss}`)
    if (!/devstorage\.read_only/.test(scope)) return this.#refuse(`scope ${scope}`)
    if (!(exp * 1000 > Date.now())) return this.#refuse('expired')
    return this.issue('service_account')
  }

  #refuse(why: string): undefined {
    this.refusals.push(why)
    return undefined
  }
}
