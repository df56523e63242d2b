import { Sha256 } from '@smithy/core/checksum'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeKey, queryOf } from './address.ts'
import { SignerV4 } from './sign-v4.ts'

const example = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

/** Independent of ours: the SDK's own signer. */
async function bySdk(
  identity: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  { target, host, headers, now }: { target: string; host: string; headers: Record<string, string>; now: number },
) {
  const [path = '', search = ''] = target.split(/\?(.*)/s)
  const signer = new SignatureV4({
    ...{ service: 's3', region: 'eu-west-1', credentials: identity, sha256: Sha256 },
    ...{ uriEscapePath: false, applyChecksum: false },
  })
  const { headers: signed } = await signer.sign(
    {
      ...{ method: 'GET', protocol: 'https:', hostname: host, path },
      query: Object.fromEntries(new URLSearchParams(search)),
      headers: { ...headers, host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    },
    { signingDate: new Date(now) },
  )
  return signed.authorization
}

test('signs as the SDK does, for whatever key, query, header and time', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter(key => key.isWellFormed())
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.option(text, { nil: undefined }),
      fc.option(fc.stringMatching(/^[\w/+=]{1,40}$/), { nil: undefined }),
      fc.integer({ min: 1e12, max: 2e12 }),
      async (key, prefix, sessionToken, now) => {
        const credentials = { ...example, sessionToken }
        const request = {
          method: 'GET',
          host: 'data.s3.eu-west-1.amazonaws.com',
          target: `/${encodeKey(key)}${queryOf({ prefix, 'list-type': '2' })}`,
          headers: { 'x-amz-checksum-mode': 'ENABLED', 'x-amz-request-payer': 'requester' },
          now,
        }
        const signed = new SignerV4(credentials, 'eu-west-1').sign(request)
        const identity = { ...example, ...(sessionToken === undefined ? {} : { sessionToken }) }
        expect(signed.authorization).toBe(await bySdk(identity, request))
        expect(signed['x-amz-security-token']).toBe(sessionToken)
      },
    ),
  )
})

test('one signer signs across days and sets of headers', async () => {
  const signer = new SignerV4(example, 'eu-west-1')
  const day = 86_400_000
  for (const now of [1e12, 1e12 + 999, 1e12 + day, 1e12]) {
    for (const headers of [{}, { 'x-amz-checksum-mode': 'ENABLED' }] as Record<string, string>[]) {
      const request = { method: 'GET', host: 'h:9000', target: '/a//b/../c', headers, now }
      expect(signer.sign(request).authorization).toBe(await bySdk(example, request))
    }
  }
})
