/** Whether the passwords of other librarians can be read. */
import { randomBytes } from 'node:crypto'
import type { Peer } from '../catalogue/operations/peers.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config.ts'
import { createFernet, type Fernet } from '../secrets/fernet.ts'
import type { DeploymentFinding } from './finding.ts'

const check = 'encryption key'
const makeOne = 'head -c 32 /dev/urandom | base64 | tr +/ -_'

/** Returns what reads them, if there is a key. */
export function* examineKey(
  { encryptionKey }: Pick<Settings, 'encryptionKey'>,
  peers: readonly Peer[],
): Generator<DeploymentFinding, Fernet | undefined> {
  if (!encryptionKey) {
    const found = 'none is set'
    yield peers.length > 0
      ? { check, level: 'fail', found, next: 'Bring back the one with which the other librarians were added.' }
      : {
          check,
          level: 'warn',
          found,
          next: `To know other librarians: ${makeOne}; then name it as encryption_key_file.`,
        }
    return undefined
  }
  let fernet: Fernet
  try {
    fernet = createFernet(encryptionKey, { clock: systemClock, random: randomBytes })
  } catch (error) {
    yield { check, level: 'fail', found: (error as Error).message, next: `Make one with: ${makeOne}` }
    return undefined
  }
  const unread = peers.filter(({ authenticator }) => !canRead(fernet, authenticator)).map(({ name }) => name)
  yield unread.length === 0
    ? { check, level: 'ok', found: 'can be used' }
    : {
        check,
        level: 'fail',
        found: `it does not open the credentials that are kept for ${unread.join(', ')}`,
        next: 'Bring back the key they were made with; or arriero librarians remove and add each again.',
      }
  return fernet
}

function canRead(fernet: Fernet, token: string): boolean {
  try {
    return fernet.decrypt(token) !== ''
  } catch {
    return false
  }
}
