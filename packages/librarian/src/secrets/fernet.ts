/** Fernet tokens, the form in which peers' credentials are kept (librarian 5.4). No time-to-live is enforced. */
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { Clock } from '../clock.ts'
import type { Secret } from '../config/secret.ts'

export interface Fernet {
  encrypt(text: string): string
  /** `Configuration` where the token was made with another key, or changed. */
  decrypt(token: string): string
}

const version = 0x80
/** Version, seconds, initialisation vector. */
const headLength = 1 + 8 + 16
const macLength = 32

/** @param key URL-safe base64 of 32 bytes: the first half signs, the second encrypts */
export function createFernet(
  key: Secret,
  { clock, random }: { clock: Pick<Clock, 'wallNow'>; random: (bytes: number) => Buffer },
): Fernet {
  const { signing, encryption } = splitKey(key)
  const sign = (bytes: Buffer) => createHmac('sha256', signing).update(bytes).digest()

  return {
    encrypt(text) {
      const head = Buffer.alloc(headLength)
      head[0] = version
      head.writeBigUInt64BE(BigInt(Math.floor(clock.wallNow() / 1000)), 1)
      const iv = random(16)
      iv.copy(head, 9)
      const cipher = createCipheriv('aes-128-cbc', encryption, iv)
      const body = Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final()])
      return padded(Buffer.concat([body, sign(body)]).toString('base64url'))
    },

    decrypt(token) {
      const bytes = Buffer.from(token, 'base64url')
      if (bytes.length <= headLength + macLength || bytes[0] !== version) throw refuse()
      const body = bytes.subarray(0, -macLength)
      if (!timingSafeEqual(sign(body), bytes.subarray(-macLength))) throw refuse()
      const decipher = createDecipheriv('aes-128-cbc', encryption, body.subarray(9, headLength))
      return Buffer.concat([decipher.update(body.subarray(headLength)), decipher.final()]).toString('utf8')
    },
  }
}

function splitKey(key: Secret): { signing: Buffer; encryption: Buffer } {
  const bytes = Buffer.from(key.reveal(), 'base64url')
  if (bytes.length === 32) return { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) }
  throw new LibrarianError(
    'Configuration',
    `Cannot use encryption_key: it must be 32 bytes in URL-safe base64, and is ${bytes.length}`,
    { remedy: 'Make one with: head -c 32 /dev/urandom | base64 | tr +/ -_' },
  )
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function refuse(): LibrarianError {
  return new LibrarianError(
    'Configuration',
    'Cannot read stored credentials: they were made with another encryption_key',
    {
      remedy: 'Bring back the encryption_key they were made with, or add the librarian again.',
    },
  )
}
