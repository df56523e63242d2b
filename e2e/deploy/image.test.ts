/** What the image runs, run without a container engine: its tree, its user, its root, its very command. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodePath, type Outcome, type RunningProgram, startProcess } from '../program.ts'
import { freePorts } from '../servers/ports.ts'
import { pathOf, read } from './files.ts'
import { makeInstalledTree } from './installed-tree.ts'
import { confine, giveAway } from './read-only-root.ts'

let folder!: string
let program!: string
let words!: { entrypoint: string[]; command: string[]; health: string[] }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-image-'))
  await chmod(folder, 0o755)
  program = await makeInstalledTree(join(folder, 'opt'))
  const text = await read('deploy/Dockerfile')
  const json = (pattern: RegExp) => JSON.parse(pattern.exec(text)![1]!) as string[]
  words = {
    entrypoint: json(/^ENTRYPOINT (.*)$/m),
    command: json(/^CMD (.*)$/m),
    health: json(/^HEALTHCHECK[^\n]*\n\s*CMD (.*)$/m),
  }
}, 120_000)
afterAll(async () => {
  await chmod(join(folder, 'opt'), 0o755)
  await rm(folder, { recursive: true, force: true })
}, 60_000)

/** Words of the image where its tree, its settings and its port are those of this test. */
function moved(all: readonly string[], { settings, port }: { settings: string; port: number }): string[] {
  return all.map(word =>
    word
      .replace(/^node$/, nodePath)
      .replace(/^\/opt\/arriero\/packages\/cli\/bin\/arriero\.js$/, program)
      .replace('/etc/arriero/arriero.yaml', settings)
      .replace('127.0.0.1:8080', `127.0.0.1:${port}`),
  )
}

async function makePlace(name: string) {
  const [port] = (await freePorts(1)) as [number]
  const data = join(folder, name, 'srv')
  const temporary = join(folder, name, 'tmp')
  for (const each of [join(data, 'files'), join(data, 'staging'), temporary]) await mkdir(each, { recursive: true })
  const settings = join(folder, name, 'arriero.yaml')
  const store = { store_path: join(data, 'files'), staging_path: join(data, 'staging'), reserve: 0 }
  await writeFile(
    settings,
    JSON.stringify({
      host: '127.0.0.1',
      port,
      data_directory: data,
      add_stores: [
        { store_name: 'files', store_type: 'local', ingestable: true, store_data: store, transfer_manager_data: {} },
      ],
    }),
  )
  giveAway(data, temporary)
  return { port, data, temporary, settings }
}

const clean = Object.fromEntries(
  Object.keys(process.env)
    .filter(name => /^(librarian_|node_|vitest|home$|xdg_)/i.test(name))
    .map(name => [name, undefined]),
)

async function untilReady(url: string, { process: child, outcome }: RunningProgram): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.status === 200) return
    if (child.exitCode !== null) break
  }
  child.kill('SIGKILL')
  throw new Error(`It does not become ready: ${(await outcome).stderr}`)
}

test('the pruned tree holds no package for development', async () => {
  const { devDependencies } = JSON.parse(await readFile(pathOf('package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  for (const name of Object.keys(devDependencies)) {
    await expect(readFile(join(folder, 'opt/node_modules', name, 'package.json')), name).rejects.toThrow('ENOENT')
  }
})

test('the image’s command serves under a read-only root, as its first process, also its pages and the manual, and SIGTERM ends it with 0', async () => {
  const place = await makePlace('confined')
  const confined = confine('image under a read-only root', [place.data, place.temporary])
  if (!confined) return
  const [file, ...args] = [...confined.prefix, ...moved([...words.entrypoint, ...words.command], place)]
  const running = startProcess(file!, args, { cwd: place.data, env: { ...clean, TMPDIR: place.temporary } })
  const url = `http://127.0.0.1:${place.port}`
  await untilReady(url, running)
  const health = await runWords(moved(words.health, place))
  expect([health.code, health.stderr]).toEqual([0, ''])
  for (const [path, shown] of [
    ['/docs/', 'The manual of Arriero'],
    ['/docs/concepts.html', 'pictures/keeping.svg'],
    ['/dashboard/', '<html'],
  ] as const) {
    const page = await fetch(url + path)
    expect([page.status, await page.text()], path).toEqual([200, expect.stringContaining(shown)])
  }

  const child = await firstChild(running.process.pid!)
  expect(await readFile(`/proc/${child}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m)
  process.kill(child, 'SIGTERM')
  const { code, stderr } = await running.outcome
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('Stopped')
  expect(stderr).not.toMatch(/EROFS|"level":"(error|fatal)"/)
  const away = await runWords(moved(words.health, place))
  expect(away.code).toBe(1)
}, 120_000)

test('the image’s command serves from a tree that nobody can write', async () => {
  const place = await makePlace('plain')
  if (process.getuid?.() !== 0) await chmod(join(folder, 'opt'), 0o555)
  const [file, ...args] = moved([...words.entrypoint, ...words.command], place)
  const prefix =
    process.getuid?.() === 0 ? ['setpriv', '--reuid', '10001', '--regid', '10001', '--clear-groups', '--'] : []
  const [first, ...rest] = [...prefix, file!, ...args]
  const running = startProcess(first!, rest, { cwd: place.data, env: clean })
  await untilReady(`http://127.0.0.1:${place.port}`, running)
  running.process.kill('SIGTERM')
  const { code, stderr } = await running.outcome
  expect(code, stderr).toBe(0)
}, 120_000)

function runWords([file, ...args]: string[]): Promise<Outcome> {
  return startProcess(file!, args, { env: clean }).outcome
}

async function firstChild(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')
  expect(children).toHaveLength(1)
  return Number(children[0])
}
