import { createHash } from 'node:crypto'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Secret } from '../../config/secret.ts'

export interface TicketSecretOptions {
  readonly catalogue: Pick<Catalogue, 'settings'>
  readonly random: (bytes: number) => Buffer
  readonly encryptionKey: Secret | undefined
}

/**
 * What tickets are signed with: the same for all processes at one catalogue, and of no use to who has a copy of the catalogue
 * but not the settings, where there is a key in the settings.
 */
export async function ticketSecret({ catalogue, random, encryptionKey }: TicketSecretOptions): Promise<Buffer> {
  const kept = await catalogue.settings.setOnce({ key: 'ticket secret', value: random(32).toString('hex') })
  const own = encryptionKey?.reveal() ?? ''
  return createHash('sha256').update(`${kept}\n${own}`).digest()
}
