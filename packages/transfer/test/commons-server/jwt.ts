import { randomBytes } from 'node:crypto'

/** Well-formed, and signed by nobody: whoever issued it must remember it. */
export function makeJwt(claims: Readonly<Record<string, unknown>>): string {
  const header = { alg: 'RS256', typ: 'JWT', kid: 'test-commons-key' }
  const parts = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return [...parts, randomBytes(256).toString('base64url')].join('.')
}
