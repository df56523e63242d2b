import type { OpenFile } from '../store.ts'
import { fingerprintOf, readObject, type S3Object, type S3Place } from './s3-objects.ts'

/** Bytes of one piece that is asked for. */
const PIECE = 8 << 20

/** Nothing is held open: each piece is asked for by itself, of exactly the entity that was found. */
export function openObject(place: S3Place, key: string, name: string, found: S3Object): OpenFile {
  const { size, etag } = found
  return {
    size,
    fingerprint: fingerprintOf(found),
    fd: undefined,
    async *read(start, end, { signal } = {}) {
      if (end > size) throw new RangeError(`Cannot read ${name}: it must have ${end} bytes, it has ${size}`)
      for (let at = start; at < end; at += PIECE) {
        yield* readObject(place, key, { etag, start: at, end: Math.min(end, at + PIECE), signal })
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}
