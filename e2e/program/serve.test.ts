import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { arriero, type RunningProgram, startArriero } from '../program.ts'

interface Ready {
  readonly ready: boolean
  readonly url: string
  readonly settings: string
  readonly admin?: { readonly username: string; readonly password?: string }
}

interface Server {
  readonly program: RunningProgram
  readonly ready: Ready
  readonly stderr: () => string
}

let directory: string
let running: RunningProgram[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'serve-'))
})
afterEach(async () => {
  for (const program of running) program.process.kill('SIGKILL')
  await Promise.allSettled(running.map(({ outcome }) => outcome))
  running = []
  await rm(directory, { recursive: true })
})

/** None of the machine's own settings. */
const clean = Object.fromEntries(
  Object.keys(process.env)
    .filter(name => /^librarian_/i.test(name))
    .map(name => [name, undefined]),
)

function launch(args: readonly string[], env: Record<string, string> = {}): RunningProgram {
  const program = startArriero(['serve', ...args], { cwd: directory, env: { ...clean, ...env } })
  running.push(program)
  return program
}

async function start(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Server> {
  const program = launch([...args, '--json'], env)
  let stderr = ''
  program.process.stderr?.on('data', text => (stderr += text))
  const ready = await firstLine(program)
  return { program, ready: JSON.parse(ready), stderr: () => stderr }
}

function firstLine({ process: child, outcome }: RunningProgram): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    void outcome.then(({ code, stderr }) => reject(new Error(`It ended with ${code}: ${stderr}`)), reject)
  })
}

/** What it says to people, up to certain words. */
function until({ process: child }: RunningProgram, words: string): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    child.stderr?.on('data', chunk => {
      text += chunk
      if (text.includes(words)) resolve(text)
    })
  })
}

async function stop({ program }: Server, signal: NodeJS.Signals = 'SIGTERM') {
  program.process.kill(signal)
  return program.outcome
}

async function post(
  { ready }: Pick<Server, 'ready'>,
  path: string,
  password: string,
  user = 'admin',
  body: object = {},
) {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const answer = await fetch(`${ready.url}/api/v2/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization, 'content-type': 'application/json' },
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown>[] & Record<string, unknown> }
}

const quick = ['--port', '0']

describe('arriero serve', () => {
  test('with nothing: a data directory of one’s own, a store, an administrator; SIGTERM ends it well', async () => {
    const server = await start(quick)
    const password = server.ready.admin?.password ?? ''
    expect(server.ready).toMatchObject({
      ready: true,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      settings: join(directory, 'arriero-data/arriero.yaml'),
      admin: { username: 'admin', password: expect.stringMatching(/^[\w-]{24}$/) },
    })
    expect((await post(server, 'ping/', 'anything', 'nobody')).body).toMatchObject({ name: 'Arriero' })
    expect((await post(server, 'ping/admin', password)).status).toBe(200)
    expect((await post(server, 'ping/admin', 'wrong')).status).toBe(401)
    const stores = await post(server, 'admin/stores/list', password)
    expect(stores.body).toMatchObject([{ name: 'files', available: true, enabled: true, ingestable: true }])
    expect((await fetch(`${server.ready.url}/health`)).status).toBe(200)

    const { code, stdout } = await stop(server)
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(server.stderr()).not.toContain(password)
    expect((await stat(join(directory, 'arriero-data'))).mode & 0o777).toBe(0o700)
    for (const name of ['arriero.yaml', 'encryption.key', 'catalogue.db']) {
      expect([name, (await stat(join(directory, 'arriero-data', name))).mode & 0o077]).toEqual([name, 0])
    }
    for (const text of await contents(join(directory, 'arriero-data'))) expect(text).not.toContain(password)
  })

  test('Ctrl-C ends it as well', async () => {
    expect((await stop(await start(quick), 'SIGINT')).code).toBe(0)
  })

  test('killed and started again: everything is there, and no second administrator', async () => {
    const first = await start(quick)
    const password = first.ready.admin?.password ?? ''
    await post(first, 'ping/admin', password)
    await stop(first, 'SIGKILL')
    const second = await start(quick)
    expect(second.ready.admin).toBeUndefined()
    expect((await post(second, 'ping/admin', password)).status).toBe(200)
    expect((await stop(second)).code).toBe(0)
  })

  test('--reset-admin: a new password, and the old one ends', async () => {
    const first = await start(quick)
    await stop(first)
    const second = await start([...quick, '--reset-admin'])
    const [old, fresh] = [first.ready.admin?.password ?? '', second.ready.admin?.password ?? '']
    expect(fresh).not.toBe(old)
    expect((await post(second, 'ping/admin', old)).status).toBe(401)
    expect((await post(second, 'ping/admin', fresh)).status).toBe(200)
    await stop(second)
  })

  test('for people: what to do next, and the words that older scripts wait for', async () => {
    const program = launch(quick)
    const seen = await until(program, 'Ctrl-C')
    expect(seen).toMatch(/Listening on (http:\/\/127\.0\.0\.1:\d+) \(Uvicorn running on \1\)/)
    expect(seen).toMatch(/arriero login .* --user admin/)
    program.process.kill('SIGTERM')
    const { code, stdout } = await program.outcome
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^user: admin\npassword: [\w-]{24}\n$/)])
  })

  test('the settings of an existing server, and the password from a file', async () => {
    await mkdir(join(directory, 'files'))
    await mkdir(join(directory, 'staging'))
    const config = join(directory, 'librarian.json')
    const secret = join(directory, 'password')
    await writeFile(secret, 'from a file\n', { mode: 0o600 })
    await writeFile(
      config,
      JSON.stringify({
        name: 'site-a',
        host: '127.0.0.1',
        port: 0,
        database_driver: 'sqlite',
        database: join(directory, 'librarian.db'),
        displayed_site_name: 'Site A',
        add_stores: [
          {
            store_name: 'local_store',
            store_type: 'local',
            ingestable: true,
            store_data: { store_path: join(directory, 'files'), staging_path: join(directory, 'staging'), reserve: 0 },
            transfer_manager_data: { local: { available: 'true', hostnames: ['h'] } },
          },
        ],
      }),
    )
    const server = await start(['--admin', 'root', '--admin-password-file', secret], { LIBRARIAN_CONFIG_PATH: config })
    expect(server.ready.admin).toEqual({ username: 'root' })
    expect((await post(server, 'ping/admin', 'from a file', 'root')).body).toMatchObject({ name: 'Site A' })
    expect((await stop(server)).code).toBe(0)
    expect(await readdir(directory)).not.toContain('arriero-data')
  })

  test('a catalogue that was put back or replayed without an administrator: said with the remedy', async () => {
    const worker = launch([...quick, '--role', 'worker'])
    await until(worker, 'is ready')
    worker.process.kill('SIGTERM')
    await worker.outcome
    const replay = (...more: string[]) =>
      arriero(['serve', '--replay', '--json', ...more], { cwd: directory, env: clean })
    const none = await replay()
    expect(none.stderr).toMatch(/no administrator in this catalogue.*--reset-admin/)
    expect(JSON.parse(none.stdout)).toMatchObject({ administrators: 0 })
    expect((await replay('--reset-admin')).stderr).not.toContain('no administrator')
    expect((await replay()).stderr).not.toContain('no administrator')
  })

  test('a later start says how to get in for whom the password is lost', async () => {
    await stop(await start(quick))
    const program = launch(quick)
    const seen = await until(program, 'Ctrl-C')
    expect(seen).toMatch(/administrator already; .*arriero serve --reset-admin/)
    program.process.kill('SIGTERM')
    await program.outcome
  })

  test('a store whose reserve leaves no room: told at the start, and again to the operator when an upload is refused', async () => {
    await stop(await start(quick))
    const settings = join(directory, 'arriero-data/arriero.yaml')
    const text = await readFile(settings, 'utf8')
    await writeFile(settings, text.replace(/^( +)store_path: /m, `$1reserve: ${2 ** 52}\n$&`))
    const server = await start([...quick, '--migrate-stores', '--reset-admin'])
    expect(server.stderr()).toMatch(/no room: .*`reserve`.*--migrate-stores/)
    const answer = await post(server, 'upload/stage', server.ready.admin?.password ?? '', 'admin', {
      upload_size: 10,
      upload_checksum: 'd41d8cd98f00b204e9800998ecf8427e',
      upload_name: 'a',
      destination_location: 'a',
      uploader: 'admin',
    })
    expect(answer.status).toBe(413)
    await expect.poll(server.stderr).toMatch(/An upload was refused: .*`reserve`.*--migrate-stores/)
    await stop(server)
  })

  test('idle it takes less than 200 MiB', async () => {
    const server = await start(quick)
    await post(server, 'ping/admin', server.ready.admin?.password ?? '')
    const rss = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${server.program.process.pid}/status`, 'utf8'))?.[1]
    expect(Number(rss) / 1024).toBeLessThan(200)
    await stop(server)
  })
})

describe('arriero serve refuses', () => {
  const refused = async (args: readonly string[], env: Record<string, string> = {}) => {
    const { code, stderr } = await arriero(['serve', ...args], { cwd: directory, env: { ...clean, ...env } })
    expect(code).toBe(2)
    return stderr
  }

  test('a port that is taken, and says what to do', async () => {
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    expect(await refused(['--port', String(port)])).toMatch(
      new RegExp(`127\\.0\\.0\\.1:${port}: another program listens there.*--port`),
    )
    taken.close()
    // Nobody was shown a password, so there is none yet.
    const server = await start(quick)
    expect((await post(server, 'ping/admin', server.ready.admin?.password ?? '')).status).toBe(200)
    await stop(server)
  })

  test('a port that is taken, and resets no password then', async () => {
    const server = await start(quick)
    await stop(server)
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    await refused(['--port', String(port), '--reset-admin'])
    taken.close()
    const again = await start(quick)
    expect((await post(again, 'ping/admin', server.ready.admin?.password ?? '')).status).toBe(200)
    await stop(again)
  })

  test('to do two things at once, and a backup that is not there', async () => {
    expect(await refused(['--rebuild', '--restore', 'newest'])).toMatch(/--rebuild.* cannot be used with .*--restore/)
    await stop(await start(quick))
    expect(await refused(['--restore', 'nope.db'])).toMatch(/nope\.db: there is no such file\. Check the path/)
  })

  test('a data directory that is not there, where one must be: it was mistyped, and is not made', async () => {
    for (const how of [['--rebuild'], ['--restore', 'newest'], ['--replay'], ['--backup-made']]) {
      expect(await refused(['--data', 'tpyo', ...how])).toMatch(/Cannot find a librarian: .*tpyo holds none.*--data/s)
    }
    expect(await readdir(directory)).not.toContain('tpyo')
  })

  test('a store whose place does not exist, and says how it is made', async () => {
    await stop(await start(quick))
    const config = join(directory, 'arriero-data/arriero.yaml')
    const text = await readFile(config, 'utf8')
    await writeFile(
      config,
      text.replace('store_name: files', 'store_name: other').replace('store_path: files', 'store_path: absent'),
    )
    const stderr = await refused(quick)
    expect(stderr).toMatch(/absent: it does not exist\..*mkdir -p .*absent/)
    expect(stderr).not.toContain('arriero doctor')
  })

  test('a data directory that another server has', async () => {
    const server = await start(quick)
    for (const more of [[], ['--rebuild'], ['--reset-admin']]) {
      const stderr = await refused([...quick, ...more])
      expect(stderr).toMatch(/has it open\. Stop that process first/)
      expect(stderr).not.toContain('can no longer be used')
    }
    expect((await stop(server)).code).toBe(0)
  })

  test('settings with a key that does not exist, and those that are not there', async () => {
    const config = join(directory, 'wrong.yaml')
    await writeFile(config, 'nmae: x\n')
    expect(await refused(['--config', config])).toContain('unknown: nmae')
    expect(await refused(['--config', join(directory, 'none.yaml')])).toMatch(
      /there is no file .*none\.yaml\. Check the path/,
    )
  })

  test('settings with secrets that everybody may read, and prints the command to run', async () => {
    const config = join(directory, 'open.yaml')
    await writeFile(config, 'encryption_key: CANARY\n')
    await chmod(config, 0o644)
    const stderr = await refused(['--config', config])
    expect(stderr).toContain(`chmod o-rwx '${config}'`)
    expect(stderr).not.toContain('CANARY')
  })

  test('a catalogue that everybody may read', async () => {
    await stop(await start(quick))
    await chmod(join(directory, 'arriero-data/catalogue.db'), 0o644)
    expect(await refused(quick)).toContain('chmod o-rwx')
  })

  test('a store on another disk; an empty one is unavailable, and stays empty', async () => {
    const first = await start(quick)
    await stop(first)
    const marker = join(directory, 'arriero-data/files/.arriero/marker.json')
    const own = await readFile(marker, 'utf8')
    await writeFile(marker, JSON.stringify({ ...JSON.parse(own), uuid: randomUUID() }))
    expect(await refused(quick)).toMatch(/another disk is mounted/)
    await rm(join(directory, 'arriero-data/files/.arriero'), { recursive: true })
    const second = await start(quick)
    const { body } = await post(second, 'admin/stores/list', first.ready.admin?.password ?? '')
    expect(body).toMatchObject([{ name: 'files', available: false, free_space: -1 }])
    expect(await readdir(join(directory, 'arriero-data/files'))).toEqual([])
    expect((await fetch(`${second.ready.url}/health`)).status).toBe(503)
    expect((await stop(second)).code).toBe(0)
  })
})

async function contents(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  const files = entries.filter(entry => entry.isFile())
  return Promise.all(files.map(entry => readFile(join(entry.parentPath, entry.name), 'latin1')))
}
