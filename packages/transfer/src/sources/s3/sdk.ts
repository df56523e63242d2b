/**
 * What only the AWS SDK knows: where credentials may come from (profiles, SSO, processes, web identity, containers,
 * instances) and what a profile says. Loading it takes a fifth of a second, so nobody does who has both already.
 */
import type { S3Client } from '@aws-sdk/client-s3'
import { TransferError } from '../../errors.ts'
import type { LoadCredentials } from './credential-keeper.ts'

export class Sdk {
  readonly #profile: string | undefined
  #client: Promise<S3Client> | undefined

  /** @param profile what somebody chose: that it gives nothing is an error then, not a reason to be anonymous */
  constructor(profile: string | undefined) {
    this.#profile = profile
  }

  /** Undefined: nobody says one. */
  async region(): Promise<string | undefined> {
    const client = await this.#once()
    return client.config.region().catch(() => undefined)
  }

  /** By the SDK's default chain. Undefined: it found nothing. Rejects with Denied when what it found does not serve. */
  readonly credentials: LoadCredentials = async ({ isRefresh }) => {
    const client = await this.#once()
    try {
      const found = await client.config.credentials(isRefresh ? { forceRefresh: true } : undefined)
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = found
      return { accessKeyId, secretAccessKey, sessionToken, expiresAt: expiration?.getTime() }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message.replace(/\s+/g, ' ').trim() : String(cause)
      const isNothing = /^Could not load credentials from any providers/i.test(why)
      if (isNothing && this.#profile === undefined) return undefined
      const from = this.#profile === undefined ? '' : ` of the profile ${this.#profile}`
      throw new TransferError('Denied', `Cannot get the S3 credentials${from}: ${why}`, { cause })
    }
  }

  close(): void {
    void this.#client?.then(client => client.destroy()).catch(() => {})
  }

  #once(): Promise<S3Client> {
    this.#client ??= import('@aws-sdk/client-s3').then(
      ({ S3Client }) => new S3Client(this.#profile === undefined ? {} : { profile: this.#profile }),
    )
    return this.#client
  }
}
