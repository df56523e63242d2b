/**
 * Why a librarian does not start, or not do its work: everything that its settings stand on is looked at in turn, from the ground
 * up, and nothing is changed. A server may run meanwhile; of a catalogue in a file, less can be told then.
 */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { DatabaseLook } from '../catalogue/look.ts'
import { lookAtDatabase } from '../catalogue/look-at-database.ts'
import { openCatalogue } from '../catalogue/open.ts'
import type { Settings } from '../config.ts'
import { databaseFindings } from './database.ts'
import type { Findings } from './finding.ts'
import { examineKey } from './key.ts'
import { examineMachine } from './machine.ts'
import { examinePeers } from './peers.ts'
import { inspectPublicUrl } from './public-url.ts'
import { examineStores } from './stores.ts'

export interface DeploymentOptions {
  readonly settings: Settings
  /** By which users and other librarians reach it, through its proxy. Default: that is not looked at. */
  readonly url?: string | undefined
  readonly signal: AbortSignal
  /** For each answer of the network, ms. Default 10,000. */
  readonly timeoutMs?: number | undefined
}

export async function* inspectDeployment(options: DeploymentOptions): Findings {
  const { settings, url, signal, timeoutMs = 10_000 } = options
  yield* examineMachine(settings)
  const look = await lookAtDatabase(settings.catalogue)
  yield* databaseFindings(look)
  await using catalogue = await openLooked(settings, look)
  const peers = (await catalogue?.peers.list()) ?? []
  yield* examineStores(settings, catalogue)
  const fernet = yield* examineKey(settings, peers)
  yield* examinePeers(peers, { fernet, signal, timeoutMs })
  if (url !== undefined) yield* inspectPublicUrl(url, { signal, timeoutMs })
}

/** Only one that opening does not change. */
async function openLooked({ catalogue }: Settings, look: DatabaseLook): Promise<Catalogue | undefined> {
  if (look.state !== 'current') return undefined
  const url = catalogue.engine === 'sqlite' ? catalogue.path : catalogue.url.reveal()
  return await openCatalogue({ url, mustExist: true, connections: 1, readers: 0 })
}
