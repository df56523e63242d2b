/**
 * From files on a disk to a bag that is signed.
 *
 *     seal    the librarian opens a transfer for each file
 *     lists   written, synced, read back from the medium
 *     sign    the librarian signs the digest of the list of lists
 *     end     the signature is on the disk; only then the journal goes
 *
 * Repeated after any end, every step comes to the same.
 */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_DISK_FILES } from '@arriero/api'
import { TransferError } from '@arriero/transfer'
import type { Librarian } from '../../librarian.ts'
import type { CarriedItem, PackedItem } from '../bag/item.ts'
import {
  BAG_INFO,
  BAGIT,
  bagInfoText,
  bagitText,
  DATA,
  ITEM_LIST,
  JOURNAL,
  listLine,
  PAYLOAD_LIST,
  PLAIN_LIST,
  SIGNATURE,
  TAG_LIST,
  WORK,
} from '../bag/layout.ts'
import { syncDirectory, writeDurably } from '../disk/durable.ts'
import { type Medium, readBack, readBackBuffer } from '../disk/read-back.ts'
import { diskTrouble } from '../disk/trouble.ts'
import type { PackingJournal } from './journal.ts'

export interface Sealed {
  readonly files: number
  readonly bytes: number
  /** `cache`: of some file it cannot be said that the medium has it. */
  readonly medium: Medium
}

export async function sealDisk(
  librarian: Librarian,
  directory: string,
  journal: PackingJournal,
  signal: AbortSignal,
): Promise<Sealed> {
  const { header } = journal
  const { api } = librarian
  const sealed = await api.sneakernet.seal({ disk_id: header.disk }, { signal })
  const transfers = await transfersOf(librarian, header.disk, signal)
  const sums = await sumUp(journal, signal)
  const lists = new Lists(directory, signal)
  await lists.write(BAGIT, bagitText)
  await lists.write(BAG_INFO, bagInfoText({ ...header, ...sums.payload }))
  await lists.write(PAYLOAD_LIST, payloadLines(journal))
  if (sums.hasPercent) await lists.write(PLAIN_LIST, plainLines(journal))
  await lists.write(ITEM_LIST, itemLines(journal, transfers))
  const tagManifest = await lists.writeTagList()
  const request = { disk_id: header.disk, tag_manifest: tagManifest, files: sealed.files, bytes: sealed.bytes }
  const signed = await api.sneakernet.sign(request, { signal })
  await writeDurably(directory, SIGNATURE, `${JSON.stringify(signed, undefined, 2)}\n`)
  try {
    await rm(join(directory, WORK), { recursive: true, force: true })
    await rm(join(directory, JOURNAL), { force: true })
    await syncDirectory(directory)
  } catch (error) {
    throw diskTrouble(error, 'write', directory)
  }
  return { files: sealed.files, bytes: sealed.bytes, medium: lists.medium === 'cache' ? 'cache' : sums.medium }
}

/** By name. @throws TransferError NotFound where a file has no copy any more that a transfer could be of */
async function transfersOf({ api }: Librarian, disk_id: string, signal: AbortSignal): Promise<Map<string, number>> {
  const transfers = new Map<string, number>()
  let after: string | undefined
  for (;;) {
    const page = await api.sneakernet.items({ disk_id, after, max_results: MAX_DISK_FILES }, { signal })
    for (const { name, transfer_id } of page.items) if (transfer_id !== null) transfers.set(name, transfer_id)
    if (page.next === null) return transfers
    after = page.next
  }
}

async function sumUp(journal: PackingJournal, signal: AbortSignal) {
  const payload = { files: 0, bytes: 0 }
  let medium: Medium = 'medium'
  let hasPercent = false
  for await (const { members, read_back } of journal.items(signal)) {
    if (read_back === 'cache') medium = 'cache'
    for (const [path, size] of members) {
      payload.files++
      payload.bytes += size
      hasPercent ||= path.includes('%')
    }
  }
  return { payload, medium, hasPercent }
}

async function* payloadLines(journal: PackingJournal): AsyncGenerator<string> {
  for await (const { members } of journal.items()) {
    for (const [path, , sha256] of members) yield listLine(sha256, `${DATA}/${path}`)
  }
}

async function* plainLines(journal: PackingJournal): AsyncGenerator<string> {
  for await (const { members } of journal.items()) {
    for (const [path, , sha256] of members) yield `${sha256}  ${DATA}/${path}\n`
  }
}

async function* itemLines(journal: PackingJournal, transfers: ReadonlyMap<string, number>): AsyncGenerator<string> {
  for await (const item of journal.items()) yield `${JSON.stringify(carried(item, transfers))}\n`
}

function carried(
  { members: _, instance_id: __, ...item }: PackedItem,
  transfers: ReadonlyMap<string, number>,
): CarriedItem {
  const transfer_id = transfers.get(item.name)
  if (transfer_id !== undefined) return { ...item, transfer_id }
  throw new TransferError('NotFound', `Cannot seal the disk: ${item.name} has no copy here any more`, {
    remedy: 'Give the disk up (`arriero sneakernet give-up`), empty it, and pack it again.',
  })
}

/** Tag files, each read back as it was written. */
class Lists {
  medium: Medium = 'medium'
  readonly #directory: string
  readonly #signal: AbortSignal
  readonly #buffer = readBackBuffer()
  readonly #lines: string[] = []

  constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory
    this.#signal = signal
  }

  async write(name: string, text: string | AsyncIterable<string>): Promise<string> {
    const hash = createHash('sha256')
    const pieces = async function* () {
      if (typeof text === 'string') {
        hash.update(text)
        yield text
      } else
        for await (const line of text) {
          hash.update(line)
          yield line
        }
    }
    await writeDurably(this.#directory, name, pieces())
    const sha256 = hash.digest('hex')
    const path = join(this.#directory, name)
    const found = await readBack(path, { kind: 'file', files: [''], directories: [] }, [], this.#buffer, this.#signal)
    if (found.sha256 !== sha256) {
      throw new TransferError(
        'ChecksumMismatch',
        `Cannot seal the disk: it gives back another ${name} than was written`,
        {
          file: path,
          remedy: 'Take another disk or another cable: this one cannot be trusted.',
        },
      )
    }
    if (found.medium === 'cache') this.medium = 'cache'
    this.#lines.push(listLine(sha256, name))
    return sha256
  }

  async writeTagList(): Promise<string> {
    return await this.write(TAG_LIST, this.#lines.join(''))
  }
}
