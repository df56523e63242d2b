/** A real nginx on loopback, with its own configuration, logs and certificate, gone without trace when closed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nginxConfig } from './nginx-config.ts'
import { freePorts } from './ports.ts'

export interface NginxOptions {
  /** The directory that is served. */
  root: string
  /** Serve TLS too, with a certificate made now. Default: true. */
  tls?: boolean
  /** Bytes per second that a connection to the capped server gets. Default: 60,000,000. */
  perConnectionRate?: number
  /** Worker processes. Default: 2. */
  workers?: number
  /** One access-log line per request, for checks that count bytes. Default: false, because it costs time. */
  isLogged?: boolean
  /** More `location` blocks for every server. Default: none. */
  locations?: string
}

export interface Nginx extends AsyncDisposable {
  readonly version: string
  /** Origins such as `http://127.0.0.1:40123`, without a final slash. All serve the same root, with listings. */
  readonly plain: string
  /** Absent if `tls` was false. */
  readonly tls: string | undefined
  /**
   * Each connection is held to `perConnectionRate` by the kernel, as a long line would. nginx's own `limit_rate` counts
   * per request and lets the last piece of each go at full speed, so a client of many small ranges would escape it.
   */
  readonly capped: string
  /** Ignores Range: every answer is a whole 200. */
  readonly noRanges: string
  /** Compresses for whoever accepts it. */
  readonly gzip: string
  /** The certificate to trust for `tls`; a PEM file. */
  readonly caFile: string
  /** What was served so far, in order. Empty unless `isLogged`. */
  served(): Promise<ServedRequest[]>
  close(): Promise<void>
}

export interface ServedRequest {
  path: string
  status: number
  /** Body bytes that went into the socket, also when the client hung up half way. */
  bodyBytes: number
}

const serverCount = 5
const cappedPort = 2
const pacedExec = fileURLToPath(new URL('paced-exec.pl', import.meta.url))
const attempts = 5

/** The path of the nginx program, also where a normal user's PATH does not lead; `undefined` if there is none. */
export function findNginx(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return directories.map(directory => join(directory, 'nginx')).find(isExecutable)
}

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const program = findNginx()
  if (!program) throw new Error('Cannot start nginx: it is not installed; run scripts/install-servers.sh')
  const prefix = await mkdtemp(join(tmpdir(), 'arriero-nginx-'))
  try {
    if (options.tls !== false) await makeCertificate(prefix)
    for (let attempt = 1; ; attempt++) {
      const ports = await freePorts(serverCount)
      const { child, complaint } = await launch(program, prefix, ports, options)
      if (isRunning(child)) return handle(child, prefix, ports, options, await versionOf(program))
      if (attempt === attempts) throw new Error(`Cannot start nginx: ${complaint}`)
    }
  } catch (error) {
    await rm(prefix, { recursive: true, force: true })
    throw error
  }
}

/** Resolves when nginx listens or has given up, most likely because a port was taken meanwhile. */
async function launch(program: string, prefix: string, ports: number[], options: NginxOptions) {
  await mkdir(join(prefix, 'temp'), { recursive: true })
  await rm(join(prefix, 'nginx.pid'), { force: true })
  await writeFile(join(prefix, 'nginx.conf'), nginxConfig({ ...options, prefix, ports }))
  const rate = String(options.perConnectionRate ?? 60_000_000)
  const nginx = [program, '-p', prefix, '-c', join(prefix, 'nginx.conf'), '-e', join(prefix, 'error.log')]
  // perl, because Node cannot set the socket option, and every Debian has it.
  const child = spawn('perl', [pacedExec, rate, String(ports[cappedPort]), ...nginx], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.on('error', error => (complaint = error.message))
  child.stderr.setEncoding('utf8').on('data', text => (complaint += text))
  // nginx writes its pid only after every port is bound and listening.
  while (isRunning(child) && !(await hasContent(join(prefix, 'nginx.pid')))) await sleep(10)
  return { child, complaint: complaint.trim() }
}

function handle(child: ChildProcess, prefix: string, ports: number[], options: NginxOptions, version: string): Nginx {
  const [plain, tls, capped, noRanges, gzip] = ports
  // For a harness that is interrupted; SIGTERM, because a killed master would leave its workers behind.
  const killAtExit = () => {
    child.kill('SIGTERM')
    rmSync(prefix, { recursive: true, force: true })
  }
  process.once('exit', killAtExit)
  const close = async () => {
    process.off('exit', killAtExit)
    if (isRunning(child)) {
      const exited = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await exited
    }
    await rm(prefix, { recursive: true, force: true })
  }
  return {
    version,
    plain: `http://127.0.0.1:${plain}`,
    tls: options.tls === false ? undefined : `https://127.0.0.1:${tls}`,
    capped: `http://127.0.0.1:${capped}`,
    noRanges: `http://127.0.0.1:${noRanges}`,
    gzip: `http://127.0.0.1:${gzip}`,
    caFile: join(prefix, 'certificate.pem'),
    served: () => readServed(join(prefix, 'access.log')),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Elliptic-curve, because making an RSA key takes longer than many a check. */
async function makeCertificate(prefix: string): Promise<void> {
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', join(prefix, 'key.pem'), '-out', join(prefix, 'certificate.pem')],
  ])
}

async function readServed(file: string): Promise<ServedRequest[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [status, bodyBytes, path] = line.split('\t')
      return { path: path!, status: Number(status), bodyBytes: Number(bodyBytes) }
    })
}

async function versionOf(program: string): Promise<string> {
  const { stderr } = await promisify(execFile)(program, ['-v'])
  return stderr.trim().replace('nginx version: nginx/', '')
}

const isRunning = (child: ChildProcess) =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null

const hasContent = (file: string) =>
  stat(file).then(
    ({ size }) => size > 0,
    () => false,
  )

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
