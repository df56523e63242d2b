/**
 * Application default credentials, by google-auth-library (docs/decisions/0009-google-auth-library.md): where they are
 * looked for is decided here, in the order that all of Google's tools have; how each kind becomes a token is the library's.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AuthClient } from 'google-auth-library'
import { TransferError } from '../../errors.ts'
import { printable, redactText } from '../../redact.ts'
import type { Token } from './bearer-tokens.ts'
import { type Environment, readCredentialsFile } from './options.ts'

const SCOPES = ['https://www.googleapis.com/auth/devstorage.read_only']
const TIMEOUT_MS = 30_000

/**
 * A new token of the credentials in `file`, else of the application default ones; undefined when there are none.
 *
 * @throws TransferError Usage for a file that cannot be used, Denied for credentials that are refused, Network
 */
export async function mintGoogleToken(
  file: string | undefined,
  environment: Environment = process.env,
): Promise<Token | undefined> {
  const path = file ?? defaultFile(environment)
  const client = path === undefined ? await metadataClient() : await clientOf(readCredentialsFile(path), path)
  if (!client) return undefined
  try {
    const { token } = await client.getAccessToken()
    if (!token) throw new Error('there was no token in the answer')
    return { value: token, expiresAt: client.credentials.expiry_date ?? undefined }
  } catch (error) {
    // A machine without a service account is one where nobody is logged in.
    if (path === undefined && statusOf(error) === 404) return undefined
    throw tokenFailure(error, path ?? 'the metadata server')
  }
}

/** GOOGLE_APPLICATION_CREDENTIALS, which must exist if it is set; else what gcloud left, if it did. */
function defaultFile(environment: Environment): string | undefined {
  const told = environment.GOOGLE_APPLICATION_CREDENTIALS
  if (told) return told
  const { CLOUDSDK_CONFIG, APPDATA, HOME } = environment
  const directory =
    CLOUDSDK_CONFIG ||
    (process.platform === 'win32' ? APPDATA && join(APPDATA, 'gcloud') : HOME && join(HOME, '.config', 'gcloud'))
  if (!directory) return undefined
  const path = join(directory, 'application_default_credentials.json')
  return existsSync(path) ? path : undefined
}

async function metadataClient(): Promise<AuthClient | undefined> {
  const { Compute, gcpMetadata } = await import('google-auth-library')
  const isThere = gcpMetadata.getGCPResidency() || (await gcpMetadata.isAvailable())
  return isThere ? new Compute({ scopes: SCOPES }) : undefined
}

async function clientOf(json: Readonly<Record<string, unknown>>, path: string): Promise<AuthClient> {
  const library = await import('google-auth-library')
  const { type } = json
  try {
    switch (type) {
      case 'service_account':
        return await serviceAccount(json)
      case 'authorized_user': {
        const client = new library.UserRefreshClient({
          endpoints: { oauth2TokenUrl: tokenUri(json) },
          transporterOptions: { timeout: TIMEOUT_MS },
        })
        client.fromJSON(json)
        return client
      }
      case 'external_account':
      case 'external_account_authorized_user':
      case 'impersonated_service_account':
        // Their constructors warn on the console of files from strangers; by this way in, the file is the user's own.
        return await new library.GoogleAuth({ scopes: SCOPES })._getApplicationCredentialsFromFilePath(path)
      default:
        throw new Error(`its type is ${printable(JSON.stringify(type) ?? 'not said')}`)
    }
  } catch (error) {
    throw new TransferError('Usage', `Cannot use the credentials in ${path}: ${said(error)}`, { file: path })
  }
}

/** The library always asks Google's public endpoint; keys name theirs, which other networks and universes need. */
async function serviceAccount(json: Readonly<Record<string, unknown>>): Promise<AuthClient> {
  const { JWT, gaxios } = await import('google-auth-library')
  const uri = tokenUri(json)
  const transporter = new gaxios.Gaxios({ timeout: TIMEOUT_MS })
  transporter.interceptors.request.add({
    resolved: async config => {
      config.url = new URL(uri)
      return config
    },
  })
  const client = new JWT({ scopes: SCOPES, additionalClaims: { aud: uri }, transporter })
  client.fromJSON(json as never)
  return client
}

function tokenUri({ token_uri }: Readonly<Record<string, unknown>>): string {
  if (token_uri === undefined) return 'https://oauth2.googleapis.com/token'
  if (typeof token_uri === 'string' && URL.canParse(token_uri) && /^https?:/i.test(token_uri)) return token_uri
  throw new Error('its token_uri is not a URL')
}

function statusOf(error: unknown): number | undefined {
  const { response } = error as { response?: { status?: unknown } }
  return typeof response?.status === 'number' ? response.status : undefined
}

function tokenFailure(error: unknown, from: string): TransferError {
  const status = statusOf(error)
  const message = `Cannot get an access token with ${from}: ${said(error)}`
  // Rate limits and faults of the endpoint pass; what is refused stays refused.
  const isRefused = status !== undefined && status >= 400 && status < 500 && status !== 429 && status !== 408
  const isCode = status === undefined && (error as { code?: unknown }).code === undefined
  return new TransferError(isRefused || isCode ? 'Denied' : 'Network', message, { status, cause: undefined })
}

/** In one line; errors of the library hold requests with keys in them, so none of them becomes a `cause`. */
function said(error: unknown): string {
  const { message, response } = error as { message?: string; response?: { data?: unknown } }
  const data = response?.data as { error?: unknown; error_description?: unknown } | undefined
  const named = typeof data?.error === 'string' ? [data.error, data.error_description].filter(Boolean).join(': ') : ''
  return printable(redactText(named || message || 'unknown reason').replace(/\s+/g, ' ')).slice(0, 300)
}
