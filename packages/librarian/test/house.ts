/** A whole librarian for tests, without a socket and without a disk: real services over the memory catalogue. */
import { randomBytes } from 'node:crypto'
import { type Level, levelNames } from '@arriero/api'
import type { FastifyInstance } from 'fastify'
import { createPasswords } from '../src/auth/passwords.ts'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { systemClock } from '../src/clock.ts'
import { loadSettings, type Settings } from '../src/config.ts'
import type { Feature } from '../src/features/feature.ts'
import { assemble } from '../src/librarian.ts'
import type { Log } from '../src/log.ts'
import type { SiteStore, Stores } from '../src/stores/stores.ts'
import { operations, type TrialCatalogue } from './trial-operations.ts'

export interface TestHouse extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly catalogue: Catalogue
  readonly settings: Settings
  readonly features: readonly Feature[]
  /** Runs SQL as it comes. */
  sql(...statements: string[]): Promise<Record<string, unknown>[]>
  /** What was logged, as text. */
  readonly logged: string[]
  /** Posts as the user of a level, whose name is the level in lower case; the password is `secret of <name>`. */
  post(path: string, body: unknown, as?: Level | string, headers?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
  readonly headers: Readonly<Record<string, unknown>>
}

export interface TestHouseOptions {
  readonly settings?: Record<string, unknown>
  readonly stores?: readonly SiteStore[]
  /** Around what the services see of the catalogue. */
  readonly wrapCatalogue?: (catalogue: Catalogue) => Catalogue
}

/** One hash for all tests of a process: each takes a tenth of a second. */
const hashes = new Map<string, Promise<string>>()
const passwords = createPasswords({ random: randomBytes })

export function passwordOf(name: string): string {
  return `secret of ${name}`
}

export function basic(name: string, password = passwordOf(name)): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

export async function openTestHouse(options: TestHouseOptions = {}): Promise<TestHouse> {
  const { settings: raw = {}, stores = [], wrapCatalogue = same => same } = options
  const settings = loadSettings({ env: {}, overrides: raw })
  const catalogue = (await openMemoryCatalogue({ registry: operations })) as TrialCatalogue
  for (const level of levelNames) await addUser(catalogue, level.toLowerCase(), level)
  const logged: string[] = []
  const house = await assemble({
    settings,
    catalogue: wrapCatalogue(catalogue),
    stores: storesOf(stores),
    clock: systemClock,
    log: collect(logged),
    random: randomBytes,
  })
  const app = await house.createApp()
  return {
    app,
    catalogue,
    settings,
    features: house.features,
    logged,
    async sql(...statements) {
      let rows: Record<string, unknown>[] = []
      for (const statement of statements) rows = await catalogue.trial.write(statement)
      return rows
    },
    async post(path, body, as = 'ADMIN', headers = {}) {
      const authorization = as === '' ? {} : { authorization: basic(as.toLowerCase()) }
      const answer = await app.inject({
        method: 'POST',
        url: `/api/v2/${path}`,
        headers: { 'content-type': 'application/json', ...authorization, ...headers },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return {
        status: answer.statusCode,
        body: answer.body === '' ? undefined : answer.json(),
        headers: answer.headers,
      }
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      for (const feature of [...house.features].reverse()) await feature.close?.()
      await catalogue.close()
    },
  }
}

export async function addUser(catalogue: Catalogue, username: string, level: Level): Promise<void> {
  const hash = hashes.get(username) ?? passwords.hash(passwordOf(username))
  hashes.set(username, hash)
  await catalogue.accounts.create({ username, authToken: await hash, level })
}

function storesOf(all: readonly SiteStore[]): Stores {
  return {
    all,
    byName: name => all.find(store => store.name === name),
    byId: id => all.find(store => store.id === id),
    async [Symbol.asyncDispose]() {},
  }
}

function collect(lines: string[]): Log {
  const write = (fields: object, message: string) => {
    const err = (fields as { err?: unknown }).err
    lines.push(`${message} ${JSON.stringify(fields)} ${err instanceof Error ? err.stack : ''}`)
  }
  return { debug: write, info: write, warn: write, error: write }
}
