/** Everything by which bytes come and go over HTTP: tus, data, DRS. */
import { basename } from 'node:path/posix'
import { levels, parseFileName } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { dataRoute } from '../routes/data.ts'
import { drsRoutes } from '../routes/drs.ts'
import type { RawCall, RawRoute } from '../routes/raw-route.ts'
import type { CreateUpload } from '../routes/tus/creation.ts'
import { tusRoutes } from '../routes/tus.ts'
import { type NotedArchive, writeNotes } from '../services/byte-uploads/notes.ts'
import { httpProvider } from '../services/byte-uploads/provider.ts'
import type { WriteTurns } from '../services/byte-uploads/write-turns.ts'
import { ByteUploads, type ByteUploadsOptions } from '../services/byte-uploads.ts'
import type { CopyReader } from '../services/copies/read-copies.ts'
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
  readonly reader: CopyReader
  /** Those of `uploads`. */
  readonly turns: WriteTurns
  /** Where tests want other figures than the defaults. */
  readonly tuning?: Partial<Pick<ByteUploadsOptions, 'expiryMs'>> & {
    readonly idleMs?: number
    readonly perUser?: number
    readonly rereadPatienceMs?: number
  }
}

export interface Bytes {
  readonly rawRoutes: readonly RawRoute[]
  readonly byteUploads: ByteUploads
  readonly data: Data
  /** Ends uploads that nobody goes on with, now and then every hour, until the signal. */
  readonly work: (signal: AbortSignal) => Promise<void>
  /** Waits for copies that are being read again. */
  readonly close: () => Promise<void>
}

/** How often uploads that nobody goes on with are looked for, ms. */
const EXPIRE_EVERY_MS = 3600_000

export async function createBytes(options: BytesOptions): Promise<Bytes> {
  const { settings, catalogue, stores, clock, log, random, uploads, reader, turns, tuning = {} } = options
  const { name, displayedSiteName: displayName, displayedSiteDescription: description } = settings
  const data = createData({ catalogue, stores, reader, patienceMs: tuning.rereadPatienceMs })
  const secret = await ticketSecret({ catalogue, random, encryptionKey: settings.encryptionKey })
  const tickets = new Tickets({ secret, now: () => clock.wallNow() })
  const byteUploads = new ByteUploads({ catalogue, stores, clock, turns, ...tuning })
  const rawRoutes = [
    dataRoute({
      data,
      tickets,
      mayRead: name => mayRead(name, options),
      perUser: tuning.perUser,
      idleMs: tuning.idleMs,
    }),
    ...drsRoutes({ drs: createDrs({ catalogue, data, tickets, clock }), site: { name, displayName, description } }),
    ...tusRoutes({
      uploads: byteUploads,
      create: (wanted, call) => createUpload(wanted, call, { ...options, byteUploads }),
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
        await catalogue.uploadTurns.forget()
      } catch (error) {
        log.warn({ err: error }, 'Uploads that nobody goes on with could not be ended; the next try is in an hour')
      }
      await clock.sleep(EXPIRE_EVERY_MS, signal).catch(() => {})
    }
  }
  const close = () => reader.settled()
  return { rawRoutes, byteUploads, data, work, close }
}

async function mayRead(username: string, { catalogue }: BytesOptions): Promise<boolean> {
  const account = await catalogue.accounts.find({ username })
  return account !== undefined && levels[account.level] >= levels.READONLY
}

async function createUpload(
  wanted: CreateUpload,
  { caller }: RawCall,
  { uploads, catalogue, byteUploads }: BytesOptions & { readonly byteUploads: ByteUploads },
): Promise<string> {
  const { size, checksum, deletionPolicy, commitsItself, archive, uploader = caller.name } = wanted
  const name = parseFileName(wanted.name)
  const attested = checksum === '' ? { checksum: undefined, isUnattested: true } : { checksum }
  const request = { ...attested, size, name, uploader, uploadName: basename(name), isTree: archive !== undefined }
  const { transfer } = await uploads.stage(request, caller)
  const data = writeNotes({ commitsItself })
  await catalogue.byteUploads.setPolicy({ id: transfer.id, deletionPolicy, data })
  if (archive) await expectArchive(transfer.token, archive, caller.name, byteUploads)
  return transfer.token
}

/** One that cannot come is ended: its sender would not hear of it again. */
async function expectArchive(token: string, archive: NotedArchive, user: string, uploads: ByteUploads): Promise<void> {
  const upload = await uploads.find(token, user)
  try {
    await uploads.expectArchive(upload, archive)
  } catch (error) {
    await uploads.end(upload, error instanceof Error ? error.message : String(error))
    throw error
  }
}
