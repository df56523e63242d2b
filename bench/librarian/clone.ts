/**
 * From one librarian to another by http, both on this machine, until every file is durable at the receiver and the catalogues of
 * both say so; beside an rsync daemon that copies the same tree, made durable.
 */
import { spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withQueries } from '../../e2e/program/outages/see-librarian.ts'
import { freePorts } from '../../e2e/servers/ports.ts'
import { type CaseOptions, type Figure, seconds } from './case.ts'
import { run } from './command.ts'
import { fill, type Shape } from './fill.ts'
import { type Served, serve } from './serve.ts'

const shapes = [
  { count: 2000, bytes: 2 ** 20, label: '2,000 × 1 MiB' },
  { count: 20_000, bytes: 10 * 1024, label: '20,000 × 10 KiB' },
] as const satisfies Shape[]

export const encryptionKey = `${Buffer.alloc(32, 7).toString('base64url')}=`
const peerPassword = 'peer-password'

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
    await introduce(sender, 'home', receiver, name)
    const before = [await sender.cpuSeconds(), await receiver.cpuSeconds()] as const
    const took = await seconds(async () => {
      await begin(sender, 'home', receiver, name)
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

function addressOf({ url }: Served) {
  const { hostname, port } = new URL(url)
  return { url: `http://${hostname}`, port: Number(port) }
}

/** The receiver knows the sender; nothing is sent yet. */
export async function introduce(sender: Served, senderName: string, receiver: Served, name: string): Promise<void> {
  const account = (username: string, permission: 2 | 3) => ({ username, password: peerPassword, permission })
  await sender.librarian.users.create(account(name, 2))
  await receiver.librarian.users.create(account(senderName, 3))
  await receiver.librarian.admin.librariansAdd({
    librarian_name: senderName,
    ...addressOf(sender),
    authenticator: `${name}:${peerPassword}`,
    check_connection: true,
  })
}

/** With its row, the task that sends to it begins. */
export async function begin(sender: Served, senderName: string, receiver: Served, name: string): Promise<void> {
  await sender.librarian.admin.librariansAdd({
    librarian_name: name,
    ...addressOf(receiver),
    authenticator: `${senderName}:${peerPassword}`,
    check_connection: true,
  })
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
