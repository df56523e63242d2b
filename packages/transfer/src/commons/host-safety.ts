/** A manifest may name any host: also this machine, or one behind the firewall that only we can reach (reliability F). */
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { TransferError } from '../errors.ts'

const INSIDE = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  INSIDE.addSubnet(network, bits, 'ipv4')
}
for (const [network, bits] of [
  // With those that carry an address of the older kind: nothing that is public needs one.
  ['::', 96],
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  INSIDE.addSubnet(network, bits, 'ipv6')
}

/** Whether an address belongs to this machine or to a network that is not public. */
export function isInside(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && INSIDE.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Refuses a host that somebody else named and that leads to this machine or a private network.
 *
 * @param host with or without a port
 * @throws TransferError Network with reason `unsafe_host`
 */
export async function assertOutside(host: string, shown: string): Promise<void> {
  const url = URL.parse(`http://${host}`)
  const name = url?.hostname.replace(/^\[|\]$/g, '') ?? host
  const addresses = isIP(name) ? [name] : await addressesOf(name)
  const inside = addresses.find(isInside)
  if (inside === undefined) return
  const message = `Cannot fetch ${shown}: its host ${host} is on this machine or a private network`
  const remedy = 'If it is meant to be there, name the commons yourself: --commons-url or --cred.'
  throw new TransferError('Network', message, { reason: 'unsafe_host', retriable: false, remedy })
}

/** None for a name that is not known: connecting will say so. */
async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}
