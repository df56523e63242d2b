/** A real vsftpd on loopback: in the clear, with AUTH TLS, with implicit TLS; gone without trace when closed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants, rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from './ports.ts'

export interface VsftpdOptions {
  /** The directory that is served to anonymous visitors; they must be able to read it and not to write to it. */
  root: string
  /** Most connections of one address to the server in the clear. Default: no limit. */
  mostPerAddress?: number
}

export interface Vsftpd extends AsyncDisposable {
  readonly version: string
  /** `ftp://127.0.0.1:40123`; all serve the same root. */
  readonly plain: string
  /** Refuses logins without AUTH TLS, and data connections that do not resume its session. `ftp:` as well. */
  readonly explicit: string
  /** TLS from the first byte, the same demands; `ftps:`. */
  readonly implicit: string
  /** The certificate to trust; a PEM file. */
  readonly caFile: string
  close(): Promise<void>
}

type Kind = 'plain' | 'explicit' | 'implicit'
const kinds: readonly Kind[] = ['plain', 'explicit', 'implicit']
const attempts = 5

/** The path of the vsftpd program, also where a normal user's PATH does not lead; `undefined` if there is none. */
export function findVsftpd(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return directories.map(directory => join(directory, 'vsftpd')).find(isExecutable)
}

export async function startVsftpd(options: VsftpdOptions): Promise<Vsftpd> {
  const program = findVsftpd()
  if (!program) throw new Error('Cannot start vsftpd: it is not installed; run scripts/install-servers.sh')
  const prefix = await mkdtemp(join(tmpdir(), 'arriero-vsftpd-'))
  try {
    // It locks itself into this one, and refuses one that its visitors may write to.
    await mkdir(join(prefix, 'empty'), { mode: 0o555 })
    await chmod(prefix, 0o755)
    await makeCertificate(prefix)
    for (let attempt = 1; ; attempt++) {
      const ports = await freePorts(kinds.length)
      const started = await Promise.all(
        kinds.map((kind, index) => launch(program, prefix, kind, ports[index] as number, options)),
      )
      if (started.every(({ child }) => isRunning(child)))
        return handle(started, prefix, ports, await versionOf(program))
      await Promise.all(started.map(({ child }) => stop(child)))
      if (attempt === attempts) throw new Error(`Cannot start vsftpd: ${started.map(one => one.complaint()).join(' ')}`)
    }
  } catch (error) {
    await rm(prefix, { recursive: true, force: true })
    throw error
  }
}

/** Resolves when it listens or has given up, most likely because the port was taken meanwhile. */
async function launch(program: string, prefix: string, kind: Kind, port: number, options: VsftpdOptions) {
  const config = join(prefix, `${kind}.conf`)
  await writeFile(config, vsftpdConfig(kind, port, prefix, options))
  const child = spawn(program, [config], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  child.on('error', error => (complaint = error.message))
  child.stdout.setEncoding('utf8').on('data', text => (complaint += text))
  child.stderr.setEncoding('utf8').on('data', text => (complaint += text))
  while (isRunning(child) && !(await isListening(port))) await sleep(10)
  return { child, complaint: () => complaint.trim() }
}

function vsftpdConfig(kind: Kind, port: number, prefix: string, { root, mostPerAddress = 0 }: VsftpdOptions): string {
  const isRoot = process.getuid?.() === 0
  const settings: Record<string, string | number> = {
    listen: 'YES',
    listen_address: '127.0.0.1',
    listen_port: port,
    background: 'NO',
    // A normal user can serve too, without the privilege to become somebody else.
    run_as_launching_user: isRoot ? 'NO' : 'YES',
    secure_chroot_dir: join(prefix, 'empty'),
    // Containers often forbid what these would do.
    seccomp_sandbox: 'NO',
    isolate: 'NO',
    isolate_network: 'NO',
    anonymous_enable: 'YES',
    local_enable: 'NO',
    anon_root: root,
    write_enable: 'NO',
    connect_from_port_20: 'NO',
    max_per_ip: kind === 'plain' ? mostPerAddress : 0,
    xferlog_enable: 'NO',
    tcp_wrappers: 'NO',
  }
  if (kind !== 'plain') {
    Object.assign(settings, {
      ssl_enable: 'YES',
      allow_anon_ssl: 'YES',
      force_anon_logins_ssl: 'YES',
      force_anon_data_ssl: 'YES',
      require_ssl_reuse: 'YES',
      ssl_ciphers: 'HIGH',
      implicit_ssl: kind === 'implicit' ? 'YES' : 'NO',
      rsa_cert_file: join(prefix, 'certificate.pem'),
      rsa_private_key_file: join(prefix, 'key.pem'),
    })
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function handle(
  started: readonly { child: ChildProcess }[],
  prefix: string,
  ports: readonly number[],
  version: string,
): Vsftpd {
  const [plain, explicit, implicit] = ports
  // For a harness that is interrupted.
  const killAtExit = () => {
    for (const { child } of started) child.kill('SIGTERM')
    rmSync(prefix, { recursive: true, force: true })
  }
  process.once('exit', killAtExit)
  const close = async () => {
    process.off('exit', killAtExit)
    await Promise.all(started.map(({ child }) => stop(child)))
    await rm(prefix, { recursive: true, force: true })
  }
  return {
    version,
    plain: `ftp://127.0.0.1:${plain}`,
    explicit: `ftp://127.0.0.1:${explicit}`,
    implicit: `ftps://127.0.0.1:${implicit}`,
    caFile: join(prefix, 'certificate.pem'),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return
  const exited = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exited
}

async function makeCertificate(prefix: string): Promise<void> {
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', join(prefix, 'key.pem'), '-out', join(prefix, 'certificate.pem')],
  ])
}

function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const done = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

/** It prints its version to whatever standard input is. */
async function versionOf(program: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', '"$0" -v 0>&1', program])
  return /\d+\.\d+[\w.-]*/.exec(stdout + stderr)?.[0] ?? 'unknown'
}

const isRunning = (child: ChildProcess) =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
