/** A certificate for loopback that lives as long as the benchmark. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  /** PEM; also what a client must trust. */
  readonly certFile: string
  readonly keyFile: string
}

/** Node makes keys, but no certificates. Undefined without OpenSSL's program. */
export async function makeCertificate(directory: string): Promise<Certificate | undefined> {
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  try {
    await promisify(execFile)('openssl', [...request, ...names, '-keyout', keyFile, '-out', certFile])
    return { certFile, keyFile }
  } catch {
    return undefined
  }
}
