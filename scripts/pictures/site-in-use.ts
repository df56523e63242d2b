/** Three real librarians that have worked for two days: Peru, where files come in, and two that it sends them to. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RunningLibrarian, startLibrarian, startSlowWay } from '../../e2e/program/serve.ts'
import { testBytes } from '../../e2e/program/server.ts'
import { arriero } from '../../e2e/program.ts'
import { connect } from '../../packages/api/src/index.ts'
import { setClock } from './clock.ts'

/** When it is in the picture. */
export const now = Date.parse('2026-10-14T09:36:00Z')
/** What came in: hours before now, and MiB. */
const nights = [
  [46, 22],
  [43, 41],
  [40, 34],
  [29, 9],
  [23, 30],
  [19, 44],
  [12, 15],
  [5, 11],
  [3, 16],
  [1, 24],
] as const

const filesPerNight = 6

const names = ['peru', 'chile', 'brazil'] as const
type Name = (typeof names)[number]

export interface SiteInUse extends AsyncDisposable {
  readonly url: string
  /** Of its administrator. */
  readonly password: string
}

const password = 'admin-password'
const often = { every: '00:00:01' }
const background = (name: Name) =>
  name === 'peru'
    ? {
        send_clone: (['chile', 'brazil'] as const).map(to => {
          return { task_name: `to ${to}`, ...often, destination_librarian: to, age_in_days: 30 }
        }),
        consume_queue: [{ task_name: 'queue', ...often }],
        check_consumed_queue: [{ task_name: 'arrivals', ...often }],
        scrub: [{ task_name: 'scrub', at: '0 22 * * *', store_name: 'files', period: 'P30D' }],
      }
    : { receive_clone: [{ task_name: 'receive', ...often, deletion_policy: 0 }] }

export async function openSiteInUse(): Promise<SiteInUse> {
  const world = new World(await mkdtemp(join(tmpdir(), 'arriero-picture-')))
  try {
    await world.live()
    return {
      url: world.at('peru').url,
      password,
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    }
  } catch (error) {
    await world[Symbol.asyncDispose]()
    throw error
  }
}

class World implements AsyncDisposable {
  readonly #folder: string
  readonly #open = new Map<Name, RunningLibrarian>()
  readonly #close: (() => void)[] = []

  constructor(folder: string) {
    this.#folder = folder
  }

  at(name: Name): RunningLibrarian {
    return this.#open.get(name)!
  }

  async live(): Promise<void> {
    for (const [index, [hours, mebibytes]] of nights.entries()) {
      setClock(now - hours * 3_600_000)
      await (index === 0 ? this.#begin() : this.#each(name => this.at(name).start()))
      await this.#upload(`night-${index + 1}`, mebibytes)
      const sent = 2 * filesPerNight * (index + 1)
      await this.#until('all is sent', ({ flow }) => flow.reduce((sum, hour) => sum + hour.out_files, 0) === sent)
      await this.#each(name => this.at(name).stop())
    }
    setClock(now)
    await this.#each(name => this.at(name).start())
    await this.#slowDown()
    await this.#upload('today', 48)
    await this.#until('both fetch', ({ backlog }) => backlog.every(({ files }) => files > 3))
    await this.at('brazil').stop()
    await this.#until('one of them is away', ({ backlog }) => backlog.some(({ reachable }) => reachable === false))
  }

  async #begin(): Promise<void> {
    await mkdir(join(this.#folder, 'home'))
    for (const name of names) {
      const settings = {
        name,
        displayed_site_name: name[0]!.toUpperCase() + name.slice(1),
        encryption_key: Buffer.alloc(32, 3).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
        backups: { every: null },
        background: background(name),
      }
      this.#open.set(name, await startLibrarian(join(this.#folder, name), { settings }))
    }
    await writeFile(this.#peerPassword, 'peer-password\n', { mode: 0o600 })
    // One after the other: all write the same settings.
    for (const name of names) {
      const { url, passwordFile } = this.at(name)
      await this.#run('login', name, url, '--user', 'admin', '--password-file', passwordFile)
    }
    for (const name of ['chile', 'brazil'] as const) {
      const account = ['--password-file', this.#peerPassword]
      await this.#run('users', 'add', name, '--level', 'CALLBACK', ...account, '--librarian', 'peru')
      await this.#run('users', 'add', 'peru', '--level', 'READAPPEND', ...account, '--librarian', name)
      await this.#acquaint('peru', name, this.at(name).url)
      await this.#acquaint(name, 'peru', this.at('peru').url)
    }
  }

  async #acquaint(here: Name, there: Name, url: string): Promise<void> {
    const account = ['--user', here, '--password-file', this.#peerPassword]
    await this.#run('librarians', 'add', there, url, ...account, '--librarian', here)
  }

  /** Whoever fetches from Peru does so over a line on which somebody can watch. */
  async #slowDown(): Promise<void> {
    for (const [name, rate] of [
      ['chile', 250_000],
      ['brazil', 150_000],
    ] as const) {
      const way = await startSlowWay(this.at('peru').port, rate, { slows: 'to client' })
      this.#close.push(() => way.close())
      await this.#run('librarians', 'remove', 'peru', '--librarian', name)
      await this.#acquaint(name, 'peru', `http://127.0.0.1:${way.port}`)
    }
  }

  async #upload(night: string, mebibytes: number): Promise<void> {
    const folder = join(this.#folder, night)
    await mkdir(folder)
    for (let part = 1; part <= filesPerNight; part++) {
      await writeFile(join(folder, `${part}.fits`), testBytes(Math.round((mebibytes << 20) / filesPerNight)))
    }
    await this.#run('upload', '--each', folder, night, '--librarian', 'peru')
    await rm(folder, { recursive: true })
  }

  async #until(what: string, holds: (overview: Overview) => boolean): Promise<void> {
    let seen: Overview | undefined
    for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(250)) {
      seen = await overviewOf(this.at('peru').url)
      if (holds(seen)) return
    }
    throw new Error(`Waited for two minutes until ${what}: ${JSON.stringify(seen)}`)
  }

  async #each(act: (name: Name) => Promise<void>): Promise<void> {
    await Promise.all(names.map(act))
  }

  async #run(...args: string[]): Promise<void> {
    const home = join(this.#folder, 'home')
    const env = { HOME: home, XDG_STATE_HOME: home, HL_CLIENT_CONFIG: undefined }
    const { code, stderr } = await arriero(args, { cwd: this.#folder, env })
    if (code !== 0) throw new Error(`arriero ${args.join(' ')} ended with ${code}: ${stderr}`)
  }

  get #peerPassword(): string {
    return join(this.#folder, 'peer-password')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#close) close()
    await Promise.all([...this.#open.values()].map(each => each.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function overviewOf(url: string) {
  return connect({ url, user: 'admin', password }).dashboard.overview({})
}

type Overview = Awaited<ReturnType<typeof overviewOf>>
