import { checkId } from '../local/layout.ts'
import { fileExists, notFound, notInTrash } from '../refusals.ts'
import type { Removed } from '../store.ts'
import { copyObject, isSame, whyNotFree } from './s3-contents.ts'
import { speaking } from './s3-error.ts'
import type { S3Ground, S3Keys } from './s3-keys.ts'
import { headObject, listObjects, removeObject, type S3Place } from './s3-objects.ts'

/** Trash, and back (reliability B2). A bucket cannot rename: an object is copied, and removed when the copy is proven. */
export class S3Removal {
  readonly #place: S3Place
  readonly #keys: S3Keys

  constructor({ place, keys }: S3Ground) {
    this.#place = place
    this.#keys = keys
  }

  async trash(name: string, id: string): Promise<void> {
    const [key, kept] = this.#keysOf(name, id)
    await speaking(this.#place, 'trash', name, async () => {
      const found = await headObject(this.#place, key)
      if (!found) {
        if (await headObject(this.#place, kept)) return
        throw notFound(name)
      }
      await copyObject(this.#place, kept, key, found)
      await removeObject(this.#place, key)
    })
  }

  async restore(name: string, id: string): Promise<void> {
    const [key, kept] = this.#keysOf(name, id)
    await speaking(this.#place, 'restore', name, async () => {
      const [found, there] = [await headObject(this.#place, kept), await headObject(this.#place, key)]
      if (!found && there) return
      if (!found) throw notInTrash(name, id)
      const met =
        (there && !(await isSame(this.#place, [kept, found], [key, there])) && 'it is taken') ||
        (await whyNotFree(this.#place, this.#keys.prefix, name))
      if (met) throw fileExists(name, met)
      if (!there) await copyObject(this.#place, key, kept, found)
      await removeObject(this.#place, kept)
    })
  }

  async purge(id: string): Promise<void> {
    for (const place of ['trash', 'quarantine'])
      await removeObject(this.#place, this.#keys.ofPrivate(`${place}/${checkId(id)}`))
  }

  async *removed(): AsyncGenerator<Removed> {
    for (const place of ['trash', 'quarantine'] as const) {
      const prefix = this.#keys.ofPrivate(`${place}/`)
      for await (const { key } of listObjects(this.#place, prefix)) yield { id: key.slice(prefix.length), place }
    }
  }

  #keysOf(name: string, id: string): readonly [key: string, kept: string] {
    return [this.#keys.of(name), this.#keys.ofPrivate(`trash/${checkId(id)}`)]
  }
}
