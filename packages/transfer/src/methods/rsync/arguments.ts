/**
 * What rsync is called with. No shell of ours ever sees it; names of files come by standard input, and what is left is held
 * to what a host, a user or a path may look like (reliability 6).
 */
import { isAbsolute } from 'node:path'
import { TransferError } from '../../errors.ts'
import { printable } from '../../redact.ts'
import type { SshHost } from './options.ts'

export interface RsyncCall {
  /** Directory in which the names are, at the sender. */
  readonly from: string
  /** Directory below which they go, at the receiver. */
  readonly to: string
  /** Undefined: this machine. */
  readonly host: { readonly hostname: string; readonly ssh: SshHost } | undefined
  readonly timeoutSeconds: number
}

/** Interrupted files wait here, beside their names. */
export const PARTIAL_DIRECTORY = '.arriero-partial'

export function rsyncArguments({ from, to, host, timeoutSeconds }: RsyncCall): string[] {
  return [
    // As -a, but owners and groups are the receiver's, and nothing but files and directories has been let through. What is
    // listed are links of ours to the sources.
    '--recursive',
    '--copy-links',
    '--times',
    '--omit-dir-times',
    '--perms',
    '--chmod=D775,F664',
    `--partial-dir=${PARTIAL_DIRECTORY}`,
    // Directories above the targets are the receiver's: made where they are missing, never changed.
    '--mkpath',
    '--no-implied-dirs',
    '--files-from=-',
    '--from0',
    // Paths are not for the shell of the other side either (its long name is younger than some rsyncs).
    '-s',
    `--timeout=${timeoutSeconds}`,
    '--info=progress2,name0,stats0,flist0',
    '--no-human-readable',
    ...(host ? [`--rsh=${remoteShell(host.ssh)}`] : []),
    '--',
    `${from}/`,
    host ? `${login(host)}:${to}/` : `${to}/`,
  ]
}

/** @throws TransferError Usage for settings that could be taken for something else */
function remoteShell({ port, identityFile, knownHostsFile }: SshHost): string {
  const words = ['ssh', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', 'ConnectTimeout=20']
  words.push('-o', 'ServerAliveInterval=15', '-o', 'ServerAliveCountMax=3')
  if (port !== undefined) words.push('-p', String(port))
  if (identityFile !== undefined) words.push('-o', 'IdentitiesOnly=yes', '-o', `IdentityFile=${fileWord(identityFile)}`)
  if (knownHostsFile !== undefined) words.push('-o', `UserKnownHostsFile=${fileWord(knownHostsFile)}`)
  return words.map(quoted).join(' ')
}

/** As ssh reads it in a setting: quoted because of blanks, and without its abbreviations. */
function fileWord(path: string): string {
  if (!isAbsolute(path) || /["\n\r\0$]/.test(path)) throw refused('a file for ssh', 'absolute and without quotes', path)
  return `"${path.replaceAll('%', '%%')}"`
}

/** rsync itself takes the command apart, and knows single quotes, doubled to stand for themselves. */
function quoted(word: string): string {
  return /^[\w./=-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`
}

function login({ hostname, ssh: { address = hostname, user } }: NonNullable<RsyncCall['host']>): string {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9A-Fa-f:]*:[0-9A-Fa-f:]*$/.test(address)) {
    throw refused('a host', 'a name or an address', address)
  }
  if (user !== undefined && !/^\w[\w.-]*$/.test(user)) throw refused('a user', 'a plain name', user)
  const host = address.includes(':') ? `[${address}]` : address
  return user === undefined ? host : `${user}@${host}`
}

function refused(what: string, wanted: string, met: string): TransferError {
  return new TransferError('Usage', `Cannot call rsync: ${what} must be ${wanted}, met ${printable(met)}`)
}
