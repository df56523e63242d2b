/** A real OpenSSH server on loopback, with its own configuration and keys, gone without trace when closed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants, rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from './ports.ts'

const run = promisify(execFile)

export interface SshdOptions {
  /** Lines for its configuration, which win over ours. */
  readonly settings?: readonly string[]
}

export interface Sshd extends AsyncDisposable {
  readonly version: string
  readonly port: number
  readonly user: string
  /** `sftp://user@127.0.0.1:port`. */
  readonly origin: string
  /** The only private key that opens it. */
  readonly identity: string
  /** Files: that know all its keys, all its keys under hashed names, and another key for it. */
  readonly knownHosts: string
  readonly hashedHosts: string
  readonly wrongHosts: string
  /** Of its ed25519 key, as `ssh-keygen -l` tells it. */
  readonly fingerprint: string
  /** What it wrote so far. */
  log(): Promise<string>
  close(): Promise<void>
}

const attempts = 5
const hostKeyTypes = ['ed25519', 'ecdsa', 'rsa'] as const

/** The path of the sshd program, also where a normal user's PATH does not lead; `undefined` if there is none. */
export function findSshd(): string | undefined {
  return find('sshd', ['/usr/local/sbin', '/usr/sbin', '/sbin'])
}

export async function startSshd({ settings = [] }: SshdOptions = {}): Promise<Sshd> {
  const program = findSshd()
  if (!program) throw new Error('Cannot start sshd: it is not installed; run scripts/install-servers.sh')
  const prefix = await mkdtemp(join(tmpdir(), 'arriero-sshd-'))
  try {
    await chmod(prefix, 0o700)
    // The place where a process without rights is locked in before it has seen a password; the package's service makes it.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
    await makeKeys(prefix)
    for (let attempt = 1; ; attempt++) {
      const [port] = (await freePorts(1)) as [number]
      const { child, complaint } = await launch(program, prefix, port, settings)
      if (isRunning(child)) return await handle(child, prefix, port)
      if (attempt === attempts) throw new Error(`Cannot start sshd: ${complaint}`)
    }
  } catch (error) {
    await rm(prefix, { recursive: true, force: true })
    throw error
  }
}

async function makeKeys(prefix: string): Promise<void> {
  const make = (type: string, file: string) =>
    run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', join(prefix, file)])
  await Promise.all([
    ...hostKeyTypes.map(type => make(type, `host_${type}`)),
    make('ed25519', 'identity'),
    make('ed25519', 'other'),
  ])
}

async function launch(program: string, prefix: string, port: number, settings: readonly string[]) {
  const config = [
    // The first value of each setting counts.
    ...settings,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeyTypes.map(type => `HostKey ${join(prefix, `host_${type}`)}`),
    `AuthorizedKeysFile ${join(prefix, 'identity.pub')}`,
    `PidFile ${join(prefix, 'sshd.pid')}`,
    // Directories for temporary files are everybody's.
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'Subsystem sftp internal-sftp',
  ]
  const file = join(prefix, 'sshd_config')
  await writeFile(file, `${config.join('\n')}\n`)
  // -D: it stays our child. Its sessions are processes of their own and end with their connections.
  const child = spawn(program, ['-D', '-f', file, '-E', join(prefix, 'log')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  child.on('error', error => (complaint = error.message))
  child.stderr.setEncoding('utf8').on('data', text => (complaint += text))
  while (isRunning(child) && !(await listens(port))) await sleep(20)
  return { child, complaint: complaint.trim() || (await logOf(prefix)) }
}

async function handle(child: ChildProcess, prefix: string, port: number): Promise<Sshd> {
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
  const at = (name: string) => join(prefix, name)
  const name = `[127.0.0.1]:${port}`
  const line = async (file: string) => `${name} ${(await readFile(at(`${file}.pub`), 'utf8')).trim()}\n`
  const lines = await Promise.all(hostKeyTypes.map(type => line(`host_${type}`)))
  await writeFile(at('known_hosts'), lines.join(''))
  await writeFile(at('hashed_hosts'), lines.join(''))
  await run('ssh-keygen', ['-q', '-H', '-f', at('hashed_hosts')])
  await writeFile(at('wrong_hosts'), await line('other'))
  const { stdout } = await run('ssh-keygen', ['-lf', at('host_ed25519.pub')])
  const { stderr } = await run('ssh', ['-V'])
  const user = userInfo().username
  return {
    version: /OpenSSH_(\S+?),?\s/.exec(stderr)?.[1] ?? stderr.trim(),
    port,
    user,
    origin: `sftp://${user}@127.0.0.1:${port}`,
    identity: at('identity'),
    knownHosts: at('known_hosts'),
    hashedHosts: at('hashed_hosts'),
    wrongHosts: at('wrong_hosts'),
    fingerprint: /SHA256:\S+/.exec(stdout)?.[0] as string,
    log: () => logOf(prefix),
    close,
    [Symbol.asyncDispose]: close,
  }
}

const logOf = (prefix: string) => readFile(join(prefix, 'log'), 'utf8').catch(() => '')

const isRunning = (child: ChildProcess) =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection(port, '127.0.0.1')
    const answer = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })
}

function find(program: string, more: readonly string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(':'), ...more]
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
