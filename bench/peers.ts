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
import { type Command, quote } from './measure.ts'

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

export interface Contender {
  /** Unique in its case; what the report calls it. */
  label: string
  program: Program
  /** The command that writes into this fresh, empty directory. */
  command(directory: string): Command
  /** The uncounted first run, if it differs from the counted ones. */
  warmUp?(directory: string): Command
}

/** One file at one origin. `caFile` is the certificate to trust. */
export interface Remote {
  origin: string
  name: string
  caFile?: string | undefined
}

const outputName = 'out.bin'
export const outputOf = (directory: string) => join(directory, outputName)
const urlOf = ({ origin, name }: Remote) => `${origin}/${name}`

export function arriero(args: readonly string[], remote?: Remote): Command {
  const argv = [nodePath, programPath, ...args]
  return remote?.caFile ? { argv, env: { NODE_EXTRA_CA_CERTS: remote.caFile } } : { argv }
}

/** `arriero get URL -o FILE`, with the same defaults as any user's. */
export function arrieroToFile(remote: Remote, label = 'arriero', ...flags: string[]): Contender {
  return {
    label,
    program: 'arriero',
    command: directory => arriero(['get', urlOf(remote), '-o', outputOf(directory), '--json', ...flags], remote),
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

export function curlToFile(remote: Remote): Contender {
  return { label: 'curl', program: 'curl', command: directory => ({ argv: curlArgv(remote, outputOf(directory)) }) }
}

export function curlThenMd5sum(remote: Remote): Contender {
  return {
    label: 'curl && md5sum',
    program: 'curl',
    command: directory => {
      const file = outputOf(directory)
      const fetch = curlArgv(remote, file).map(quote).join(' ')
      return { argv: ['sh', '-c', `${fetch} && md5sum ${quote(file)}`] }
    },
  }
}

export function aria2ToFile(remote: Remote, connections: number): Contender {
  return {
    label: `aria2c -x${connections}`,
    program: 'aria2c',
    command: directory => ({
      argv: [
        ...['aria2c', '-q', '--no-conf', '--file-allocation=none', `-x${connections}`, `-s${connections}`],
        ...(remote.caFile ? [`--ca-certificate=${remote.caFile}`] : []),
        ...['-d', directory, '-o', outputName, urlOf(remote)],
      ],
    }),
  }
}

export function axelToFile(remote: Remote, connections: number): Contender {
  return {
    label: `axel -n${connections}`,
    program: 'axel',
    command: directory => ({
      argv: [
        ...['axel', '-q', '-n', String(connections), '-o', outputOf(directory)],
        // axel 2.17 fails to verify any loopback name, so it alone is spared the verification.
        ...(remote.caFile ? ['-k'] : []),
        urlOf(remote),
      ],
    }),
  }
}

export function wget2ToFile(remote: Remote): Contender {
  return {
    label: 'wget2',
    program: 'wget2',
    command: directory => ({
      argv: [
        ...['wget2', '-q', '--no-config', '-O', outputOf(directory)],
        ...(remote.caFile ? [`--ca-certificate=${remote.caFile}`] : []),
        urlOf(remote),
      ],
    }),
  }
}

export function lftpToFile(remote: Remote, connections: number): Contender {
  return {
    label: `lftp pget -n ${connections}`,
    program: 'lftp',
    command: directory => ({
      argv: ['lftp', '--norc', '-e', `pget -n ${connections} ${urlOf(remote)} -o ${outputOf(directory)}; quit`],
    }),
  }
}

/** wget2 speaks no FTP. */
export function wgetToFile(remote: Remote): Contender {
  return {
    label: 'wget',
    program: 'wget',
    command: directory => ({ argv: ['wget', '-q', '--no-config', '-O', outputOf(directory), urlOf(remote)] }),
  }
}

export function rcloneToFile(remote: Remote, streams: number): Contender {
  return {
    label: streams === 4 ? 'rclone' : `rclone ${streams} streams`,
    program: 'rclone',
    command: directory => ({
      argv: [
        ...['rclone', '--config=', '-q', 'copyto', `--multi-thread-streams=${streams}`],
        ...(remote.caFile ? [`--ca-cert=${remote.caFile}`] : []),
        ...[`--http-url=${remote.origin}/`, `:http:${remote.name}`, outputOf(directory)],
      ],
    }),
  }
}

function curlArgv(remote: Remote, file: string): string[] {
  const trust = remote.caFile ? ['--cacert', remote.caFile] : []
  return ['curl', '-q', '-sSf', ...trust, '-o', file, urlOf(remote)]
}

/** Ordered bytes to standard output; the warm-up proves them by a digest instead of throwing them away. */
export function toNull(label: string, program: Program, command: Command): Contender {
  return {
    label,
    program,
    command: () => ({ ...command, stdout: 'null' }),
    warmUp: () => ({ ...command, argv: ['sh', '-c', `${command.argv.map(quote).join(' ')} | sha256sum`] }),
  }
}

export const arrieroCat = (remote: Remote) => toNull('arriero cat', 'arriero', arriero(['cat', urlOf(remote)], remote))
export const curlCat = (remote: Remote) => toNull('curl', 'curl', { argv: ['curl', '-q', '-sSf', urlOf(remote)] })

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

/** The first line of each program's own account of its version; programs that are not here are absent. */
export async function findPrograms(programs: Iterable<Program>): Promise<Map<Program, string>> {
  const found = await Promise.all(
    [...programs].map(async program => [program, await versionOf(program).catch(() => undefined)] as const),
  )
  return new Map(found.filter((entry): entry is [Program, string] => entry[1] !== undefined))
}

async function versionOf(program: Program): Promise<string> {
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
  const { stdout } = await promisify(execFile)(program, [program === 'rclone' ? 'version' : '--version'])
  const line = stdout.split('\n')[0]!
  return /\d+\.\d+[\w.-]*/.exec(line)?.[0] ?? line
}
