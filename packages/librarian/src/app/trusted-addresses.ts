/** Addresses and networks that are believed: proxies, and who may scrape. */
import { BlockList, isIP } from 'node:net'
import { LibrarianError } from '@arriero/api'

export type IsTrusted = (address: string | undefined) => boolean

/**
 * @param key of the settings
 * @throws `Configuration` for what is no address and no network, and for a network that is everybody
 */
export function trustedAddresses(entries: readonly string[], key = 'trusted_proxies'): IsTrusted {
  const list = new BlockList()
  for (const entry of entries) add(list, entry, key)
  return address => {
    if (address === undefined || entries.length === 0) return false
    const plain = withoutMapping(address)
    const family = isIP(plain)
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** A socket that listens on both families shows an IPv4 address inside of an IPv6 one. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}

function add(list: BlockList, entry: string, key: string): void {
  const [address = '', bits, ...more] = entry.split('/')
  const family = isIP(address)
  const most = family === 6 ? 128 : 32
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (family === 0 || more.length > 0 || !(length >= 1 && length <= most)) {
    throw new LibrarianError(
      'Configuration',
      `Cannot use ${key}: ${JSON.stringify(entry)} must be an address or a network, and not everybody`,
      { remedy: 'Write an address, as 127.0.0.1, or a network, as 10.1.0.0/16.' },
    )
  }
  list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4')
}
