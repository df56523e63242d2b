/**
 * A real S3 server on loopback: a Ceph cluster of one monitor, one disk in memory and one gateway, with its own keys, gone
 * without trace when closed. Stands within two seconds.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { accessSync, constants, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from './ports.ts'

export interface CephOptions {
  /** What the disk in memory holds at most. Default 8 GiB; only what is stored takes memory. */
  readonly bytes?: number
}

export interface Ceph extends AsyncDisposable {
  readonly version: string
  /** `http://127.0.0.1:40123`. */
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  close(): Promise<void>
}

const programs = ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool'] as const
const attempts = 3
const patienceMs = 60_000
const run = promisify(execFile)

/** The first of the programs that is not installed; undefined if all are there. */
export function missingForCeph(): string | undefined {
  return programs.find(program => findProgram(program) === undefined)
}

export async function startCeph(options: CephOptions = {}): Promise<Ceph> {
  const missing = missingForCeph()
  if (missing) throw new Error(`Cannot start Ceph: ${missing} is not installed; run scripts/install-servers.sh`)
  for (let attempt = 1; ; attempt++) {
    const cluster = await Cluster.make(options)
    try {
      return await cluster.start()
    } catch (error) {
      await cluster.close()
      // Most likely a port was taken meanwhile.
      if (attempt === attempts) throw error
    }
  }
}

class Cluster {
  readonly #directory: string
  readonly #ports: readonly [monitor: number, gateway: number]
  readonly #bytes: number
  readonly #children: ChildProcess[] = []
  readonly #killAtExit = () => {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.#directory, { recursive: true, force: true })
  }
  #complaint = ''

  private constructor(directory: string, ports: readonly [number, number], { bytes = 8 * 2 ** 30 }: CephOptions) {
    this.#directory = directory
    this.#ports = ports
    this.#bytes = bytes
    process.once('exit', this.#killAtExit)
  }

  static async make(options: CephOptions): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'arriero-ceph-'))
    const ports = (await freePorts(2)) as [number, number]
    return new Cluster(directory, ports, options)
  }

  async start(): Promise<Ceph> {
    const fsid = randomUUID()
    const disk = randomUUID()
    for (const name of ['mon', 'osd', 'rgw']) await mkdir(this.#in(name))
    await writeFile(this.#in('ceph.conf'), this.#settings(fsid))
    await this.#makeKeys()
    await this.#do('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', this.#monitorAddress, this.#in('monmap'))
    const keys = ['--keyring', this.#in('keyring')]
    await this.#ceph('ceph-mon', '--mkfs', '-i', 'a', '--monmap', this.#in('monmap'), ...keys)
    this.#launch('ceph-mon', '-i', 'a', '-f')
    await this.#ceph('ceph', '--connect-timeout', '30', 'osd', 'new', disk)
    await this.#ceph('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', disk)
    this.#launch('ceph-osd', '-i', '0', '-f')
    this.#launch('radosgw', '-n', 'client.admin', '--rgw-data', this.#in('rgw'), '-f')
    await this.#gatewayAnswers()
    const accessKeyId = randomBytes(10).toString('hex').toUpperCase()
    const secretAccessKey = randomBytes(20).toString('base64')
    await this.#ceph(
      ...(['radosgw-admin', '-n', 'client.admin', 'user', 'create', '--uid=tester', '--display-name=Tester'] as const),
      ...[`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`],
    )
    const { stdout } = await run(findProgram('radosgw') as string, ['--version'])
    return {
      version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim(),
      endpoint: this.#endpoint,
      accessKeyId,
      secretAccessKey,
      close: () => this.close(),
      [Symbol.asyncDispose]: () => this.close(),
    }
  }

  /** What was stored is in memory and goes with it: nobody has to be asked kindly. */
  async close(): Promise<void> {
    process.off('exit', this.#killAtExit)
    await Promise.all(
      this.#children.filter(isRunning).map(child => {
        const exited = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGKILL')
        return exited
      }),
    )
    await rm(this.#directory, { recursive: true, force: true })
  }

  get #endpoint(): string {
    return `http://127.0.0.1:${this.#ports[1]}`
  }

  get #monitorAddress(): string {
    return `[v2:127.0.0.1:${this.#ports[0]}]`
  }

  #in(name: string): string {
    return join(this.#directory, name)
  }

  async #makeKeys(): Promise<void> {
    const file = this.#in('keyring')
    const all = (...services: string[]) => services.flatMap(service => ['--cap', service, 'allow *'])
    const make = (name: string, ...more: string[]) => this.#do('ceph-authtool', ...more, file, '--gen-key', '-n', name)
    await make('mon.', '--create-keyring', ...all('mon'))
    await make('client.admin', ...all('mon', 'osd', 'mgr'))
    await make('osd.0', ...all('osd'), '--cap', 'mon', 'allow profile osd')
  }

  async #gatewayAnswers(): Promise<void> {
    const until = Date.now() + patienceMs
    while (Date.now() < until) {
      if (!this.#children.every(isRunning)) break
      const isThere = await fetch(this.#endpoint).then(
        answer => answer.arrayBuffer().then(() => true),
        () => false,
      )
      if (isThere) return
      await sleep(50)
    }
    const log = await readFile(this.#in('log'), 'utf8').catch(() => '')
    throw new Error(`Cannot start Ceph: its gateway does not answer. ${this.#complaint}${log.slice(-2000)}`)
  }

  #ceph(program: (typeof programs)[number], ...args: string[]): Promise<unknown> {
    return this.#do(program, '-c', this.#in('ceph.conf'), ...args)
  }

  #do(program: (typeof programs)[number], ...args: string[]): Promise<unknown> {
    return run(findProgram(program) as string, args, { timeout: patienceMs })
  }

  #launch(program: (typeof programs)[number], ...args: string[]): void {
    const argv = ['-c', this.#in('ceph.conf'), ...args]
    const child = spawn(findProgram(program) as string, argv, { stdio: ['ignore', 'ignore', 'pipe'] })
    child.on('error', error => (this.#complaint += `${program}: ${error.message}. `))
    child.stderr.setEncoding('utf8').on('data', text => (this.#complaint += text))
    this.#children.push(child)
  }

  /** One copy of everything, one placement group per pool, and no waiting for peers that there are not. */
  #settings(fsid: string): string {
    const at = (name: string) => this.#in(name)
    return [
      '[global]',
      `fsid = ${fsid}`,
      `mon host = ${this.#monitorAddress}`,
      'mon initial members = a',
      'public addr = 127.0.0.1',
      'cluster addr = 127.0.0.1',
      'ms bind ipv6 = false',
      'auth cluster required = cephx',
      'auth service required = cephx',
      'auth client required = cephx',
      `keyring = ${at('keyring')}`,
      `mon data = ${at('mon')}`,
      `osd data = ${at('osd')}`,
      `log file = ${at('log')}`,
      `run dir = ${this.#directory}`,
      `pid file = ${at('$name.pid')}`,
      `admin socket = ${at('$name.asok')}`,
      'osd objectstore = memstore',
      `memstore device bytes = ${this.#bytes}`,
      'osd crush chooseleaf type = 0',
      'osd pool default size = 1',
      'osd pool default min size = 1',
      'osd pool default pg num = 1',
      'osd pool default pgp num = 1',
      'osd pool default pg autoscale mode = off',
      'mon allow pool size one = true',
      'mon data avail crit = 1',
      'paxos propose interval = 0.01',
      'paxos min wait = 0.01',
      `rgw frontends = beast endpoint=127.0.0.1:${this.#ports[1]}`,
      'rgw run sync thread = false',
      'rgw enable ops log = false',
      'rgw enable usage log = false',
      'rgw dynamic resharding = false',
      '',
    ].join('\n')
  }
}

const isRunning = (child: ChildProcess) =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null

/** Also where a normal user's PATH does not lead. */
function findProgram(program: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return directories.map(directory => join(directory, program)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
