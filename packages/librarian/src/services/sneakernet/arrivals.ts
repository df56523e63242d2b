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
import type { KeptFile } from '../../catalogue/operations/incoming-disks.ts'
import type { Clock } from '../../clock.ts'
import type { Act } from '../act.ts'
import type { Signed } from './packing.ts'
import type { PeerKeys } from './peer-keys.ts'
import type { Signing } from './signing.ts'

export interface Arrivals {
  /** @throws LibrarianError BadRequest, Conflict for another destination or another manifest, Mismatch, PeerUnreachable */
  arrive(signed: Signed, act?: Act): Promise<Disk>
  receipt(id: string): Promise<Signed & { readonly pages: number }>
  receiptPage(id: string, after: string | undefined): Promise<readonly KeptFile[]>
}

export interface ArrivalsOptions {
  /** Our own `name` setting. */
  readonly name: string
  readonly catalogue: Pick<Catalogue, 'disks' | 'incomingDisks'>
  readonly signing: Signing
  readonly keys: PeerKeys
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
}

export function createArrivals({ name, catalogue, signing, keys, clock, random }: ArrivalsOptions): Arrivals {
  const { disks, incomingDisks } = catalogue
  const receiptPage = (id: string, after: string | undefined) =>
    incomingDisks.kept({ id, after, limit: MAX_DISK_FILES })

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
