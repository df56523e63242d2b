/** A real `arriero serve` by written settings, on disks and databases that a test breaks. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nodePath, type Outcome, programPath, startProcess } from '../../program.ts'

export const password = 'a password for tests only'

export interface ServerOptions {
  /** For settings and password; nothing of it breaks. */
  readonly directory: string
  /** In front of the command: a namespace, a limit. */
  readonly prefix?: readonly string[]
  /** Default `all`. */
  readonly role?: 'api' | 'worker' | 'all'
  /** Where there are several of them. Default `server`. */
  readonly name?: string
  readonly catalogue: string
  readonly stores: readonly StorePlace[]
  readonly env?: Readonly<Record<string, string>>
  /** Other settings. */
  readonly settings?: Readonly<Record<string, unknown>>
}

export interface StorePlace {
  readonly name: string
  readonly path: string
  readonly staging: string
  /** Bytes that are kept free. Default 0: test disks are small. */
  readonly reserve?: number | 'standard'
}

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

export interface Server {
  readonly pid: number
  readonly url: string
  /** All that it has logged so far. */
  readonly log: () => readonly LogLine[]
  readonly outcome: Promise<Outcome>
  readonly isRunning: () => boolean
  readonly signal: (signal: NodeJS.Signals) => void
  /** SIGTERM, and its end. */
  stop(): Promise<Outcome>
  /** SIGKILL, and its end. */
  kill(): Promise<void>
}

export const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`

/** None of the machine's own settings. */
const clean = Object.fromEntries(
  Object.keys(process.env)
    .filter(name => /^librarian_/i.test(name))
    .map(name => [name, undefined]),
)

/** Resolves when it is ready; rejects with what it said where it does not start. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { directory, prefix = [], role = 'all', name = 'server', env } = options
  await mkdir(directory, { recursive: true })
  const secret = join(directory, 'password')
  await writeFile(secret, `${password}\n`, { mode: 0o600 })
  const config = join(directory, `${name}.json`)
  await writeFile(config, JSON.stringify(settingsOf(options)), { mode: 0o600 })
  const args = ['serve', '--config', config, '--role', role, '--json', '--admin-password-file', secret]
  const command = [...prefix, nodePath, programPath, ...args]
  const { process: child, outcome } = startProcess(command[0]!, command.slice(1), {
    cwd: directory,
    env: { ...clean, ...env },
    timeoutMs: 600_000,
  })
  let stderr = ''
  child.stderr?.on('data', text => (stderr += text))
  const ready = firstLine(child)
  const failed = outcome.then(({ code, stdout: told, stderr: text }) => {
    throw new Error(`It ended with ${code}: ${told} ${text.slice(-2000)}`)
  })
  failed.catch(() => {})
  const { url, ready: isReady } = JSON.parse(await Promise.race([ready, failed])) as { url: string; ready?: boolean }
  // What it says of a failed start is a document too.
  if (!isReady) await failed
  const isRunning = () => child.exitCode === null && child.signalCode === null
  return {
    pid: child.pid!,
    url,
    log: () => linesOf(stderr),
    outcome,
    isRunning,
    signal: signal => void child.kill(signal),
    stop() {
      if (isRunning()) child.kill('SIGTERM')
      return outcome
    },
    async kill() {
      child.kill('SIGKILL')
      await outcome
    },
  }
}

function settingsOf({ directory, catalogue, stores, settings }: ServerOptions): object {
  return {
    name: 'broken',
    displayed_site_name: 'Broken',
    host: '127.0.0.1',
    port: 0,
    data_directory: directory,
    catalogue,
    add_stores: stores.map(({ name, path, staging, reserve = 0 }) => ({
      store_name: name,
      store_type: 'local',
      ingestable: true,
      store_data: { store_path: path, staging_path: staging, reserve },
      transfer_manager_data: { local: { available: true, hostnames: ['here'] } },
    })),
    ...settings,
  }
}

function firstLine(child: { stdout: NodeJS.ReadableStream | null }): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    child.stdout?.on('data', chunk => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
}

function linesOf(text: string): LogLine[] {
  return text
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))
}
