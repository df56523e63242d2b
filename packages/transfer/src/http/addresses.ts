import { type LookupAddress, type LookupAllOptions, lookup as lookupByDns } from 'node:dns'
import type { LookupFunction } from 'node:net'

export interface AddressesOptions {
  /** False refuses an address; asked for every address of every hop (retrieval 8.3: server deployments). */
  readonly isAllowed?: ((address: string) => boolean) | undefined
  /** Default `dns.lookup`. */
  readonly lookup?:
    | ((
        host: string,
        options: LookupAllOptions,
        done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
      ) => void)
    | undefined
}

/**
 * Resolves names for both lanes, and spreads connections over all addresses of a name: each lookup begins one address
 * later, so the next attempt after a failure goes elsewhere. The order of families stays the system's, because an
 * address of a family without a route costs a delay per connection.
 */
export class Addresses {
  readonly #isAllowed: (address: string) => boolean
  readonly #lookup: NonNullable<AddressesOptions['lookup']>
  readonly #turns = new Map<string, number>()

  constructor(options: AddressesOptions = {}) {
    this.#isAllowed = options.isAllowed ?? (() => true)
    this.#lookup = options.lookup ?? lookupByDns
  }

  /** Whether an address may be connected to; for hosts that are addresses themselves and are never looked up. */
  isAllowed(address: string): boolean {
    return this.#isAllowed(address)
  }

  /** For `net.connect` and `tls.connect`. */
  readonly lookup: LookupFunction = (host, options, done) => {
    this.#lookup(
      host,
      { family: options.family, hints: options.hints, all: true } as LookupAllOptions,
      (error, found) => {
        if (error) return done(error, [])
        const allowed = this.#rotate(
          host,
          found.filter(({ address }) => this.#isAllowed(address)),
        )
        const first = allowed[0]
        if (!first) return done(Object.assign(new Error('No address is allowed'), { code: 'EADDRREFUSED' }), [])
        if (options.all) done(null, allowed)
        else done(null, first.address, first.family)
      },
    )
  }

  #rotate(host: string, addresses: readonly LookupAddress[]): LookupAddress[] {
    const turn = this.#turns.get(host) ?? 0
    if (addresses.length > 1) this.#turns.set(host, turn + 1)
    const family = addresses[0]?.family
    return [
      ...rotated(
        addresses.filter(address => address.family === family),
        turn,
      ),
      ...rotated(
        addresses.filter(address => address.family !== family),
        turn,
      ),
    ]
  }
}

function rotated<T>(items: readonly T[], turn: number): T[] {
  const cut = items.length === 0 ? 0 : turn % items.length
  return [...items.slice(cut), ...items.slice(0, cut)]
}
