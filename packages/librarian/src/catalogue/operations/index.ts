/** Every operation, by area. One file per area; add yours here. */
import { accounts } from './accounts.ts'
import { audit } from './audit.ts'
import { byteUploads } from './byte-uploads.ts'
import { deletions } from './deletions.ts'
import { errors } from './errors.ts'
import { files } from './files.ts'
import { idempotency } from './idempotency.ts'
import { instances } from './instances.ts'
import { intents } from './intents.ts'
import { jobs } from './jobs.ts'
import { leases } from './leases.ts'
import { lives } from './lives.ts'
import { manifest } from './manifest.ts'
import { peers } from './peers.ts'
import { readings } from './readings.ts'
import { rebuilding } from './rebuilding.ts'
import { serving } from './serving.ts'
import { settings } from './settings.ts'
import { stores } from './stores.ts'
import { trash } from './trash.ts'
import { uploadTurns } from './upload-turns.ts'
import { uploads } from './uploads.ts'

export const operations = {
  accounts,
  audit,
  byteUploads,
  deletions,
  errors,
  files,
  idempotency,
  instances,
  intents,
  jobs,
  leases,
  lives,
  manifest,
  peers,
  readings,
  rebuilding,
  serving,
  settings,
  stores,
  trash,
  uploadTurns,
  uploads,
}
