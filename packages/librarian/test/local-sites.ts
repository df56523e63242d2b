/** Two librarians of ours on one machine, with disks that both see: flows go as between real ones, by the local manager. */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { expect } from 'vitest'
import { describeContent } from '../src/stores/memory-content.ts'
import type { TaskKey, TaskResult } from '../src/tasks/task.ts'
import { addUser, openTestHouse, passwordOf, type TestHouse } from './house.ts'
import { LocalPlace } from './local-place.ts'

export interface LocalSite extends AsyncDisposable {
  readonly name: string
  readonly house: TestHouse
  readonly place: LocalPlace
  readonly port: number
  /** What it does by itself: messages, and the queue. Until `rest`. */
  work(): void
  rest(): Promise<void>
  /** Runs a task of the settings once. */
  run(key: TaskKey, settings?: object): Promise<TaskResult>
  keep(name: string, content: Uint8Array): Promise<void>
}

const local = { local: { available: true, hostnames: [hostname()] } }

/** Where an entry of the settings says nothing else; ages of −1 are of now. */
const common = {
  task_name: 't',
  every: 36_000_000,
  soft_timeout: null,
  age_in_days: 10,
  store_preference: null,
  send_batch_size: 16,
  warn_disabled_timer: null,
  complete_status: 2,
  deletion_policy: 0,
  files_per_run: 1024,
}

export async function openLocalSite(name: string): Promise<LocalSite> {
  const place = await LocalPlace.make()
  const store = await place.open()
  const site = { name: 'one', ingestable: true, transferManagers: local, asyncTransferManagers: local }
  const task = { task_name: 't', every: '10:00:00' }
  const house = await openTestHouse({
    settings: {
      name,
      encryption_key: randomBytes(32).toString('base64url'),
      // That something moves what is sent again (librarian 11.9).
      background: {
        send_clone: [{ ...task, destination_librarian: name === 'a' ? 'b' : 'a', age_in_days: 10 }],
        consume_queue: [task],
        check_consumed_queue: [task],
      },
    },
    stores: [{ id: 1, store, ...site }],
  })
  await house.catalogue.stores.synchronise({ stores: [{ ...site, type: 'local', data: {} }] })
  await house.app.listen({ host: '127.0.0.1', port: 0 })
  let stop = new AbortController()
  let working: Promise<unknown> = Promise.resolve()
  const rest = async () => {
    stop.abort()
    await working
  }
  return {
    name,
    house,
    place,
    port: (house.app.server.address() as AddressInfo).port,
    work() {
      stop = new AbortController()
      working = Promise.all(house.features.map(each => each.work?.(stop.signal)))
    },
    rest,
    async run(key, settings = {}) {
      const kind = house.features.flatMap(({ tasks = [] }) => tasks).find(each => each.key === key)!
      const { signal } = new AbortController()
      const context = { signal, isOverdue: () => false, progress: () => {}, cursor: undefined, keep: () => {} }
      return await kind.run({ ...common, ...settings } as never, context)
    },
    async keep(file, content) {
      const { size, checksum } = await describeContent(content, undefined)
      const upload_name = file.slice(file.lastIndexOf('/') + 1)
      const announced = { upload_size: size, upload_checksum: checksum, upload_name, uploader: 'ada' }
      const { body } = await house.post('upload/stage', { ...announced, destination_location: file })
      await place.stage(body.staging_name, upload_name, content)
      const given = { transfer_provider_name: 'local', transfer_provider: local.local, meta_mode: 'infer' }
      const commit = { ...body, ...announced, ...given, destination_location: file, deletion_policy: '0' }
      expect((await house.post('upload/commit', { ...commit, null_obsid: true })).status).toBe(200)
    },
    async [Symbol.asyncDispose]() {
      await rest()
      await house[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

/** `one` has an account for the other, and the other's row. */
export async function meet(one: LocalSite, other: LocalSite): Promise<void> {
  await addUser(one.house.catalogue, other.name, 'READAPPEND')
  const added = await one.house.post('admin/librarians/add', {
    librarian_name: other.name,
    url: 'http://127.0.0.1',
    port: other.port,
    authenticator: `${one.name}:${passwordOf(one.name)}`,
    check_connection: false,
  })
  expect(added.body).toMatchObject({ success: true })
}
