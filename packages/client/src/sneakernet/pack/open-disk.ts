import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { printable, TransferError } from '@arriero/transfer'
import { BAGIT, isSystems, JOURNAL, SIGNATURE, WORK } from '../bag/layout.ts'
import { SLACK } from '../disk/room.ts'
import { diskTrouble } from '../disk/trouble.ts'
import { PackingJournal } from './journal.ts'

export interface DiskOrder {
  readonly directory: string
  /** The librarian that packs. */
  readonly source: string
  readonly destination: string
  readonly label: string
  /** ISO 8601. */
  readonly now: string
  /** Bytes that are free on it. */
  readonly free: (directory: string) => Promise<number>
}

/** Begins, or goes on; a disk that holds anything else is refused, and nothing on it is touched. */
export async function openDisk(order: DiskOrder): Promise<PackingJournal> {
  const { directory } = order
  const names = await entriesOf(directory)
  const journal = names.includes(JOURNAL) ? await PackingJournal.resume(directory) : undefined
  if (journal) await demandSame(journal, order)
  else {
    refuseForeign(directory, names)
    await demandRoom(directory, order.free)
  }
  try {
    // Whatever is in it had no name yet.
    await rm(join(directory, WORK), { recursive: true, force: true })
    await mkdir(join(directory, WORK))
    if (journal) return journal
    await rm(join(directory, JOURNAL), { force: true })
  } catch (error) {
    throw diskTrouble(error, 'write', directory)
  }
  const { source, destination, label, now } = order
  return await PackingJournal.begin(directory, {
    arriero: 'packing',
    version: 1,
    disk: randomUUID(),
    source,
    destination,
    label,
    begun: now,
  })
}

/** Before anything is written: the lists alone need some. */
async function demandRoom(directory: string, freeOn: DiskOrder['free']): Promise<void> {
  const free = await freeOn(directory)
  if (free > SLACK) return
  throw new TransferError(
    'NoSpace',
    `Cannot pack onto ${printable(directory)}: ${SLACK} bytes are needed for directories and lists alone, ${free} are free`,
    { file: directory, remedy: 'Take a larger disk; nothing was written on this one.' },
  )
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter(name => !isSystems(name))
  } catch (error) {
    throw diskTrouble(error, 'read', directory)
  }
}

async function demandSame(journal: PackingJournal, { directory, source, destination }: DiskOrder): Promise<void> {
  const { header } = journal
  if (header.source === source && header.destination === destination) return
  await journal[Symbol.asyncDispose]()
  throw new TransferError(
    'Exists',
    `Cannot pack onto ${printable(directory)}: it is being packed at ${printable(header.source)} for ${printable(header.destination)}`,
    { file: directory, remedy: 'Go on with that, or take another disk.' },
  )
}

function refuseForeign(directory: string, names: readonly string[]): void {
  const found = names.filter(name => name !== JOURNAL && name !== WORK)
  if (found.length === 0) return
  const isPacked = found.includes(SIGNATURE) && found.includes(BAGIT)
  const what = isPacked ? 'it holds a bag that was packed' : `it holds ${printable(found.slice(0, 5).join(', '))}`
  throw new TransferError('Exists', `Cannot pack onto ${printable(directory)}: ${what}`, {
    file: directory,
    remedy: 'Take an empty disk, or an empty directory on it; nothing on this one was touched.',
  })
}
