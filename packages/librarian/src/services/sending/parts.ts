/** What everything that sends clones is made of. */
import type { MethodName } from '@arriero/transfer'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Alarms } from '../alarms.ts'
import type { PeerConnections } from '../peer-connections.ts'
import type { Carrier } from './carrier.ts'
import type { Wake } from './wake.ts'

export interface SendingParts {
  readonly catalogue: Pick<Catalogue, 'sending' | 'sendQueue' | 'outgoing' | 'peers' | 'leases' | 'stores'>
  readonly connections: PeerConnections
  readonly carriers: ReadonlyMap<MethodName, Carrier>
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  readonly wake: Wake
  /** Our own name, as other librarians know us. */
  readonly name: string
  /** This process. */
  readonly holder: string
  readonly random: (bytes: number) => Buffer
  /** A lease that is not renewed for so long is free for others. Default 60. */
  readonly leaseSeconds?: number | undefined
}

/** A holder like no other: what one run holds, another of the same process does not. */
export function ownHolder({ holder, random }: Pick<SendingParts, 'holder' | 'random'>): string {
  return `${holder}:${random(8).toString('hex')}`
}

export const leaseSecondsOf = ({ leaseSeconds = 60 }: Pick<SendingParts, 'leaseSeconds'>): number => leaseSeconds
