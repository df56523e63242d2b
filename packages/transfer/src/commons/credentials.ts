/** What opens a commons: an API key, a bare access token, a client's id and secret (gen3 2), or a librarian's user and password. */
import { readFile, stat } from 'node:fs/promises'
import { type ErrorDetails, TransferError } from '../errors.ts'
import { printable } from '../redact.ts'
import { decodeClaims, endpointOf } from './jwt.ts'

/** By which a commons knows who asks. */
export type Credential =
  | { readonly kind: 'key'; readonly endpoint: string; readonly apiKey: string; readonly expiresAt: number }
  | { readonly kind: 'token'; readonly endpoint: string; readonly token: string; readonly expiresAt: number }
  | { readonly kind: 'client'; readonly endpoint: string; readonly id: string; readonly secret: string }
  | { readonly kind: 'password'; readonly endpoint: string; readonly user: string; readonly password: string }

export interface ReadCredential {
  readonly credential: Credential
  /** What its owner should know, one sentence each. */
  readonly warnings: readonly string[]
}

type Reason = 'cred_unreadable' | 'cred_malformed' | 'cred_expired'

const DAY_MS = 24 * 3600_000

/**
 * Reads a `credentials.json`.
 *
 * @param now milliseconds since 1970
 * @throws TransferError Denied with reason `cred_unreadable`, `cred_malformed` or `cred_expired`
 */
export async function readCredentials(path: string, now = Date.now()): Promise<ReadCredential> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw refuse('cred_unreadable', `Cannot read the credentials ${printable(path)}: ${codeOf(cause)}`, { cause })
  }
  const credential = parseCredentials(text, path, now)
  const warnings: string[] = []
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && (mode & 0o044) !== 0) {
    warnings.push(`The credentials ${printable(path)} can be read by others; chmod 600 keeps them yours`)
  }
  if (credential.kind === 'key' && credential.expiresAt - now < DAY_MS) {
    warnings.push(`The API key of ${credential.endpoint} ends ${new Date(credential.expiresAt).toISOString()}`)
  }
  return { credential, warnings }
}

/**
 * Credentials from the text of a `credentials.json`; errors as of `readCredentials()`.
 *
 * @param path where the text stood, for messages
 */
export function parseCredentials(text: string, path: string, now = Date.now()): Credential {
  const malformed = (what: string, cause?: unknown) =>
    refuse('cred_malformed', `Cannot use the credentials ${printable(path)}: ${what}`, { cause })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw malformed('it must be a JSON object as a commons gives it', cause)
  }
  const login = passwordCredential(value, malformed)
  if (login) return login
  const apiKey = (value as { api_key?: unknown } | null)?.api_key
  if (typeof apiKey !== 'string' || apiKey === '') throw malformed('it must have an api_key')
  const claims = decodeClaims(apiKey)
  const endpoint = claims && endpointOf(claims)
  if (!claims || !endpoint) throw malformed('its api_key must be a web token that names the commons that issued it')
  const expiresAt = claims.exp === undefined ? Number.POSITIVE_INFINITY : claims.exp * 1000
  if (expiresAt <= now) throw expired(path, endpoint, expiresAt)
  return { kind: 'key', endpoint, apiKey, expiresAt }
}

/** `{"endpoint": "https://…", "username": …, "password": …}`: a server that is asked with HTTP Basic, as librarians are. */
function passwordCredential(value: unknown, malformed: (what: string) => TransferError): Credential | undefined {
  const { endpoint, username, password } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (username === undefined && password === undefined) return undefined
  if (typeof username !== 'string' || username === '' || username.includes(':') || typeof password !== 'string') {
    throw malformed('its username and password must be text, the name without a colon')
  }
  const url = typeof endpoint === 'string' ? URL.parse(endpoint) : null
  if (!url || !/^https?:$/.test(url.protocol))
    throw malformed('its endpoint must be the http or https URL of the server')
  return { kind: 'password', endpoint: url.origin, user: username, password }
}

/** A bare access token: it cannot be renewed. */
export function tokenCredential(token: string, now = Date.now()): Credential {
  const claims = decodeClaims(token.trim())
  const endpoint = claims && endpointOf(claims)
  if (!claims || !endpoint) {
    throw refuse('cred_malformed', 'Cannot use the access token: it must be a web token that names its commons')
  }
  const expiresAt = claims.exp === undefined ? Number.POSITIVE_INFINITY : claims.exp * 1000
  if (expiresAt <= now) throw expired('access token', endpoint, expiresAt)
  return { kind: 'token', endpoint, token: token.trim(), expiresAt }
}

function expired(what: string, endpoint: string, expiresAt: number): TransferError {
  const when = new Date(expiresAt).toISOString()
  const message = `Cannot use the credentials ${printable(what)}: they expired ${when}`
  return refuse('cred_expired', message, { remedy: `Make a new key on the profile page of ${endpoint}.` })
}

function refuse(reason: Reason, message: string, details: Pick<ErrorDetails, 'cause' | 'remedy'> = {}): TransferError {
  return new TransferError('Denied', message, { reason, remedy: REMEDIES[reason], ...details })
}

const REMEDIES: Readonly<Record<Reason, string>> = {
  cred_unreadable: 'Check the path; a commons gives credentials.json on its profile page.',
  cred_malformed: 'Get it anew from the profile page of your commons.',
  cred_expired: 'Make a new key on the profile page of your commons.',
}

function codeOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a directory'
  return code === 'EACCES' ? 'it may not be read' : String(code)
}
