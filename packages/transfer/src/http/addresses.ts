import { type LookupAddress, type LookupAllOptions, lookup as lookupByDns } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { TransferError } from '../errors.ts'
import { isInside } from './is-inside.ts'

export interface AddressesOptions {
  /** False refuses a host before anybody looks it up; asked for every hop. The port is that of the scheme where none is named. */
  readonly isHostAllowed?: ((host: string, port: number) => boolean) | undefined
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
 * For hosts that somebody else named: a list, or a commons that it leads to. They may be this machine, or one behind the
 * firewall that only we can reach (reliability F).
 */
export const outsideOnly: AddressesOptions = { isAllowed: address => !isInside(address) }

/**
 * Resolves names for both lanes, and spreads connections over all addresses of a name: each lookup begins one address
 * later, so the next attempt after a failure goes elsewhere. The order of families stays the system's, because an
 * address of a family without a route costs a delay per connection.
 */
export class Addresses {
  readonly #isHostAllowed: (host: string, port: number) => boolean
  readonly #isAllowed: (address: string) => boolean
  readonly #lookup: NonNullable<AddressesOptions['lookup']>
  readonly #turns = new Map<string, number>()

  constructor(options: AddressesOptions = {}) {
    this.#isHostAllowed = options.isHostAllowed ?? (() => true)
    this.#isAllowed = options.isAllowed ?? (() => true)
    this.#lookup = options.lookup ?? lookupByDns
  }

  /**
   * Refuses a host that is an address itself, and so is never looked up.
   *
   * @param where host and port, for messages
   * @throws TransferError Network with reason `unsafe_host`
   */
  check(host: string, where: string, uri: string): void {
    if (isIP(host) !== 0 && !this.#isAllowed(host)) throw refusedAddress(where, uri)
  }

  /** @throws TransferError Denied with reason `host_not_allowed` */
  checkHost(host: string, port: number, where: string, uri: string): void {
    if (this.#isHostAllowed(host, port)) return
    throw new TransferError('Denied', `Cannot fetch ${uri}: nothing may be fetched from ${where} here`, {
      url: uri,
      reason: 'host_not_allowed',
      remedy: 'Ask the operator to allow this host and port.',
    })
  }

  /** Refuses a name that somebody else will look up, for what it is here; one that nobody here knows passes. */
  checkName(host: string, where: string, uri: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lookup(host, { all: true }, (_, found = []) => {
        if (found.every(({ address }) => this.#isAllowed(address))) resolve()
        else reject(refusedAddress(where, uri))
      })
    })
  }

  /** For `net.connect` and `tls.connect`: what is connected to is what was checked, however the name changes meanwhile. */
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

/** No address of a host may be connected to. */
export function refusedAddress(where: string, uri: string, cause?: unknown): TransferError {
  return new TransferError(
    'Network',
    `Cannot fetch ${uri}: its host ${where} is on this machine or a private network`,
    {
      url: uri,
      reason: 'unsafe_host',
      retriable: false,
      remedy: 'If it is meant to be there, name the commons yourself: --commons-url or --cred.',
      cause,
    },
  )
}

function rotated<T>(items: readonly T[], turn: number): T[] {
  const cut = items.length === 0 ? 0 : turn % items.length
  return [...items.slice(cut), ...items.slice(0, cut)]
}
