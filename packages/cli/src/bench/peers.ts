/**
 * How each other program is asked to fetch one file, at its best: quiet, no preallocation, as parallel as it likes.
 * What was tried when choosing the flags stands beside them.
 */
import { execFile } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { quote } from './command.ts'
import type { Contender } from './contender.ts'

/** One file. `caFile` is the certificate to trust besides those of the system. */
export interface Remote {
  readonly url: string
  readonly caFile?: string | undefined
}

const outputName = 'out.bin'

/** The file that everybody writes. */
export const outputOf = (directory: string) => join(directory, outputName)

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

function curlArgv(remote: Remote, file: string): string[] {
  return ['curl', '-q', '-sSfL', ...curlTrust(remote), '-o', file, remote.url]
}

const curlTrust = ({ caFile }: Remote) => (caFile ? ['--cacert', caFile] : [])

export function aria2ToFile({ url, caFile }: Remote, connections: number): Contender {
  return {
    label: `aria2c -x${connections}`,
    program: 'aria2c',
    command: directory => ({
      argv: [
        ...['aria2c', '-q', '--no-conf', '--file-allocation=none', `-x${connections}`, `-s${connections}`],
        ...(caFile ? [`--ca-certificate=${caFile}`] : []),
        ...['-d', directory, '-o', outputName, url],
      ],
    }),
  }
}

export function axelToFile({ url, caFile }: Remote, connections: number): Contender {
  return {
    label: `axel -n${connections}`,
    program: 'axel',
    command: directory => ({
      argv: [
        ...['axel', '-q', '-n', String(connections), '-o', outputOf(directory)],
        // axel 2.17 fails to verify any loopback name, so it alone is spared the verification.
        ...(caFile ? ['-k'] : []),
        url,
      ],
    }),
  }
}

export function wget2ToFile({ url, caFile }: Remote): Contender {
  return {
    label: 'wget2',
    program: 'wget2',
    command: directory => ({
      argv: [
        ...['wget2', '-q', '--no-config', '-O', outputOf(directory)],
        ...(caFile ? [`--ca-certificate=${caFile}`] : []),
        url,
      ],
      env: wget2Environment(directory),
    }),
  }
}

/** By the directory and the name in it: `copyurl` would use one stream only. */
export function rcloneToFile({ url, caFile }: Remote, streams: number): Contender {
  return {
    label: streams === 4 ? 'rclone' : `rclone ${streams} streams`,
    program: 'rclone',
    command: directory => ({
      argv: [
        ...['rclone', '--config=', '-q', 'copyto', `--multi-thread-streams=${streams}`],
        ...(caFile ? [`--ca-cert=${caFile}`] : []),
        ...[`--http-url=${dirname(url)}/`, `:http:${decodeURIComponent(basename(url))}`, outputOf(directory)],
      ],
    }),
  }
}

/** Of `s3:` addresses; credentials and region are those of the environment. */
export function s5cmdToFile({ url }: Remote): Contender {
  return {
    label: 's5cmd',
    program: 's5cmd',
    command: directory => ({ argv: ['s5cmd', '--log', 'error', 'cp', url, outputOf(directory)] }),
  }
}

/** Ordered bytes to standard output; the warm-up proves them by a digest instead of throwing them away. */
export function curlToNull(remote: Remote): Contender {
  return toNull('curl', 'curl', ['curl', '-q', '-sSfL', ...curlTrust(remote), remote.url])
}

export function wget2ToNull({ url, caFile }: Remote): Contender {
  const trust = caFile ? [`--ca-certificate=${caFile}`] : []
  const argv = ['wget2', '-q', '--no-config', ...trust, '-O', '-', url]
  return {
    label: 'wget2',
    program: 'wget2',
    command: directory => ({ argv, env: wget2Environment(directory), stdout: 'null' }),
    warmUp: directory => ({ argv, env: wget2Environment(directory), stdout: 'digest' }),
  }
}

/** It leaves its lock files behind, in the place for temporary files. */
export const wget2Environment = (directory: string) => ({ TMPDIR: directory })

export function toNull(
  label: string,
  program: string,
  argv: readonly string[],
  env?: Readonly<Record<string, string>>,
): Contender {
  return {
    label,
    program,
    command: () => ({ argv, env, stdout: 'null' }),
    warmUp: () => ({ argv, env, stdout: 'digest' }),
  }
}

/** The programs that are here, with the version that each gives of itself. */
export async function findPrograms<Program extends string>(
  programs: Iterable<Program>,
  versionOf: (program: Program) => Promise<string> = versionOfProgram,
): Promise<Map<Program, string>> {
  const found = await Promise.all(
    [...programs].map(async program => [program, await versionOf(program).catch(() => undefined)] as const),
  )
  return new Map(found.filter((entry): entry is [Program, string] => entry[1] !== undefined))
}

/** Rejects where the program is not installed. */
export async function versionOfProgram(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [asksByWord.has(program) ? 'version' : '--version'])
  const line = stdout.split('\n')[0]!
  return /\d+\.\d+[\w.-]*/.exec(line)?.[0] ?? line
}

const asksByWord: ReadonlySet<string> = new Set(['rclone', 's5cmd'])
