import type { LookupAddress } from 'node:dns'
import { describe, expect, test } from 'vitest'
import { Addresses } from './addresses.ts'

const found: LookupAddress[] = [
  { address: '192.0.2.1', family: 4 },
  { address: '192.0.2.2', family: 4 },
  { address: '2001:db8::1', family: 6 },
]

function make(isAllowed?: (address: string) => boolean) {
  return new Addresses({ isAllowed, lookup: (_host, _options, done) => done(null, found) })
}

function resolve(addresses: Addresses, all = true): Promise<unknown> {
  return new Promise((fulfil, reject) => {
    addresses.lookup('host.test', { all } as never, (error, address) => (error ? reject(error) : fulfil(address)))
  })
}

describe('Addresses', () => {
  test('begins one address later each time, within the preferred family', async () => {
    const addresses = make()
    const first = async () => ((await resolve(addresses)) as LookupAddress[])[0]?.address
    expect([await first(), await first(), await first()]).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.1'])
    expect(((await resolve(addresses)) as LookupAddress[]).at(-1)?.family).toBe(6)
  })

  test('answers one address when one is asked for', async () => {
    expect(await resolve(make(), false)).toBe('192.0.2.1')
  })

  test('leaves out what may not be connected to', async () => {
    expect(await resolve(make(address => address.includes(':')))).toEqual([found[2]])
    await expect(resolve(make(() => false))).rejects.toMatchObject({ code: 'EADDRREFUSED' })
  })
})
