/**
 * Uploads whose bytes come to the librarian itself, in pieces, over any number of connections. What is told to be there is
 * durable (reliability 5); what is there is digested as it comes, and compared as a whole by the commit.
 */
import { LibrarianError } from '@arriero/api'
import type { PathFunction } from '@arriero/transfer'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { roomHeldSeconds } from '../catalogue/limits.ts'
import type { IncomingTransfer } from '../catalogue/operations/uploads.ts'
import type { Clock } from '../clock.ts'
import { ofTransfer } from '../log/call-context.ts'
import type { Spool } from '../stores/store.ts'
import type { SiteStore, Stores } from '../stores/stores.ts'
import { functionOf } from '../stores/wire-checksum.ts'
import { checkArchive } from './byte-uploads/check-archive.ts'
import { type NotedArchive, type Notes, readNotes, writeNotes } from './byte-uploads/notes.ts'
import type { WriteTurn } from './byte-uploads/write-guard.ts'
import type { WriteTurns } from './byte-uploads/write-turns.ts'
import type { Turn } from './byte-uploads/writers.ts'

export interface ByteUploadsOptions {
  readonly catalogue: Pick<Catalogue, 'uploads' | 'byteUploads'>
  readonly stores: Stores
  readonly clock: Clock
  /** An upload that gets no byte for so long is given up; ms. Default 7 days. */
  readonly expiryMs?: number | undefined
  /** Shared with whoever commits what was written. */
  readonly turns: WriteTurns
}

export interface ByteUpload {
  readonly token: string
  /** Bytes that are to come: of the file, or of the archive. */
  readonly size: number
  readonly transfer: IncomingTransfer
  /** When it is given up if nothing more comes, ms since 1970. */
  readonly expires: number
  /** Committed by us when all bytes are there: nobody else will. */
  readonly commitsItself: boolean
  readonly place: SiteStore | undefined
}

export interface Writing {
  /** Bytes that were durable when this request's turn came. */
  readonly offset: number
  /** Aborted when a newer request wants to write. */
  readonly signal: AbortSignal
  /**
   * Resolves to the new durable offset. The body holds itself to the limit and to the signal, so that it knows how it ended.
   */
  append(body: AsyncIterable<Uint8Array>, accept?: () => boolean): Promise<number>
}

export class ByteUploads {
  readonly #o: ByteUploadsOptions
  readonly #expiryMs: number
  readonly #noteEveryMs: number
  /** Spools that somebody here writes to: only they know how much is durable by now. */
  readonly #spools = new Map<string, Spool>()

  constructor(options: ByteUploadsOptions) {
    this.#o = options
    this.#expiryMs = options.expiryMs ?? 7 * 24 * 3600_000
    // Neither given up nor without its room while bytes come.
    this.#noteEveryMs = Math.min(this.#expiryMs / 8, roomHeldSeconds * 250)
  }

  /** @throws LibrarianError NotFound for what is not there or another's, Gone for what has ended without success */
  async find(token: string, user: string): Promise<ByteUpload> {
    const transfer = await this.#o.catalogue.uploads.byToken({ token })
    if (!transfer || accountOf(transfer) !== user) {
      throw new LibrarianError('NotFound', `Cannot find upload ${token}: you have none of this name`)
    }
    ofTransfer(transfer.id)
    if (transfer.status === 'FAILED' || transfer.status === 'CANCELLED') {
      const why = transfer.reason ?? 'it was ended'
      throw new LibrarianError('Gone', `Cannot go on with upload ${token}: ${why}`)
    }
    return this.#describe(transfer)
  }

  /**
   * What will come is a directory, as an archive of so many bytes; known from the first of them on. May be called again.
   *
   * @throws LibrarianError BadArchive for a length that no archive of this upload has, Conflict where other bytes are there,
   * Unacceptable for a store that keeps no directories, NoSpace where the archive and what is in it do not fit together
   */
  async expectArchive(upload: ByteUpload, archive: NotedArchive): Promise<ByteUpload> {
    if (isExpected(upload, archive)) return upload
    using _: Turn = await this.#o.turns.writers.enter(upload.token)
    await using _shared = await this.#o.turns.guard?.enter(upload.token, () => {})
    const now = await this.find(upload.token, accountOf(upload.transfer))
    if (isExpected(now, archive)) return now
    const place = this.#storeOf(now)
    await checkArchive(now, archive, place)
    if ((await place.store.spoolOffset(now.token)) > 0 || readNotes(now.transfer.transfer_data).archive) {
      throw new LibrarianError('Conflict', `Cannot make an archive of upload ${now.token}: it has other bytes already`)
    }
    const data = writeNotes({ ...readNotes(now.transfer.transfer_data), archive, active: this.#o.clock.wallNow() })
    if (!(await this.#o.catalogue.byteUploads.note({ id: now.transfer.id, data }))) {
      throw new LibrarianError('Gone', `Cannot go on with upload ${now.token}: it has ended meanwhile`)
    }
    return this.#describe({ ...now.transfer, status: 'ONGOING', transfer_data: data })
  }

  /** Durable bytes. */
  async offset(upload: ByteUpload): Promise<number> {
    if (upload.transfer.status === 'COMPLETED') return upload.size
    const writing = this.#spools.get(upload.token)
    if (writing) return writing.offset
    // Without a turn: another process may be writing, and whoever only asks must not stop it.
    return this.#storeOf(upload).store.spoolOffset(upload.token)
  }

  /** Runs `use` when nobody else writes to the upload. */
  async write<T>(upload: ByteUpload, use: (writing: Writing) => Promise<T>): Promise<T> {
    using turn = await this.#o.turns.writers.enter(upload.token)
    const stop = new AbortController()
    await using shared = await this.#o.turns.guard?.enter(upload.token, why => stop.abort(why))
    await using spool = await this.#open(upload, shared)
    this.#spools.set(upload.token, spool)
    try {
      const signal = AbortSignal.any([turn.signal, stop.signal])
      return await use({
        offset: spool.offset,
        signal,
        append: (body, accept) => this.#append(upload, spool, body, accept),
      })
    } finally {
      this.#spools.delete(upload.token)
    }
  }

  /** Gives it up; its bytes and its room are free. May be called twice. */
  async end(upload: ByteUpload, reason: string): Promise<void> {
    using _: Turn = await this.#o.turns.writers.enter(upload.token)
    await using _shared = await this.#o.turns.guard?.enter(upload.token, () => {})
    const { id, status } = upload.transfer
    if (status === 'COMPLETED') {
      throw new LibrarianError('Conflict', `Cannot give up upload ${upload.token}: it is kept already`)
    }
    const ended = await this.#o.catalogue.uploads.end({ ids: [id], status: 'CANCELLED', reason })
    const now = await this.#o.catalogue.uploads.get({ id })
    if (ended.length === 0 && now?.status !== 'CANCELLED' && now?.status !== 'FAILED') {
      throw new LibrarianError('Locked', `Cannot give up upload ${upload.token}: it is being committed`)
    }
    await upload.place?.store.removeSpool(upload.token)
  }

  /** Gives up those to which nobody sent a byte for too long. Resolves to how many. */
  async expire(): Promise<number> {
    let count = 0
    let after = 0
    for (;;) {
      const transfers = await this.#o.catalogue.byteUploads.ongoing({ after, limit: 500 })
      for (const transfer of transfers) {
        after = transfer.id
        const upload = this.#describe(transfer)
        if (upload.expires > this.#o.clock.wallNow() || this.#spools.has(upload.token)) continue
        await this.end(upload, 'nobody sent anything for too long')
        count++
      }
      if (transfers.length < 500) return count
    }
  }

  async #append(
    upload: ByteUpload,
    spool: Spool,
    body: AsyncIterable<Uint8Array>,
    accept: (() => boolean) | undefined,
  ): Promise<number> {
    await this.#note(upload)
    const noting = setInterval(() => void this.#note(upload).catch(() => {}), this.#noteEveryMs)
    try {
      return await spool.append(body, accept ? { accept } : {})
    } finally {
      clearInterval(noting)
    }
  }

  /** That somebody goes on with it: written down once in a while, not with every piece. */
  async #note({ transfer, token }: ByteUpload): Promise<void> {
    const notes = readNotes(transfer.transfer_data)
    const now = this.#o.clock.wallNow()
    const isFresh = notes.active !== undefined && now - notes.active < this.#noteEveryMs
    if (transfer.status === 'ONGOING' && isFresh) return
    const isOpen = await this.#o.catalogue.byteUploads.note({
      id: transfer.id,
      data: writeNotes({ ...notes, active: now }),
    })
    if (!isOpen) throw new LibrarianError('Gone', `Cannot go on with upload ${token}: it has ended meanwhile`)
  }

  #open(upload: ByteUpload, shared: WriteTurn | undefined): Promise<Spool> {
    const { token, transfer } = upload
    return this.#storeOf(upload).store.openSpool(token, {
      functions: functionsOf(transfer),
      ...(shared && { turn: shared.number, isTakenOver: shared.isTakenOver }),
    })
  }

  #storeOf({ place, transfer }: ByteUpload): SiteStore {
    if (place) return place
    throw new LibrarianError('StoreUnavailable', `Cannot reach the store of upload ${transfer.token}: it is not here`)
  }

  #describe(transfer: IncomingTransfer): ByteUpload {
    const { active, commitsItself = false, archive }: Notes = readNotes(transfer.transfer_data)
    const begun = Date.parse(`${transfer.start_time.slice(0, 23)}Z`)
    return {
      token: transfer.token,
      size: archive?.length ?? transfer.transfer_size,
      transfer,
      expires: Math.max(begun, active ?? 0) + this.#expiryMs,
      commitsItself,
      place: transfer.store_id === null ? undefined : this.#o.stores.byId(transfer.store_id),
    }
  }
}

/** Whose bytes are taken: of a clone, the account that announced it. */
function accountOf({ source, uploader, source_transfer_id }: IncomingTransfer): string {
  return source_transfer_id === null ? source : uploader
}

function isExpected({ transfer }: ByteUpload, { format, length }: NotedArchive): boolean {
  const { archive } = readNotes(transfer.transfer_data)
  return archive?.format === format && archive.length === length
}

/** An archive's own digest is nobody's: its members are digested when it is unpacked. */
function functionsOf({ transfer_checksum, transfer_data }: IncomingTransfer): PathFunction[] {
  return readNotes(transfer_data).archive ? [] : [functionOf(transfer_checksum || undefined)]
}
