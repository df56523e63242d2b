/**
 * How each program is asked to do the same thing, at its best: quiet, no preallocation, as parallel as it likes.
 * What was tried when choosing the flags stands beside them.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nodePath, programPath } from '../e2e/program.ts'
import type { CommonsProcess } from '../e2e/servers/commons.ts'
import type { Sshd } from '../e2e/servers/sshd.ts'
import { type Command, quote } from '../packages/cli/src/bench/command.ts'
import type { Contender } from '../packages/cli/src/bench/contender.ts'
import { outputOf, type Remote, toNull, versionOfProgram, wget2Environment } from '../packages/cli/src/bench/peers.ts'

export type { Contender } from '../packages/cli/src/bench/contender.ts'
export * from '../packages/cli/src/bench/peers.ts'

export type Program =
  | 'arriero'
  | 'curl'
  | 'aria2c'
  | 'axel'
  | 'wget2'
  | 'rclone'
  | 'aws'
  | 'sftp'
  | 'scp'
  | 'lftp'
  | 'wget'
  | 'node'

export function arriero(args: readonly string[], remote?: Remote): Command {
  const argv = [nodePath, programPath, ...args]
  return remote?.caFile ? { argv, env: { NODE_EXTRA_CA_CERTS: remote.caFile } } : { argv }
}

/** `arriero get URL -o FILE`, with the same defaults as any user's. */
export function arrieroToFile(remote: Remote, label = 'arriero', ...flags: string[]): Contender {
  return {
    label,
    program: 'arriero',
    command: directory => arriero(['get', remote.url, '-o', outputOf(directory), '--json', ...flags], remote),
  }
}

export function arrieroGen3({ credentials, manifest }: CommonsProcess): Contender {
  return {
    label: 'arriero gen3',
    program: 'arriero',
    // Names that end with the run: no token of another run is found.
    command: directory => ({
      ...arriero(['gen3', 'download-manifest', manifest, '--cred', credentials, '--path', directory, '--quiet']),
      env: { XDG_CACHE_HOME: join(directory, '.cache') },
    }),
  }
}

/** As the clients do that people use today. */
export function oneAtATime({ credentials, manifest }: CommonsProcess): Contender {
  const script = fileURLToPath(new URL('one-at-a-time.ts', import.meta.url))
  return {
    label: 'one at a time',
    program: 'node',
    command: directory => ({ argv: [nodePath, script, credentials, manifest, directory] }),
  }
}

export function lftpToFile(remote: Remote, connections: number): Contender {
  return {
    label: `lftp pget -n ${connections}`,
    program: 'lftp',
    command: directory => ({
      argv: ['lftp', '--norc', '-e', `pget -n ${connections} ${remote.url} -o ${outputOf(directory)}; quit`],
    }),
  }
}

/** wget2 speaks no FTP. */
export function wgetToFile(remote: Remote): Contender {
  return {
    label: 'wget',
    program: 'wget',
    command: directory => ({ argv: ['wget', '-q', '--no-config', '-O', outputOf(directory), remote.url] }),
  }
}

export function arrieroCat(remote: Remote): Contender {
  const { argv, env } = arriero(['cat', remote.url], remote)
  return toNull('arriero cat', 'arriero', argv, env)
}

/** Many files: every program gets the list in the form it reads, written beforehand by `writeLists`. */
export interface List {
  origin: string
  /** The directory at the origin. */
  under: string
  names: readonly string[]
  /** One URL per line. */
  urls: string
  /** One name per line. */
  nameList: string
}

export function arrieroList(list: List): Contender {
  return {
    label: 'arriero',
    program: 'arriero',
    command: directory => arriero(['get', '--manifest', list.urls, '-d', directory, '--quiet']),
  }
}

/** With curl's own limit of 50 transfers: 16 was a little slower. */
export function curlParallel(): Contender {
  return {
    label: 'curl --parallel',
    program: 'curl',
    // curl's list names the outputs, so it is written anew for each directory, outside the timed region.
    command: directory => ({
      argv: ['curl', '-q', '-sSf', '--no-progress-meter', '--parallel', '-K', curlConfigFor(directory)],
    }),
  }
}

export const curlConfigFor = (directory: string) => join(dirname(directory), 'curl.config')

export const curlConfig = (list: List, directory: string) =>
  list.names.map(name => `url = "${list.origin}/${list.under}/${name}"\noutput = "${join(directory, name)}"`).join('\n')

/**
 * Without its control files, which it would write, sync and delete for every small file. One fsync per file remains:
 * no option takes it away.
 */
export function aria2List(list: List): Contender {
  return {
    label: 'aria2c -j16',
    program: 'aria2c',
    command: directory => ({
      argv: [
        'aria2c',
        '-q',
        '--no-conf',
        '--file-allocation=none',
        '--auto-save-interval=0',
        '-j16',
        '-d',
        directory,
        '-i',
        list.urls,
      ],
    }),
  }
}

export function wget2List(list: List): Contender {
  return {
    label: 'wget2 16 threads',
    program: 'wget2',
    command: directory => ({
      argv: ['wget2', '-q', '--no-config', '--max-threads=16', '-P', directory, '-i', list.urls],
      env: wget2Environment(dirname(directory)),
    }),
  }
}

/** `--http-no-head` would spare it a request per file, but with a list of names rclone 1.60 then fetches nothing. */
export function rcloneList(list: List): Contender {
  return {
    label: 'rclone --transfers 16',
    program: 'rclone',
    command: directory => ({
      argv: [
        ...['rclone', '--config=', '-q', 'copy', '--transfers=16', '--checkers=16'],
        ...['--no-traverse', '--no-check-dest', `--files-from-raw=${list.nameList}`],
        ...[`--http-url=${list.origin}/`, `:http:${list.under}`, directory],
      ],
    }),
  }
}

/** One file from an SSH server. OpenSSH's programs use one connection; those that can use four. */
export function sftpContenders(sshd: Sshd, path: string): Contender[] {
  const { user, port, identity, knownHosts, origin } = sshd
  const remote = `${user}@127.0.0.1:${path}`
  const trust = ['-F', '/dev/null', '-i', identity, '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'BatchMode=yes']
  const ssh = ['ssh', '-a', '-x', ...trust].join(' ')
  const login = [`--sftp-host=127.0.0.1`, `--sftp-port=${port}`, `--sftp-user=${user}`]
  const keys = [`--sftp-key-file=${identity}`, `--sftp-known-hosts-file=${knownHosts}`]
  const to = (label: string, program: Program, argv: (file: string) => string[]): Contender => ({
    label,
    program,
    command: directory => ({ argv: argv(outputOf(directory)) }),
  })
  return [
    {
      label: 'arriero',
      program: 'arriero',
      command: directory =>
        arriero([
          ...['get', `${origin}${path}`, '-o', outputOf(directory), '--json'],
          ...['--identity', identity, '--known-hosts', knownHosts],
        ]),
    },
    to('sftp', 'sftp', file => ['sftp', '-q', '-P', String(port), ...trust, remote, file]),
    to('scp', 'scp', file => ['scp', '-q', '-P', String(port), ...trust, remote, file]),
    to('lftp pget -n4', 'lftp', file => [
      ...['lftp', '--norc', '-c'],
      `set sftp:connect-program ${quote(ssh)}; pget -n 4 ${quote(`sftp://${user}:@127.0.0.1:${port}${path}`)} -o ${quote(file)}`,
    ]),
    to('rclone', 'rclone', file => ['rclone', '--config=', '-q', 'copyto', ...login, ...keys, `:sftp:${path}`, file]),
  ]
}

export async function versionOf(program: Program): Promise<string> {
  if (program === 'node') return process.version
  if (program === 'arriero') {
    const manifest = await readFile(join(dirname(programPath), '../package.json'), 'utf8')
    return JSON.parse(manifest).version
  }
  if (program === 'sftp' || program === 'scp') {
    // They do not tell; they come with ssh.
    const { stderr } = await promisify(execFile)('ssh', ['-V'])
    return /OpenSSH_([\w.]+)/.exec(stderr)?.[1] ?? stderr.trim()
  }
  return versionOfProgram(program)
}
