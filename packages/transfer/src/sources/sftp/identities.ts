import { readFile } from 'node:fs/promises'
import ssh2, { type ParsedKey } from 'ssh2'
import { TransferError } from '../../errors.ts'
import type { IdentityFile, SshSettings } from './settings.ts'

export interface Identity {
  readonly path: string
  readonly key: ParsedKey
}

export interface Identities {
  readonly usable: readonly Identity[]
  /** `path (why)`, for the message that nothing helped. */
  readonly skipped: readonly string[]
  /** Public keys of all of them in wire form, also of those that cannot be opened: the agent may have them. */
  readonly publicKeys: readonly Buffer[]
}

/** Reads the private keys that are there. One that the user named and that is not there is refused. */
export async function readIdentities({ identities, passphrase }: SshSettings): Promise<Identities> {
  const usable: Identity[] = []
  const skipped: string[] = []
  const publicKeys: Buffer[] = []
  for (const identity of identities) {
    const text = await readIdentity(identity)
    const beside = parseKey(await readFile(`${identity.path}.pub`, 'utf8').catch(() => undefined))
    if (beside instanceof Object && 'key' in beside) publicKeys.push(beside.key.getPublicSSH())
    if (text === undefined) continue
    const parsed = parseKey(text, passphrase)
    if (parsed === undefined || 'why' in parsed) skipped.push(`${identity.path} (${parsed?.why ?? 'it is empty'})`)
    else if (!parsed.key.isPrivateKey()) skipped.push(`${identity.path} (it is a public key)`)
    else {
      usable.push({ path: identity.path, key: parsed.key })
      publicKeys.push(parsed.key.getPublicSSH())
    }
  }
  return { usable, skipped, publicKeys }
}

async function readIdentity({ path, isExplicit }: IdentityFile): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (!isExplicit) return undefined
    const { code } = cause as NodeJS.ErrnoException
    throw new TransferError('Disk', `Cannot read the private key ${path}: ${code}`, { file: path, cause })
  }
}

function parseKey(text: string | undefined, passphrase?: string): { key: ParsedKey } | { why: string } | undefined {
  if (!text) return undefined
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (!(key instanceof Error)) return { key: key as ParsedKey }
  if (/passphrase given/i.test(key.message)) return { why: 'it is encrypted and no passphrase was given' }
  if (/bad passphrase|bad decrypt|integrity check failed/i.test(key.message))
    return { why: 'the passphrase does not open it' }
  return { why: 'it is of a form that is not supported' }
}
