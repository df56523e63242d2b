import { expect, test } from 'vitest'
import { trustedAddresses } from './trusted-addresses.ts'

test.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.1', '::ffff:127.0.0.1', true],
  ['127.0.0.1', '127.0.0.2', false],
  ['10.1.0.0/16', '10.1.200.3', true],
  ['10.1.0.0/16', '10.2.0.1', false],
  ['::1', '::1', true],
  ['::1', '127.0.0.1', false],
  ['fd00::/8', 'fd12::9', true],
])('of %s, %s is believed: %s', (entry, address, isBelieved) => {
  expect(trustedAddresses([entry])(address)).toBe(isBelieved)
})

test('nobody is believed by default, nor whoever has no address', () => {
  expect(trustedAddresses([])('127.0.0.1')).toBe(false)
  expect(trustedAddresses(['127.0.0.1'])(undefined)).toBe(false)
})

test.each(['', 'proxy', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/8/8', 'true'])(
  '%j is refused: it would believe everybody, or is no address',
  entry => {
    expect(() => trustedAddresses([entry])).toThrow(/trusted_proxies/)
  },
)

test('the key of the settings that must be mended is named', () => {
  expect(() => trustedAddresses(['everybody'], 'metrics.addresses')).toThrow(
    /Cannot use metrics.addresses: "everybody"/,
  )
})
