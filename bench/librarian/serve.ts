/** `arriero serve` as a process of its own, as an operator starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, connect } from '@arriero/api'
import { freePorts } from '../../e2e/servers/ports.ts'

export interface Served extends AsyncDisposable {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly authorization: string
  readonly librarian: Connection
  /** Resident memory now, bytes. */
  rss(): Promise<number>
  /** The most resident memory so far, bytes. */
  peakRss(): Promise<number>
  /** User and system time so far, seconds. */
  cpuSeconds(): Promise<number>
}

export interface ServeOptions {
  /** `sqlite:…` or `postgres://…`; default: SQLite in the directory. */
  readonly catalogue?: string | undefined
  /** Default: bench. */
  readonly name?: string
  /** Where it listens and is called. Default 127.0.0.1. */
  readonly host?: string
  /** Default: any free one. */
  readonly port?: number
  /** A program that starts it, with its arguments. */
  readonly within?: readonly string[]
  /** Beside the ways to the store. */
  readonly background?: Readonly<Record<string, readonly object[]>>
  readonly encryptionKey?: string
  /** So long its start may take, ms: a large catalogue is checked first. Default 30,000. */
  readonly patienceMs?: number
}

const program = new URL('../../packages/cli/bin/arriero.js', import.meta.url).pathname
const password = 'bench-password'

export async function serve(directory: string, options: ServeOptions = {}): Promise<Served> {
  const { catalogue = 'sqlite:catalogue.db', name = 'bench', host = '127.0.0.1', within = [] } = options
  const port = options.port ?? ((await freePorts(1))[0] as number)
  const [store, staging] = [join(directory, 'files'), join(directory, 'staging')]
  await mkdir(store, { recursive: true })
  await mkdir(staging, { recursive: true })
  const settings = {
    name,
    host,
    port,
    catalogue,
    data_directory: directory,
    log_level: 'warning',
    encryption_key: options.encryptionKey ?? null,
    background: options.background ?? null,
    add_stores: [
      {
        store_name: 'files',
        store_type: 'local',
        ingestable: true,
        store_data: { store_path: store, staging_path: staging, reserve: 0 },
        transfer_manager_data: { local: { available: true, hostnames: [hostname()] } },
      },
    ],
  }
  await writeFile(join(directory, 'arriero.yaml'), JSON.stringify(settings), { mode: 0o600 })
  await writeFile(join(directory, 'password'), password, { mode: 0o600 })
  const args = [program, 'serve', '--config', join(directory, 'arriero.yaml')]
  const [command, ...rest] = [
    ...within,
    process.execPath,
    ...args,
    '--admin-password-file',
    join(directory, 'password'),
  ]
  const child = spawn(command as string, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(join(directory, 'serve.log'))
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  const url = `http://${host}:${port}`
  await untilReady(child, join(directory, 'serve.log'), options.patienceMs ?? 30_000)
  const pid = child.pid as number
  const user = 'admin'
  return {
    url,
    user,
    password,
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    librarian: connect({ url, user, password }),
    rss: () => memoryOf(pid, 'VmRSS'),
    peakRss: () => memoryOf(pid, 'VmHWM'),
    cpuSeconds: async () => {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024
}

/** It answers a little earlier, but its administrator is there only then. */
async function untilReady(child: ChildProcess, log: string, patienceMs: number): Promise<void> {
  for (const until = performance.now() + patienceMs; performance.now() < until; ) {
    const told = await readFile(log, 'utf8').catch(() => '')
    if (child.exitCode !== null) throw new Error(`arriero serve ended: ${told}`)
    if (told.includes('Listening on ')) return
    await sleep(100)
  }
  throw new Error(`arriero serve is not ready after ${patienceMs / 1000} s: ${await readFile(log, 'utf8')}`)
}
