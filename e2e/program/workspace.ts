import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { arriero, type Outcome, type RunningProgram, type RunOptions, startArriero } from '../program.ts'
import { startServer, type TestServer } from './server.ts'

/** A server and an empty directory for each test, and the program started in it. */
export function workspace() {
  let server!: TestServer
  let folder!: string
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'arriero-e2e-'))
    server.requests.length = 0
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  return {
    get server() {
      return server
    },
    get folder() {
      return folder
    },
    path: (...parts: string[]) => join(folder, ...parts),
    /** Runs to the end. */
    run: (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
      arriero(args, { cwd: folder, ...options }),
    start: (args: readonly string[], options: RunOptions = {}): RunningProgram =>
      startArriero(args, { cwd: folder, ...options }),
    /** Everything in the directory, hidden files included. */
    files: async () => (await readdir(folder, { recursive: true })).sort(),
  }
}
