/** A real librarian as a process of its own, which can be killed and started again; and a slow way to it. */
import type { ChildProcess } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startArriero } from '../program.ts'

export interface RunningLibrarian {
  readonly url: string
  readonly port: number
  /** Of the user `admin`. */
  readonly passwordFile: string
  /** As a power cut would. */
  kill(): Promise<void>
  /** After `kill`: on the same port, with the same data. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface LibrarianOptions {
  /** Machines that may copy into its staging area; default: this one. */
  readonly hostnames?: readonly string[]
  /** More settings, by their names in the file. */
  readonly settings?: Readonly<Record<string, unknown>>
}

export async function startLibrarian(directory: string, options: LibrarianOptions = {}): Promise<RunningLibrarian> {
  await mkdir(directory, { recursive: true })
  const passwordFile = join(directory, 'password')
  await writeFile(passwordFile, 'admin-password\n')
  await chmod(passwordFile, 0o600)
  if (options.hostnames || options.settings) await writeSettings(directory, options)
  let running = await startProcessOf(directory, passwordFile, 0)
  const { port } = new URL(running.url)
  return {
    url: running.url,
    port: Number(port),
    passwordFile,
    async kill() {
      running.process.kill('SIGKILL')
      await running.ended
    },
    async start() {
      running = await startProcessOf(directory, passwordFile, Number(port))
    },
    async stop() {
      running.process.kill('SIGTERM')
      await Promise.race([running.ended, sleep(10_000)])
      running.process.kill('SIGKILL')
    },
  }
}

/** What the first start would make, but for who may copy. */
async function writeSettings(directory: string, { hostnames = [], settings: more }: LibrarianOptions): Promise<void> {
  const store = { store_path: join(directory, 'files'), staging_path: join(directory, 'staging'), reserve: 0 }
  await mkdir(store.store_path)
  await mkdir(store.staging_path)
  const settings = {
    name: 'away',
    displayed_site_name: 'Away',
    host: '127.0.0.1',
    port: 0,
    catalogue: `sqlite:${join(directory, 'catalogue.db')}`,
    add_stores: [
      {
        store_name: 'files',
        store_type: 'local',
        ingestable: true,
        store_data: store,
        transfer_manager_data: { local: { available: true, hostnames } },
      },
    ],
    ...more,
  }
  await writeFile(join(directory, 'settings.json'), JSON.stringify(settings), { mode: 0o600 })
}

async function startProcessOf(directory: string, passwordFile: string, port: number) {
  const hasSettings = await readFile(join(directory, 'settings.json')).then(
    () => true,
    () => false,
  )
  const place = hasSettings ? ['--config', join(directory, 'settings.json')] : ['--data', join(directory, 'data')]
  const { process, outcome } = startArriero(
    ['serve', '--json', ...place, '--port', String(port), '--admin-password-file', passwordFile],
    { timeoutMs: 600_000 },
  )
  const ended = outcome.catch(() => undefined)
  return { process, ended, url: await urlFrom(process, ended) }
}

async function urlFrom(process: ChildProcess, ended: Promise<unknown>): Promise<string> {
  let text = ''
  const ready = new Promise<string>(resolve => {
    process.stdout?.on('data', chunk => {
      text += chunk
      const line = text.split('\n').find(each => each.includes('"ready":true'))
      if (line) resolve((JSON.parse(line) as { url: string }).url)
    })
  })
  const url = await Promise.race([ready, ended, sleep(60_000)])
  if (typeof url === 'string') return url
  throw new Error(`Cannot start a librarian: ${text}`)
}

export interface SlowWay {
  readonly port: number
  /** Resolves when so many bytes have gone through the slow way from now on. */
  passed(bytes: number): Promise<void>
  /** Bytes that have gone through the slow way. */
  readonly total: number
  /** Resolves when somebody has come since the call, and met nobody behind the way. */
  refused(): Promise<void>
  close(): void
}

/** Lets a connection's bytes through at a rate, so that a transfer can be met half way. */
export async function startSlowWay(
  target: number,
  bytesPerSecond: number,
  { slows = 'to server' }: { readonly slows?: 'to server' | 'to client' } = {},
): Promise<SlowWay> {
  let count = 0
  let refusals = 0
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket) => from.on('data', chunk => void to.write(chunk))
  const passSlowly = (from: Socket, to: Socket) =>
    from.on('data', chunk => {
      from.pause()
      to.write(chunk)
      count += chunk.length
      setTimeout(() => from.resume(), (chunk.length / bytesPerSecond) * 1000)
    })
  const server = createServer(client => {
    const upstream = connect(target, '127.0.0.1')
    sockets.add(client).add(upstream)
    upstream.once('error', () => refusals++)
    const end = () => {
      client.destroy()
      upstream.destroy()
      sockets.delete(client)
      sockets.delete(upstream)
    }
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end)
    const isUp = slows === 'to server'
    ;(isUp ? pass : passSlowly)(upstream, client)
    ;(isUp ? passSlowly : pass)(client, upstream)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async passed(bytes) {
      const from = count
      const deadline = Date.now() + 60_000
      while (count - from < bytes) {
        if (Date.now() > deadline) throw new Error(`Only ${count - from} bytes of ${bytes} have passed within a minute`)
        await sleep(10)
      }
    },
    get total() {
      return count
    },
    async refused() {
      const from = refusals
      for (const deadline = Date.now() + 60_000; refusals === from; await sleep(10)) {
        if (Date.now() > deadline) throw new Error('Nobody has come within a minute')
      }
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
