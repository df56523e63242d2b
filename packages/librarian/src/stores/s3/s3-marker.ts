/** By what a bucket is known to be the place of a store, and a safe one. */
import { z } from 'zod'
import { probeParts, putObject, readObject, removeObject, type S3Object, type S3Place, Taken } from './s3-objects.ts'
import { contentOf } from './s3-trail.ts'

const markerSchema = z.object({ uuid: z.uuid(), name: z.string() })

export async function readUuid(place: S3Place, key: string, { etag, size }: S3Object): Promise<string> {
  const pieces = await Array.fromAsync(readObject(place, key, { etag, start: 0, end: size }))
  return markerSchema.parse(JSON.parse(Buffer.concat(pieces).toString())).uuid
}

/**
 * A server that replaces what it was told not to is no place for a store (reliability 7.11).
 *
 * @param keys.marker of an object that is there
 * @param keys.spare of none; nothing is left under it
 */
export async function probe(place: S3Place, { marker, spare }: { marker: string; spare: string }): Promise<void> {
  const isReplaced = await putObject(place, marker, contentOf(new Uint8Array())).then(
    () => true,
    error => {
      if (error instanceof Taken) return false
      throw error
    },
  )
  if (isReplaced) throw new Error('it must keep If-None-Match, it replaced an object')
  await putObject(place, spare, contentOf(new Uint8Array()))
  place.hasConditionalParts = await probeParts(place, spare)
  await removeObject(place, spare)
}
