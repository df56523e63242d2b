import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { TransferError } from '../../errors.ts'

/** How `gs://bucket/object` is read. Credentials are Google's application default ones unless told otherwise. */
export interface GsOptions {
  /** Another server that speaks the JSON API. Default STORAGE_EMULATOR_HOST, else https://storage.googleapis.com. */
  readonly endpoint?: string | undefined
  /** The project that pays where buckets make the requester pay; never implied by credentials. */
  readonly userProject?: string | undefined
  /**
   * Send no credentials, whatever is configured. Default false; where none are found, and at the server that
   * STORAGE_EMULATOR_HOST names, none are sent either: public buckets need none.
   */
  readonly anonymous?: boolean | undefined
  /**
   * A file of credentials: service account key, authorized user, external account, impersonated service account. Default:
   * GOOGLE_APPLICATION_CREDENTIALS, else what `gcloud auth application-default login` left, else the metadata server.
   */
  readonly credentialsFile?: string | undefined
  /** An OAuth 2.0 access token, in place of credentials; it cannot be renewed. */
  readonly accessToken?: string | undefined
}

/** Options made definite. */
export interface GsSettings {
  /** Ends without a slash. */
  readonly endpoint: string
  readonly userProject: string | undefined
  readonly identity: GsIdentity
}

/** Who is asking. */
export type GsIdentity =
  | { readonly is: 'anonymous' }
  | { readonly is: 'token'; readonly token: string }
  /** Application default credentials, or those of one file. */
  | { readonly is: 'credentials'; readonly file: string | undefined }

export type Environment = Readonly<Record<string, string | undefined>>

/** @throws TransferError Usage for contradictions, and for secrets that would travel unencrypted. */
export function gsSettings(options: GsOptions = {}, environment: Environment = process.env): GsSettings {
  const { userProject, anonymous, credentialsFile, accessToken } = options
  const isTold = credentialsFile !== undefined || accessToken !== undefined
  if (anonymous && isTold) throw usage('anonymous and credentials contradict each other')
  if (credentialsFile !== undefined && accessToken !== undefined) {
    throw usage('a credentials file and an access token contradict each other')
  }
  const emulator = options.endpoint === undefined ? environment.STORAGE_EMULATOR_HOST || undefined : undefined
  const endpoint = parseEndpoint(options.endpoint ?? emulator ?? 'https://storage.googleapis.com')
  const identity = identityOf(options, emulator !== undefined && !isTold)
  if (identity.is !== 'anonymous' && !isPrivate(endpoint)) {
    throw usage(`credentials must not travel unencrypted to ${endpoint.host}: use https, or say anonymous`)
  }
  return { endpoint: endpoint.origin + endpoint.pathname.replace(/(\/storage\/v1)?\/*$/, ''), userProject, identity }
}

function identityOf({ anonymous, accessToken, credentialsFile }: GsOptions, isEmulator: boolean): GsIdentity {
  if (anonymous || isEmulator) return { is: 'anonymous' }
  return accessToken === undefined
    ? { is: 'credentials', file: credentialsFile }
    : { is: 'token', token: accessToken.trim() }
}

/** `host:port` without a scheme is what emulators are given by; theirs is http. */
function parseEndpoint(text: string): URL {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  const isGood = url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === ''
  if (!isGood) throw usage('the endpoint must be an http or https URL without user-info and query')
  return url
}

function isPrivate({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:' || hostname === 'localhost' || hostname === '[::1]') return true
  return isIP(hostname) === 4 && hostname.startsWith('127.')
}

function usage(what: string): TransferError {
  return new TransferError('Usage', `Cannot use gs: ${what}`)
}

/** A credentials file, parsed. @throws TransferError Usage */
export function readCredentialsFile(path: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    // A parser quotes what it met, which may be part of a key.
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as NodeJS.ErrnoException).code
    throw new TransferError('Usage', `Cannot read the credentials in ${path}: ${why}`, { file: path })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new TransferError('Usage', `Cannot use the credentials in ${path}: it must hold a JSON object`, { file: path })
}
