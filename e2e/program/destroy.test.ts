/** `arriero destroy` as two administrators use it: the program, and a server with a real catalogue and store (reliability B8). */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arriero, type Outcome } from '../program.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

let folder!: string
let site: RunningLibrarian | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-destroy-'))
  await mkdir(join(folder, 'home'))
})
afterEach(async () => {
  await site?.stop()
  await rm(folder, { recursive: true, force: true })
})

const at = (...names: string[]) => join(folder, ...names)

function run(...args: string[]): Promise<Outcome> {
  const env = { HOME: at('home'), XDG_STATE_HOME: at('state'), HL_CLIENT_CONFIG: undefined }
  return arriero(args, { cwd: folder, env, timeoutMs: 120_000 })
}

async function good(...args: string[]): Promise<Outcome> {
  const outcome = await run(...args)
  expect(outcome.code, `${args.join(' ')}\n${outcome.stderr}${outcome.stdout}`).toBe(0)
  return outcome
}

const rowsOf = ({ stdout }: Outcome) =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

/** Their second administrator is made on the machine itself, and known as the librarian `ben`; the first one as `ada`. */
async function startWithTwo(): Promise<void> {
  site = await startLibrarian(at('one'))
  await site.stop()
  await writeFile(at('secret'), 'password of ben\n', { mode: 0o600 })
  const made = ['--reset-admin', '--admin', 'ben', '--admin-password-file', at('secret')]
  await good('serve', '--data', at('one', 'data'), '--replay', ...made)
  await site.start()
  await good('login', 'ada', site.url, '--user', 'admin', '--password-file', site.passwordFile)
  await good('login', 'ben', site.url, '--user', 'ben', '--password-file', at('secret'))
}

test('one proposes, another confirms with the name, the only copy goes, and comes back', async () => {
  await startWithTwo()
  await writeFile(at('f'), 'content')
  await good('upload', 'f', 'a/f', '--librarian', 'ada')
  const isThere = () => existsSync(at('one', 'data', 'files', 'a', 'f'))
  const reason = ['--reason', 'wrong']

  expect((await run('destroy', 'propose', 'a/none', ...reason, '--librarian', 'ada')).code).toBe(4)
  const [proposal] = rowsOf(await good('destroy', 'propose', 'a/f', ...reason, '--json', '--librarian', 'ada'))
  const { destruction_id: id } = proposal
  expect((await good('destroy', '--librarian', 'ben')).stdout).toContain(id)

  const alone = await run('destroy', 'confirm', id, 'a/f', '--librarian', 'ada')
  expect([alone.code === 0, alone.stderr]).toEqual([false, expect.stringContaining('two administrators must agree')])
  const mistyped = await run('destroy', 'confirm', id, 'a/g', '--librarian', 'ben')
  expect([mistyped.code === 0, isThere()]).toEqual([false, true])

  const [destroyed] = rowsOf(await good('destroy', 'confirm', id, 'a/f', '--json', '--librarian', 'ben'))
  expect(destroyed).toMatchObject({ ok: true, file_name: 'a/f', destroyed: [{ store_name: 'files' }], kept: [] })
  expect(isThere()).toBe(false)
  expect((await good('destroy', '--librarian', 'ada')).stderr).toContain('nothing is proposed')

  await good('trash', 'restore', destroyed.destroyed[0].trash_id, '--librarian', 'ada')
  expect(await readFile(at('one', 'data', 'files', 'a', 'f'), 'utf8')).toBe('content')
}, 120_000)
