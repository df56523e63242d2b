/** A local store in a directory of its own, and the hands of the other programs on its machine. */

import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Log } from '../src/log.ts'
import type { Keeper } from '../src/stores/keeper.ts'
import type { Life } from '../src/stores/life.ts'
import { createThreads } from '../src/stores/local/threads.ts'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import { openStore } from '../src/stores/open-store.ts'
import type { Publication, Store, Work } from '../src/stores/store.ts'
import { newId, unwrap } from './store-suite.ts'

/** Threads take a second to start; idle ones keep no process alive. */
const threads = createThreads()

export class LocalPlace implements AsyncDisposable {
  readonly place: string
  readonly root: string
  readonly staging: string
  readonly #opened: Store[] = []

  private constructor(place: string) {
    this.place = place
    this.root = join(place, 'store')
    this.staging = join(place, 'staging')
  }

  static async make(): Promise<LocalPlace> {
    const place = new LocalPlace(await mkdtemp(join(tmpdir(), 'arriero-store-')))
    await mkdir(place.root)
    await mkdir(place.staging)
    return place
  }

  async open({
    data = {},
    log,
    uuid,
    createMarker = true,
    keeper,
    mayClaim,
    life,
  }: {
    data?: object
    log?: Log
    uuid?: string
    createMarker?: boolean
    keeper?: Keeper
    mayClaim?: boolean
    life?: Life
  } = {}): Promise<Store> {
    const settings = {
      name: 'one',
      type: 'local',
      uuid,
      data: { store_path: this.root, staging_path: this.staging, reserve: 0, ...data },
    }
    const store = await openStore(settings, { threads, createMarker, log, keeper, mayClaim, life })
    this.#opened.push(store)
    return store
  }

  /** As a program that may write into the staging area would. */
  async stage(id: string, uploadName: string, content: MemoryContent): Promise<void> {
    await put(join(this.staging, id, uploadName), content)
  }

  /** As a program that writes into the store itself would. */
  async put(name: string, content: MemoryContent): Promise<void> {
    await put(join(this.root, name), content)
  }

  /** Changes bytes that the store holds for right. */
  async damage(name: string, content: Uint8Array): Promise<void> {
    await chmod(join(this.root, name), 0o600)
    await writeFile(join(this.root, name), content)
  }

  /** An empty directory in its place, as of a disk that is not mounted; or the disk back again. */
  async setThere(isThere: boolean): Promise<void> {
    if (isThere) {
      await rm(this.root, { recursive: true })
      await rename(`${this.root}-away`, this.root)
    } else {
      await rename(this.root, `${this.root}-away`)
      await mkdir(this.root)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#opened) await store[Symbol.asyncDispose]()
    await rm(this.place, { recursive: true, force: true })
  }
}

/** A work whose upload lies in the staging area under `upload`, to be put there by the caller. */
export async function stagedWork(store: Store, content?: MemoryContent): Promise<Work & { readonly path: string }> {
  const id = randomUUID()
  const path = await store.openStaging(id, 'upload')
  const size = content ? (await describeContent(content, undefined)).size : 0
  if (content) await put(path, content)
  return {
    id: newId(),
    token: 1,
    origin: { from: 'staging', id, uploadName: 'upload' },
    size,
    checksum: undefined,
    path,
  }
}

export async function commitTo(
  store: Store,
  name: string,
  content: MemoryContent,
): Promise<Publication & { manifest: string | undefined }> {
  const work = await stagedWork(store, content)
  const [prepared] = await store.prepare([work])
  const { kind, size, sha256, manifest } = unwrap(prepared!)
  const publication = { id: work.id, token: work.token, name, kind, size, sha256, manifest }
  unwrap((await store.publish([publication]))[0]!)
  await store.settle([work.id])
  return publication
}

async function put(path: string, content: MemoryContent): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  if (content instanceof Uint8Array) return writeFile(path, content)
  await mkdir(path, { recursive: true })
  for (const [member, bytes] of content) {
    if (bytes === null) await mkdir(join(path, member), { recursive: true })
    else await put(join(path, member), bytes)
  }
}
