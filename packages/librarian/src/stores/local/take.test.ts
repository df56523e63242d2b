/** What lies in a staging area may be anything (reliability 6). */
import { spawn, spawnSync } from 'node:child_process'
import {
  appendFile,
  chmod,
  link,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commitTo, LocalPlace, stagedWork } from '../../../test/local-place.ts'
import { unwrap } from '../../../test/store-suite.ts'
import type { Outcome, Prepared, Store } from '../store.ts'

let place: LocalPlace
let store: Store
beforeEach(async () => {
  place = await LocalPlace.make()
  store = await place.open()
})
afterEach(() => place[Symbol.asyncDispose]())

const text = (content: string) => new Uint8Array(Buffer.from(content))

async function prepareWhatIs(make: (path: string) => Promise<unknown>, size = 0): Promise<Outcome<Prepared>> {
  const work = await stagedWork(store)
  await make(work.path)
  const [outcome] = await store.prepare([{ ...work, size }])
  return outcome!
}

async function refusedBecause(make: (path: string) => Promise<unknown>, why: RegExp, size?: number): Promise<void> {
  const outcome = await prepareWhatIs(make, size)
  expect(outcome).toMatchObject({ ok: false, error: { code: 'Unacceptable', message: expect.stringMatching(why) } })
  // Nothing private is left of it.
  expect(await Array.fromAsync(store.works())).toEqual([])
}

/** The same thing as the upload itself, and deep in a tree, where it must be named. */
const asMember = (make: (path: string) => Promise<unknown>) => async (path: string) => {
  await mkdir(join(path, 'deep/er'), { recursive: true })
  await make(join(path, 'deep/er/member'))
}

describe('prepare() refuses', () => {
  test('a link to a file of the server’s', async () => {
    const secret = join(place.place, 'secret')
    await writeFile(secret, 'secret')
    await refusedBecause(path => symlink(secret, path), /upload.*link/, 6)
    await refusedBecause(
      asMember(path => symlink(secret, path)),
      /upload\/deep\/er\/member.*link/,
      6,
    )
  })

  test('a link to a directory', async () => {
    await refusedBecause(path => symlink(place.root, path), /link/)
    await refusedBecause(
      asMember(path => symlink(place.root, path)),
      /deep\/er\/member.*link/,
    )
  })

  test('a pipe, without waiting for who writes it', async () => {
    const fifo = async (path: string) => expect(spawnSync('mkfifo', [path]).status).toBe(0)
    await refusedBecause(fifo, /upload.*pipe/)
    await refusedBecause(asMember(fifo), /deep\/er\/member.*pipe/)
  })

  test('a socket', async () => {
    const servers: ReturnType<typeof createServer>[] = []
    // Where it belongs, its path would be longer than a socket's may be.
    const short = join(place.place, 'socket')
    const socket = async (path: string) => {
      await new Promise<void>((resolve, reject) => {
        servers.push(createServer().listen(short, resolve).once('error', reject))
      })
      await rename(short, path)
    }
    await refusedBecause(socket, /socket/)
    await refusedBecause(asMember(socket), /deep\/er\/member.*socket/)
    for (const server of servers) server.close()
  })

  test.skipIf(process.getuid?.() !== 0)('a device', async () => {
    const device = async (path: string) => expect(spawnSync('mknod', [path, 'c', '1', '5']).status).toBe(0)
    await refusedBecause(device, /device/)
    await refusedBecause(asMember(device), /member.*device/)
  })

  test('a file that has another name, by which it could be changed later', async () => {
    const other = join(place.place, 'other')
    await writeFile(other, 'abc')
    await refusedBecause(path => link(other, path), /hard links/, 3)
    await rm(other)
    await writeFile(other, 'abc')
    await refusedBecause(
      asMember(path => link(other, path)),
      /member.*hard links/,
      3,
    )
  })

  test('names that are no UTF-8, or have control characters', async () => {
    await refusedBecause(async path => {
      await mkdir(path)
      await writeFile(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0x66, 0xff])]), '')
    }, /UTF-8/)
    await refusedBecause(async path => {
      await mkdir(path)
      await writeFile(`${path}/a\nb`, '')
    }, /control/)
  })

  test('names that are one where case or Unicode form does not count', async () => {
    await refusedBecause(async path => {
      await mkdir(path)
      await writeFile(`${path}/Data`, '')
      await writeFile(`${path}/data`, '')
    }, /one name/)
  })

  test('a directory above the upload that is a link', async () => {
    await mkdir(join(place.place, 'elsewhere'))
    await writeFile(join(place.place, 'elsewhere/file'), 'abc')
    const work = await stagedWork(store)
    if (work.origin.from !== 'staging') return
    await symlink(join(place.place, 'elsewhere'), join(work.path, '../sub'))
    const [outcome] = await store.prepare([{ ...work, size: 3, origin: { ...work.origin, uploadName: 'sub/file' } }])
    expect(outcome).toMatchObject({ ok: false, error: { code: 'Unacceptable' } })
  })

  test.each(['../store/kept', '/etc/hostname', 'a/../../x', '.', '', 'a//b'])(
    'an upload name that leads out: %j',
    async uploadName => {
      const work = await stagedWork(store, text('abc'))
      if (work.origin.from !== 'staging') return
      await expect(store.prepare([{ ...work, origin: { ...work.origin, uploadName } }])).rejects.toThrow(RangeError)
    },
  )

  test('more bytes than were announced, before it has read them all', async () => {
    const outcome = await prepareWhatIs(async path => {
      // A petabyte that takes no room: to read it would take days.
      await writeFile(path, '')
      spawnSync('truncate', ['-s', '1T', path])
    }, 1000)
    expect(outcome).toMatchObject({ ok: false, error: { code: 'Mismatch' } })
    const tree = await prepareWhatIs(async path => {
      await mkdir(path)
      for (const name of ['a', 'b', 'c']) spawnSync('truncate', ['-s', '1T', join(path, name)])
    }, 1000)
    expect(tree).toMatchObject({ ok: false, error: { code: 'Mismatch' } })
  })

  test('a file that somebody still writes', async () => {
    const size = 64 << 20
    const work = await stagedWork(store, new Uint8Array(size))
    // Warms the threads up, so that the writer below meets the copying.
    await commitTo(store, 'warm', text('warm'))
    let isDone = false
    const writer = (async () => {
      while (!isDone) {
        const now = new Date()
        await utimes(work.path, now, now).catch(() => {})
        await new Promise(resolve => setTimeout(resolve, 1))
      }
    })()
    const [outcome] = await store.prepare([work])
    isDone = true
    await writer
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'Unacceptable', message: expect.stringMatching(/changed/) },
    })
    expect(await Array.fromAsync(store.works())).toEqual([])
  })
})

describe('prepare() takes', () => {
  test('a copy that the uploader’s open file cannot reach any more (A5)', async () => {
    const work = await stagedWork(store, text('first content'))
    const writer = spawn('sh', ['-c', `exec 3>>"${work.path}"; read go; printf evil >&3`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const [outcome] = await store.prepare([work])
    const { kind, size, sha256 } = unwrap(outcome!)
    unwrap((await store.publish([{ id: work.id, token: 1, name: 'f', kind, size, sha256 }]))[0]!)
    writer.stdin.end('go\n')
    await new Promise(resolve => writer.on('close', resolve))
    expect(await readFile(work.path, 'utf8')).toBe('first contentevil')
    expect(await readFile(join(place.root, 'f'), 'utf8')).toBe('first content')
  })

  test('bytes, and not modes: no setuid, no write, whatever was staged', async () => {
    const modes = async (name: string) => (await stat(join(place.root, name))).mode & 0o7777
    const work = await stagedWork(store, text('x'))
    await chmod(work.path, 0o6777)
    const [outcome] = await store.prepare([work])
    const { kind, size, sha256 } = unwrap(outcome!)
    unwrap((await store.publish([{ id: work.id, token: 1, name: 'f', kind, size, sha256 }]))[0]!)
    await commitTo(store, 'above/t', new Map([['sub/a', text('a')]]))
    expect([
      await modes('f'),
      await modes('above/t/sub/a'),
      await modes('above/t/sub'),
      await modes('above/t'),
    ]).toEqual([0o440, 0o440, 0o550, 0o550])
    store = await place.open({ data: { readonly_after_commit: true } })
    await commitTo(store, 'g', text('x'))
    await commitTo(store, 'u', new Map([['sub/a', text('a')]]))
    expect([await modes('g'), await modes('u/sub/a'), await modes('u/sub'), await modes('u')]).toEqual([
      0o444, 0o444, 0o555, 0o555,
    ])
  })

  test('a tree of 10,000 members', { timeout: 120_000 }, async () => {
    const members = new Map<string, Uint8Array>()
    for (let index = 0; index < 10_000; index++) members.set(`d${index % 40}/e${index % 3}/f${index}`, text(`${index}`))
    const { manifest } = await commitTo(store, 'large', members)
    const lines = manifest!
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(
      lines
        .filter(({ type }) => type === 'file')
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual([...members.keys()].toSorted())
    expect(await readFile(join(place.root, 'large/d39/e0/f9999'), 'utf8')).toBe('9999')
  })

  test('nothing from elsewhere while directories are swapped for links under its feet', {
    timeout: 60_000,
  }, async () => {
    const outside = join(place.place, 'outside')
    await mkdir(join(outside, 'sub'), { recursive: true })
    await writeFile(join(outside, 'sub/f'), 'SECRET')
    const work = await stagedWork(store, new Map([['sub/f', text('public')]]))
    let isDone = false
    let swaps = 0
    const swapper = (async () => {
      while (!isDone) {
        await rename(join(work.path, 'sub'), join(work.path, '../aside'))
        await symlink(join(outside, 'sub'), join(work.path, 'sub'))
        await rm(join(work.path, 'sub'))
        await rename(join(work.path, '../aside'), join(work.path, 'sub'))
        swaps++
      }
    })()
    let taken = 0
    for (let round = 0; round < 150; round++) {
      const [outcome] = await store.prepare([{ ...work, id: `${round}`.padStart(32, '0') }])
      if (!outcome!.ok) continue
      taken++
      // The SHA-256 of "SECRET" must never be among what was taken.
      expect(outcome!.value.manifest).not.toContain('0917b13a9091915d54b6336f45909539cce452b3661b21f386418a257883b30a')
    }
    isDone = true
    await swapper
    expect(swaps).toBeGreaterThan(20)
    console.log(`${swaps} swaps, ${taken} of 150 taken`)
  })
})

describe('publish() stays below the root', () => {
  test('a link in the way is no way', async () => {
    const outside = join(place.place, 'outside')
    await mkdir(outside)
    await symlink(outside, join(place.root, 'dir'))
    const work = await stagedWork(store, text('x'))
    const [outcome] = await store.prepare([work])
    const { kind, size, sha256 } = unwrap(outcome!)
    const publication = { id: work.id, token: 1, name: 'dir/f', kind, size, sha256 }
    expect((await store.publish([publication]))[0]).toMatchObject({ ok: false, error: { code: 'FileExists' } })
    await expect(stat(join(outside, 'f'))).rejects.toMatchObject({ code: 'ENOENT' })
    await writeFile(join(outside, 'f'), 'x')
    expect(await store.stat('dir/f')).toBeUndefined()
    await expect(store.open('dir/f')).rejects.toMatchObject({ code: 'NotFound' })
    await expect(store.trash('dir/f', 'a')).rejects.toMatchObject({ code: 'NotFound' })
    expect(await readFile(join(outside, 'f'), 'utf8')).toBe('x')
    expect(await readlink(join(place.root, 'dir'))).toBe(outside)
  })

  test('what is purged is what was put into the trash, not what a link in it leads to', async () => {
    const outside = join(place.place, 'outside')
    await mkdir(join(outside, 'kept'), { recursive: true })
    await commitTo(store, 't', new Map([['a', text('a')]]))
    await chmod(join(place.root, 't'), 0o755)
    await symlink(outside, join(place.root, 't/link'))
    await store.trash('t', 'one')
    await store.purge('one')
    expect((await stat(join(outside, 'kept'))).isDirectory()).toBe(true)
    await appendFile(join(outside, 'still'), '')
  })
})
