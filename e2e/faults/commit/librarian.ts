/** A librarian as a process of its own, on a data directory that outlives it. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { nodePath, programPath } from '../../program.ts'
import type { Door } from './client.ts'
import type { StoreRoots } from './look.ts'

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
  /** A second store, on another device. */
  readonly second?: StoreRoots | undefined
  /** Default: any. */
  readonly port?: number | undefined
  /** Other settings. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined
}

const password = 'a password for tests only'
const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
const startMs = 120_000
const pollMs = 10

/** @param prefix in front of the command; what it starts must be the process itself */
export async function startLibrarian(place: LibrarianPlace, prefix: readonly string[] = []): Promise<Librarian> {
  const { home, data } = place
  const { secret, settings } = layOut(place)
  const [out, err] = [join(home, 'stdout'), join(home, 'stderr')]
  const args = ['--port', String(place.port ?? 0), '--config', settings, '--admin-password-file', secret]
  const child = run(home, [out, err], prefix, args)
  const endWithUs = () => child.kill('SIGKILL')
  process.prependOnceListener('exit', endWithUs)
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  void ended.then(() => process.off('exit', endWithUs))
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const log = () => readFileSync(err, 'utf8')
  return {
    pid: child.pid!,
    url: await readyUrl(out, log, isRunning),
    authorization,
    root: join(data, 'files'),
    ended,
    isRunning,
    log,
    async stop() {
      if (isRunning()) child.kill('SIGTERM')
      await ended
    },
  }
}

export interface Rebuilt {
  readonly attested: number
  readonly unattested: number
  readonly problems: readonly string[]
}

/** What `arriero serve --rebuild` says when it has made the catalogue again. */
export async function rebuildCatalogue(place: LibrarianPlace, more: readonly string[] = []): Promise<Rebuilt> {
  const { secret, settings } = layOut(place)
  const [out, err] = [join(place.home, 'rebuilt'), join(place.home, 'rebuilt-log')]
  const child = run(
    place.home,
    [out, err],
    [],
    ['--config', settings, '--admin-password-file', secret, '--rebuild', ...more],
  )
  const endWithUs = () => child.kill('SIGKILL')
  process.prependOnceListener('exit', endWithUs)
  const code = await new Promise(resolve => child.once('close', resolve))
  process.off('exit', endWithUs)
  const [told, log] = [readFileSync(out, 'utf8'), readFileSync(err, 'utf8')]
  if (code !== 0) throw new Error(`the catalogue could not be rebuilt: ${told.slice(-1000)} ${log.slice(-1000)}`)
  const document = told.split('\n').find(line => line.includes('"attested"'))
  if (document === undefined) throw new Error(`it was not told what was rebuilt: ${told.slice(-1000)}`)
  return JSON.parse(document)
}

function layOut(place: LibrarianPlace): { readonly secret: string; readonly settings: string } {
  const { home, data, second } = place
  const [secret, settings] = [join(home, 'password'), join(home, 'arriero.yaml')]
  const directories = [
    home,
    join(data, 'files'),
    join(data, 'staging'),
    ...(second ? [second.root, second.staging] : []),
  ]
  for (const directory of directories) mkdirSync(directory, { recursive: true })
  if (!existsSync(secret)) writeFileSync(secret, password, { mode: 0o600 })
  writeFileSync(settings, JSON.stringify(settingsOf(place)), { mode: 0o600 })
  return { secret, settings }
}

function settingsOf({ data, catalogue, second, settings }: LibrarianPlace) {
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
      ...(second
        ? [
            {
              store_name: second.name,
              store_type: 'local',
              ingestable: false,
              store_data: { store_path: second.root, staging_path: second.staging, reserve: 0 },
              transfer_manager_data: { local: { available: true, hostnames: [hostname()] } },
            },
          ]
        : []),
    ],
    ...settings,
  }
}

function run(
  home: string,
  [stdout, stderr]: readonly [string, string],
  prefix: readonly string[],
  args: readonly string[],
) {
  const [out, err] = [openSync(stdout, 'w'), openSync(stderr, 'w')]
  try {
    const [file, ...rest] = [...prefix, nodePath, programPath, 'serve', '--json', ...args]
    return spawn(file!, rest, {
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
