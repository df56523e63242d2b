/**
 * Data flows between three librarians and on a carried disk, as whole processes, while servers and commands are killed at random
 * instants: what was acknowledged is at all three sites in the end, all of them know it, and nothing else is left. Then one
 * copy rots, is found and repaired from elsewhere, and a copy goes only when it is safe.
 *
 * `ARRIERO_SEED` repeats the instants as far as timing allows; `ARRIERO_WORLD_KILLS` is how often a server is killed.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Acknowledged } from '../../packages/librarian/test/check-invariants.ts'
import type { Outcome } from '../program.ts'
import { randomFrom } from '../run-kills.ts'
import { withQueries } from './outages/see-librarian.ts'
import { judgeWorld } from './world/judge.ts'
import { createKiller, type Killer } from './world/kills.ts'
import { uploadNight } from './world/uploads.ts'
import { openWorld, type SiteName, type World } from './world/world.ts'

const kills = Number(process.env.ARRIERO_WORLD_KILLS ?? 8)
const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 1e6))
/** More would only take time. */
const mostNights = Math.max(6, Math.ceil(kills / 3))

let world!: World

beforeAll(async () => {
  world = await openWorld()
}, 120_000)
afterAll(() => world?.[Symbol.asyncDispose]())

test(
  'three sites and a carried disk: every file is everywhere once and known to be, whatever is killed',
  async () => {
    console.log(`seed ${seed}, ${kills} kills of servers`)
    const killer = createKiller(world, kills, randomFrom(seed))
    const acknowledged: Acknowledged[] = []
    const over = new AbortController()
    const killing = killer.killServers(over.signal)
    try {
      for (let night = 0; night < 3 || (!killer.isDone && night < mostNights); night++) {
        const [kept] = await Promise.all([uploadNight(world, killer, night), carry(killer, night)])
        acknowledged.push(...kept)
      }
    } finally {
      over.abort(new Error('the flows have ended'))
      await killing
    }
    await carry(killer, mostNights)
    console.log(`killed: ${JSON.stringify(killer.kills)}`)
    const holds = async () => expect(await judgeWorld(world, acknowledged)).toEqual([])
    await eventually(holds)
    const { stdout } = await world.good(['sneakernet', 'status', '--librarian', 'peru', '--json'])
    const disks = rowsOf({ stdout })
    expect(disks.length).toBeGreaterThan(0)
    for (const disk of disks) expect(disk).toMatchObject({ in_transit: 0, failed: 0, confirmed: disk.files })
    expect(await waysInto('brazil')).toEqual(['by chile', 'by disk'])
  },
  300_000 + 15_000 * kills,
)

test('a copy that rots is found by a scrub, and repaired from another site; its bytes are kept', async () => {
  const name = 'night-0/large.fits'
  const good = await rot('peru', name)
  await world.good(['tasks', 'run', 'scrub', '--librarian', 'peru'])
  await eventually(async () => expect(await stateOf('peru', name)).toBe('mismatch'))
  const { stdout } = await world.good(['repair', name, '--librarian', 'peru', '--json'])
  expect(rowsOf({ stdout })).toMatchObject([{ outcome: 'repaired', source: expect.stringMatching(/chile|brazil/) }])
  expect((await readFile(world.at('peru', 'files', name))).equals(good)).toBe(true)
  expect(await stateOf('peru', name)).toBe('ok')
  const [{ quarantine_id: id }] = rowsOf({ stdout }) as [{ quarantine_id: string }]
  const kept = await readFile(world.at('peru', 'files', '.arriero', 'quarantine', id))
  expect(kept.length).toBe(good.length)
  expect(kept.equals(good)).toBe(false)
}, 120_000)

test('a copy goes when two others prove themselves, and stays while one is away or differs', async () => {
  const [name, other] = ['night-0/2.fits', 'night-0/4.fits']
  await world.good(deletion(name))
  expect(existsSync(world.at('peru', 'files', name))).toBe(false)

  await world.sites.chile.kill()
  await expectRefused(other, /needs? |proof|prove/)
  await world.sites.chile.start()
  await rot('brazil', other)
  await expectRefused(other, /brazil/)
  await world.good(['repair', other, '--librarian', 'brazil'])
  await world.good(deletion(other))
  for (const file of [name, other]) {
    await world.good(['download', file, '-o', `back/${file}`, '--librarian', 'chile'])
    expect(await readFile(world.at('back', file))).toEqual(await readFile(world.at(file)))
  }
}, 120_000)

const deletion = (name: string) => [
  ...['delete', name, '--store', 'files', '--elsewhere', '2', '--reason', 'room', '--librarian', 'peru'],
]

async function expectRefused(name: string, why: RegExp): Promise<void> {
  const refused = await world.run(deletion(name))
  expect(refused.code, refused.stdout).not.toBe(0)
  expect(refused.stderr + refused.stdout).toMatch(why)
  expect(await readFile(world.at('peru', 'files', name))).toEqual(await readFile(world.at(name)))
}

/** A disk with all that Brazil lacks, as far as Peru knows; nothing where it lacks nothing. */
async function carry(killer: Killer, number: number): Promise<void> {
  const disk = `disk-${number}`
  await mkdir(world.at(disk))
  const isPacked = () => existsSync(world.at(disk, 'arriero-signature.json'))
  const pack = ['sneakernet', 'pack', '--librarian', 'peru', '--to', 'brazil', '--disk', disk]
  const nothing = 4
  const packed = await killer.insist(pack, ({ code }) => code === 0 || code === nothing || (code === 7 && isPacked()))
  if (packed.code === nothing) return
  const isGood = ({ code }: Outcome) => code === 0
  const ingest = ['sneakernet', 'ingest', disk, '--librarian', 'brazil', '--receipt', `${disk}.receipt`]
  await killer.insist(ingest, isGood)
  await killer.insist(['sneakernet', 'confirm', `${disk}.receipt`, '--librarian', 'peru'], isGood)
}

/** Another byte in the middle. @returns what was there */
async function rot(site: SiteName, name: string): Promise<Buffer> {
  const path = world.at(site, 'files', name)
  const good = await readFile(path)
  const bad = Buffer.from(good)
  const middle = bad.length >> 1
  bad[middle] = bad[middle]! ^ 1
  await chmod(path, 0o644)
  await writeFile(path, bad)
  return good
}

/** How files came to a site. */
async function waysInto(site: SiteName): Promise<string[]> {
  const rows = await withQueries(world.at(site, 'catalogue.db'), query =>
    query(
      `SELECT 'by ' || source AS way FROM incoming_transfer WHERE status = 'COMPLETED' AND source <> 'peru'
       UNION SELECT 'by disk' FROM disk_item ORDER BY 1`,
    ),
  )
  return (rows as { way: string }[]).map(({ way }) => way)
}

async function stateOf(site: SiteName, name: string): Promise<string | undefined> {
  const rows = await withQueries(world.at(site, 'catalogue.db'), query =>
    query(`SELECT state FROM instance WHERE file_name = '${name}'`),
  )
  return (rows[0] as { state: string } | undefined)?.state
}

function rowsOf({ stdout }: Pick<Outcome, 'stdout'>) {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}

async function eventually(holds: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 90_000; ; await sleep(250)) {
    try {
      return await holds()
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}
