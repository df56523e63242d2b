/**
 * From one librarian to another by http, both on this machine, until every file is durable at the receiver and the catalogues of
 * both say so; beside an rsync daemon that copies the same tree, made durable.
 */
import { spawn } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestBytesBy, loadPathFunctions } from '@arriero/transfer'
import { withQueries } from '../../e2e/program/outages/see-librarian.ts'
import { freePorts } from '../../e2e/servers/ports.ts'
import { type CaseOptions, type Figure, seconds } from './case.ts'
import { run } from './command.ts'
import { type Served, serve } from './serve.ts'

const shapes = [
  { count: 2000, bytes: 2 ** 20, label: '2,000 × 1 MiB' },
  { count: 20_000, bytes: 10 * 1024, label: '20,000 × 10 KiB' },
] as const

type Shape = (typeof shapes)[number]

export const encryptionKey = `${Buffer.alloc(32, 7).toString('base64url')}=`
const peerPassword = 'peer-password'
/** Files uploaded together. */
const batch = 500

export async function benchClone(options: CaseOptions): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const shape of shapes) figures.push(...(await benchShape(shape, options)))
  return figures
}

async function benchShape(shape: Shape, { directory, rounds }: CaseOptions): Promise<Figure[]> {
  const root = join(directory, `clone-${shape.bytes}`)
  await mkdir(root)
  const ports = await freePorts(rounds + 1)
  const names = Array.from({ length: rounds }, (_, round) => `site-${round}`)
  const home = join(root, 'home')
  await mkdir(home)
  await using sender = await serve(home, {
    name: 'home',
    port: ports[rounds]!,
    encryptionKey,
    background: sending(names),
  })
  await fill(sender, shape)
  const [ours, theirs, cpuSender, cpuReceiver]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (const [round, name] of names.entries()) {
    const away = join(root, name)
    await mkdir(away)
    await using receiver = await serve(away, { name, port: ports[round]!, encryptionKey, background: receiving() })
    await acquaint(sender, 'home', receiver, name)
    const before = [await sender.cpuSeconds(), await receiver.cpuSeconds()] as const
    const took = await seconds(async () => {
      await sender.librarian.admin.transferStatusChange({ librarian_name: name, transfers_enabled: true })
      await begin(sender, name)
      await untilKept({ home, away, name, count: shape.count })
    })
    ours.push(shape.count / took)
    cpuSender.push((await sender.cpuSeconds()) - before[0])
    cpuReceiver.push((await receiver.cpuSeconds()) - before[1])
    theirs.push(shape.count / (await rsync(join(home, 'files'), join(root, `rsync-${round}`))))
  }
  await rm(root, { recursive: true, force: true })
  const { label } = shape
  return [
    { what: `${label}: librarian to librarian`, unit: 'files/s', values: ours },
    { what: `${label}: rsync daemon, sync`, unit: 'files/s', values: theirs, isBaseline: true },
    {
      what: `${label}: beside rsync`,
      unit: '×',
      values: ours.map((value, at) => value / theirs[at]!),
      target: '≥ 1.0',
    },
    { what: `${label}: CPU of the sender`, unit: 's', values: cpuSender },
    { what: `${label}: CPU of the receiver`, unit: 's', values: cpuReceiver },
  ]
}

const often = { every: '00:00:01' }

export function sending(names: readonly string[]) {
  return {
    send_clone: names.map(destination_librarian => ({
      task_name: `send to ${destination_librarian}`,
      ...often,
      destination_librarian,
      age_in_days: 1000,
      store_preference: null,
      send_batch_size: 1024,
      warn_disabled_timer: null,
    })),
    consume_queue: [{ task_name: 'queue', ...often }],
    check_consumed_queue: [{ task_name: 'check', ...often }],
  }
}

export function receiving() {
  return { recieve_clone: [{ task_name: 'receive', ...often, deletion_policy: 0, files_per_run: 100_000 }] }
}

/** Each knows the other; nothing is sent yet. */
export async function acquaint(sender: Served, senderName: string, receiver: Served, name: string): Promise<void> {
  const account = (username: string, permission: 2 | 3) => ({ username, password: peerPassword, permission })
  await sender.librarian.users.create(account(name, 2))
  await receiver.librarian.users.create(account(senderName, 3))
  const to = (served: Served) => {
    const { hostname, port } = new URL(served.url)
    return { url: `http://${hostname}`, port: Number(port) }
  }
  await receiver.librarian.admin.librariansAdd({
    librarian_name: senderName,
    ...to(sender),
    authenticator: `${name}:${peerPassword}`,
    check_connection: true,
  })
  await sender.librarian.admin.librariansAdd({
    librarian_name: name,
    ...to(receiver),
    authenticator: `${senderName}:${peerPassword}`,
    check_connection: true,
  })
  await sender.librarian.admin.transferStatusChange({ librarian_name: name, transfers_enabled: false })
}

/** Bytes that nothing compresses, uploaded by local copy. */
async function fill({ librarian, user }: Served, { count, bytes }: Shape): Promise<void> {
  await loadPathFunctions(['xxh3'])
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 9), Buffer.alloc(16))
  const zeros = Buffer.alloc(bytes)
  for (let at = 0; at < count; at += batch) {
    const files = Array.from({ length: Math.min(batch, count - at) }, (_, index) => {
      const content = stream.update(zeros)
      const checksum = `xxh3:::${digestBytesBy(['xxh3'], content).xxh3}`
      return { name: `run/${(at + index) >> 7}/${at + index}.bin`, content, checksum }
    })
    const { outcomes } = await librarian.upload.batchStage({
      uploader: user,
      uploads: files.map(({ name, checksum }) => ({
        upload_size: bytes,
        upload_checksum: checksum,
        upload_name: name.split('/').at(-1)!,
        destination_location: name,
      })),
    })
    const staged = outcomes.map(outcome => {
      if (!outcome.success) throw new Error(`announcing failed: ${JSON.stringify(outcome)}`)
      return outcome
    })
    for (const [index, { staging_location }] of staged.entries())
      await writeFile(staging_location, files[index]!.content)
    const commits = staged.map(({ transfer_id }) => ({ transfer_id }))
    const { outcomes: ends } = await librarian.upload.batchCommit({ commits })
    const failed = ends.find(({ success }) => !success)
    if (failed) throw new Error(`a commit failed: ${JSON.stringify(failed)}`)
  }
}

/** When it started, the sender did not know the receiver: its task is off. */
export async function begin({ librarian }: Served, name: string): Promise<void> {
  const { tasks } = await librarian.tasks.list()
  const task = tasks.find(one => one.name === `send to ${name}`)
  if (!task) throw new Error(`there is no task that sends to ${name}`)
  await librarian.tasks.run({ id: task.id })
}

interface Kept {
  readonly home: string
  readonly away: string
  readonly name: string
  readonly count: number
}

/** By both catalogues, looked at from outside. */
async function untilKept({ home, away, name, count }: Kept): Promise<void> {
  const limit = performance.now() + 180_000
  for (;;) {
    const [kept, known] = [
      await counted(away, `SELECT COUNT(*) AS n FROM instance WHERE state = 'ok'`),
      await counted(
        home,
        `SELECT COUNT(*) AS n FROM remote_instance JOIN peer ON peer.id = librarian_id WHERE peer.name = '${name}'`,
      ),
    ]
    if (kept === count && known === count) return
    if (performance.now() > limit) throw new Error(`after 180 s ${kept} files are kept at ${name}, ${known} known of`)
    await sleep(50)
  }
}

export async function counted(directory: string, query: string): Promise<number> {
  const rows = await withQueries(join(directory, 'catalogue.db'), ask => ask(query))
  return (rows[0] as { n: number }).n
}

async function rsync(source: string, target: string): Promise<number> {
  const [port] = await freePorts(1)
  const settings = `${target}.conf`
  await writeFile(
    settings,
    `port = ${port}\nuse chroot = no\n[files]\npath = ${source}\nread only = yes\nuid = root\ngid = root\n`,
  )
  const daemon = spawn('rsync', ['--daemon', '--no-detach', '--config', settings, '--address', '127.0.0.1'], {
    stdio: 'ignore',
  })
  try {
    await sleep(500)
    await run(['sync'])
    return await seconds(async () => {
      await run(['rsync', '-a', '--exclude', '.arriero', `rsync://127.0.0.1:${port}/files/`, target])
      await run(['sync', '-f', target])
    })
  } finally {
    daemon.kill('SIGTERM')
  }
}
