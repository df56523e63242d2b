import { TransferError } from '../../errors.ts'
import type { S3Options } from './options.ts'

/** Options and environment together, each thing said once. */
export interface S3Settings extends Omit<S3Options, 'endpoint' | 'environment' | 'versionId'> {
  /** Scheme, host and path, without a final slash. */
  readonly endpoint: string | undefined
}

/**
 * What holds for a bucket: options before the environment.
 *
 * @throws TransferError Usage for an endpoint that is no http address, and for options that contradict each other
 */
export function settingsOf(options: S3Options, environment: Readonly<Record<string, string | undefined>>): S3Settings {
  const said = (name: string) => environment[name] || undefined
  const isOn = (name: string) => (said(name) === undefined ? undefined : /^true$/i.test(said(name) ?? ''))
  const ignores = isOn('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS')
  const configured = ignores ? undefined : (said('AWS_ENDPOINT_URL_S3') ?? said('AWS_ENDPOINT_URL'))
  const endpoint = checkedEndpoint(options.endpoint ?? configured)
  if (endpoint !== undefined && options.accelerate) {
    throw new TransferError('Usage', 'Cannot use Transfer Acceleration with an endpoint: only Amazon has it')
  }
  if (options.anonymous && options.credentials) {
    throw new TransferError('Usage', 'Cannot be anonymous and have credentials')
  }
  return {
    endpoint,
    region: options.region ?? said('AWS_REGION') ?? said('AWS_DEFAULT_REGION'),
    forcePathStyle: options.forcePathStyle,
    dualstack: options.dualstack ?? isOn('AWS_USE_DUALSTACK_ENDPOINT') ?? false,
    fips: options.fips ?? isOn('AWS_USE_FIPS_ENDPOINT') ?? false,
    accelerate: options.accelerate ?? false,
    requesterPays: options.requesterPays ?? false,
    anonymous: options.anonymous ?? false,
    credentials: options.credentials ?? (options.profile === undefined ? credentialsIn(environment) : undefined),
    profile: options.profile,
  }
}

function credentialsIn(environment: Readonly<Record<string, string | undefined>>) {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, sessionToken: environment.AWS_SESSION_TOKEN || undefined }
}

function checkedEndpoint(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  // The text is not shown: what is no address may be anything, also a secret.
  if (!url || !isHttp || url.hostname === '') {
    throw new TransferError('Usage', 'Cannot use the S3 endpoint: it must be an address like https://host:port')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TransferError(
      'Usage',
      `Cannot use the S3 endpoint at ${url.host}: it must have no user, query or fragment`,
    )
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}
