/**
 * A self-signed certificate made on the spot, so that tests need neither `openssl` nor a key kept in the repository.
 * Just enough DER (X.690) for an X.509 v3 certificate with an EC key.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

export interface TestCertificate {
  /** PEM; both the server's certificate and, for clients, the `ca` to trust. */
  readonly certificate: string
  /** PEM (PKCS 8). */
  readonly key: string
}

export interface TestCertificateOptions {
  /** DNS names and IPv4 addresses it is valid for. Default `localhost`, `127.0.0.1`. */
  readonly names?: readonly string[] | undefined
  /** Valid only in the past. */
  readonly expired?: boolean | undefined
  /** Valid no longer than this. Default: 2099. */
  readonly until?: Date | undefined
}

export function makeCertificate(options: TestCertificateOptions = {}): TestCertificate {
  const { names = ['localhost', '127.0.0.1'], expired = false, until = new Date('2099-12-31T23:59:59Z') } = options
  const end = expired ? '20210101000000Z' : `${until.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(oid('550403'), der(0x0c, Buffer.from('arriero fault server')))))
  const signatureAlgorithm = sequence(oid('2a8648ce3d040302'))
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x11]), randomBytes(8)])),
    signatureAlgorithm,
    name,
    sequence(time('20200101000000Z'), time(end)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(extension('551d11', sequence(...names.map(alternativeName))), extension('551d13', authority()))),
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, signatureAlgorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = certificate.toString('base64').replace(/.{64}(?!$)/g, '$&\n')
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }
}

function der(tag: number, value: Uint8Array): Buffer {
  const { length } = value
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(head), value])
}

function sequence(...parts: Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function set(part: Uint8Array): Buffer {
  return der(0x31, part)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function integer(value: Uint8Array): Buffer {
  return der(0x02, value)
}

function time(generalized: string): Buffer {
  // Years before 2050 must be spelt as UTCTime (RFC 5280, 4.1.2.5).
  return Number(generalized.slice(0, 4)) < 2050
    ? der(0x17, Buffer.from(generalized.slice(2)))
    : der(0x18, Buffer.from(generalized))
}

function alternativeName(name: string): Buffer {
  return isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))
}

function extension(id: string, value: Uint8Array): Buffer {
  return sequence(oid(id), der(0x04, value))
}

/** basicConstraints: CA, so that clients accept it as its own root. */
function authority(): Buffer {
  return sequence(der(0x01, Buffer.from([0xff])))
}
