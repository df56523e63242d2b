/** Librarians as whole processes, for tests of what a browser shows of them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Connection, connect } from '@arriero/api'
import { type RunningLibrarian, startLibrarian } from '../../program/serve.ts'
import { acquaint, logIn, openPerson, type Person, siteSettings } from '../../program/sites.ts'
import { admin } from './tab.ts'

export interface Site extends AsyncDisposable {
  /** Who types commands; the librarian is `peru` to them. */
  readonly person: Person
  readonly peru: RunningLibrarian
  /** As an administrator's program. */
  readonly api: Connection
  /** Made in the person’s folder, below directories of their own, and uploaded to Peru under the same names. */
  upload(files: Readonly<Record<string, string | Uint8Array>>, ...options: string[]): Promise<void>
}

export interface Pair extends Site {
  readonly chile: RunningLibrarian
}

export function openSite(): Promise<Site> {
  return withFolder(async (person, open) => {
    const peru = await open('peru', { ...siteSettings('peru'), background: { scrub } })
    await logIn(person, { peru })
    return siteOf(person, peru)
  })
}

const often = { every: '00:00:01' }

// New Year is far enough.
const scrub = [{ task_name: 'scrub', at: '0 0 1 1 *', store_name: 'files', period: 'P30D' }]

const background = {
  send_clone: [{ task_name: 'to chile', ...often, destination_librarian: 'chile', age_in_days: 1000 }],
  consume_queue: [{ task_name: 'queue', ...often }],
  check_consumed_queue: [{ task_name: 'check', ...often }],
  recieve_clone: [{ task_name: 'receive', ...often, deletion_policy: 0 }],
  scrub,
}

/** Peru sends all that it has to Chile, every second; one proven copy elsewhere is enough to delete one here. */
export function openPair(): Promise<Pair> {
  return withFolder(async (person, open) => {
    const more = { background, deletion: { proofs: 1 } }
    const [peru, chile] = await Promise.all([
      open('peru', { ...siteSettings('peru'), ...more }),
      open('chile', { ...siteSettings('chile'), background: { ...background, send_clone: [] } }),
    ])
    await logIn(person, { peru, chile })
    await acquaint(person, { peru }, { chile }, true)
    return { ...siteOf(person, peru), chile }
  })
}

type Open = (name: string, settings: Readonly<Record<string, unknown>>) => Promise<RunningLibrarian>

async function withFolder<S extends object>(make: (person: Person, open: Open) => Promise<S>) {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-browser-'))
  const opened: RunningLibrarian[] = []
  const close = async () => {
    await Promise.all(opened.map(each => each.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const person = await openPerson(folder)
    const sites = await make(person, async (name, settings) => {
      const site = await startLibrarian(person.at(name), { settings })
      opened.push(site)
      return site
    })
    return { ...sites, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function siteOf(person: Person, peru: RunningLibrarian): Omit<Site, typeof Symbol.asyncDispose> {
  return {
    person,
    peru,
    api: connect({ url: peru.url, user: admin.username, password: admin.password }),
    async upload(files, ...options) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(person.at(name)), { recursive: true })
        await writeFile(person.at(name), content)
      }
      const directories = new Set(Object.keys(files).map(name => name.split('/', 1)[0]!))
      await person.good(['upload', '--each', '--librarian', 'peru', ...options, ...directories, '.'])
    },
  }
}
