/** Whether other librarians can be reached, know us, and have the same time. */
import { connect, LibrarianError } from '@arriero/api'
import type { Peer } from '../catalogue/operations/peers.ts'
import type { Fernet } from '../secrets/fernet.ts'
import { splitCredentials } from '../services/split-credentials.ts'
import { certificateFinding } from './certificate.ts'
import { clockFinding } from './clock-finding.ts'
import type { DeploymentFinding, Findings } from './finding.ts'

export interface PeersOptions {
  /** Undefined: their passwords cannot be read. */
  readonly fernet: Fernet | undefined
  readonly signal: AbortSignal
  /** For each answer. */
  readonly timeoutMs: number
}

export async function* examinePeers(peers: readonly Peer[], options: PeersOptions): Findings {
  const looks = peers.map(peer => examinePeer(peer, options))
  // All are asked at once and told in order; one that is told later must not end the process meanwhile.
  for (const look of looks) look.catch(() => {})
  for (const look of looks) yield* await look
}

async function examinePeer(peer: Peer, options: PeersOptions): Promise<DeploymentFinding[]> {
  const { signal, timeoutMs } = options
  const address = withPort(peer)
  const { aheadMs, why } = await meet(address, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
  signal.throwIfAborted()
  const certificate = address.startsWith('https:') ? await certificateFinding(address, options) : undefined
  const told = certificate && certificate.level !== 'ok' ? [certificate] : []
  if (why !== undefined) return [...told, unreachable(peer, address, why)]
  const clock = aheadMs === undefined ? [] : [clockFinding(peer.name, aheadMs)].filter(({ level }) => level !== 'ok')
  return [...told, await login(peer, address, options), ...clock]
}

function withPort({ url, port }: Peer): string {
  const address = new URL(url)
  address.port = String(port)
  return address.href.replace(/\/$/, '')
}

interface Meeting {
  /** How far its clock is ahead of ours; undefined: it does not say. */
  readonly aheadMs?: number | undefined
  /** Nobody was there. */
  readonly why?: string
}

/** Any answer is one, and tells its time. */
async function meet(address: string, signal: AbortSignal): Promise<Meeting> {
  try {
    const before = Date.now()
    const answer = await fetch(`${address}/api/v2/ping`, { signal, redirect: 'manual' })
    const now = (before + Date.now()) / 2
    await answer.body?.cancel()
    const date = Date.parse(answer.headers.get('date') ?? '')
    // It tells whole seconds, cut off.
    return { aheadMs: Number.isNaN(date) ? undefined : date + 500 - now }
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    return { why: cause?.code ?? (error as Error).message }
  }
}

function unreachable({ name, transfersEnabled }: Peer, address: string, why: string): DeploymentFinding {
  return {
    check: 'peer',
    level: transfersEnabled ? 'fail' : 'warn',
    found: `${name} cannot be reached at ${address} (${why})`,
    next: 'Is it running? Check its name and port (arriero librarians), the firewall, and NO_PROXY.',
  }
}

async function login(
  peer: Peer,
  address: string,
  { fernet, signal, timeoutMs }: PeersOptions,
): Promise<DeploymentFinding> {
  const check = 'peer'
  const { name } = peer
  if (!fernet) return { check, level: 'unknown', found: `${name} is there; our password for it cannot be read` }
  try {
    const credentials = splitCredentials(fernet.decrypt(peer.authenticator))
    const connection = connect({ url: address, ...credentials, retries: 0, connectTimeoutMs: timeoutMs })
    await connection.ping.logged({}, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
    return { check, level: 'ok', found: `${name} is there and lets us in as ${credentials.user}` }
  } catch (error) {
    signal.throwIfAborted()
    const isRefused = error instanceof LibrarianError && (error.code === 'NotAuthenticated' || error.code === 'Denied')
    const next = isRefused
      ? 'Have its administrator set the account’s password; then arriero librarians remove and add it with that one.'
      : 'Look at its log, or ask its administrator.'
    const found = isRefused
      ? `${name} is there and refuses our login: wrong user or password`
      : `${name} is there and does not answer as a librarian: ${(error as Error).message}`
    return { check, level: 'fail', found, next }
  }
}
