import type { IncomingMessage } from 'node:http'
import { Sha256 } from '@smithy/core/checksum'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Refusal } from './refusal.ts'

export interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface SignatureRules {
  readonly identities: readonly Identity[]
  /** What a signature must be made for. */
  readonly region: string
  /** Milliseconds since 1970, by the server. */
  readonly now: number
}

const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
/** Headers that AWS wants signed whenever they are sent. */
const MUST_BE_SIGNED = /^(host|x-amz-.*)$/

/** Checks a request by the SDK's own signer, which shares no line with ours. Undefined: the signature is right. */
export async function checkSignature(request: IncomingMessage, rules: SignatureRules): Promise<Refusal | undefined> {
  const [, accessKeyId, , region = '', names = '', signature] = FORM.exec(request.headers.authorization ?? '') ?? []
  if (signature === undefined) return { status: 400, code: 'InvalidArgument', message: 'Unsupported Authorization' }
  const identity = rules.identities.find(one => one.accessKeyId === accessKeyId)
  if (!identity)
    return { status: 403, code: 'InvalidAccessKeyId', message: 'The key id does not exist in our records.' }
  if (region !== rules.region) {
    const message = `The authorization header is malformed; the region '${region}' is wrong; expecting '${rules.region}'`
    return { status: 400, code: 'AuthorizationHeaderMalformed', message, more: `<Region>${rules.region}</Region>` }
  }
  const signedNames = names.split(';')
  const unsigned = Object.keys(request.headers).find(name => MUST_BE_SIGNED.test(name) && !signedNames.includes(name))
  if (unsigned)
    return {
      status: 403,
      code: 'AccessDenied',
      message: `There were headers present which were not signed: ${unsigned}`,
    }
  const time = dateOf(String(request.headers['x-amz-date']))
  if (Math.abs(time - rules.now) > 15 * 60_000) {
    return {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: 'The difference between the request time and the current time is too large.',
    }
  }
  if (identity.sessionToken !== request.headers['x-amz-security-token']) {
    return { status: 400, code: 'InvalidToken', message: 'The provided token is malformed or otherwise invalid.' }
  }
  const expected = await signatureOf(request, identity, { region, time, signedNames })
  if (expected === signature) return undefined
  return { status: 403, code: 'SignatureDoesNotMatch', message: 'The request signature we calculated does not match.' }
}

async function signatureOf(
  { method = '', url = '', headers }: IncomingMessage,
  { accessKeyId, secretAccessKey }: Identity,
  { region, time, signedNames }: { region: string; time: number; signedNames: readonly string[] },
): Promise<string | undefined> {
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
  const [path = '', search = ''] = url.split(/\?(.*)/s)
  const signed = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: String(headers.host),
      path,
      query: Object.fromEntries(new URLSearchParams(search)),
      headers: Object.fromEntries(signedNames.map(name => [name, String(headers[name])])),
    },
    { signingDate: new Date(time) },
  )
  return FORM.exec(String(signed.headers.authorization))?.[5]
}

function dateOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'))
}
