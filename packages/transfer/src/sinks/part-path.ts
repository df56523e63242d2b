import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'

/** File systems allow names of 255 bytes: so much is left of them when all our endings stand behind. */
const LONGEST = 225
const KEPT = 200

/**
 * Where a download of `path` lands until it is complete: `NAME.part` beside it. A name that leaves no room for that
 * ending, and for those of journal and claim, is cut and told from others by its digest.
 *
 * @param mark makes it one that nobody else uses
 */
export function partPathOf(path: string, mark?: string): string {
  const ending = mark === undefined ? '.part' : `.${mark}.part`
  const name = basename(path)
  if (Buffer.byteLength(name) <= LONGEST) return `${path}${ending}`
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12)
  const start = Buffer.from(name)
    .subarray(0, KEPT)
    .toString()
    .replace(/\uFFFD+$/, '')
  return join(dirname(path), `${start}~${digest}${ending}`)
}
