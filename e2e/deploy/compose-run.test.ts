/** The processes of the compose file, by its own commands and its own settings, on a real PostgreSQL; without containers, and without S3. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../packages/librarian/test/postgres.ts'
import { password } from '../program/outages/server.ts'
import { bytesOf, Uploader } from '../program/outages/uploader.ts'
import { nodePath, programPath, type RunningProgram, startProcess } from '../program.ts'
import { freePorts } from '../servers/ports.ts'
import { composeSchema } from './compose-schema.ts'
import { readMerged } from './files.ts'
import { placeSettings } from './settings.ts'

let folder!: string
let settings!: string
let database: TestPostgres | undefined
const running: RunningProgram[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-compose-'))
  database = await startPostgres()
  if (!database) return
  const url = new URL(await database.createDatabase())
  const secret = url.password
  url.password = ''
  const placed = await placeSettings('deploy/compose/arriero.yaml', folder, values => {
    const [files] = values.add_stores as [{ store_data: object }]
    const { scrub } = values.background as { scrub: { store_name: string }[] }
    return {
      ...values,
      host: '127.0.0.1',
      catalogue: url.href,
      add_stores: [{ ...files, store_data: { ...files.store_data, reserve: 0 } }],
      background: { scrub: scrub.filter(({ store_name }) => store_name === 'files') },
    }
  })
  settings = placed.path
  await secretOf('database_password', secret)
  await secretOf('admin_password', password)
}, 60_000)

afterAll(async () => {
  for (const { process: child, outcome } of running) {
    child.kill('SIGKILL')
    await outcome.catch(() => {})
  }
  await database?.end()
  await rm(folder, { recursive: true, force: true })
}, 60_000)

async function secretOf(name: string, text: string): Promise<void> {
  const path = join(folder, 'secrets', name)
  await rm(path, { force: true })
  await writeFile(path, `${text}\n`)
  await chmod(path, 0o440)
}

/** A service of the file, by its command. */
async function start(name: string, ...more: string[]): Promise<RunningProgram> {
  const { services } = composeSchema.parse(await readMerged('deploy/compose/compose.yaml'))
  const words = services[name]!.command!.map(word =>
    word.replace('/etc/arriero/arriero.yaml', settings).replace('/run/secrets', join(folder, 'secrets')),
  )
  const started = startProcess(nodePath, [programPath, ...words, ...more], { cwd: folder, timeoutMs: 600_000 })
  running.push(started)
  return started
}

async function end({ process: child, outcome }: RunningProgram): Promise<number> {
  child.kill('SIGTERM')
  return (await outcome).code
}

/** Resolves when it says that it is ready. */
async function ready(started: RunningProgram): Promise<RunningProgram> {
  const { process: child, outcome } = started
  const told = new Promise<void>(resolve => {
    let text = ''
    child.stdout?.on('data', piece => {
      text += piece
      if (text.includes('"ready":true')) resolve()
    })
  })
  await Promise.race([
    told,
    outcome.then(({ code, stderr }) => {
      throw new Error(`It ended with ${code}: ${stderr}`)
    }),
  ])
  return started
}

test('two that answer calls and two workers are one librarian, and each can go', async () => {
  if (!database) return
  const prepared = await (await start('prepare', '--json')).outcome
  expect(prepared.code, prepared.stderr + prepared.stdout).toBe(0)
  // Again, it changes nothing.
  expect((await (await start('prepare', '--json')).outcome).code).toBe(0)

  const [one, two, three, four] = (await freePorts(4)) as [number, number, number, number]
  const [first, second, worker, other] = await Promise.all(
    [
      start('api-1', '--json', '--port', String(one)),
      start('api-2', '--json', '--port', String(two)),
      start('worker-1', '--json', '--port', String(three)),
      start('worker-2', '--json', '--port', String(four)),
    ].map(async each => ready(await each)),
  )

  // Each call goes to the other one: what one was told, both know.
  const client = new Uploader(`http://127.0.0.1:${one}`, `http://127.0.0.1:${two}`)
  const content = bytesOf(1, 300_000)
  const kept = await client.upload('deployed/a.bin', content)
  expect(kept.status, JSON.stringify(kept.body)).toBe(200)
  for (let turn = 0; turn < 2; turn++) {
    expect((await client.download('deployed/a.bin')).bytes.equals(content)).toBe(true)
  }
  await runTask(client)
  for (const port of [three, four]) {
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200)
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('role="worker"')
  }

  // One of each goes: the others go on.
  first!.process.kill('SIGKILL')
  await first!.outcome
  expect(await end(worker!)).toBe(0)
  const left = new Uploader(`http://127.0.0.1:${two}`)
  const again = await left.upload('deployed/b.bin', bytesOf(2, 1000))
  expect(again.status, JSON.stringify(again.body)).toBe(200)
  await runTask(left)

  expect(await Promise.all([end(second!), end(other!)])).toEqual([0, 0])
}, 240_000)

interface ListedTask {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly outcome: string | null
  readonly ended_time: string | null
}

/** The task of the settings, once more, by whichever worker. */
async function runTask(client: Uploader): Promise<void> {
  const look = async () => {
    const { tasks } = (await client.post('tasks/list', {})).body as unknown as { tasks: ListedTask[] }
    return tasks.find(({ name }) => name === 'read files')!
  }
  const before = await look()
  expect((await client.post('tasks/run', { id: before.id })).status).toBe(200)
  for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
    const now = await look()
    if (now.ended_time !== before.ended_time) return expect(now.outcome).toBe('done')
    if (Date.now() > deadline) throw new Error(`The task does not end: ${JSON.stringify(now)}`)
  }
}
