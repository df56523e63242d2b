/** How far an engine may reach that fetches what others name: a server, on behalf of its users (reliability 6). */
import { BlockList } from 'node:net'
import { TransferError } from './errors.ts'
import type { AddressesOptions } from './http/addresses.ts'
import { isInside } from './http/is-inside.ts'

/** How far an engine may connect that fetches what others name. */
export interface Reach {
  /** Which hosts, and at which ports; asked for every request and every redirect, before the name is looked up. */
  readonly isHostAllowed: (host: string, port: number) => boolean
  /**
   * Networks behind our firewall that may be connected to all the same, as `10.1.0.0/16`. All other addresses of this machine
   * and of networks that are not public are refused, by the address that is connected to. Default: none.
   */
  readonly networks?: readonly string[] | undefined
  /** Instead of the system's, for tests. */
  readonly lookup?: AddressesOptions['lookup']
}

/** @throws TransferError Usage for what is no network */
export function addressesOf({ isHostAllowed, networks = [], lookup }: Reach): AddressesOptions {
  const own = new BlockList()
  for (const network of networks) addNetwork(own, network)
  return {
    isHostAllowed,
    isAllowed: address => !isInside(address) || own.check(address, address.includes(':') ? 'ipv6' : 'ipv4'),
    lookup,
  }
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', bits = ''] = network.split('/')
  try {
    if (!/^\d{1,3}$/.test(bits)) throw new RangeError('no length')
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4')
  } catch (cause) {
    throw new TransferError(
      'Usage',
      `Cannot take ${JSON.stringify(network)} for a network: it must be like 10.1.0.0/16`,
      {
        cause,
      },
    )
  }
}
