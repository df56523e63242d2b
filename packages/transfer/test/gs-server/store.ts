/** What is in the buckets of the twin. */
import { createHash } from 'node:crypto'
import { createHasher, loadHashers } from '../../src/integrity/hasher.ts'

export interface PutOptions {
  /** The bytes given are what is stored, in this coding. */
  readonly contentEncoding?: string | undefined
  /** Made by compose: it has no MD5. */
  readonly isComposed?: boolean | undefined
}

export interface StoredObject extends PutOptions {
  readonly bucket: string
  readonly name: string
  readonly bytes: Uint8Array
  readonly generation: string
  readonly updated: Date
  /** Base64. */
  readonly crc32c: string
  readonly md5: string | undefined
}

await loadHashers(['crc32c'])

export class Store {
  readonly #live = new Map<string, StoredObject>()
  readonly #old = new Map<string, StoredObject>()
  readonly buckets = new Set<string>()
  /** Replaced generations can still be read. */
  hasVersions = false
  #lastGeneration = 1_712_345_678_000_000n

  put(bucket: string, name: string, content: Uint8Array, options: PutOptions = {}): StoredObject {
    this.buckets.add(bucket)
    this.remove(bucket, name)
    this.#lastGeneration += 1n
    const bytes = Uint8Array.from(content)
    const crc32c = createHasher('crc32c')
    crc32c.update(bytes)
    const object: StoredObject = {
      ...options,
      bucket,
      name,
      bytes,
      generation: String(this.#lastGeneration),
      updated: new Date(),
      crc32c: Buffer.from(crc32c.digest()).toString('base64'),
      md5: options.isComposed ? undefined : createHash('md5').update(bytes).digest('base64'),
    }
    this.#live.set(`${bucket}/${name}`, object)
    return object
  }

  remove(bucket: string, name: string): void {
    const key = `${bucket}/${name}`
    const object = this.#live.get(key)
    if (object && this.hasVersions) this.#old.set(`${key}#${object.generation}`, object)
    this.#live.delete(key)
  }

  get(bucket: string, name: string, generation?: string | null): StoredObject | undefined {
    const key = `${bucket}/${name}`
    const live = this.#live.get(key)
    if (generation === undefined || generation === null || live?.generation === generation) return live
    return this.#old.get(`${key}#${generation}`)
  }

  /** In the order of their UTF-8 names, as the service lists them. */
  in(bucket: string): StoredObject[] {
    return [...this.#live.values()]
      .filter(object => object.bucket === bucket)
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  }
}
