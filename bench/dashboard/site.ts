/** A real librarian whose catalogue has a long history, beside a database of each kind. */
import { execFileSync } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres } from '../../packages/librarian/test/postgres.ts'
import { encryptionKey } from '../librarian/clone.ts'
import { type Served, serve } from '../librarian/serve.ts'

export const engines = ['sqlite', 'postgres'] as const

export type Engine = (typeof engines)[number]

export interface Site {
  readonly engine: Engine
  /** Files in its catalogue. */
  readonly rows: number
  readonly served: Served
}

/** The whole catalogue is checked at the start. */
const PATIENCE_MS = 600_000

/** Of each engine a site, one after the other, for as long as `use` takes. One that cannot run here is left out. */
export async function withSite(
  { engine, rows, directory }: { engine: Engine; rows: number; directory: string },
  use: (site: Site) => Promise<void>,
): Promise<void> {
  const home = join(directory, engine)
  await mkdir(home)
  const postgres = engine === 'postgres' ? await startPostgres() : undefined
  if (engine === 'postgres' && !postgres) return
  try {
    const catalogue = await postgres?.createDatabase()
    const background = { send_clone: [0, 1].map(sendTo) }
    const begin = () => serve(home, { catalogue, encryptionKey, background, patienceMs: PATIENCE_MS })
    {
      await using served = await begin()
      for (const peer of [0, 1]) await addPeer(served, peer)
    }
    // In a process of its own: what filling takes is not the server's.
    const seed = new URL('./seed.ts', import.meta.url).pathname
    execFileSync(process.execPath, [seed, catalogue ?? join(home, 'catalogue.db'), String(rows)], { stdio: 'inherit' })
    await using served = await begin()
    await use({ engine, rows, served })
  } finally {
    await postgres?.end()
    await rm(home, { recursive: true, force: true })
  }
}

/** Nobody listens there: sites that do not answer. */
async function addPeer({ librarian }: Served, peer: number): Promise<void> {
  const { success } = await librarian.admin.librariansAdd({
    librarian_name: `peer-${peer}`,
    url: 'http://127.0.0.1',
    port: 9 + peer,
    authenticator: 'bench:bench-password',
    check_connection: false,
  })
  if (!success) throw new Error(`peer-${peer} could not be added`)
}

/** What each lacks is counted, of all files. */
function sendTo(peer: number) {
  return { task_name: `to ${peer}`, every: '24:00:00', destination_librarian: `peer-${peer}`, age_in_days: 10_000 }
}
