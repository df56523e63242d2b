/** By what a bucket is known to be the place of a store, whose it is, and that it is a safe place. */
import { LibrarianError } from '@arriero/api'
import { z } from 'zod'
import { type Keeper, keeperSchema } from '../keeper.ts'
import {
  headObject,
  probeParts,
  putObject,
  readObject,
  removeObject,
  type S3Object,
  type S3Place,
  Taken,
} from './s3-objects.ts'
import { contentOf } from './s3-trail.ts'

const markerSchema = z.object({ uuid: z.uuid(), name: z.string(), keeper: keeperSchema.optional() })

export type S3Marker = z.infer<typeof markerSchema>

export async function readMarkerObject(place: S3Place, key: string, { etag, size }: S3Object): Promise<S3Marker> {
  const pieces = await Array.fromAsync(readObject(place, key, { etag, start: 0, end: size }))
  return markerSchema.parse(JSON.parse(Buffer.concat(pieces).toString()))
}

/** @throws Taken where there is one */
export async function putMarker(place: S3Place, key: string, marker: S3Marker): Promise<void> {
  await putObject(place, key, contentOf(Buffer.from(`${JSON.stringify(marker)}\n`)))
}

/** How often another may have written the marker between our look and our write. */
const ATTEMPTS = 5

/**
 * Writes a keeper into a marker: of several who try at once each sees what the one before has written.
 *
 * @param options.isTakeOver also over another keeper; else only where there is none
 * @returns the keeper that was there; where it is no take-over, that keeper counts
 */
export async function putKeeper(
  place: S3Place,
  key: string,
  keeper: Keeper,
  { isTakeOver }: { isTakeOver: boolean },
): Promise<Keeper | undefined> {
  return await renewKeeper(place, key, async there => {
    return there && (!isTakeOver || there.catalogue === keeper.catalogue) ? undefined : keeper
  })
}

/** Writes the keeper that `next` makes of what is there, asked again whenever another was faster; undefined: none. @returns what was there */
export async function renewKeeper(
  place: S3Place,
  key: string,
  next: (there: Keeper | undefined) => Promise<Keeper | undefined>,
): Promise<Keeper | undefined> {
  for (let attempt = 1; ; attempt++) {
    const found = await headObject(place, key)
    if (!found)
      throw new LibrarianError('StoreUnavailable', `Cannot write ${key}: there must be a marker, there is none`)
    const marker = await readMarkerObject(place, key, found)
    const keeper = await next(marker.keeper)
    if (!keeper) return marker.keeper
    try {
      const content = contentOf(Buffer.from(`${JSON.stringify({ ...marker, keeper })}\n`))
      await putObject(place, key, content, { replaces: found.etag })
      return marker.keeper
    } catch (error) {
      if (!(error instanceof Taken) || attempt === ATTEMPTS) throw error
    }
  }
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
