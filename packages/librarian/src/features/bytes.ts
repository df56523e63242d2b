/** Everything by which bytes come and go over HTTP: tus, data, DRS. */
import { basename } from 'node:path/posix'
import { parseFileName } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { dataRoute } from '../routes/data.ts'
import { drsRoutes } from '../routes/drs.ts'
import type { RawCall, RawRoute } from '../routes/raw-route.ts'
import type { CreateUpload } from '../routes/tus/creation.ts'
import { tusRoutes } from '../routes/tus.ts'
import { writeNotes } from '../services/byte-uploads/notes.ts'
import { httpProvider } from '../services/byte-uploads/provider.ts'
import { ByteUploads, type ByteUploadsOptions } from '../services/byte-uploads.ts'
import { Rereads } from '../services/data/rereads.ts'
import { ticketSecret } from '../services/data/ticket-secret.ts'
import { Tickets } from '../services/data/tickets.ts'
import { createData, type Data } from '../services/data.ts'
import { createDrs } from '../services/drs.ts'
import type { Uploads } from '../services/uploads/uploads.ts'
import type { Stores } from '../stores/stores.ts'

export interface BytesOptions {
  readonly settings: Pick<
    Settings,
    'name' | 'displayedSiteName' | 'displayedSiteDescription' | 'maximalUploadSize' | 'encryptionKey'
  >
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly clock: Clock
  readonly log: Log
  readonly random: (bytes: number) => Buffer
  readonly uploads: Uploads
  /** Where tests want other figures than the defaults. */
  readonly tuning?: Partial<Pick<ByteUploadsOptions, 'expiryMs' | 'patienceMs' | 'guard'>> & {
    readonly idleMs?: number
    readonly perUser?: number
    readonly rereadPatienceMs?: number
  }
}

export interface Bytes {
  readonly rawRoutes: readonly RawRoute[]
  readonly byteUploads: ByteUploads
  readonly data: Data
  readonly rereads: Rereads
  /** Ends uploads that nobody goes on with, now and then every hour, until the signal. */
  readonly work: (signal: AbortSignal) => Promise<void>
  /** Waits for copies that are being read again. */
  readonly close: () => Promise<void>
}

/** How often uploads that nobody goes on with are looked for, ms. */
const EXPIRE_EVERY_MS = 3600_000

export async function createBytes(options: BytesOptions): Promise<Bytes> {
  const { settings, catalogue, stores, clock, log, random, uploads, tuning = {} } = options
  const { name, displayedSiteName: displayName, displayedSiteDescription: description } = settings
  const rereads = new Rereads({ catalogue, name, log })
  const data = createData({ catalogue, stores, rereads, patienceMs: tuning.rereadPatienceMs })
  const secret = await ticketSecret({ catalogue, random, encryptionKey: settings.encryptionKey })
  const tickets = new Tickets({ secret, now: () => clock.wallNow() })
  const byteUploads = new ByteUploads({ catalogue, stores, clock, ...tuning })
  const rawRoutes = [
    dataRoute({ data, tickets, perUser: tuning.perUser, idleMs: tuning.idleMs }),
    ...drsRoutes({ drs: createDrs({ catalogue, data, tickets }), site: { name, displayName, description } }),
    ...tusRoutes({
      uploads: byteUploads,
      create: (wanted, call) => createUpload(wanted, call, options),
      commit: async ({ transfer }) => {
        const caller = { name: transfer.source, level: 'READAPPEND' } as const
        const deletionPolicy = transfer.deletion_policy
        await uploads.commit({ transferId: transfer.id, provider: httpProvider.name, deletionPolicy }, caller)
      },
      maxSize: settings.maximalUploadSize,
    }),
  ]
  const work = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        await byteUploads.expire()
      } catch (error) {
        log.warn({ err: error }, 'Uploads that nobody goes on with could not be ended; the next try is in an hour')
      }
      await clock.sleep(EXPIRE_EVERY_MS, signal).catch(() => {})
    }
  }
  return { rawRoutes, byteUploads, data, rereads, work, close: () => rereads.settled() }
}

async function createUpload(
  wanted: CreateUpload,
  { caller }: RawCall,
  { uploads, catalogue }: BytesOptions,
): Promise<string> {
  const { size, checksum, deletionPolicy, commitsItself, uploader = caller.name } = wanted
  const name = parseFileName(wanted.name)
  const attested = checksum === '' ? { checksum: undefined, isUnattested: true } : { checksum }
  const { transfer } = await uploads.stage({ ...attested, size, name, uploader, uploadName: basename(name) }, caller)
  const data = writeNotes({ commitsItself })
  await catalogue.byteUploads.setPolicy({ id: transfer.id, deletionPolicy, data })
  return transfer.token
}
