/** Every operation, by area. One file per area; add yours here. */
import { accounts } from './accounts.ts'
import { audit } from './audit.ts'
import { byteUploads } from './byte-uploads.ts'
import { checkins } from './checkins.ts'
import { clones } from './clones.ts'
import { deletions } from './deletions.ts'
import { destructions } from './destructions.ts'
import { digests } from './digests.ts'
import { disks } from './disks.ts'
import { downstream } from './downstream.ts'
import { errors } from './errors.ts'
import { figures } from './figures.ts'
import { files } from './files.ts'
import { histories } from './histories.ts'
import { holds } from './holds.ts'
import { idempotency } from './idempotency.ts'
import { importing } from './importing.ts'
import { incomingDisks } from './incoming-disks.ts'
import { instances } from './instances.ts'
import { intents } from './intents.ts'
import { jobs } from './jobs.ts'
import { leases } from './leases.ts'
import { lives } from './lives.ts'
import { manifest } from './manifest.ts'
import { names } from './names.ts'
import { outbox } from './outbox.ts'
import { outgoing } from './outgoing.ts'
import { outgoingDisks } from './outgoing-disks.ts'
import { overview } from './overview.ts'
import { peers } from './peers.ts'
import { pieces } from './pieces.ts'
import { readings } from './readings.ts'
import { rebuilding } from './rebuilding.ts'
import { receiving } from './receiving.ts'
import { remoteProofs } from './remote-proofs.ts'
import { repairs } from './repairs.ts'
import { replacements } from './replacements.ts'
import { scrubbing } from './scrubbing.ts'
import { sendQueue } from './send-queue.ts'
import { sending } from './sending.ts'
import { serving } from './serving.ts'
import { sessions } from './sessions.ts'
import { settings } from './settings.ts'
import { signingKeys } from './signing-keys.ts'
import { stores } from './stores.ts'
import { tasks } from './tasks.ts'
import { traffic } from './traffic.ts'
import { transferPages } from './transfer-pages.ts'
import { trash } from './trash.ts'
import { uploadTurns } from './upload-turns.ts'
import { uploads } from './uploads.ts'

export const operations = {
  accounts,
  audit,
  byteUploads,
  checkins,
  clones,
  deletions,
  destructions,
  digests,
  disks,
  downstream,
  errors,
  figures,
  files,
  histories,
  idempotency,
  importing,
  incomingDisks,
  instances,
  intents,
  jobs,
  leases,
  lives,
  manifest,
  names,
  outbox,
  outgoing,
  outgoingDisks,
  overview,
  peers,
  pieces,
  readings,
  rebuilding,
  holds,
  remoteProofs,
  repairs,
  replacements,
  scrubbing,
  sending,
  sendQueue,
  receiving,
  serving,
  sessions,
  settings,
  signingKeys,
  stores,
  tasks,
  traffic,
  transferPages,
  trash,
  uploadTurns,
  uploads,
}
