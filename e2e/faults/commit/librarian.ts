/** A librarian as a process of its own, on a data directory that outlives it. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { nodePath, programPath } from '../../program.ts'
import type { Door } from './client.ts'

export interface Librarian extends Door {
  readonly pid: number
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>
  readonly isRunning: () => boolean
  /** What it has written to its log. */
  log(): string
  /** SIGTERM, and its end. */
  stop(): Promise<void>
}

export interface LibrarianPlace {
  /** Holds catalogue, store and staging area. */
  readonly data: string
  /** Holds what the program writes to its terminal; not on the disk that is disturbed. */
  readonly home: string
  /** `sqlite:…` or `postgres://…` */
  readonly catalogue: string
}

const password = 'a password for tests only'
const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
const startMs = 120_000
const pollMs = 10

export async function startLibrarian(place: LibrarianPlace): Promise<Librarian> {
  const { home, data } = place
  mkdirSync(home, { recursive: true })
  const [secret, settings] = [join(home, 'password'), join(home, 'arriero.yaml')]
  if (!existsSync(secret)) writeFileSync(secret, password, { mode: 0o600 })
  if (!existsSync(settings)) writeFileSync(settings, JSON.stringify(settingsOf(place)), { mode: 0o600 })
  for (const part of ['files', 'staging']) mkdirSync(join(data, part), { recursive: true })
  const [out, err] = [join(home, 'stdout'), join(home, 'stderr')]
  const child = run(home, [out, err], ['--config', settings, '--admin-password-file', secret])
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  void ended.then(() => process.off('exit', endWithUs))
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const log = () => readFileSync(err, 'utf8')
  return {
    pid: child.pid!,
    url: await readyUrl(out, log, isRunning),
    authorization,
    ended,
    isRunning,
    log,
    async stop() {
      if (isRunning()) child.kill('SIGTERM')
      await ended
    },
  }
}

function settingsOf({ data, catalogue }: LibrarianPlace) {
  return {
    name: 'arriero',
    host: '127.0.0.1',
    catalogue,
    data_directory: data,
    add_stores: [
      {
        store_name: 'files',
        store_type: 'local',
        ingestable: true,
        store_data: { store_path: join(data, 'files'), staging_path: join(data, 'staging'), reserve: 0 },
        transfer_manager_data: { local: { available: true, hostnames: [hostname()] } },
      },
    ],
  }
}

function run(home: string, [stdout, stderr]: readonly [string, string], args: readonly string[]) {
  const [out, err] = [openSync(stdout, 'w'), openSync(stderr, 'w')]
  try {
    return spawn(nodePath, [programPath, 'serve', '--port', '0', '--json', ...args], {
      cwd: home,
      env: {
        ...process.env,
        NO_COLOR: '1',
        // One thread for asynchronous file calls: their order is then that of the program.
        UV_THREADPOOL_SIZE: '1',
        // Of threads, too: most of a start is compiling.
        NODE_COMPILE_CACHE: join(home, '..', 'compiled'),
      },
      stdio: ['ignore', out, err],
    })
  } finally {
    closeSync(out)
    closeSync(err)
  }
}

async function readyUrl(stdout: string, log: () => string, isRunning: () => boolean): Promise<string> {
  const end = performance.now() + startMs
  while (performance.now() < end) {
    const line = readFileSync(stdout, 'utf8')
      .split('\n')
      .find(text => text.includes('"ready"') && text.endsWith('}'))
    if (line !== undefined) return JSON.parse(line).url
    if (!isRunning()) break
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
  throw new Error(`the librarian did not start: ${log().slice(-2000)}`)
}
