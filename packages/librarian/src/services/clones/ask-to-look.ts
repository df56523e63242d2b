/**
 * Bytes came that are not those that were announced: their sender is asked to read its copies anew, so that a bad one is marked
 * before it is sent again (reliability D7). A real librarian answers the same call by its own rules.
 */
import { randomBytes } from 'node:crypto'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import type { Log } from '../../log.ts'

export interface AskToLookOptions {
  readonly catalogue: Pick<Catalogue, 'receiving'>
  readonly log: Log
}

/** Never throws: that the bytes are refused does not depend on it. */
export async function askToLook({ id }: IncomingTransfer, { catalogue, log }: AskToLookOptions): Promise<void> {
  // A key of its own: an answer of before is no reading.
  await catalogue.receiving.doubt({ id, key: randomBytes(16).toString('hex') }).catch(error => {
    log.warn({ err: error, transfer: id }, 'The sender of bytes that do not match is not asked to read its copies')
  })
}
