/** `npm run bench -- get`: Arriero against every peer on this machine, over loopback, side by side. */
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Ceph, missingForCeph, startCeph } from '../e2e/servers/ceph.ts'
import { type CommonsProcess, startCommonsProcess } from '../e2e/servers/commons.ts'
import { type Nginx, startNginx } from '../e2e/servers/nginx.ts'
import { findSshd, type Sshd, startSshd } from '../e2e/servers/sshd.ts'
import { findVsftpd, startVsftpd, type Vsftpd } from '../e2e/servers/vsftpd.ts'
import { describeMachine } from '../packages/cli/src/bench/machine.ts'
import { downloadPerfLine } from '../packages/cli/src/bench/record.ts'
import { runRounds } from '../packages/cli/src/bench/rounds.ts'
import { builders, type Ground } from './cases.ts'
import { verdict } from './claims.ts'
import { type BigFile, makeBigFile, rowLocation } from './inputs.ts'
import { type GetOptions, parseGetOptions, usage } from './options.ts'
import { findPrograms, type Program, versionOf } from './peers.ts'
import { plot } from './plot.ts'
import { type CaseResult, csv, judgements, markdown, record } from './report.ts'

const programs: Program[] = [
  'arriero',
  'curl',
  'aria2c',
  'axel',
  'wget2',
  'rclone',
  'aws',
  'sftp',
  'scp',
  'lftp',
  'wget',
  'node',
]

export async function benchGet(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (typeof options === 'number') return options

  await mkdir(options.directory, { recursive: true })
  await mkdir(options.out, { recursive: true })
  const scratch = resolve(await mkdtemp(join(options.directory, 'data-')))
  const root = join(scratch, 'served')
  await mkdir(root)
  process.once('SIGINT', () => {
    console.error(`interrupted; remove ${scratch} yourself`)
    process.exit(130)
  })
  try {
    await using nginx = await startNginx({ root, locations: rowLocation })
    await using stores = new Stores(root, Math.min(300, options.files))
    await runCases(options, nginx, stores, scratch, root)
  } finally {
    await rm(scratch, { recursive: true })
  }
  return 0
}

function readOptions(args: readonly string[]): GetOptions | number {
  try {
    const options = parseGetOptions(args)
    if (options) return options
    console.log(usage)
    return 0
  } catch (error) {
    console.error((error as Error).message)
    return 2
  }
}

async function runCases(
  options: GetOptions,
  nginx: Nginx,
  stores: Stores,
  scratch: string,
  root: string,
): Promise<void> {
  const machine = await describeMachine(scratch)
  const versions: ReadonlyMap<string, string> = await findPrograms(programs, versionOf)
  const files = {
    jsonl: join(options.out, 'get.jsonl'),
    perf: join(options.out, 'download-perf.txt'),
  }
  await writeFile(files.jsonl, '')
  if (options.hasDownloadPerf) await writeFile(files.perf, '')
  const ground = makeGround(options, nginx, stores, root)
  const finished: CaseResult[] = []

  for (const id of options.cases) {
    const missing = id.startsWith('s3') ? missingForCeph() : undefined
    if (missing) {
      console.log(`NOT RUN ${id}: ${missing} is not installed; run scripts/install-servers.sh`)
      continue
    }
    const it = await builders[id](ground)
    if (!it) {
      console.log(`${id}: NOT RUN, its server is not installed; run scripts/install-servers.sh`)
      continue
    }
    console.log(`${it.title}${it.scaled ? ` (scaled: ${it.scaled})` : ''}`)
    const wanted = it.contenders.filter(({ program }) => !options.isPeerOnly || program !== 'arriero')
    const contenders = wanted.filter(({ program }) => versions.has(program))
    const rounds = it.rounds?.(options.rounds) ?? options.rounds
    // Written run by run, so that a benchmark that is broken off leaves what it measured.
    const lines: Promise<void>[] = []
    const results = await runRounds(it, contenders, {
      rounds,
      directory: join(scratch, 'runs'),
      serverPorts: it.serverPorts ?? new Set([...portsOf(nginx), ...stores.ports]),
      log: console.log,
      onRun(run) {
        const row = record(it, run, versions.get(run.program)!, machine)
        lines.push(appendFile(files.jsonl, `${JSON.stringify(row)}\n`))
        if (options.hasDownloadPerf)
          lines.push(appendFile(files.perf, `# ${id} ${run.contender}\n${downloadPerfLine(row)}\n`))
      },
    })
    await Promise.all(lines)
    const absent = wanted.filter(({ program }) => !versions.has(program)).map(({ program }) => program)
    const result = { case: it, rounds, results, absent }
    finished.push(result)
    for (const judgement of judgements(result)) {
      console.log(`  ${verdict(judgement)}: must ${judgement.must}; measured ${judgement.measured}`)
    }
    await writeFile(
      join(options.out, 'get.md'),
      markdown(finished, machine, new Map([['nginx', nginx.version], ...versions])),
    )
    await writeFile(join(options.out, 'get.csv'), csv(finished))
    await writeFile(join(options.out, 'get.svg'), plot(finished))
  }
  console.log(
    `written: ${['get.md', 'get.csv', 'get.svg', 'get.jsonl'].map(name => join(options.out, name)).join(' ')}`,
  )
}

function makeGround(options: GetOptions, nginx: Nginx, stores: Stores, root: string): Ground {
  const { size, sparseSize, files, rows } = options
  let big: Promise<BigFile> | undefined
  const bigFile = () => (big ??= makeBigFile(root, size))
  return {
    nginx,
    root,
    size,
    sparseSize,
    files,
    rows,
    bigFile,
    s3: () => stores.s3(),
    commons: () => stores.commons(),
    sshd: () => stores.sshd(),
    vsftpd: () => stores.vsftpd(),
  }
}

function portsOf({ plain, tls, capped }: Nginx): Set<number> {
  return new Set([plain, tls!, capped].map(origin => Number(new URL(origin).port)))
}

/** Servers that only some cases need, and that hold what they serve in memory. */
class Stores implements AsyncDisposable {
  readonly ports = new Set<number>()
  readonly #servers = new AsyncDisposableStack()
  #ceph: Promise<Ceph> | undefined
  #commons: Promise<CommonsProcess> | undefined
  #sshd: Promise<Sshd> | undefined
  #vsftpd: Promise<Vsftpd> | undefined
  readonly #root: string
  readonly #commonsFiles: number

  constructor(root: string, commonsFiles: number) {
    this.#root = root
    this.#commonsFiles = commonsFiles
  }

  s3(): Promise<Ceph> {
    this.#ceph ??= startCeph().then(ceph => {
      this.ports.add(Number(new URL(ceph.endpoint).port))
      return this.#servers.use(ceph)
    })
    return this.#ceph
  }

  commons(): Promise<CommonsProcess> {
    const scale = { files: this.#commonsFiles, size: 2 ** 20, latency: 0.3 }
    this.#commons ??= startCommonsProcess(scale).then(commons => this.#servers.use(commons))
    return this.#commons
  }

  async vsftpd(): Promise<Vsftpd | undefined> {
    if (!findVsftpd()) return undefined
    this.#vsftpd ??= startVsftpd({ root: this.#root }).then(vsftpd => this.#servers.use(vsftpd))
    return this.#vsftpd
  }

  async sshd(): Promise<Sshd | undefined> {
    if (!findSshd()) return undefined
    this.#sshd ??= startSshd().then(sshd => {
      this.ports.add(sshd.port)
      return this.#servers.use(sshd)
    })
    return this.#sshd
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers.disposeAsync()
  }
}
