/** Who reads, as S3 knows it. */
export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** When they die, milliseconds since 1970; undefined: never. */
  readonly expiresAt?: number | undefined
}

/** Asked when there are no credentials yet, before they expire, and after the store called them expired. */
export type S3CredentialProvider = (request: { readonly isRefresh: boolean }) => Promise<S3Credentials>

/** How `s3://bucket/key` is read (retrieval 13.1). What is not said here is taken from the environment, as AWS's tools do. */
export interface S3Options {
  /** Another server than Amazon's, e.g. `https://objects.example.org`. Default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. */
  readonly endpoint?: string | undefined
  /** Asked first; the store's own word replaces it. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1. */
  readonly region?: string | undefined
  /** `host/bucket` (true) or `bucket.host` (false). Default: the latter where the name of the bucket and the server allow. */
  readonly forcePathStyle?: boolean | undefined
  /** Amazon's addresses that speak IPv6, too. Default: AWS_USE_DUALSTACK_ENDPOINT. */
  readonly dualstack?: boolean | undefined
  /** Amazon's FIPS addresses. Default: AWS_USE_FIPS_ENDPOINT. */
  readonly fips?: boolean | undefined
  /** Transfer Acceleration; the bucket must have it. Default false. */
  readonly accelerate?: boolean | undefined
  /** Agree to pay for what is read. Default false, whatever the store says. */
  readonly requesterPays?: boolean | undefined
  /** Sign nothing, whatever credentials there are. Default false. */
  readonly anonymous?: boolean | undefined
  /**
   * Default: AWS_ACCESS_KEY_ID and its companions; else whatever the SDK finds (profiles, SSO, processes, web identity,
   * container, instance); else none, which public buckets accept.
   */
  readonly credentials?: S3Credentials | S3CredentialProvider | undefined
  /** Section of the shared configuration files; its credentials come before those of the environment. */
  readonly profile?: string | undefined
  /** Read this version of the object. Default: what `?versionId=` at the end of the URI says, else the newest. */
  readonly versionId?: string | undefined
  /** Where the AWS_… variables are read. Default: the process's environment. The SDK always reads the latter. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
}
