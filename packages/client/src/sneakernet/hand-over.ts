/**
 * One file from a carried disk to the librarian, as a clone of the librarian that sent the disk (librarian 11.7, step 3).
 *
 *     stage    announced; an earlier attempt of the very same one is continued, or ended and begun anew
 *     ongoing  the bytes are on their way
 *     send     copied into the staging area, or sent
 *     keep     the librarian verifies what has arrived and keeps it; one of the older kind does so in its own time
 */
import { type AnswerOf, endpoints, LibrarianError } from '@arriero/api'
import type { FileProgress, Progress } from '@arriero/transfer'
import type { Librarian } from '../librarian.ts'
import type { LocalItem } from '../upload/local-item.ts'
import { chooseMethod, type Method } from '../upload/method.ts'
import type { ResumeRecords, UploadIdentity } from '../upload/resume-records.ts'
import { lastPart, sendBytes } from '../upload/send-bytes.ts'

export interface Carried {
  readonly name: string
  readonly size: number
  readonly checksum: string
  readonly uploader: string
  /** The librarian that sent the disk. */
  readonly source: string
  /** There. */
  readonly transferId: number
  /** When the file was first kept. Undefined: the new copy's own time counts. */
  readonly createTime?: string | undefined
}

export interface HandOverOptions {
  readonly file: FileProgress
  readonly progress: Progress
  readonly signal: AbortSignal
  /** Of earlier runs. Undefined: what one of them has left open is waited for. */
  readonly records?: ResumeRecords | undefined
  /** Whether the librarian is asked to keep it at once; an older one cannot. Default: only where its bytes went over HTTP. */
  readonly keepsAtOnce?: boolean | undefined
  /** Looked at again when all bytes are there, before it is said so. */
  readonly assertSame?: (() => Promise<void>) | undefined
}

type Staged = AnswerOf<typeof endpoints.clone.stage>

/** `present`: the librarian has a file of this name. @throws LibrarianError Mismatch where it was refused */
export async function handOver(
  librarian: Librarian,
  carried: Carried,
  item: LocalItem,
  options: HandOverOptions,
): Promise<'kept' | 'staged' | 'present'> {
  const { clone } = librarian.api
  const { records, signal, assertSame } = options
  const announced = await announce(librarian, carried, options)
  if (!announced) return 'present'
  const { staged, isContinued } = announced
  const { source_transfer_id, destination_transfer_id } = staged
  const ids = { source_transfer_id, destination_transfer_id }
  await records?.keep(identityOf(librarian, carried), { destination: carried.name, staged: { ...staged } })
  const method = await chooseMethod(item, staged)
  if (!isContinued) await clone.ongoing(ids, { signal })
  await sendBytes(librarian, item, staged.staging_location, method, { ...options, isContinued })
  await assertSame?.()
  const isKept = options.keepsAtOnce || method.kind === 'http'
  if (isKept) await keep(librarian, carried, destination_transfer_id, method, signal)
  else await clone.staged(ids, { signal })
  await records?.forget(identityOf(librarian, carried))
  return isKept ? 'kept' : 'staged'
}

async function keep(
  { api }: Librarian,
  { name, createTime }: Carried,
  destination_transfer_id: number,
  method: Method,
  signal: AbortSignal,
): Promise<void> {
  const transfer = { destination_transfer_id, provider: method.name, create_time: createTime }
  const { refused } = await api.sneakernet.keep({ transfers: [transfer] }, { signal })
  const [refusal] = refused
  if (refusal) throw new LibrarianError('Mismatch', `Cannot hand over ${name}: ${refusal.reason}`)
}

async function announce(
  librarian: Librarian,
  carried: Carried,
  { records, signal, keepsAtOnce }: HandOverOptions,
): Promise<{ staged: Staged; isContinued: boolean } | undefined> {
  const request = {
    upload_size: carried.size,
    upload_checksum: carried.checksum,
    upload_name: lastPart(carried.name),
    destination_location: carried.name,
    // The older program says these two the wrong way round, and its source is never told (librarian Q10).
    uploader: carried.uploader,
    source: carried.source,
    source_transfer_id: carried.transferId,
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return { staged: await librarian.api.clone.stage(request, { signal }), isContinued: false }
    } catch (error) {
      if (!(error instanceof LibrarianError)) throw error
      if (error.code === 'FileExists') return undefined
      // The librarian has just ended what an earlier attempt had left.
      if (error.code === 'TransferReplaced' && attempt === 1) continue
      if (error.code !== 'TransferOngoing') throw error
      const earlier = await recordOf(librarian, carried, records)
      const id = Number(error.fields.destination_transfer_id)
      if (earlier?.destination_transfer_id === id) return { staged: earlier, isContinued: true }
      if (!keepsAtOnce || attempt > 1 || !(await isOfThisDisk(librarian, carried, id, signal))) throw error
      // Begun from another machine, or its record is lost: nobody could go on with it.
      const ids = { source_transfer_id: carried.transferId, destination_transfer_id: id }
      await librarian.api.clone.fail({ ...ids, reason: 'its disk is read anew' }, { signal })
    }
  }
}

async function recordOf(
  librarian: Librarian,
  carried: Carried,
  records: ResumeRecords | undefined,
): Promise<Staged | undefined> {
  const kept = await records?.find(identityOf(librarian, carried))
  return endpoints.clone.stage.answer.safeParse(kept?.staged).data
}

async function isOfThisDisk({ api }: Librarian, carried: Carried, transfer_id: number, signal: AbortSignal) {
  const found = await api.transfers.get({ transfer_id }, { signal })
  return found.source === carried.source && found.source_transfer_id === carried.transferId
}

function identityOf({ connection }: Librarian, { name, checksum, size }: Carried): UploadIdentity {
  const { url, user } = connection
  return { url, user: `clone:${user}`, destination: name, checksum, size }
}
