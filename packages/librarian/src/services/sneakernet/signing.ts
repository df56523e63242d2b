/** Signatures under what goes with a disk: Ed25519, by a key of this librarian’s own that is made when it is first used. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Fernet } from '../../secrets/fernet.ts'

export interface Signing {
  /** Base64 of the 32 bytes. */
  publicKey(): Promise<string>
  /** Base64. */
  sign(text: string): Promise<string>
}

export interface SigningOptions {
  readonly catalogue: Pick<Catalogue, 'settings'>
  /** With it the key lies encrypted in the catalogue. */
  readonly fernet: Fernet | undefined
}

const SETTING = 'signing-key'
const ENCRYPTED = 'fernet:'
const PLAIN = 'pkcs8:'

/** What comes before the 32 bytes in DER (RFC 8410). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

export function createSigning({ catalogue, fernet }: SigningOptions): Signing {
  let known: Promise<KeyObject> | undefined

  async function load(): Promise<KeyObject> {
    const kept = (await catalogue.settings.get({ key: SETTING })) ?? (await make())
    if (kept.startsWith(PLAIN)) return fromDer(kept.slice(PLAIN.length))
    if (fernet) return fromDer(fernet.decrypt(kept.slice(ENCRYPTED.length)))
    throw new LibrarianError('Configuration', 'Cannot sign: the key is encrypted, and no encryption_key is set')
  }

  /** Of two processes that make one at once, both take the first. */
  async function make(): Promise<string> {
    const der = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
    const value = fernet ? `${ENCRYPTED}${fernet.encrypt(der)}` : `${PLAIN}${der}`
    return await catalogue.settings.setOnce({ key: SETTING, value })
  }

  async function key(): Promise<KeyObject> {
    known ??= load()
    known.catch(() => {
      known = undefined
    })
    return await known
  }

  return {
    async publicKey() {
      const der = createPublicKey(await key()).export({ type: 'spki', format: 'der' })
      return der.subarray(spkiHead.length).toString('base64')
    },
    sign: async text => sign(null, Buffer.from(text), await key()).toString('base64'),
  }
}

function fromDer(base64: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(base64, 'base64'), type: 'pkcs8', format: 'der' })
}

/** Whether it is the base64 of an Ed25519 public key. */
export function isPublicKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 32 && bytes.toString('base64') === text
}

/** Whether the holder of the key has signed this very text. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  if (!isPublicKey(publicKey)) return false
  const der = Buffer.concat([spkiHead, Buffer.from(publicKey, 'base64')])
  const key = createPublicKey({ key: der, type: 'spki', format: 'der' })
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
}
