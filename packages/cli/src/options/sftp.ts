/** Flags of connections over SSH. */
import type { Command } from 'commander'
import { Option } from 'commander'
import type { FetchOptions } from '../engine.ts'
import { ProgramError } from '../errors.ts'

export interface SftpFlags {
  readonly identity?: readonly string[]
  readonly knownHosts?: readonly string[]
  readonly hostKey?: string
}

export function addSftpOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value]
  return command
    .addOption(
      new Option('--identity <FILE>', 'SFTP: a private key to log in with; repeatable (default: as ssh)').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--known-hosts <FILE>', 'SFTP: which host has which key; repeatable (default: as ssh)').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--host-key <SHA256:…>', 'SFTP: the fingerprint that the host’s key must have').argParser(
        checkedHostKey,
      ),
    )
}

export function sftpOptions({ identity, knownHosts, hostKey }: SftpFlags): FetchOptions['sftp'] {
  if (!identity && !knownHosts && hostKey === undefined) return undefined
  return { identity, knownHosts, hostKey }
}

function checkedHostKey(text: string): string {
  if (/^(?:SHA256:)?[A-Za-z0-9+/]{43}=?$/.test(text)) return text
  throw new ProgramError('Usage', `--host-key takes a fingerprint such as SHA256:… (43 characters), not '${text}'.`, {
    remedy: 'ssh-keygen -lf tells it of a key.',
  })
}
