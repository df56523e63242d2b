/** Two librarians that know each other, as whole processes, and a person at each of them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { arriero, type Outcome, type RunningProgram, startArriero } from '../program.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

export interface Sites extends AsyncDisposable {
  readonly folder: string
  readonly peru: RunningLibrarian
  readonly chile: RunningLibrarian
  at(...names: string[]): string
  /** Made below `night/` of the folder and uploaded to Peru as `night/…`. */
  upload(files: Readonly<Record<string, string>>): Promise<void>
  run(args: readonly string[]): Promise<Outcome>
  start(args: readonly string[]): RunningProgram
  /** @throws where the exit code is not 0 */
  good(args: readonly string[]): Promise<Outcome>
}

const key = Buffer.alloc(32, 3).toString('base64').replaceAll('+', '-').replaceAll('/', '_')

export interface SitesOptions {
  /** Whether each knows where the other one is, and both know the other’s key otherwise. Default: true. */
  readonly isConnected?: boolean
  readonly chile?: { readonly hostnames?: readonly string[]; readonly settings?: Readonly<Record<string, unknown>> }
}

export async function openSites({ isConnected = true, chile: more = {} }: SitesOptions = {}): Promise<Sites> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-sites-'))
  const at = (...names: string[]) => join(folder, ...names)
  await mkdir(at('home'))
  const settings = (name: string) => ({ name, encryption_key: key, backups: { every: null } })
  const peru = await startLibrarian(at('peru'), { settings: settings('peru') })
  const chile = await startLibrarian(at('chile'), {
    ...more,
    settings: { ...settings('chile'), ...more.settings },
  })
  const env = { HOME: at('home'), XDG_STATE_HOME: at('state'), HL_CLIENT_CONFIG: undefined }
  const options = { cwd: folder, env, timeoutMs: 180_000 }
  const sites: Sites = {
    folder,
    peru,
    chile,
    at,
    run: args => arriero(args, options),
    start: args => startArriero(args, options),
    async good(args) {
      const outcome = await arriero(args, options)
      expect(outcome.code, `${args.join(' ')}\n${outcome.stderr}${outcome.stdout}`).toBe(0)
      return outcome
    },
    async upload(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(at('night', name)), { recursive: true })
        await writeFile(at('night', name), content)
      }
      await sites.good(['upload', '--each', '--librarian', 'peru', 'night', '.'])
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([peru.stop(), chile.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    await acquaint(sites, isConnected)
    return sites
  } catch (error) {
    await sites[Symbol.asyncDispose]()
    throw error
  }
}

/** Each has an account at the other one, under its own name (librarian 5.5). */
async function acquaint({ good, peru, chile, at }: Sites, isConnected: boolean): Promise<void> {
  await writeFile(at('peer-password'), 'peer-password\n', { mode: 0o600 })
  for (const [name, site] of Object.entries({ peru, chile })) {
    await good(['login', name, site.url, '--user', 'admin', '--password-file', site.passwordFile])
  }
  const password = ['--password-file', at('peer-password')]
  await good(['users', 'add', 'chile', '--level', 'CALLBACK', ...password, '--librarian', 'peru'])
  await good(['users', 'add', 'peru', '--level', 'READAPPEND', ...password, '--librarian', 'chile'])
  const nowhere = 'http://127.0.0.1:1'
  const add = ['librarians', 'add', '--no-check', ...password]
  await good([...add, 'chile', isConnected ? chile.url : nowhere, '--user', 'peru', '--librarian', 'peru'])
  await good([...add, 'peru', isConnected ? peru.url : nowhere, '--user', 'chile', '--librarian', 'chile'])
  if (isConnected) return
  for (const [here, there] of [
    ['peru', 'chile'],
    ['chile', 'peru'],
  ] as const) {
    const { stdout } = await good(['sneakernet', 'key', '--librarian', there])
    await good(['sneakernet', 'trust', there, stdout.trim(), '--librarian', here])
  }
}
