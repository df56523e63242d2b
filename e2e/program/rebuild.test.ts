/**
 * `arriero serve --rebuild` of a real librarian: it is killed, its catalogue is thrown away, and what is made of the stores alone
 * is row by row what was there; it goes on, and the same is done again (reliability G1).
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { startPostgres } from '../../packages/librarian/test/postgres.ts'
import { arriero, type Outcome } from '../program.ts'
import { withQueries } from './outages/see-librarian.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

/** Copies that are lost together count once: a deletion needs a second device. */
const otherDevice = '/dev/shm'

const server = await startPostgres()
afterAll(() => server?.end(), 60_000)

describe.skipIf(!existsSync(otherDevice))('arriero serve --rebuild', () => {
  test('on SQLite', () => drill(async (folder, round) => `sqlite:${join(folder, `catalogue-${round}.db`)}`), 300_000)
  test.skipIf(!server)('on PostgreSQL', () => drill(() => server!.createDatabase()), 300_000)
})

type NewCatalogue = (folder: string, round: number) => Promise<string>

async function drill(newCatalogue: NewCatalogue): Promise<void> {
  await using place = await Place.make(newCatalogue)
  for (const name of ['night/a', 'night/b', 'night/c']) await place.upload(name)
  await place.uploadTree('run/1', { 'x.txt': '1', 'sub/y.txt': '2', 'sub/z.txt': '3' })
  await place.uploadTree('run/2', { 'x.txt': '4' })
  await place.throwAway()
  // A second copy of some, which no trail knows: it is proven by what the first store's has.
  for (const name of ['night/a', 'night/b', 'run/1'])
    await cp(place.fileOf('one', name), place.fileOf('two', name), { recursive: true })
  expect(await place.rebuild()).toEqual({ attested: 8, unattested: 0, problems: [] })

  await place.start()
  await place.trash('night/a')
  await place.trash('run/1')
  await place.restore('run/1')
  await place.trash('night/b')
  await place.restore('night/b')
  await place.trash('night/b')
  await place.restore('night/b')
  const d = await place.upload('night/d')
  const before = await place.throwAway()
  expect(before.files).toHaveLength(6)
  expect(before.copies.map(({ file_name, store }) => `${file_name} ${store}`)).not.toContain('night/a one')
  expect(await place.rebuild()).toEqual({ attested: 8, unattested: 0, problems: [] })
  expect(await place.rows()).toEqual(before)

  await place.start()
  expect(await place.contentOf('night/d')).toEqual(d)
  await place.upload('night/e')
  await place.trash('run/1')
  await place.trash('night/b')
  await place.restore('night/b')
  const later = await place.throwAway()
  expect(later.copies).toHaveLength(8)
  expect(await place.rebuild()).toEqual({ attested: 8, unattested: 0, problems: [] })
  expect(await place.rows()).toEqual(later)
}

interface Rows {
  readonly files: readonly Readonly<Record<string, unknown>>[]
  readonly trees: readonly Readonly<Record<string, unknown>>[]
  readonly copies: readonly { readonly file_name: string; readonly store: string; readonly id?: number }[]
}

class Place implements AsyncDisposable {
  readonly #folder: string
  readonly #other: string
  readonly #newCatalogue: NewCatalogue
  #catalogue: string
  #rounds = 0
  #site: RunningLibrarian | undefined

  constructor(folder: string, other: string, newCatalogue: NewCatalogue, catalogue: string) {
    this.#folder = folder
    this.#other = other
    this.#newCatalogue = newCatalogue
    this.#catalogue = catalogue
  }

  static async make(newCatalogue: NewCatalogue): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), 'arriero-rebuild-'))
    const other = await mkdtemp(join(otherDevice, 'arriero-rebuild-'))
    await mkdir(join(folder, 'home'))
    const place = new Place(folder, other, newCatalogue, await newCatalogue(folder, 0))
    const stores = [place.#store('one', true), place.#store('two', false)]
    for (const { store_data } of stores)
      for (const path of [store_data.store_path, store_data.staging_path]) await mkdir(path)
    const settings = {
      catalogue: place.#catalogue,
      add_stores: stores,
      deletion: { proofs: 1 },
      backups: { every: null },
    }
    place.#site = await startLibrarian(join(folder, 'site'), { settings })
    const { url, passwordFile } = place.#site
    await place.#good(['login', 'here', url, '--user', 'admin', '--password-file', passwordFile])
    return place
  }

  fileOf(store: 'one' | 'two', name: string): string {
    return join(this.#rootOf(store), name)
  }

  async upload(name: string): Promise<Buffer> {
    const bytes = randomBytes(50_000)
    await writeFile(join(this.#folder, 'f'), bytes)
    await this.#good(['upload', 'f', name])
    return bytes
  }

  async uploadTree(name: string, members: Readonly<Record<string, string>>): Promise<void> {
    const top = join(this.#folder, 'tree')
    await rm(top, { recursive: true, force: true })
    for (const [path, text] of Object.entries(members)) {
      await mkdir(join(top, path, '..'), { recursive: true })
      await writeFile(join(top, path), text)
    }
    await this.#good(['upload', 'tree', name])
  }

  async contentOf(name: string): Promise<Buffer> {
    await rm(join(this.#folder, 'back'), { recursive: true, force: true })
    await this.#good(['download', name, '-d', 'back'])
    return await readFile(join(this.#folder, 'back', name.split('/').at(-1)!))
  }

  /** The copy on the first store, as an administrator would: looked at first. */
  async trash(name: string): Promise<void> {
    const asked = ['delete', name, '--store', 'one']
    const plan = await this.#good([...asked, '--dry-run', '--json'])
    expect(JSON.parse(plan.stdout)).toMatchObject({
      ok: true,
      copies_needed: 1,
      evidence: [{ store: 'two', state: 'ok' }],
    })
    await this.#good([...asked, '--reason', 'the drill'])
  }

  async restore(name: string): Promise<void> {
    const { trash } = await this.#post('admin/trash/list', {})
    const row = (trash as { trash_id: string; file_name: string }[]).find(({ file_name }) => file_name === name)
    await this.#post('admin/trash/restore', { trash_id: row!.trash_id })
  }

  /** A kill, and nothing is left of the catalogue but what this tells. */
  async throwAway(): Promise<Rows> {
    await this.#site!.kill()
    const rows = await this.rows()
    for (const name of await readdir(this.#folder)) if (name.startsWith('catalogue')) await rm(join(this.#folder, name))
    this.#catalogue = await this.#newCatalogue(this.#folder, ++this.#rounds)
    const settings = JSON.parse(await readFile(this.#config, 'utf8'))
    await writeFile(this.#config, JSON.stringify({ ...settings, catalogue: this.#catalogue }))
    return rows
  }

  async rebuild(): Promise<unknown> {
    const password = ['--admin-password-file', this.#site!.passwordFile]
    const { stdout } = await this.#good(['serve', '--config', this.#config, '--rebuild', '--json', ...password])
    const { attested, unattested, problems } = JSON.parse(stdout.split('\n')[0]!)
    return { attested, unattested, problems }
  }

  async start(): Promise<void> {
    await this.#site!.start()
  }

  /** All that a rebuild must bring back: numbers, and when a row was made or its bytes read, are not of them. */
  async rows(): Promise<Rows> {
    const { files, trees, copies } = await this.#query()
    return { files, trees, copies: copies.map(({ id: _, ...copy }) => copy) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site?.stop()
    for (const path of [this.#folder, this.#other]) await rm(path, { recursive: true, force: true })
  }

  async #query(): Promise<Rows> {
    return await withQueries(this.#catalogue.replace(/^sqlite:/, ''), async query => ({
      files: (await query('SELECT * FROM file ORDER BY name')) as Rows['files'],
      trees: (await query('SELECT * FROM tree ORDER BY file_name')) as Rows['trees'],
      copies: (await query(
        `SELECT instance.id, path, file_name, store.name AS store, deletion_policy, available
         FROM instance JOIN store ON store.id = store_id ORDER BY file_name, store.name`,
      )) as Rows['copies'],
    }))
  }

  async #post(path: string, body: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#site!.url}/api/v2/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from('admin:admin-password').toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    })
    const answer = (await response.json()) as Record<string, unknown>
    expect(response.status, `${path} ${JSON.stringify(answer)}`).toBe(200)
    return answer
  }

  async #good(args: readonly string[]): Promise<Outcome> {
    const home = { HOME: join(this.#folder, 'home'), XDG_STATE_HOME: join(this.#folder, 'state') }
    const env = { ...home, HL_CLIENT_CONFIG: undefined }
    const outcome = await arriero(args, { cwd: this.#folder, env, timeoutMs: 120_000 })
    expect(outcome.code, `${args.join(' ')}\n${outcome.stderr}${outcome.stdout}`).toBe(0)
    return outcome
  }

  get #config(): string {
    return join(this.#folder, 'site', 'settings.json')
  }

  #rootOf(store: 'one' | 'two'): string {
    return join(store === 'one' ? this.#folder : this.#other, store)
  }

  #store(name: 'one' | 'two', ingestable: boolean) {
    const store_path = this.#rootOf(name)
    return {
      store_name: name,
      store_type: 'local',
      ingestable,
      store_data: { store_path, staging_path: `${store_path}-staging`, reserve: 0 },
      transfer_manager_data: { local: { available: true, hostnames: [] } },
    }
  }
}
