/** Librarians that know each other, as whole processes, and a person at each of them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { arriero, type Outcome, type RunningProgram, startArriero } from '../program.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

/** Whoever types commands in a folder, with an administrator's login at each librarian. */
export interface Person {
  at(...names: string[]): string
  run(args: readonly string[]): Promise<Outcome>
  start(args: readonly string[]): RunningProgram
  /** @throws where the exit code is not 0 */
  good(args: readonly string[]): Promise<Outcome>
}

export interface Sites extends Person, AsyncDisposable {
  readonly folder: string
  readonly peru: RunningLibrarian
  readonly chile: RunningLibrarian
  /** Made below `night/` of the folder and uploaded to Peru as `night/…`. */
  upload(files: Readonly<Record<string, string>>): Promise<void>
}

const key = Buffer.alloc(32, 3).toString('base64').replaceAll('+', '-').replaceAll('/', '_')

/** Of a librarian that knows others. */
export const siteSettings = (name: string) => ({ name, encryption_key: key, backups: { every: null } })

export interface SitesOptions {
  /** Whether each knows where the other one is, and both know the other’s key otherwise. Default: true. */
  readonly isConnected?: boolean
  readonly chile?: { readonly hostnames?: readonly string[]; readonly settings?: Readonly<Record<string, unknown>> }
}

export async function openSites({ isConnected = true, chile: more = {} }: SitesOptions = {}): Promise<Sites> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-sites-'))
  const person = await openPerson(folder)
  const { at, good } = person
  const peru = await startLibrarian(at('peru'), { settings: siteSettings('peru') })
  const chile = await startLibrarian(at('chile'), {
    ...more,
    settings: { ...siteSettings('chile'), ...more.settings },
  })
  const sites: Sites = {
    ...person,
    folder,
    peru,
    chile,
    async upload(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(at('night', name)), { recursive: true })
        await writeFile(at('night', name), content)
      }
      await good(['upload', '--each', '--librarian', 'peru', 'night', '.'])
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([peru.stop(), chile.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    await logIn(person, { peru, chile })
    await acquaint(person, { peru }, { chile }, isConnected)
    return sites
  } catch (error) {
    await sites[Symbol.asyncDispose]()
    throw error
  }
}

export async function openPerson(folder: string): Promise<Person> {
  const at = (...names: string[]) => join(folder, ...names)
  await mkdir(at('home'))
  const env = { HOME: at('home'), XDG_STATE_HOME: at('state'), HL_CLIENT_CONFIG: undefined }
  const options = { cwd: folder, env, timeoutMs: 180_000 }
  return {
    at,
    run: args => arriero(args, options),
    start: args => startArriero(args, options),
    async good(args) {
      const outcome = await arriero(args, options)
      expect(outcome.code, `${args.join(' ')}\n${outcome.stderr}${outcome.stdout}`).toBe(0)
      return outcome
    },
  }
}

/** Librarians by their names. */
type Named = Readonly<Record<string, RunningLibrarian>>

export async function logIn({ good }: Person, librarians: Named): Promise<void> {
  for (const [name, site] of Object.entries(librarians)) {
    await good(['login', name, site.url, '--user', 'admin', '--password-file', site.passwordFile])
  }
}

/** Each has an account at the other one, under its own name (librarian 5.5). What is sent goes from the first to the second. */
export async function acquaint(
  { good, at }: Person,
  upstream: Named,
  downstream: Named,
  isConnected: boolean,
): Promise<void> {
  const [[above, { url: urlAbove }], [below, { url: urlBelow }]] = [upstream, downstream].map(
    each => Object.entries(each)[0]!,
  ) as [[string, RunningLibrarian], [string, RunningLibrarian]]
  await writeFile(at('peer-password'), 'peer-password\n', { mode: 0o600 })
  const password = ['--password-file', at('peer-password')]
  await good(['users', 'add', below, '--level', 'CALLBACK', ...password, '--librarian', above])
  await good(['users', 'add', above, '--level', 'READAPPEND', ...password, '--librarian', below])
  const nowhere = 'http://127.0.0.1:1'
  const add = ['librarians', 'add', '--no-check', ...password]
  await good([...add, below, isConnected ? urlBelow : nowhere, '--user', above, '--librarian', above])
  await good([...add, above, isConnected ? urlAbove : nowhere, '--user', below, '--librarian', below])
  if (isConnected) return
  for (const [here, there] of [
    [above, below],
    [below, above],
  ] as const) {
    const { stdout } = await good(['sneakernet', 'key', '--librarian', there])
    await good(['sneakernet', 'trust', there, stdout.trim(), '--librarian', here])
  }
}
