/**
 * A whole librarian as its users meet it: settings, catalogue and store on a disk, a real socket. Cases of the attack matrix
 * (reliability 6) ask it over the wire, and look at what it holds before and after.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type Dirent, mkdtempSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Level, levelNames } from '@arriero/api'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { createPasswords } from '../../src/auth/passwords.ts'
import { loadSettings } from '../../src/config.ts'
import { createLog } from '../../src/log/create-log.ts'
import { type Librarian, openLibrarian } from '../../src/open-librarian.ts'
import { makeDataDirectory } from '../../src/setup/data-directory.ts'
import { basic, passwordOf } from '../house.ts'
import { type RawAnswer, rawHttp } from '../raw-http.ts'

export interface Site extends AsyncDisposable {
  /** All of it: settings, key, catalogue, `files`, `staging`. */
  readonly directory: string
  readonly url: string
  readonly port: number
  readonly librarian: Librarian
  /** Lines of the log, at its most talkative. */
  readonly logged: readonly string[]
  /** Posts as a user; an empty one sends no credentials. A text body is sent as it is. */
  post(path: string, body: unknown, options?: PostOptions): Promise<Answer>
  /** Any other request. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** Text on a connection of its own. */
  raw(...pieces: string[]): Promise<RawAnswer>
  /** Rows of the catalogue, read beside the server. */
  rows(sql: string): Record<string, unknown>[]
  /** What nobody may change without saying so: rows, names and bytes. */
  holdings(): Promise<string>
  /** Announces an upload as a user. */
  stage(name: string, content: string, options?: StageOptions): Promise<Answer>
  commit(staged: Answer, as?: string, changes?: object): Promise<Answer>
  /** Announces, copies and commits. */
  keep(name: string, content: string, as?: string): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
  readonly headers: Headers
}

export interface PostOptions {
  /** Default `admin`. */
  readonly as?: string
  /** Default: that of `as`. */
  readonly password?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface CallOptions extends PostOptions {
  readonly body?: string | Buffer
}

export interface StageOptions {
  /** Default `readappend`. */
  readonly as?: string
  /** In the request, instead of what is right. */
  readonly changes?: Readonly<Record<string, unknown>>
}

export interface SiteOptions {
  /** Keys as in the settings' file. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Of its store, added to where it is. */
  readonly storeData?: Readonly<Record<string, unknown>>
  /** Passwords cost what they cost outside of tests. */
  readonly isDear?: boolean
}

/** Most tests are not about the work that a password costs. */
const cheap = createPasswords({ random: randomBytes, cost: { memoryCost: 8, timeCost: 1, parallelism: 1 } })

/** Users are the levels in lower case, and `other`, who may do what `readappend` may; passwords are `secret of <name>`. */
export async function openSite({
  settings: overrides = {},
  storeData = {},
  isDear = false,
}: SiteOptions = {}): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), 'librarian-attacked-'))
  const { settingsPath } = makeDataDirectory(directory, { random: randomBytes, port: 0 })
  const settings = loadSettings({
    env: {},
    path: settingsPath,
    overrides: { ...overrides, ...storeOf(directory, storeData) },
  })
  const logged: string[] = []
  const log = createLog({ level: 'debug', write: line => logged.push(line), name: 'attacked' })
  const librarian = await openLibrarian({ settings, log, graceMs: 500, ...(isDear ? {} : { passwords: cheap }) })
  for (const level of levelNames) await addUser(librarian, level.toLowerCase(), level)
  await addUser(librarian, 'other', 'READAPPEND')
  const { url, port } = (await librarian.start())!
  const catalogue = new Database(join(directory, 'catalogue.db'), { readonly: true })
  const call: Site['call'] = async (method, path, { as = 'admin', password = passwordOf(as), headers, body } = {}) => {
    const authorization: Record<string, string> = as === '' ? {} : { authorization: basic(as, password) }
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { ...authorization, ...headers },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, text, body: parsed(text), headers: answer.headers }
  }
  const post: Site['post'] = (path, body, { headers, ...options } = {}) =>
    call('POST', `/api/v2/${path}`, {
      ...options,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const rows = (sql: string) => catalogue.prepare(sql).all() as Record<string, unknown>[]
  return {
    directory,
    url,
    port,
    librarian,
    logged,
    call,
    post,
    raw: (...pieces) => rawHttp(port, pieces),
    rows,
    async holdings() {
      await cleaned(rows, join(directory, 'staging'))
      return await settled(async () => JSON.stringify([tablesOf(rows), await placesOf(directory)], null, 1))
    },
    ...uploadsOf(post),
    async [Symbol.asyncDispose]() {
      catalogue.close()
      await librarian.stop()
      await rm(directory, { recursive: true })
    },
  }
}

/** Instead of the store of a first start, where it shall be another one. */
function storeOf(directory: string, data: Readonly<Record<string, unknown>>): object {
  if (Object.keys(data).length === 0) return {}
  const places = { store_path: join(directory, 'files'), staging_path: join(directory, 'staging'), reserve: 0 }
  const transfer_manager_data = { local: { available: true, hostnames: ['here'] } }
  const store = { store_name: 'files', store_type: 'local', ingestable: true, transfer_manager_data }
  return { add_stores: [{ ...store, store_data: { ...places, ...data } }] }
}

export async function addUser({ catalogue }: Librarian, username: string, level: Level): Promise<void> {
  const authToken = await cheap.hash(passwordOf(username))
  await catalogue.accounts.create({ username, authToken, level })
}

function uploadsOf(post: Site['post']): Pick<Site, 'stage' | 'commit' | 'keep'> {
  const stage: Site['stage'] = (name, content, { as = 'readappend', changes = {} } = {}) =>
    post('upload/stage', { ...announcementOf(name, content, as), ...changes }, { as })
  const commit: Site['commit'] = ({ body }, as = 'readappend', changes = {}) =>
    post(
      'upload/commit',
      {
        ...body,
        transfer_provider_name: 'local',
        transfer_provider: { hostnames: ['here'] },
        meta_mode: 'infer',
        deletion_policy: '0',
        uploader: as,
        null_obsid: true,
        ...changes,
      },
      { as },
    )
  return {
    stage,
    commit,
    async keep(name, content, as = 'readappend') {
      const staged = await stage(name, content, { as })
      if (staged.status !== 201) return staged
      await put(staged.body.staging_location, content)
      return commit(staged, as)
    },
  }
}

export function announcementOf(name: string, content: string, uploader = 'readappend') {
  return {
    upload_size: Buffer.byteLength(content),
    upload_checksum: md5(content),
    upload_name: name.slice(name.lastIndexOf('/') + 1),
    destination_location: name,
    uploader,
  }
}

export function md5(content: string): string {
  return `md5:::${createHash('md5').update(content).digest('hex')}`
}

/** As an uploader's copy puts it there. */
export async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

/** What a commit leaves in the staging area goes after its answer: until then nothing there can be compared. */
async function cleaned(rows: Site['rows'], staging: string): Promise<void> {
  const kept = "SELECT staging_path AS id FROM incoming_transfer WHERE status = 'COMPLETED'"
  await expect
    .poll(
      async () => {
        const there = new Set(await readdir(staging))
        return rows(kept).filter(({ id }) => there.has(String(id)))
      },
      { timeout: 10_000 },
    )
    .toEqual([])
}

/** Twice the same: what an earlier call has left to be cleaned up is gone by then. */
async function settled(look: () => Promise<string>): Promise<string> {
  const deadline = Date.now() + 10_000
  // A name that goes away while it is looked at is a change like any other.
  const now = () => look().catch(error => String(error))
  for (let last = await now(); ; ) {
    await delay(10)
    const next = await now()
    if (next === last) return next
    if (Date.now() > deadline) throw new Error('The librarian does not come to rest')
    last = next
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Not what a refused call may well add to: audit, errors, kept answers; nor what work in the background moves. */
const tables = [
  'account',
  'corrupt_file',
  'file',
  'incoming_transfer',
  'instance',
  'intent',
  'job',
  'job_item',
  'outgoing_transfer',
  'peer',
  'proof',
  'remote_instance',
  'store',
  'trash',
  'tree',
]

function tablesOf(rows: Site['rows']): object {
  return Object.fromEntries(tables.map(table => [table, rows(`SELECT * FROM ${table} ORDER BY 1`)]))
}

/** Every name in the store and the staging area, with what is there. Names are bytes. */
async function placesOf(directory: string): Promise<string[]> {
  const places = await Promise.all(['files', 'staging'].map(place => entriesBelow(Buffer.from(join(directory, place)))))
  return places.flat().sort()
}

async function entriesBelow(directory: Buffer): Promise<string[]> {
  const entries = (await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) as unknown as Dirent<Buffer>[]
  const described = entries.map(async entry => {
    const path = Buffer.concat([directory, Buffer.from('/'), entry.name])
    const told = path.toString('latin1')
    if (entry.isDirectory()) return [told, ...(await entriesBelow(path))]
    if (entry.isSymbolicLink()) return [`${told} -> ${readlinkSync(path)}`]
    return [entry.isFile() ? `${told} ${createHash('sha256').update(readFileSync(path)).digest('hex')}` : told]
  })
  return (await Promise.all(described)).flat()
}
