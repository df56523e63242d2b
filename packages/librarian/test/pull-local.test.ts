/** A whole librarian on a disk that fetches, and is stopped and started in the middle of it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@arriero/api'
import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { loadSettings } from '../src/config.ts'
import { silentLog } from '../src/log.ts'
import { type Librarian, openLibrarian } from '../src/open-librarian.ts'
import { createFernet } from '../src/secrets/fernet.ts'
import { makeDataDirectory } from '../src/setup/data-directory.ts'
import { addUser, passwordOf } from './house.ts'
import { announce, startGiver, until } from './two-librarians.ts'

const COUNT = 1500

test('bundles, a large file and a tree: stopped and started again, all of it lies under its name, told of once each', async () => {
  const small = Object.fromEntries(
    Array.from({ length: COUNT }, (_, n) => [`set/${n % 20}/f${n}`, new Uint8Array(randomBytes(10_000))]),
  )
  const large = new Uint8Array(randomBytes(12_000_000))
  const members = new Map([
    ['a/b', new Uint8Array(randomBytes(1_400_000))],
    ['c', new Uint8Array(Buffer.from('c'))],
  ])
  const files = { ...small, large, tree: members }
  await using giver = await startGiver({ files })
  const directory = await mkdtemp(join(tmpdir(), 'librarian-'))
  try {
    const { settingsPath } = makeDataDirectory(directory, { random: randomBytes, port: 0 })
    const settings = loadSettings({ env: {}, path: settingsPath, overrides: { name: 'b' } })
    const fernet = createFernet(settings.encryptionKey!, { clock: systemClock, random: randomBytes })
    const open = () => openLibrarian({ settings, log: silentLog, graceMs: 500 })

    let librarian: Librarian = await open()
    await addUser(librarian.catalogue, 'a', 'READAPPEND')
    const authenticator = fernet.encrypt('b:pw')
    await librarian.catalogue.peers.add({ name: 'a', url: 'http://127.0.0.1', port: giver.app.port, authenticator })
    const { url } = (await librarian.start())!
    const asGiver = connect({ url, user: 'a', password: passwordOf('a'), retries: 0 })
    const pairs: Awaited<ReturnType<typeof announce>> = []
    const all = Object.entries(files)
    for (let at = 0; at < all.length; at += 1000) {
      const part = Object.fromEntries(all.slice(at, at + 1000))
      pairs.push(...(await announce({ asGiver }, part, { first: at + 1 })))
    }
    for (let at = 0; at < pairs.length; at += 1000) await asGiver.clone.pull({ transfers: pairs.slice(at, at + 1000) })
    await until(() => giver.requests.length >= 2)
    await librarian.stop()

    librarian = await open()
    await librarian.start()
    const { catalogue } = librarian
    const isOver = async () => {
      const left = await catalogue.uploads.list({ statuses: ['INITIATED', 'ONGOING', 'STAGED'], limit: 1 })
      return left.length === 0 && (await catalogue.outbox.waiting()).length === 0
    }
    await until(isOver)
    expect(await catalogue.uploads.list({ statuses: ['FAILED'], limit: 5 })).toEqual([])
    await librarian.stop()

    const heard = giver.completed.map(one => one.source_transfer_id)
    // What was being told when it stopped is told again.
    expect(new Set(heard).size).toBe(pairs.length)
    expect(heard.length).toBeLessThan(pairs.length + 1000)
    const place = settings.addStores[0]!.data.store_path as string
    for (const [name, bytes] of [...Object.entries(small), ['large', large] as const]) {
      expect((await readFile(join(place, name))).equals(bytes)).toBe(true)
    }
    for (const [name, bytes] of members) expect((await readFile(join(place, 'tree', name))).equals(bytes)).toBe(true)
    // Nothing of the way is left.
    const spools = await readdir(join(place, '.arriero/spool'))
    expect(spools.filter(name => !name.startsWith('.'))).toEqual([])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}, 120_000)
