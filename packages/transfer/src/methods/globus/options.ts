import type { Clock } from '../../clock.ts'

/** Options of the method that moves by Globus. */
export interface GlobusMethodOptions {
  /** UUID of the endpoint from which this site sends. */
  readonly localEndpointId: string
  readonly clientId: string
  /**
   * `true`: a person has consented once, and the secret is the refresh token of it · `false`: the client acts for itself, with
   * its own secret.
   */
  readonly nativeApp: boolean
  /** Asked when a token is needed, so that the secret is kept by whoever has it. */
  readonly clientSecret: () => string
  /** Directory that the endpoint shows; paths are told below it. Default: paths as they are. */
  readonly localRoot?: string | undefined
  /** Default true. */
  readonly encryptTransfers?: boolean | undefined
  /** Origins of the services. Default: those of Globus. */
  readonly services?: Partial<GlobusServices> | undefined
  /** ms that an answer may take. Default 60,000. */
  readonly timeoutMs?: number | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
}

/** Where the services of Globus are. */
export interface GlobusServices {
  readonly auth: string
  readonly transfer: string
}

/** librarian 9.3. The SDK has an older name of the second. */
export const globusServices: GlobusServices = {
  auth: 'https://auth.globus.org',
  transfer: 'https://transfer.api.globus.org',
}
