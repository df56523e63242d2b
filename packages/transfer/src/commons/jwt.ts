/** What a token says of itself. Nothing here checks signatures: who accepts the token does (gen3 2.1). */
export interface Claims {
  /** Issuer, e.g. `https://commons.example.org/user`. */
  readonly iss?: string | undefined
  /** Seconds since 1970. */
  readonly exp?: number | undefined
  readonly iat?: number | undefined
}

/** Undefined for what is no JSON web token. */
export function decodeClaims(token: string): Claims | undefined {
  const [, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    if (typeof claims !== 'object' || claims === null) return undefined
    const { iss, exp, iat } = claims as Record<string, unknown>
    return { iss: typeof iss === 'string' ? iss : undefined, exp: numberOf(exp), iat: numberOf(iat) }
  } catch {
    return undefined
  }
}

/** Scheme, host and port of the commons that issued it. */
export function endpointOf({ iss }: Claims): string | undefined {
  const url = iss === undefined ? null : URL.parse(iss)
  return url && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url.origin : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
