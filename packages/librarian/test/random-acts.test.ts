/**
 * A whole librarian under hundreds of random acts by several users at once, from a printed seed: uploads by copy and in pieces
 * whose answers are lost, aborts, announcements again, files that lie there already, deletions, restores, purges, changes of
 * users, restarts in the middle of it all. After every round each file that was acknowledged is downloaded and compared; at the
 * end catalogue, stores and trails must agree.
 *
 * ARRIERO_SEED names the seed, ARRIERO_ROUNDS how long it goes on.
 */
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPasswords } from '../src/auth/passwords.ts'
import { openCatalogue } from '../src/catalogue/open.ts'
import { loadSettings } from '../src/config.ts'
import { inspectStores, rebuildCatalogue } from '../src/inspect.ts'
import { silentLog } from '../src/log.ts'
import { type Librarian, openLibrarian } from '../src/open-librarian.ts'
import { makeDataDirectory } from '../src/setup/data-directory.ts'
import { describeContent } from '../src/stores/memory-content.ts'
import { archiveOf } from './archive-of.ts'
import { basic, passwordOf } from './house.ts'
import { startPostgres, type TestPostgres } from './postgres.ts'

const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 1e9))
const rounds = Number(process.env.ARRIERO_ROUNDS ?? 2)
const actsPerRound = 12
const actors = ['ada', 'ben', 'cyd', 'dot'] as const
/** Few, so that they meet; some lie in others, some are twins. */
const names = ['a', 'a/b', 'd/e/f', 'd/e', 'A', '\u00e9', 'e\u0301', 'x y/z', 'n'.repeat(200), 't', 't/u/v']
const sizes = [0, 1, 70_000, 1_300_000]

const cheap = createPasswords({ random: randomBytes, cost: { memoryCost: 8, timeCost: 1, parallelism: 1 } })

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  readonly body: any
}

/** What must hold, whatever happens. */
interface Model {
  /** Acknowledged, and by whom: to be had for ever. */
  readonly kept: Map<string, Buffer>
  /** Of each tree that was. */
  readonly members: Map<string, ReadonlyMap<string, Buffer>>
  /** Put into a store by hand. */
  readonly put: Set<string>
  readonly problems: string[]
}

interface Ground {
  readonly directory: string
  readonly second: string
  readonly settings: ReturnType<typeof loadSettings>
  /** Side by side at one catalogue. */
  readonly processes: Process[]
}

interface Process {
  readonly librarian: Librarian
  readonly url: string
}

let postgres: TestPostgres | undefined
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres?.end())

describe.each(['one process on SQLite', 'two processes on PostgreSQL'] as const)('%s', kind => {
  test(`random acts by several users lose, mix and hide nothing (ARRIERO_SEED=${seed})`, async ({ skip }) => {
    const isAlone = kind === 'one process on SQLite'
    if (!isAlone && !postgres) return skip('PostgreSQL cannot run here')
    const random = randomFrom(seed)
    const ground = await openGround(isAlone ? undefined : await postgres!.createDatabase())
    const model: Model = { kept: new Map(), members: new Map(), put: new Set(), problems: [] }
    try {
      for (let round = 0; round < rounds; round += 1) {
        await Promise.all(actors.map(actor => play(actor, ground, model, random, round)))
        await checkAll(ground, model)
        expect(model.problems, `round ${round} of seed ${seed}`).toEqual([])
      }
      expect(model.kept.size).toBeGreaterThan(0)
      await stopAll(ground)
      await checkStores(ground, model)
      expect(model.problems, `seed ${seed}`).toEqual([])
    } finally {
      await stopAll(ground)
      await rm(ground.directory, { recursive: true })
      await rm(ground.second, { recursive: true })
    }
  }, 600_000)
})

async function stopAll({ processes }: Ground): Promise<void> {
  await Promise.all(processes.map(({ librarian }) => librarian.stop()))
}

// ——— The ground ———

/** @param url of a database that two processes share */
async function openGround(url: string | undefined): Promise<Ground> {
  const directory = await mkdtemp(join(tmpdir(), 'arriero-acts-'))
  // Another device, where there is one: or nothing may be deleted.
  const second = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'arriero-acts-'))
  const { settingsPath } = makeDataDirectory(directory, { random: randomBytes, port: 0 })
  const places = [join(directory, 'files'), join(directory, 'staging'), join(second, 'files'), join(second, 'staging')]
  await Promise.all(places.map(place => mkdir(place, { recursive: true })))
  const settings = loadSettings({
    env: {},
    path: settingsPath,
    overrides: {
      add_stores: [storeOf('one', places[0]!, places[1]!), storeOf('two', places[2]!, places[3]!)],
      deletion: { proofs: 1, purge_after: 0 },
      ...(url === undefined ? {} : { catalogue: url }),
    },
  })
  const processes = [await start(settings)]
  const { accounts } = processes[0]!.librarian.catalogue
  for (const [username, level] of [
    ['root', 'ADMIN'],
    ...actors.map(actor => [actor, 'READAPPEND'] as const),
  ] as const) {
    await accounts.create({ username, authToken: await cheap.hash(passwordOf(username)), level })
  }
  if (url !== undefined) processes.push(await start(settings))
  return { directory, second, settings, processes }
}

function storeOf(name: string, store: string, staging: string): object {
  return {
    store_name: name,
    store_type: 'local',
    ingestable: name === 'one',
    store_data: { store_path: store, staging_path: staging, reserve: 0 },
    transfer_manager_data: { local: { available: true, hostnames: ['here'] } },
  }
}

async function start(settings: Ground['settings']): Promise<Process> {
  const librarian = await openLibrarian({ settings, log: silentLog, graceMs: 50, passwords: cheap })
  return { librarian, url: (await librarian.start())!.url }
}

// ——— Acts ———

type Random = (below: number) => number

async function play(actor: string, ground: Ground, model: Model, random: Random, round: number): Promise<void> {
  for (let count = 0; count < actsPerRound; count += 1) {
    // Some are met again in the next rounds.
    const name = `${names[random(names.length)]!}-${random(3) === 0 ? 0 : round}-${random(4)}`
    const content = contentOf(name, random(3) === 0 ? 1 : 0, sizes[random(sizes.length)]!)
    const act: Act = { actor, name, content, ground, model, random }
    const which = acts[random(acts.length)]!
    if (actor === actors[0] && count === actsPerRound / 2 && round % 2 === 1) await restart(act)
    // A server that goes away in the middle is what is being tried.
    await which(act).catch(error => {
      if (!/fetch failed|terminated|ECONN|socket|other side/i.test(String(error))) throw error
    })
  }
}

interface Act {
  readonly actor: string
  readonly name: string
  readonly content: Buffer
  readonly ground: Ground
  readonly model: Model
  readonly random: Random
}

const acts: readonly ((act: Act) => Promise<unknown>)[] = [
  uploadByCopy,
  uploadByCopy,
  uploadTree,
  uploadInPieces,
  uploadInPieces,
  uploadInPieces,
  announceOnly,
  addFile,
  secondCopy,
  secondCopy,
  removeCopy,
  restoreOne,
  changeUsers,
  download,
  validate,
]

async function uploadByCopy(act: Act): Promise<void> {
  const staged = await stage(act)
  if (staged.status !== 201) return
  const path = staged.body.staging_location
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, act.random(8) === 0 ? randomBytes(act.content.length + 1) : act.content)
  if (act.random(8) === 0) return void (await abort(act, staged))
  await commit(act, staged, 'local')
}

/** As a copy, or as an archive in pieces. */
async function uploadTree(act: Act): Promise<void> {
  const name = `trees/${act.random(12)}`
  const members = new Map(
    ['x', 'y/z', 'w'].map(member => [member, contentOf(`${name}/${member}`, 0, 1 + act.random(2) * 5000)]),
  )
  const { checksum, size } = await describeContent(members, undefined)
  const staged = await post(act, 'upload/stage', {
    upload_size: size,
    upload_checksum: checksum,
    upload_name: 'tree',
    destination_location: name,
    uploader: act.actor,
  })
  if (staged.status !== 201) return
  const isArchive = act.random(2) === 0
  if (isArchive) await sendArchive(act, staged, archiveOf(members))
  else {
    for (const [member, bytes] of members) {
      const path = join(staged.body.staging_location, member)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, bytes)
    }
  }
  const { status } = await post(act, 'upload/commit', commitOf(act, staged, isArchive ? 'http' : 'local'))
  if (status === 200) act.model.members.set(name, members)
}

async function sendArchive(act: Act, staged: Answer, archive: Buffer): Promise<void> {
  const path = staged.body.transfer_providers.http.url as string
  const metadata = {
    'upload-metadata': `archive ${Buffer.from('tar').toString('base64')}`,
    'upload-length': String(archive.length),
  }
  for (let at = 0, tries = 0; at < archive.length && tries < 10; tries += 1) {
    const end = at + 1 + act.random(archive.length - at)
    await patch(act, path, at, archive.subarray(at, end), metadata)
    at = (await offsetOf(act, path)) ?? archive.length
  }
}

/** In pieces of any length; answers are lost, pieces refused, connections left open, all of it in any order. */
async function uploadInPieces(act: Act): Promise<void> {
  const { content, random } = act
  const staged = await stage(act)
  if (staged.status !== 201) return
  const path = staged.body.transfer_providers.http.url as string
  for (let tries = 0; tries < 12; tries += 1) {
    const offset = await offsetOf(act, path)
    if (offset === undefined || offset >= content.length) break
    const end = random(2) === 0 ? content.length : offset + 1 + random(content.length - offset)
    const piece = content.subarray(offset, end)
    const how = random(6)
    if (how === 0) await lostPiece(act, path, offset, piece)
    else if (how === 1)
      await patch(act, path, offset, piece, { 'upload-checksum': `md5 ${Buffer.alloc(16).toString('base64')}` })
    else if (how === 2) await Promise.all([patch(act, path, offset, piece), patch(act, path, offset, piece)])
    else await patch(act, path, offset, piece)
    if (random(20) === 0) await commit(act, staged, 'http')
  }
  const how = random(10)
  if (how === 0) return void (await abort(act, staged))
  if (how === 1) return void (await call(act, path, { method: 'DELETE', headers: tus }))
  if (how === 2) await Promise.all([commit(act, staged, 'http'), patch(act, path, 0, content), abort(act, staged)])
  await commit(act, staged, 'http')
}

const tus = { 'tus-resumable': '1.0.0' }

async function offsetOf(act: Act, path: string): Promise<number | undefined> {
  const answer = await fetch(oneOf(act).url + path, { method: 'HEAD', headers: { ...tus, ...as(act.actor) } })
  return answer.status === 200 ? Number(answer.headers.get('upload-offset')) : undefined
}

async function patch(act: Act, path: string, offset: number, piece: Buffer, more: Record<string, string> = {}) {
  const headers = {
    ...tus,
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
    ...more,
  }
  return await call(act, path, { method: 'PATCH', headers, body: piece }).catch(() => undefined)
}

/** Sends some or all of it, and is gone before the answer; or stays and never ends. */
async function lostPiece(act: Act, path: string, offset: number, piece: Buffer): Promise<void> {
  const { actor, random } = act
  const socket = connect(Number(new URL(oneOf(act).url).port), '127.0.0.1')
  socket.on('error', () => {})
  const checksum = random(2) === 0 ? `upload-checksum: md5 ${Buffer.alloc(16).toString('base64')}\r\n` : ''
  const head = `PATCH ${path} HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(actor, passwordOf(actor))}\r\ntus-resumable: 1.0.0\r\n${checksum}`
  const type = `content-type: application/offset+octet-stream\r\nupload-offset: ${offset}\r\n`
  socket.write(`${head}${type}transfer-encoding: chunked\r\n\r\n${piece.length.toString(16)}\r\n`)
  socket.write(piece.subarray(0, random(3) === 0 ? random(piece.length + 1) : piece.length))
  await new Promise(resolve => setTimeout(resolve, random(30)))
  const isLeft = random(3) === 0
  if (isLeft) setTimeout(() => socket.destroy(), 2000 + random(2000)).unref()
  else if (random(2) === 0) socket.end('\r\n0\r\n\r\n')
  else socket.destroy()
}

async function announceOnly(act: Act): Promise<void> {
  await stage(act)
}

async function stage({ actor, name, content, ...act }: Act): Promise<Answer> {
  return await post({ actor, name, content, ...act }, 'upload/stage', {
    upload_size: content.length,
    upload_checksum: `md5:::${createHash('md5').update(content).digest('hex')}`,
    upload_name: name.slice(name.lastIndexOf('/') + 1),
    destination_location: name,
    uploader: actor,
  })
}

/** Its success is what may never be taken back. */
async function commit(act: Act, staged: Answer, provider: string): Promise<void> {
  const body = commitOf(act, staged, provider)
  const key: Record<string, string> =
    act.random(2) === 0 ? { 'idempotency-key': `commit-${staged.body.transfer_id}` } : {}
  const again = act.random(4) === 0 ? 2 : 1
  const answers = await Promise.all(Array.from({ length: again }, () => post(act, 'upload/commit', body, key)))
  if (answers.some(({ status }) => status === 200)) acknowledge(act)
  if (answers.some(({ status }) => status === 500))
    act.model.problems.push(`commit of ${act.name}: ${JSON.stringify(answers)}`)
}

function commitOf({ actor }: Act, staged: Answer, provider: string): object {
  return {
    ...staged.body,
    transfer_provider_name: provider,
    transfer_provider: { hostnames: [] },
    meta_mode: 'infer',
    deletion_policy: '0',
    uploader: actor,
    null_obsid: true,
  }
}

function acknowledge({ name, content, model }: Act): void {
  const before = model.kept.get(name)
  if (before && !before.equals(content)) model.problems.push(`${name} was acknowledged with two contents`)
  model.kept.set(name, content)
}

async function abort(act: Act, staged: Answer): Promise<void> {
  await post(act, 'upload/abort', { transfer_id: staged.body.transfer_id })
}

/** Lies in the store already, under names that nobody uploads to. */
async function addFile(act: Act): Promise<void> {
  const name = `added/${act.random(20)}`
  const content = contentOf(name, 0, 1000)
  const path = join(act.ground.directory, 'files', name)
  if (!act.model.put.has(name)) {
    act.model.put.add(name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  const { status, body } = await post({ ...act, actor: 'root' }, 'admin/add_file', {
    name,
    create_time: '2026-01-01T00:00:00',
    size: content.length,
    checksum: `md5:::${createHash('md5').update(content).digest('hex')}`,
    uploader: 'ada',
    source: 'ada',
    path,
    store_name: 'one',
  })
  if (status === 200 && body.success) acknowledge({ ...act, name, content })
}

/** As a clone to the other store leaves it. */
async function secondCopy(act: Act): Promise<void> {
  const { ground, model, random } = act
  const all = [...model.kept.keys(), ...model.members.keys()]
  const name = all[random(Math.max(1, all.length))]
  if (name === undefined) return
  const { catalogue } = oneOf(act).librarian
  const known = await catalogue.instances.ofFile({ name }).catch(() => undefined)
  const there = known?.instances.filter(({ available }) => available === 1) ?? []
  if (there.length !== 1) return
  const storeId = there[0]!.store_id === 1 ? 2 : 1
  const paths = [join(ground.directory, 'files', name), join(ground.second, 'files', name)]
  const [from, to] = storeId === 2 ? paths : paths.toReversed()
  await mkdir(dirname(to!), { recursive: true })
  if (existsSync(to!)) return
  // Until its row is there it is nobody's, and it has no line in the trail.
  model.put.add(name)
  spawnSync('cp', ['-a', from!, to!])
  if (existsSync(to!)) await catalogue.instances.add({ name, storeId, path: to! }).catch(() => undefined)
}

async function removeCopy(act: Act): Promise<void> {
  const root = { ...act, actor: 'root' }
  const all = [...act.model.kept.keys(), ...act.model.members.keys()]
  const file_name = all[act.random(Math.max(1, all.length))] ?? act.name
  const { status, body } = await post(root, 'search/instance_local', { file_name, max_results: 10 })
  if (status !== 200) return
  const { id } = body[act.random(body.length)]
  const wanted = { instance_id: id, delete_file: true }
  const times = act.random(3) === 0 ? 2 : 1
  await Promise.all(
    body
      .slice(0, times)
      .map((copy: { id: number }) =>
        post(root, 'admin/instance/delete_local', times === 1 ? wanted : { ...wanted, instance_id: copy.id }),
      ),
  )
}

async function restoreOne(act: Act): Promise<void> {
  const root = { ...act, actor: 'root' }
  const { body } = await post(root, 'admin/trash/list', {})
  const one = body?.trash?.[act.random(Math.max(1, body.trash?.length ?? 0))]
  if (one) await post(root, 'admin/trash/restore', { trash_id: one.id ?? one.trash_id })
}

async function changeUsers(act: Act): Promise<void> {
  const root = { ...act, actor: 'root' }
  const username = `guest-${act.random(1e9)}`
  await post(root, 'users/create', {
    username,
    password: passwordOf(username),
    permission: act.random(2) === 0 ? 3 : 1,
  })
  const staged = await stage({ ...act, actor: username })
  await post(root, 'users/update', { username, permission: 1 })
  await post(root, 'users/delete', { username })
  if (staged.status === 201) {
    const answer = await post({ ...act, actor: username }, 'upload/commit', { ...staged.body, uploader: username })
    if (answer.status < 400) act.model.problems.push(`${username} was removed, and may commit: ${answer.status}`)
  }
}

async function download({ ground, model, name, actor }: Act): Promise<void> {
  const answer = await fetch(dataUrl(ground, name), { headers: as(actor) })
  const bytes = Buffer.from(await answer.arrayBuffer())
  const kept = model.kept.get(name)
  if (answer.status === 200 && kept && !bytes.equals(kept)) model.problems.push(`${name}: other bytes were served`)
}

async function validate(act: Act): Promise<void> {
  await post(act, 'validate/file', { file_name: act.name })
}

async function restart({ ground: { processes, settings }, random }: Act): Promise<void> {
  const at = random(processes.length)
  await processes[at]!.librarian.stop()
  processes[at] = await start(settings)
}

// ——— Calls ———

function oneOf({ ground, random }: Pick<Act, 'ground' | 'random'>): Process {
  return ground.processes[random(ground.processes.length)]!
}

function as(actor: string): { authorization: string } {
  return { authorization: basic(actor, passwordOf(actor)) }
}

async function post(act: Act, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return await call(act, `/api/v2/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

async function call(act: Act, path: string, init: RequestInit & { headers?: object }): Promise<Answer> {
  const answer = await fetch(oneOf(act).url + path, {
    ...init,
    headers: { ...as(act.actor), ...init.headers },
  } as RequestInit)
  const text = await answer.text()
  return { status: answer.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined }
}

function dataUrl({ processes }: Ground, name: string): string {
  return `${processes.at(-1)!.url}/api/v2/data/${name.split('/').map(encodeURIComponent).join('/')}`
}

// ——— Checks ———

async function checkAll(ground: Ground, { kept, members, problems }: Model): Promise<void> {
  const inTrees = [...members].flatMap(([tree, all]) =>
    [...all].map(([name, bytes]) => [`${tree}/${name}`, bytes] as const),
  )
  for (const [name, content] of [...kept, ...inTrees]) {
    const ask = async () => await fetch(dataUrl(ground, name), { headers: as('root') })
    let answer = await ask()
    for (let tries = 0; answer.status === 503 && tries < 20; tries += 1) {
      await answer.arrayBuffer()
      await new Promise(resolve => setTimeout(resolve, 100))
      answer = await ask()
    }
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (answer.status !== 200)
      problems.push(`${name} is lost: ${answer.status} ${bytes.toString('utf8').slice(0, 300)}`)
    else if (!bytes.equals(content)) problems.push(`${name} has ${bytes.length} bytes, and must have ${content.length}`)
  }
}

async function checkStores({ settings, directory }: Ground, { kept, members, put, problems }: Model): Promise<void> {
  const log = silentLog
  for await (const { difference, store, what } of inspectStores({ settings, log })) {
    // A deletion that a stop has cut off is gone on with when its process is known to be dead; here that one is this one.
    if (difference === 'withdrawn') continue
    if (difference === 'bytes-without-row' && [...put].some(name => areNested(name, what))) continue
    problems.push(`${store}: ${what} is ${difference}`)
  }
  const path = join(directory, 'rebuilt.db')
  const again = { ...settings, catalogue: { engine: 'sqlite', path } } as const
  const { problems: told } = await rebuildCatalogue({ settings: again, log, directories: 'none' })
  problems.push(...told.filter(problem => ![...put].some(name => problem.includes(name))))
  await using catalogue = await openCatalogue({ url: path })
  for (const name of members.keys()) {
    // Of a tree without a line nothing tells that it is one.
    if (!put.has(name) && !(await catalogue.instances.ofFile({ name })))
      problems.push(`${name} is not in the rebuilt catalogue`)
  }
  for (const [name, content] of kept) {
    const file = (await catalogue.instances.ofFile({ name }))?.file
    const sha256 = createHash('sha256').update(content).digest('hex')
    if (file?.sha256 !== sha256) problems.push(`${name} is not what it was in the rebuilt catalogue: ${file?.sha256}`)
  }
}

function contentOf(name: string, variant: number, size: number): Buffer {
  const unit = createHash('sha256').update(`${name} ${variant} ${size}`).digest()
  return Buffer.alloc(size, unit)
}

/** The same numbers for the same seed: xorshift32. */
function randomFrom(start: number): Random {
  let state = start >>> 0 || 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

/** Whether one is the other, or lies in it. */
function areNested(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)
}
