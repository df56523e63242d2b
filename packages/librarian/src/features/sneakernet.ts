/** Disks that are carried to other librarians, and from them. */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { BackgroundSettings } from '../config/background.ts'
import type { Log } from '../log.ts'
import { sneakernetRoutes } from '../routes/sneakernet.ts'
import type { Fernet } from '../secrets/fernet.ts'
import type { Alarms } from '../services/alarms.ts'
import { holdBytes, type WriteTurns } from '../services/byte-uploads/write-turns.ts'
import type { Commits } from '../services/commit/commits.ts'
import type { PeerConnections } from '../services/peer-connections.ts'
import type { RepairService } from '../services/repair/repair.ts'
import { createArrivals } from '../services/sneakernet/arrivals.ts'
import { createCloneKeeper } from '../services/sneakernet/keep-clones.ts'
import { createPacking } from '../services/sneakernet/packing.ts'
import { createPeerKeys } from '../services/sneakernet/peer-keys.ts'
import { createSigning } from '../services/sneakernet/signing.ts'
import type { Stores } from '../stores/stores.ts'
import type { Feature } from './feature.ts'

export interface SneakernetFeatureOptions {
  readonly settings: { readonly name: string; readonly background: Pick<BackgroundSettings, 'recieve_clone'> }
  readonly catalogue: Catalogue
  readonly connections: PeerConnections
  readonly fernet: Fernet | undefined
  readonly stores: Stores
  readonly commits: Commits
  readonly recoverTransfer: (transferId: number) => Promise<boolean>
  readonly takeReplacement: RepairService['takeReplacement']
  readonly turns: WriteTurns
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  /** A message was written. */
  readonly onMessage: () => void
  readonly random: (bytes: number) => Buffer
}

export function createSneakernetFeature(options: SneakernetFeatureOptions): Feature {
  const { settings, catalogue, connections, fernet, stores, alarms, clock, log, random, turns, onMessage } = options
  const { name } = settings
  const signing = createSigning({ catalogue, fernet })
  const keys = createPeerKeys({ catalogue, connections })
  const shared = { name, catalogue, signing, keys, clock, random }
  return {
    routes: sneakernetRoutes({
      librarianName: name,
      books: catalogue,
      packing: createPacking(shared),
      arrivals: createArrivals({ ...shared, alarms, stores, log }),
      keeper: createCloneKeeper({
        ...options,
        deletionPolicy: settings.background.recieve_clone[0]?.deletion_policy === 1 ? 'ALLOWED' : 'DISALLOWED',
        holdBytes: token => holdBytes(turns, token),
      }),
      onMessage,
      signing,
      keys,
    }),
  }
}
