/** Disks that came: who sent them, what becomes of their files, and the receipt (reliability G4, 6). */
import { createHash } from 'node:crypto'
import {
  diskStatement,
  instantOf,
  LibrarianError,
  MAX_DISK_FILES,
  parseStatement,
  type ReceiptStatement,
  receiptText,
} from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Disk } from '../../catalogue/operations/disks.ts'
import { type CarriedFile, digestOf, type KeptFile, type Settled } from '../../catalogue/operations/incoming-disks.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Act } from '../act.ts'
import type { Alarms } from '../alarms.ts'
import { type RemoveBytesOptions, removeBytes } from '../uploads/remove-bytes.ts'
import type { Signed } from './packing.ts'
import type { PeerKeys } from './peer-keys.ts'
import type { Signing } from './signing.ts'

export interface Arrivals {
  /** @throws LibrarianError BadRequest, Conflict for another destination or another manifest, Mismatch, PeerUnreachable */
  arrive(signed: Signed, act?: Act): Promise<Disk>
  /** What the catalogue says of each; a name under which other bytes are kept is an alarm, and stays as it is. */
  settle(
    order: { readonly id: string; readonly files: readonly CarriedFile[]; readonly isRead: boolean },
    act: Act,
  ): Promise<readonly Settled[]>
  receipt(id: string): Promise<Signed & { readonly pages: number }>
  receiptPage(id: string, after: string | undefined): Promise<readonly KeptFile[]>
}

export interface ArrivalsOptions {
  /** Our own `name` setting. */
  readonly name: string
  readonly catalogue: Pick<Catalogue, 'disks' | 'incomingDisks'>
  readonly signing: Signing
  readonly keys: PeerKeys
  readonly alarms: Alarms
  readonly stores: RemoveBytesOptions['stores']
  readonly log: Log
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
}

/** So many clashes are named. */
const FEW = 5

export function createArrivals(options: ArrivalsOptions): Arrivals {
  const { name, catalogue, signing, keys, alarms, stores, clock, log, random } = options
  const { disks, incomingDisks } = catalogue
  const receiptPage = (id: string, after: string | undefined) =>
    incomingDisks.kept({ id, after, limit: MAX_DISK_FILES })

  /** One for all of a page: a disk of another archive may clash with every name. */
  async function tellClashes(id: string, files: readonly CarriedFile[], settled: readonly Settled[]): Promise<void> {
    const clashes = settled.flatMap(({ name, kept }, at) =>
      kept === undefined ? [] : [{ name, kept, file: files[at]! }],
    )
    if (clashes.length === 0) return
    const shown = clashes
      .slice(0, FEW)
      .map(({ name, kept, file }) => `${name} (kept ${kept}, on the disk ${digestOf(file)})`)
    const rest = clashes.length > FEW ? [`and ${clashes.length - FEW} more`] : []
    await alarms.raise({
      severity: 'error',
      category: 'data_integrity',
      message: `Disk ${id} has other bytes under names that are kept here, and nothing was overwritten: ${[...shown, ...rest].join(', ')}. Find out which are right; those of the disk can be sent under another name`,
      caller: 'sneakernet',
    })
  }

  return {
    async arrive({ statement, signature }, act) {
      const said = parseStatement(diskStatement, statement)
      if (!said) throw new LibrarianError('BadRequest', 'Cannot take the disk: its signature file has no statement')
      if (said.destination !== name) {
        throw new LibrarianError(
          'Conflict',
          `Cannot take disk ${said.disk}: it is for ${said.destination}, this is ${name}`,
          {
            remedy: `Carry it to ${said.destination}.`,
          },
        )
      }
      await keys.demandSigned(said.source, statement, signature)
      return await incomingDisks.arrive({
        id: said.disk,
        peer: said.source,
        files: said.files,
        bytes: said.bytes,
        digest: said.tag_manifest,
        statement,
        act: act?.entry(),
      })
    },

    async settle({ id, files, isRead }, act) {
      const { settled, ended } = await incomingDisks.settle({ id, files, isRead, act: act.entry() })
      await Promise.all(ended.map(transfer => removeBytes(transfer, { stores, log })))
      await tellClashes(id, files, settled)
      return settled
    },

    async receipt(id) {
      const pages: string[] = []
      let after: string | undefined
      for (;;) {
        const lines = await receiptPage(id, after)
        if (lines.length === 0) break
        pages.push(createHash('sha256').update(receiptText(lines)).digest('hex'))
        after = lines.at(-1)?.name
        if (lines.length < MAX_DISK_FILES) break
      }
      const disk = await disks.find({ id })
      const said: ReceiptStatement = {
        purpose: 'arriero receipt 1',
        source: disk?.peer ?? '',
        destination: name,
        disk: id,
        time: instantOf(new Date(clock.wallNow())),
        nonce: random(16).toString('hex'),
        pages,
      }
      const statement = JSON.stringify(said)
      return { statement, signature: await signing.sign(statement), pages: pages.length }
    },

    receiptPage,
  }
}
