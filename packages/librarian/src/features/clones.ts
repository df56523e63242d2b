/** Clones: the receiving half, and the bytes that a sender gives to receivers who fetch. The sending half is `sending.ts`. */
import { createEngine, type Engine } from '@arriero/transfer'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { BackgroundSettings } from '../config/background.ts'
import type { Log } from '../log.ts'
import { bundleRoute } from '../routes/clone-bundle.ts'
import { cloneRoutes } from '../routes/clones.ts'
import type { RawRoute } from '../routes/raw-route.ts'
import type { Route } from '../routes/route.ts'
import type { Fernet } from '../secrets/fernet.ts'
import type { Alarms } from '../services/alarms.ts'
import { httpProvider } from '../services/byte-uploads/provider.ts'
import { createCheckins } from '../services/clones/checkins.ts'
import { createClones } from '../services/clones/create-clones.ts'
import { createPuller, type Puller, type PullerTuning } from '../services/clones/pull/puller.ts'
import { createReceiver } from '../services/clones/receive.ts'
import type { Commits } from '../services/commit/commits.ts'
import type { Data } from '../services/data.ts'
import type { PeerConnection, PeerConnections } from '../services/peer-connections.ts'
import type { RepairService } from '../services/repair/repair.ts'
import type { Stores } from '../stores/stores.ts'
import { incomingTransferHypervisor } from '../tasks/incoming-transfer-hypervisor.ts'
import { receiveClone } from '../tasks/receive-clone.ts'
import type { TaskKind } from '../tasks/task.ts'

export interface CloneFeatureOptions {
  readonly settings: { readonly background: Pick<BackgroundSettings, 'recieve_clone'> }
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly commits: Commits
  readonly recoverTransfer: (transferId: number) => Promise<boolean>
  /** Of what was sent again in place of a bad copy. */
  readonly takeReplacement: RepairService['takeReplacement']
  readonly data: Data
  readonly connections: PeerConnections
  /** Undefined: no key is configured, so nothing can be fetched from anybody. */
  readonly fernet: Fernet | undefined
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  /** This process, as leases name it. */
  readonly holder: string
  /** A message was written. */
  readonly onMessage: () => void
  readonly tuning?: PullerTuning | undefined
}

export interface CloneFeature {
  readonly routes: readonly Route[]
  readonly rawRoutes: readonly RawRoute[]
  readonly tasks: readonly TaskKind[]
  readonly puller: Puller
  work(signal: AbortSignal): Promise<void>
}

/** Of memory for what is on its way from one librarian. */
const MEMORY = 128 << 20

export function createCloneFeature(options: CloneFeatureOptions): CloneFeature {
  const { settings, catalogue, fernet, data, onMessage: onEnd } = options
  const receiver = createReceiver({ ...options, onEnd })
  const puller = createPuller({ ...options, openEngine, deletionPolicy: policyOf(settings.background), onEnd })
  const clones = createClones({ ...options, onPull: peers => puller.wake(peers) })
  const canPullFrom = async (librarian: string) => {
    return fernet !== undefined && (await catalogue.receiving.knownPeers({ names: [librarian] })).length > 0
  }
  return {
    routes: cloneRoutes({ clones, checkins: createCheckins(options), canPullFrom, providers: [httpProvider] }),
    rawRoutes: [bundleRoute({ data })],
    tasks: [receiveClone(receiver), incomingTransferHypervisor({ ...options, onEnd })],
    puller,
    work: signal => puller.work(signal),
  }
}

/** What is fetched is kept as what others bring. */
function policyOf({ recieve_clone }: Pick<BackgroundSettings, 'recieve_clone'>) {
  return recieve_clone[0]?.deletion_policy === 1 ? 'ALLOWED' : 'DISALLOWED'
}

/** Whatever it answers, it leads nowhere else. */
function openEngine({ connection }: PeerConnection): Engine {
  const { hostname, port, protocol } = new URL(connection.address)
  const itsHost = hostname.replace(/^\[|\]$/g, '')
  const itsPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  return createEngine({
    memoryBudget: MEMORY,
    proxyFromEnvironment: false,
    reach: {
      isHostAllowed: (host, at) => host.replace(/^\[|\]$/g, '') === itsHost && at === itsPort,
      networks: ['0.0.0.0/0', '::/0'],
    },
  })
}
