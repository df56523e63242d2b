/** The cases of the table "Must reach", in its order. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Ceph } from '../e2e/servers/ceph.ts'
import type { CommonsProcess } from '../e2e/servers/commons.ts'
import type { Nginx } from '../e2e/servers/nginx.ts'
import type { Sshd } from '../e2e/servers/sshd.ts'
import type { Vsftpd } from '../e2e/servers/vsftpd.ts'
import type { Claim } from './claims.ts'
import { sameDigests, sameFile, sameFiles } from './compare.ts'
import type { BigFile } from './inputs.ts'
import * as inputs from './inputs.ts'
import * as peers from './peers.ts'
import { s3Case, s3ManyCase } from './s3-cases.ts'
import { bytes, thousands } from './units.ts'

export interface Case {
  id: string
  title: string
  /** What the plot shows and the table of the case puts first. */
  metric: 'time' | 'memory'
  /** What one run delivers. */
  bytes: number
  files: number
  contenders: readonly peers.Contender[]
  claims: readonly Claim[]
  /** Small files stay until the end; see `rounds.ts`. */
  keepsOutputs: boolean
  /** How many rounds, where it is not for the caller to say. */
  rounds?: (asked: number) => number
  /** If it was run at another scale than the table says: how. */
  scaled?: string | undefined
  /** Where connections are counted. Default: nginx’s ports. */
  serverPorts?: ReadonlySet<number>
  /** Before each run, outside the timed region. */
  prepare?(directory: string): Promise<void>
  /** After each run, outside the timed region: `undefined` if all is right. */
  check(directory: string, stdout: string, isWarmUp: boolean): Promise<string | undefined>
}

/** What a case may ask for. Inputs are made once, when first asked for. */
export interface Ground {
  nginx: Nginx
  /** Undefined where it is not installed. */
  sshd(): Promise<Sshd | undefined>
  root: string
  size: number
  sparseSize: number
  files: number
  rows: number
  bigFile(): Promise<BigFile>
  /** A data commons; each answer of its services takes 0.3 s. */
  commons(): Promise<CommonsProcess>
  /** An S3 server, started when first asked for. */
  s3(): Promise<Ceph>
  /** Started when first asked for, closed with the benchmark; undefined if it is not installed. */
  vsftpd(): Promise<Vsftpd | undefined>
}

/** The scale of the table; anything else is reported as such. */
export const tableScale = { size: 2 * 2 ** 30, sparseSize: 20 * 2 ** 30, files: 10_000, rows: 1_000_000 }

/** OpenSSH's client takes its time. */
const sftpBytes = 512 * 2 ** 20

export const caseIds = [
  'http',
  'https',
  'md5',
  'digests',
  'capped',
  'ftp',
  'many',
  'cat',
  'sparse',
  'rows',
  's3',
  's3-many',
  'sftp',
  'commons',
  'help',
] as const
export type CaseId = (typeof caseIds)[number]

/** Undefined: the server of the case is not installed. */
export const builders: Record<CaseId, (ground: Ground) => Promise<Case | undefined>> = {
  async http(ground) {
    const file = await ground.bigFile()
    const contenders = fileContenders({ url: `${ground.nginx.plain}/${file.name}` })
    return {
      ...bigFileCase('http', 'http → file, size verified, durable', ground, file),
      contenders,
      claims: [{ kind: 'faster', subject: 'arriero', rivals: peersOf(contenders), factor: 1.3 }],
    }
  },

  async https(ground) {
    const file = await ground.bigFile()
    const contenders = fileContenders({ url: `${ground.nginx.tls}/${file.name}`, caFile: ground.nginx.caFile })
    return {
      ...bigFileCase('https', 'https → file', ground, file),
      contenders,
      claims: [{ kind: 'faster', subject: 'arriero', rivals: ['curl'], factor: 1.3 }],
    }
  },

  async md5(ground) {
    const file = await ground.bigFile()
    const remote = { url: `${ground.nginx.plain}/${file.name}` }
    const contenders = [
      peers.arrieroToFile(remote, 'arriero md5', '--checksum', `md5:${file.md5}`),
      peers.curlThenMd5sum(remote),
    ]
    return {
      ...bigFileCase('md5', 'http → file, md5 verified', ground, file),
      contenders,
      claims: [{ kind: 'faster', subject: 'arriero md5', rivals: ['curl && md5sum'], factor: 1.5 }],
      check: async (directory, stdout) => {
        const printed = /^[0-9a-f]{32}(?= )/.exec(stdout)?.[0] ?? file.md5
        return printed === file.md5 ? sameFile(peers.outputOf(directory), file.path) : `md5sum printed ${printed}`
      },
    }
  },

  async digests(ground) {
    const file = await ground.bigFile()
    const remote = { url: `${ground.nginx.plain}/${file.name}` }
    const contenders = [
      peers.arrieroToFile(remote, 'arriero unverified'),
      peers.arrieroToFile(remote, 'arriero sha256', '--checksum', `sha256:${file.sha256}`),
      peers.arrieroToFile(remote, 'arriero crc32c', '--checksum', `crc32c:${file.crc32c}`),
    ]
    return {
      ...bigFileCase('digests', 'http → file, sha256 or crc32c verified', ground, file),
      contenders,
      claims: ['arriero sha256', 'arriero crc32c'].map(subject => ({
        kind: 'overhead',
        subject,
        reference: 'arriero unverified',
        factor: 1.15,
      })),
    }
  },

  async capped(ground) {
    const file = await ground.bigFile()
    const remote = { url: `${ground.nginx.capped}/${file.name}` }
    const contenders = [
      peers.arrieroToFile(remote, 'arriero', '--connections', '48'),
      peers.aria2ToFile(remote, 16),
      peers.axelToFile(remote, 16),
      peers.rcloneToFile(remote, 16),
    ]
    return {
      ...bigFileCase('capped', 'http → file, each connection held to 60 MB/s', ground, file),
      contenders,
      claims: [{ kind: 'faster', subject: 'arriero', rivals: ['aria2c -x16'], factor: 1.5 }],
    }
  },

  async ftp(ground) {
    const vsftpd = await ground.vsftpd()
    if (!vsftpd) return undefined
    const file = await ground.bigFile()
    const remote = { url: `${vsftpd.plain}/${file.name}` }
    return {
      ...bigFileCase('ftp', 'ftp → file, size verified, durable', ground, file),
      contenders: [
        peers.arrieroToFile(remote),
        peers.lftpToFile(remote, 4),
        peers.aria2ToFile(remote, 4),
        peers.wgetToFile(remote),
        peers.curlToFile(remote),
      ],
      claims: [{ kind: 'faster', subject: 'arriero', rivals: ['lftp pget -n 4'], factor: 1 }],
      serverPorts: new Set([Number(new URL(vsftpd.plain).port)]),
    }
  },

  async commons(ground) {
    const commons = await ground.commons()
    const lines = (await readFile(commons.expected, 'utf8')).trimEnd().split('\n')
    const sums = new Map(lines.map(line => [line.slice(34), line.slice(0, 32)]))
    return {
      id: 'commons',
      title: `${sums.size} files of 1 MiB from a data commons, 0.3 s for each URL`,
      metric: 'time',
      bytes: sums.size * 2 ** 20,
      files: sums.size,
      contenders: [peers.arrieroGen3(commons), peers.oneAtATime(commons)],
      claims: [{ kind: 'faster', subject: 'arriero gen3', rivals: ['one at a time'], factor: 10 }],
      keepsOutputs: false,
      rounds: asked => Math.min(asked, 3),
      serverPorts: new Set([commons.origin, commons.storage].map(origin => Number(new URL(origin).port))),
      check: directory => sameDigests(directory, sums),
    }
  },

  async many(ground) {
    const { directory: originals, names } = await inputs.makeSmallFiles(ground.root, ground.files)
    const list = await writeLists(ground, 'small', names)
    return {
      id: 'many',
      title: `${thousands(ground.files)} files of 10 KiB from a list`,
      metric: 'time',
      bytes: ground.files * inputs.smallFileBytes,
      files: ground.files,
      contenders: [
        peers.arrieroList(list),
        peers.curlParallel(),
        peers.aria2List(list),
        peers.wget2List(list),
        peers.rcloneList(list),
      ],
      claims: [
        { kind: 'faster', subject: 'arriero', rivals: ['curl --parallel'], factor: 1 },
        { kind: 'faster', subject: 'arriero', rivals: ['aria2c -j16'], factor: 2 },
        { kind: 'faster', subject: 'arriero', rivals: ['rclone --transfers 16'], factor: 2 },
      ],
      keepsOutputs: true,
      scaled: scaledDown(
        ground.files,
        tableScale.files,
        `${thousands(ground.files)} files instead of ${thousands(tableScale.files)}`,
      ),
      prepare: directory => writeFile(peers.curlConfigFor(directory), peers.curlConfig(list, directory)),
      check: directory => sameFiles(directory, names, name => readFile(join(originals, name))),
    }
  },

  async cat(ground) {
    const file = await ground.bigFile()
    const remote = { url: `${ground.nginx.plain}/${file.name}` }
    return {
      ...bigFileCase('cat', 'cat to /dev/null, in order', ground, file),
      contenders: [peers.arrieroCat(remote), peers.curlToNull(remote)],
      claims: [{ kind: 'faster', subject: 'arriero cat', rivals: ['curl'], factor: 1 }],
      check: async (_, stdout, isWarmUp) =>
        !isWarmUp || stdout.startsWith(file.sha256) ? undefined : `sha256 is ${stdout.slice(0, 64)}`,
    }
  },

  async sftp(ground) {
    const size = Math.min(ground.size, sftpBytes)
    const [sshd, file] = [await ground.sshd(), await inputs.makeBigFile(ground.root, size, 'sftp.bin')]
    return {
      ...bigFileCase('sftp', 'sftp → file', { ...ground, size }, file),
      scaled: sshd ? scaledDown(size, sftpBytes, `${bytes(size)} instead of 512 MiB`) : 'sshd is not installed',
      contenders: sshd ? peers.sftpContenders(sshd, file.path) : [],
      claims: [{ kind: 'faster', subject: 'arriero', rivals: ['sftp'], factor: 0.8 }],
    }
  },

  async sparse(ground) {
    const { path, name } = await inputs.makeSparseFile(ground.root, ground.sparseSize)
    return {
      id: 'sparse',
      title: `memory: a file of ${bytes(ground.sparseSize)}`,
      metric: 'memory',
      bytes: ground.sparseSize,
      files: 1,
      contenders: [peers.arrieroToFile({ url: `${ground.nginx.plain}/${name}` })],
      claims: [{ kind: 'memory', subject: 'arriero', bytes: 200 * 2 ** 20 }],
      keepsOutputs: false,
      // Memory does not scatter as time does, and each round writes 20 GiB.
      rounds: () => 1,
      scaled: scaledDown(ground.sparseSize, tableScale.sparseSize, `${bytes(ground.sparseSize)} instead of 20 GiB`),
      check: directory => sameFile(peers.outputOf(directory), path),
    }
  },

  async rows(ground) {
    const content = await readFile(await inputs.makeRowFile(ground.root))
    const names = Array.from({ length: ground.rows }, (_, index) => `${String(index).padStart(7, '0')}.txt`)
    const list = await writeLists(ground, 'rows', names)
    return {
      id: 'rows',
      title: `memory: a list of ${thousands(ground.rows)} rows`,
      metric: 'memory',
      bytes: ground.rows * inputs.rowBytes,
      files: ground.rows,
      contenders: [peers.arrieroList(list)],
      claims: [{ kind: 'memory', subject: 'arriero', bytes: 300 * 2 ** 20 }],
      keepsOutputs: true,
      rounds: () => 1,
      scaled: scaledDown(
        ground.rows,
        tableScale.rows,
        `${thousands(ground.rows)} rows instead of ${thousands(tableScale.rows)}`,
      ),
      check: directory => sameFiles(directory, names, async () => content),
    }
  },

  s3: s3Case,
  's3-many': s3ManyCase,

  async help() {
    return {
      id: 'help',
      title: 'start of arriero --help',
      metric: 'time',
      bytes: 0,
      files: 0,
      contenders: [
        { label: 'arriero --help', program: 'arriero', command: () => peers.arriero(['--help']) },
        // The floor: what Node itself needs to start and stop.
        { label: 'node -e 0', program: 'node', command: () => ({ argv: [process.execPath, '-e', '0'] }) },
      ],
      claims: [{ kind: 'time', subject: 'arriero --help', seconds: 0.12 }],
      keepsOutputs: false,
      rounds: asked => Math.max(asked, 15),
      check: async () => undefined,
    }
  },
}

function fileContenders(remote: peers.Remote): peers.Contender[] {
  return [
    peers.arrieroToFile(remote),
    peers.curlToFile(remote),
    peers.aria2ToFile(remote, 1),
    peers.aria2ToFile(remote, 16),
    peers.axelToFile(remote, 4),
    peers.wget2ToFile(remote),
    peers.rcloneToFile(remote, 4),
  ]
}

const peersOf = (contenders: readonly peers.Contender[]) =>
  contenders.filter(({ program }) => program !== 'arriero').map(({ label }) => label)

function bigFileCase(id: string, title: string, ground: Ground, file: BigFile) {
  return {
    id,
    title: `${bytes(ground.size)} ${title}`,
    metric: 'time' as const,
    bytes: file.bytes,
    files: 1,
    keepsOutputs: false,
    scaled: scaledDown(ground.size, tableScale.size, `${bytes(ground.size)} instead of 2 GiB`),
    // Other tenants may have pushed the file out of the page cache since it was made.
    prepare: async () => void (await promisify(execFile)('sh', ['-c', 'cat "$0" >/dev/null', file.path])),
    check: (directory: string) => sameFile(peers.outputOf(directory), file.path),
  }
}

async function writeLists(ground: Ground, under: string, names: readonly string[]): Promise<peers.List> {
  const origin = ground.nginx.plain
  const urls = join(ground.root, `${under}.urls.txt`)
  const nameList = join(ground.root, `${under}.names.txt`)
  await writeFile(urls, names.map(name => `${origin}/${under}/${name}\n`).join(''))
  await writeFile(nameList, names.map(name => `${name}\n`).join(''))
  return { origin, under, names, urls, nameList }
}

const scaledDown = (value: number, table: number, text: string) => (value === table ? undefined : text)
