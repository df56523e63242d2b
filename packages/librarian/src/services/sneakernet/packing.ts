/** Disks that are packed here (reliability G4): what goes onto them, their transfers, what comes back. */
import { createHash } from 'node:crypto'
import {
  type DiskStatement,
  instantOf,
  LibrarianError,
  parseStatement,
  type ReceiptLine,
  receiptStatement,
  receiptText,
} from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Disk } from '../../catalogue/operations/disks.ts'
import type { Clock } from '../../clock.ts'
import type { Act } from '../act.ts'
import type { PeerKeys } from './peer-keys.ts'
import type { Signing } from './signing.ts'

export interface Packing {
  /** @throws LibrarianError Conflict where there is nothing on it, or it was given up */
  seal(id: string, act?: Act): Promise<Disk>
  sign(wish: SignWish, act?: Act): Promise<Signed>
  confirm(
    receipt: Signed & { readonly page: number; readonly lines: readonly ReceiptLine[] },
    act?: Act,
  ): Promise<Confirmation>
}

export interface SignWish {
  readonly id: string
  /** Of the bag. */
  readonly tagManifest: string
  readonly files: number
  readonly bytes: number
}

export interface Signed {
  readonly statement: string
  readonly signature: string
}

export interface Confirmation {
  readonly diskId: string
  readonly confirmed: number
  /** Names of files that this disk does not have, or whose transfers had failed. */
  readonly refused: readonly string[]
}

export interface PackingOptions {
  /** Our own `name` setting. */
  readonly name: string
  readonly catalogue: Pick<Catalogue, 'disks' | 'outgoingDisks'>
  readonly signing: Signing
  readonly keys: PeerKeys
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
}

export function createPacking({ name, catalogue, signing, keys, clock, random }: PackingOptions): Packing {
  const { disks, outgoingDisks } = catalogue
  return {
    seal: (id, act) => outgoingDisks.seal({ id, act: act?.entry() }),

    async sign({ id, tagManifest, files, bytes }, act) {
      const disk = await disks.find({ id })
      if (!disk || disk.files !== files || disk.bytes !== bytes) {
        throw new LibrarianError(
          'Conflict',
          `Cannot sign disk ${id}: it must hold what was sealed, ${disk?.files ?? 0} files of ${disk?.bytes ?? 0} bytes, got ${files} of ${bytes}`,
        )
      }
      const wanted: DiskStatement = {
        purpose: 'arriero disk 1',
        source: name,
        destination: disk.peer,
        disk: id,
        time: instantOf(new Date(clock.wallNow())),
        nonce: random(16).toString('hex'),
        tag_manifest: tagManifest,
        files,
        bytes,
      }
      const statement = await outgoingDisks.sign({
        id,
        digest: tagManifest,
        statement: JSON.stringify(wanted),
        act: act?.entry(),
      })
      return { statement, signature: await signing.sign(statement) }
    },

    async confirm({ statement, signature, page, lines }, act) {
      const receipt = parseStatement(receiptStatement, statement)
      if (!receipt) throw new LibrarianError('BadRequest', 'Cannot read the receipt: its statement is none')
      if (receipt.source !== name) {
        throw new LibrarianError('Conflict', `Cannot take the receipt: it is for ${receipt.source}, this is ${name}`)
      }
      await keys.demandSigned(receipt.destination, statement, signature)
      const digest = createHash('sha256').update(receiptText(lines)).digest('hex')
      if (receipt.pages[page] !== digest) {
        throw new LibrarianError(
          'Mismatch',
          `Cannot take page ${page} of the receipt: it was changed since it was signed`,
        )
      }
      const refused = await outgoingDisks.confirm({
        id: receipt.disk,
        peer: receipt.destination,
        sender: name,
        files: lines.map(line => ({ name: line.name, transferId: line.transfer_id, storeId: line.store_id })),
        act: act?.entry(),
      })
      return { diskId: receipt.disk, confirmed: lines.length - refused.length, refused }
    },
  }
}
