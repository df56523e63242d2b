/** Other librarians: who they are, whether they answer, whether we send to them (librarian 10.8, Q22). */
import { type Instant, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { type Peer, sameSite } from '../catalogue/operations/peers.ts'
import type { Log } from '../log.ts'
import type { Fernet } from '../secrets/fernet.ts'
import type { Act } from './act.ts'
import type { PeerCalls } from './peer-calls.ts'
import { splitCredentials } from './split-credentials.ts'

export interface Peers {
  list(options: { ping: boolean; signal: AbortSignal }): Promise<ListedPeer[]>
  add(peer: AddedPeer, options: PeerOptions): Promise<PeerAddition>
  /** `UnknownLibrarian`. Resolves to how many transfers were failed. */
  remove(name: string, options: PeerOptions & { failTransfers: boolean }): Promise<number>
  /** `UnknownLibrarian`. */
  setTransfersEnabled(name: string, enabled: boolean, act?: Act): Promise<void>
}

export interface PeerOptions {
  readonly signal: AbortSignal
  readonly act?: Act | undefined
}

export interface ListedPeer {
  readonly name: string
  readonly url: string
  readonly port: number
  /** Null: nobody asked it. */
  readonly available: boolean | null
  readonly enabled: boolean
  /** Since when it refuses our account there. */
  readonly refusedSince: Instant | null
}

export interface AddedPeer {
  readonly name: string
  /** With scheme, without port. */
  readonly url: string
  readonly port: number
  /** `user:password` at the other one. */
  readonly authenticator: string
  /** It must answer. */
  readonly check: boolean
  /** With `check`: it must let us in too. */
  readonly checkAccount: boolean
}

export interface PeerAddition {
  readonly success: boolean
  readonly alreadyExists: boolean
  /** Null: not checked. */
  readonly pingSuccess: boolean | null
  /** Why it was not added, for a person. */
  readonly problem?: string
}

export interface PeersOptions {
  readonly catalogue: Pick<Catalogue, 'peers'>
  readonly calls: PeerCalls
  /** Our own `name`. */
  readonly name: string
  /** Undefined: no key is configured. */
  readonly fernet: Fernet | undefined
  /** One was added, or removed: for the work that is done for it. */
  readonly onChange: (name: string, isThere: boolean) => Promise<void>
  readonly log: Log
}

export function createPeers({ catalogue: { peers }, calls, name: own, fernet, onChange, log }: PeersOptions): Peers {
  const crypt = () => {
    if (fernet) return fernet
    throw new LibrarianError('Conflict', 'Cannot keep credentials of another librarian: no encryption_key is set', {
      remedy: 'Set encryption_key or encryption_key_file in the settings and start again.',
    })
  }

  async function isThere(peer: Peer, signal: AbortSignal): Promise<boolean> {
    const answers = await calls.ping(peer, { signal })
    if (answers) await peers.touch({ name: peer.name, seen: true })
    return answers
  }

  async function tellFailed(peer: Peer, transfer: { id: number; remoteId: number }, signal: AbortSignal) {
    try {
      const credentials = splitCredentials(crypt().decrypt(peer.authenticator))
      const reason = 'The sender has removed this librarian from those it sends to.'
      await calls.failClone({ ...peer, ...credentials }, { ...transfer, reason }, { signal })
    } catch (error) {
      // It finds out by itself when it asks for its old transfers.
      log.warn(
        { err: error, peer: peer.name, transfer: transfer.id },
        'The other librarian was not told of a failed transfer',
      )
    }
  }

  /** It is there, or gone, all the same. */
  async function tellOf(name: string, isThere: boolean): Promise<void> {
    await onChange(name, isThere).catch(error =>
      log.warn({ err: error, peer: name }, 'Tasks of this librarian go on, or off, at the next start only'),
    )
  }

  /** Undefined: nothing speaks against keeping it. */
  async function refusalOf(added: AddedPeer, signal: AbortSignal): Promise<PeerAddition | undefined> {
    const { url, port, authenticator, check, checkAccount } = added
    if (!check) return undefined
    const refused = { success: false, alreadyExists: false }
    if (!checkAccount)
      return (await calls.ping({ url, port }, { signal })) ? undefined : { ...refused, pingSuccess: false }
    const problem = await calls.tryAccount({ url, port, ...splitCredentials(authenticator) }, { signal })
    return problem && { ...refused, pingSuccess: problem.isThere, problem: problem.what }
  }

  return {
    async list({ ping, signal }) {
      const known = await peers.list()
      const available = await Promise.all(known.map(peer => (ping ? isThere(peer, signal) : null)))
      return known.map((peer, at) => ({
        name: peer.name,
        url: peer.url,
        port: peer.port,
        available: available[at] ?? null,
        enabled: peer.transfersEnabled,
        refusedSince: peer.refusedSince,
      }))
    },

    async add(added, { signal, act }) {
      const { name, port, authenticator, check } = added
      demandOther(name, own)
      demandAddress(name, added.url, port, authenticator)
      const url = plainUrl(added.url)
      const authenticatorToken = crypt().encrypt(authenticator)
      const known = sameSite(await peers.list(), { name, url, port })
      if (known) return existing(name, known)
      const refusal = await refusalOf(added, signal)
      if (refusal) return refusal
      const other = await peers.add({ name, url, port, authenticator: authenticatorToken, act: act?.entry() })
      if (other !== undefined) return existing(name, other)
      await tellOf(name, true)
      return { success: true, alreadyExists: false, pingSuccess: check ? true : null }
    },

    async remove(name, { failTransfers, signal, act }) {
      const removed = await peers.remove({ name, failTransfers, act: act?.entry() })
      if (!removed) throw new LibrarianError('UnknownLibrarian', `Cannot remove ${name}: there is no such librarian`)
      await tellOf(name, false)
      if (removed.forgottenCopies > 0) {
        log.warn(
          { peer: name, copies: removed.forgottenCopies },
          'Copies at a removed librarian are no longer known of',
        )
      }
      for (const { id, remoteId } of removed.failed) {
        if (remoteId !== null) await tellFailed(removed.peer, { id, remoteId }, signal)
      }
      return removed.failed.length
    },

    setTransfersEnabled: (name, enabled, act) => peers.setTransfersEnabled({ name, enabled, act: act?.entry() }),
  }
}

/** The URL type writes names of hosts in one way. */
function plainUrl(url: string): string {
  const { protocol, hostname, pathname } = new URL(url)
  return `${protocol}//${hostname}${pathname.replace(/\/+$/, '')}`
}

/** Two names for one site would count each of its copies twice. */
function existing(name: string, known: Pick<Peer, 'name' | 'url' | 'port'>): PeerAddition {
  const exists = { success: false, alreadyExists: true, pingSuccess: false }
  // The answer of old says all.
  if (known.name === name) return exists
  const problem = `${known.url}:${known.port} is known already, as ${known.name}: a copy there would count as two`
  return { ...exists, problem }
}

/** Our own copies would be sent to ourselves, in vain. */
function demandOther(name: string, own: string): void {
  if (name !== own) return
  throw new LibrarianError('BadRequest', `Cannot add the librarian: ${name} is the name of this one`, {
    remedy: 'Give the `name` setting of the other librarian.',
  })
}

/** What would only fail later, at every call. */
function demandAddress(name: string, url: string, port: number, authenticator: string): void {
  const refuse = (what: string) =>
    new LibrarianError('BadRequest', `Cannot add the librarian: ${what}`, { remedy: 'Correct it and try again.' })
  if (name === '' || name.length > 256) throw refuse('its name must be 1 to 256 characters long')
  const parsed = URL.parse(url)
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw refuse('its url must begin with http:// or https://')
  if (parsed.username || parsed.password) throw refuse('its url must hold no credentials')
  // The URL type forgets the port of a scheme.
  if (/^[a-z]+:\/\/[^/]*:\d*(\/|$)/i.test(url) || parsed.search || parsed.hash)
    throw refuse('its url must have no port, query or fragment')
  if (port < 1 || port > 65_535) throw refuse('its port must be 1 to 65535')
  if (!authenticator.includes(':')) throw refuse('its authenticator must be USER:PASSWORD')
}
