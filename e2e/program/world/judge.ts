/** What three librarians keep and know of each other, looked at from outside: their stores by hand, their catalogues by plain SQL. */
import { join } from 'node:path'
import { type Acknowledged, checkInvariants, type Seen } from '../../../packages/librarian/test/check-invariants.ts'
import { seeLibrarian, withQueries } from '../outages/see-librarian.ts'
import { type SiteName, siteNames, type World } from './world.ts'

/** Which librarians a site must know to keep every file, beside itself. */
const known: Readonly<Record<SiteName, readonly SiteName[]>> = {
  peru: ['chile', 'brazil'],
  chile: ['brazil'],
  brazil: [],
}

interface SiteSeen {
  readonly seen: Seen
  /** Transfers that have not ended, as text. */
  readonly open: readonly string[]
  readonly remotes: readonly { readonly file: string; readonly librarian: string }[]
}

/** Every promise that is broken now; empty: all hold. */
export async function judgeWorld(world: World, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const all = new Map<SiteName, SiteSeen>()
  for (const name of siteNames) all.set(name, await seeSite(world, name))
  return [...all].flatMap(([name, { seen, open, remotes }]) =>
    [
      ...checkInvariants(seen, acknowledged),
      ...notInvented(seen, acknowledged),
      ...open.map(text => `${text} has not ended`),
      ...left(seen),
      ...remotes.flatMap(({ file, librarian }) => (keeps(all, librarian, file) ? [] : [`${librarian} has no ${file}`])),
      ...known[name].flatMap(librarian =>
        acknowledged
          .filter(({ name: file }) => !remotes.some(row => row.file === file && row.librarian === librarian))
          .map(({ name: file }) => `it is not known that ${librarian} has ${file}`),
      ),
    ].map(text => `${name}: ${text}`),
  )
}

async function seeSite(world: World, name: SiteName): Promise<SiteSeen> {
  const catalogue = world.at(name, 'catalogue.db')
  const roots = { name: 'files', root: world.at(name, 'files'), staging: world.at(name, 'staging') }
  const seen = await seeLibrarian(catalogue, [roots])
  return await withQueries(catalogue, async query => {
    const open = (await query(
      `SELECT 'the incoming transfer ' || id || ' of ' || store_path || ' from ' || source || ' (' || status || ')' AS text
       FROM incoming_transfer WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
       UNION ALL SELECT 'the outgoing transfer ' || id || ' of ' || file_name || ' (' || status || ')'
       FROM outgoing_transfer WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
       UNION ALL SELECT 'the batch ' || id || ' in the queue' FROM send_item WHERE completed = 0 AND failed = 0
       UNION ALL SELECT 'the message ' || id FROM message`,
    )) as { text: string }[]
    const remotes = await query(
      'SELECT file_name AS file, peer.name AS librarian FROM remote_instance JOIN peer ON peer.id = librarian_id',
    )
    return { seen, open: open.map(({ text }) => text), remotes: remotes as SiteSeen['remotes'] }
  })
}

/** A file that nobody has uploaded to its end may be there, whole: whoever uploaded it was killed before it was told. */
function notInvented({ files }: Seen, acknowledged: readonly Acknowledged[]): string[] {
  const names = new Set(acknowledged.map(({ name }) => name))
  return files.flatMap(({ name }) => (names.has(name) ? [] : [`${name} has a row, and nobody has sent it`]))
}

/** More than `checkInvariants` asks for: now that everything has ended, nothing private is left of anything. */
function left({ stores }: Seen): string[] {
  return stores.flatMap(({ stagings, works, spools = [] }) => [
    ...stagings.map(path => `${join('staging', path)} is left`),
    ...works.map(path => `${join('.arriero', 'work', path)} is left`),
    // What begins with a dot has no other name: what processes knew of their spools, kept for a week.
    ...spools.filter(path => path !== '').map(path => `${join('.arriero', 'spool', path)} is left`),
  ])
}

function keeps(all: ReadonlyMap<SiteName, SiteSeen>, librarian: string, file: string): boolean {
  const { instances = [] } = all.get(librarian as SiteName)?.seen ?? {}
  return instances.some(copy => copy.file_name === file && copy.available === 1)
}
