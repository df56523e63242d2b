import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addSftpOptions, type SftpFlags, sftpOptions } from './sftp.ts'

const FINGERPRINT = 'SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IE'

function parse(...args: string[]) {
  const command = addSftpOptions(new Command()).exitOverride()
  return sftpOptions(command.parse(args, { from: 'user' }).opts<SftpFlags>())
}

test('sftpOptions() are what the flags say, and nothing when they say nothing', () => {
  expect(parse()).toBeUndefined()
  expect(parse('--identity', 'a', '--identity', 'b', '--known-hosts', 'k', '--host-key', FINGERPRINT)).toEqual({
    identity: ['a', 'b'],
    knownHosts: ['k'],
    hostKey: FINGERPRINT,
  })
})

test('--host-key refuses what is no fingerprint', () => {
  for (const text of ['', 'MD5:aa:bb', 'SHA256:short']) expect(() => parse('--host-key', text)).toThrow(/fingerprint/)
})
