/** What lies under keys of a bucket, compared and copied: always by bytes that were read, never by what the bucket says of them. */
import type { Publication } from '../store.ts'
import {
  digestObject,
  headObject,
  listObjects,
  putObject,
  readObject,
  type S3Object,
  type S3Place,
  Taken,
} from './s3-objects.ts'

export async function isContentOf(
  place: S3Place,
  { kind, size, sha256 }: Publication,
  key: string,
  found: S3Object,
): Promise<boolean> {
  if (kind !== 'file' || found.size !== size) return false
  return (await digestObject(place, key, found, ['sha256'])).sha256 === sha256
}

export async function isSame(
  place: S3Place,
  [aKey, a]: readonly [string, S3Object],
  [bKey, b]: readonly [string, S3Object],
): Promise<boolean> {
  if (a.size !== b.size) return false
  const digests = await Promise.all([
    digestObject(place, aKey, a, ['sha256']),
    digestObject(place, bKey, b, ['sha256']),
  ])
  return digests[0].sha256 === digests[1].sha256
}

/** Through us, since no copy inside S3 is conditional everywhere; read and digested on the way. */
export async function copyObject(place: S3Place, to: string, from: string, found: S3Object): Promise<void> {
  const { sha256 } = await digestObject(place, from, found, ['sha256'])
  const read = (start: number, end: number) => readObject(place, from, { etag: found.etag, start, end })
  try {
    await putObject(place, to, { size: found.size, sha256: sha256!, read })
  } catch (error) {
    const there = error instanceof Taken ? await headObject(place, to) : undefined
    if (!there || !(await isSame(place, [from, found], [to, there]))) throw error
  }
}

/** Why nothing can be put under a name, beside that it is taken: an object cannot lie in another one. */
export async function whyNotFree(place: S3Place, prefix: string, name: string): Promise<string | undefined> {
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    const above = name.slice(0, at)
    if (await headObject(place, `${prefix}${above}`)) return `it lies in ${above}`
  }
  for await (const { key } of listObjects(place, `${prefix}${name}/`, { most: 1 })) return `${key} lies in it`
  return undefined
}
