/** A place beside another librarian that sends to it, and from which it repairs; nobody disturbs the other one. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../servers/ports.ts'
import { type Beside, call, type Door } from '../commit/client.ts'
import type { Engine } from '../commit/engines.ts'
import { type Librarian, startLibrarian } from '../commit/librarian.ts'
import { Place } from '../commit/place.ts'
import { logIn } from './carry.ts'

export interface DownstreamOptions {
  /** Of the origin from which it may fetch. */
  readonly originPort: number
  /** What is there before anything is disturbed. */
  prepare(place: Place): Promise<void>
}

export interface Downstream extends AsyncDisposable {
  readonly place: Place
}

const password = 'a password of librarians'
const encryptionKey = `${Buffer.alloc(32, 7).toString('base64url')}=`
/** Backups of the catalogue have their own tests, and are a few calls at every start. */
const common = { encryption_key: encryptionKey, backups: { every: null } }

/** @param home empty */
export async function openDownstream(home: string, engine: Engine, options: DownstreamOptions): Promise<Downstream> {
  const [port, upstreamPort] = (await freePorts(2)) as [number, number]
  const upstream = await startUpstream(join(home, '..', 'upstream'), upstreamPort)
  const beside: Beside = { ...upstream, person: join(home, '..', 'person') }
  try {
    const { originPort } = options
    const ingest = { hosts: ['127.0.0.1'], ports: [originPort], schemes: ['http'], networks: ['127.0.0.0/8'] }
    const place = await Place.open(home, engine, {
      port,
      beside,
      settings: { ...common, ingest },
      prepare: async opened => {
        await acquaint(upstream, { ...opened.librarian, port })
        await logIn(beside.person, { here: opened.librarian, beside })
        await options.prepare(opened)
      },
    })
    return {
      place,
      async [Symbol.asyncDispose]() {
        await place[Symbol.asyncDispose]()
        await upstream.stop()
      },
    }
  } catch (error) {
    await upstream.stop()
    throw error
  }
}

async function startUpstream(directory: string, port: number): Promise<Librarian & { readonly port: number }> {
  const [home, data] = [join(directory, 'home'), join(directory, 'data')]
  for (const each of [home, data]) mkdirSync(each, { recursive: true })
  const often = { every: '00:00:00.2' }
  const background = {
    send_clone: [
      {
        task_name: 'send',
        ...often,
        destination_librarian: 'arriero',
        age_in_days: 1000,
        store_preference: null,
        warn_disabled_timer: null,
      },
    ],
    consume_queue: [{ task_name: 'queue', ...often }],
    check_consumed_queue: [{ task_name: 'check', ...often }],
  }
  const catalogue = `sqlite:${join(data, 'catalogue.db')}`
  const settings = { ...common, name: 'upstream', background }
  return { ...(await startLibrarian({ home, data, catalogue, port, settings })), port }
}

/** Each has an account at the other one, under its own name (librarian 5.5). */
async function acquaint(upstream: Door & { readonly port: number }, downstream: Door & { readonly port: number }) {
  const [callback, readAppend] = [2, 3]
  await good(upstream, 'users/create', { username: 'arriero', password, permission: callback })
  await good(downstream, 'users/create', { username: 'upstream', password, permission: readAppend })
  const known = (librarian_name: string, port: number, own: string) => ({
    librarian_name,
    url: 'http://127.0.0.1',
    port,
    authenticator: `${own}:${password}`,
    check_connection: true,
  })
  await good(downstream, 'admin/librarians/add', known('upstream', upstream.port, 'arriero'))
  await good(upstream, 'admin/librarians/add', known('arriero', downstream.port, 'upstream'))
  // At the start there was nobody to send to.
  const { tasks } = (await good(upstream, 'tasks/list', {})) as { tasks: { id: string; name: string }[] }
  await good(upstream, 'tasks/run', { id: tasks.find(({ name }) => name === 'send')!.id })
}

async function good(door: Door, path: string, body: object): Promise<unknown> {
  const { status, body: answer } = await call(door, path, body)
  if (status >= 300) throw new Error(`${path} was answered by ${status}: ${JSON.stringify(answer)}`)
  return answer
}
