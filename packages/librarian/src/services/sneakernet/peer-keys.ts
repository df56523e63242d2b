/** By which key another librarian signs: pinned when it was first asked, or by an administrator. */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Act } from '../act.ts'
import type { PeerConnections } from '../peer-connections.ts'
import { isPublicKey, isSignedBy } from './signing.ts'

export interface PeerKeys {
  /** @throws LibrarianError UnknownLibrarian, BadRequest */
  trust(name: string, key: string, act?: Act): Promise<void>
  /** @throws LibrarianError Mismatch where somebody else has signed it, PeerUnreachable where no key is known yet */
  demandSigned(name: string, text: string, signature: string): Promise<void>
}

export interface PeerKeysOptions {
  readonly catalogue: Pick<Catalogue, 'signingKeys' | 'peers'>
  readonly connections: PeerConnections
}

export function createPeerKeys({ catalogue: { signingKeys, peers }, connections }: PeerKeysOptions): PeerKeys {
  async function keyOf(name: string): Promise<string> {
    if (!(await peers.find({ name }))) {
      throw new LibrarianError('UnknownLibrarian', `Cannot believe what ${name} has signed: there is no such librarian`)
    }
    const known = await signingKeys.of({ name })
    if (known !== undefined) return known
    const key = await ask(name)
    return await signingKeys.pin({ name, key, replace: false })
  }

  async function ask(name: string): Promise<string> {
    try {
      const { connection } = await connections.to(name)
      const { public_key } = await connection.sneakernet.key({}, { signal: AbortSignal.timeout(ASK_MS) })
      if (isPublicKey(public_key)) return public_key
      throw new LibrarianError('BadAnswer', `Cannot use the key of ${name}: it must be 32 bytes in base64`)
    } catch (cause) {
      throw new LibrarianError(
        'PeerUnreachable',
        `Cannot check what ${name} has signed: its key is not known here, and it cannot be asked`,
        {
          remedy: `Have its operator say \`arriero sneakernet key\`, then \`arriero sneakernet trust ${name} KEY\` here.`,
          cause,
        },
      )
    }
  }

  return {
    async trust(name, key, act) {
      if (!isPublicKey(key)) throw new LibrarianError('BadRequest', 'A key must be 32 bytes in base64')
      await signingKeys.pin({ name, key, replace: true, act: act?.entry() })
    },
    async demandSigned(name, text, signature) {
      if (isSignedBy(await keyOf(name), text, signature)) return
      throw new LibrarianError('Mismatch', `Cannot take this: ${name} has not signed it, or it was changed since`, {
        remedy: `Read the disk as it was packed. Where ${name} has a new key: \`arriero sneakernet trust ${name} KEY\`.`,
      })
    },
  }
}

const ASK_MS = 15_000
