/** Why a server refused, in its own words (retrieval 8.1: 401, 403). */
import { TransferError } from '../errors.ts'
import { oneHeader } from '../integrity/headers.ts'
import { printable, redactText } from '../redact.ts'
import type { Exchange } from './general-lane.ts'

/** Longer bodies are no explanations. */
const MOST_BYTES = 64 * 1024
const MOST_TEXT = 300

/** The error for a 400, 401, 403 or 407. Reads the body; `secrets` are cut out of it wherever they stand. */
export async function refusalError(
  exchange: Exchange,
  uri: string,
  secrets: readonly string[],
): Promise<TransferError> {
  const message = serverMessage(await readStart(exchange))
  const said = message === undefined ? '' : `: ${clean(message, secrets)}`
  // S3, GCS and Azure say it in words only; the status is the same as for any other refusal.
  const isExpired = message !== undefined && /expired|expiry|signature not valid in the specified time/i.test(message)
  return new TransferError(
    isExpired ? 'Expired' : exchange.status === 400 ? 'Protocol' : 'Denied',
    `Cannot fetch ${uri}: the server answered ${exchange.status}${said}`,
    { url: uri, status: exchange.status, retriable: false },
  )
}

/**
 * A failure with what the server said of it, where it says so as JSON: 409 and 503 are a service's own answers as often as a
 * proxy's page. Reads the body.
 */
export async function withReason(
  error: TransferError,
  exchange: Exchange,
  secrets: readonly string[],
): Promise<TransferError> {
  if (exchange.status < 300) return error
  const isTold = exchange.status === 409 || exchange.status === 503
  if (!isTold || !/\bjson\b/i.test(oneHeader(exchange.headers, 'content-type') ?? '')) {
    await exchange.drain()
    return error
  }
  const message = fromJson((await readStart(exchange)).trim())
  if (message === undefined) return error
  return new TransferError(error.code, `${error.message}: ${clean(message, secrets)}`, error.details)
}

/** The human part of an XML, JSON or plain body. */
export function serverMessage(body: string): string | undefined {
  const text = body.trim()
  if (text === '') return undefined
  if (text.startsWith('{')) return fromJson(text)
  if (text.startsWith('<')) return fromXml(text)
  return text
}

/** The beginning of an answer's body as text, as far as it comes. */
export async function readStart(exchange: Exchange): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  try {
    for (let bytes = await exchange.next(); bytes; bytes = await exchange.next()) {
      pieces.push(bytes)
      size += bytes.length
      if (size > MOST_BYTES) {
        exchange.cancel()
        break
      }
    }
  } catch {
    // The status alone is the refusal; a cut explanation is better than another error.
  }
  return Buffer.concat(pieces).subarray(0, MOST_BYTES).toString('utf8')
}

function fromXml(text: string): string | undefined {
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`, 'i').exec(text)?.[1]?.trim()
  const message = element('Message') ?? element('title')
  const code = element('Code')
  if (message === undefined) return code
  return code === undefined ? decodeXml(message) : `${decodeXml(message)} (${code})`
}

function decodeXml(text: string): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => names[name] as string)
}

function fromJson(text: string): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  for (const name of ['message', 'error_description', 'detail', 'reason', 'msg', 'title', 'error']) {
    const found = (value as Record<string, unknown> | null)?.[name]
    if (typeof found === 'string' && found !== '') return found
    const inner = (found as Record<string, unknown> | null | undefined)?.message
    if (typeof inner === 'string' && inner !== '') return inner
  }
  return undefined
}

function clean(message: string, secrets: readonly string[]): string {
  let text = message
  for (const secret of secrets) if (secret.length > 3) text = text.replaceAll(secret, '***')
  return printable(redactText(text).replace(/\s+/g, ' ')).slice(0, MOST_TEXT)
}
