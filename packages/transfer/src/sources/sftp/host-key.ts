import { TransferError } from '../../errors.ts'
import { fingerprintOf, type KnownKeys, typeOfKey } from './known-hosts.ts'

/** What a host has to show. */
export interface HostKeyPolicy {
  /** As known hosts have it: `host` or `[host]:port`. */
  readonly host: string
  /** For messages. */
  readonly uri: string
  readonly known: KnownKeys
  /** What is known under the host's name without the port: enough to accept, not to complain (as OpenSSH does). */
  readonly knownWithoutPort: KnownKeys
  /** This fingerprint and no other; known hosts are not asked. */
  readonly fingerprint: string | undefined
  /** The files that were read, for messages. */
  readonly files: readonly string[]
}

/** Signature algorithms by type of key, best first. SHA-1 signatures (`ssh-rsa`) and DSA are not accepted. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/** What to ask for: types of key that are known for the host first, so that the key it shows is one that can be judged. */
export function hostKeyAlgorithms({ known, knownWithoutPort, fingerprint }: HostKeyPolicy): string[] {
  const keys = fingerprint === undefined ? [...known.keys, ...knownWithoutPort.keys] : []
  const types = new Set(keys.map(typeOfKey))
  const all = Object.keys(ALGORITHMS)
  const ordered = [...all.filter(type => types.has(type)), ...all.filter(type => !types.has(type))]
  return ordered.flatMap(type => ALGORITHMS[type] ?? [])
}

/** The algorithms by which a host shows a key of this type. */
export function algorithmsOfType(type: string | undefined): readonly string[] {
  return ALGORITHMS[type ?? ''] ?? []
}

/** Why this key is not accepted; undefined if it is. */
export function judgeHostKey(key: Buffer, policy: HostKeyPolicy): TransferError | undefined {
  const { host, known, knownWithoutPort, fingerprint, files } = policy
  const shown = `${typeOfKey(key) ?? 'key'} ${fingerprintOf(key)}`
  const isIn = (keys: readonly Buffer[]) => keys.some(one => one.equals(key))
  if (isIn(known.revoked) || isIn(knownWithoutPort.revoked)) {
    return refusal(policy, `its key (${shown}) is revoked in the known hosts`, 'Ask who runs the host for its new key.')
  }
  if (fingerprint !== undefined) {
    if (fingerprintOf(key) === fingerprint) return undefined
    const what = `its key must have the fingerprint ${fingerprint}, got ${shown}`
    return refusal(policy, what, 'Somebody may stand in between, or the fingerprint is that of another host.')
  }
  if (isIn(known.keys) || isIn(knownWithoutPort.keys)) return undefined
  const before = known.keys.find(one => typeOfKey(one) === typeOfKey(key))
  if (before) {
    const what = `its key has changed: known is ${fingerprintOf(before)}, got ${shown}`
    const remedy = `Somebody may stand in between; if the host really has a new key, remove the old one: ssh-keygen -R '${host}'.`
    return refusal(policy, what, remedy)
  }
  const others = [...new Set(known.keys.map(typeOfKey))]
  const besides = others.length > 0 ? `, known are keys of other types (${others.join(', ')})` : ''
  const authority =
    known.hasAuthority || knownWithoutPort.hasAuthority
      ? '; certificate authorities (@cert-authority) are not supported'
      : ''
  const where = files.length > 0 ? ` in ${files.join(', ')}` : ''
  return refusal(
    policy,
    `its key (${shown}) is not known${where}${besides}${authority}`,
    `Compare the fingerprint with that of who runs the host, then say --host-key ${fingerprintOf(key)} or add the key to the known hosts.`,
  )
}

/** A fingerprint as people write it. Rejects others with Usage: one that is mistyped must not look like an attack. */
export function parseFingerprint(text: string): string {
  const match = /^(?:SHA256:)?([A-Za-z0-9+/]{43})=?$/.exec(text.trim())
  if (match) return `SHA256:${match[1]}`
  throw new TransferError(
    'Usage',
    `Cannot use ${text} as a host key: it must be a fingerprint such as SHA256:… (43 characters)`,
  )
}

function refusal({ uri }: HostKeyPolicy, what: string, remedy: string): TransferError {
  return new TransferError('Tls', `Cannot trust the host of ${uri}: ${what}`, { url: uri, remedy, retriable: false })
}
