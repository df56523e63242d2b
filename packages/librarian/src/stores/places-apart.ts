/**
 * Stores and staging areas that lie in one another would take each other's files for their own, and clear them away (B7). Two
 * stores may share a staging area: its directories have names of their own. This is about the stores of one catalogue; of
 * others the markers tell (`local/nesting.ts`).
 */
import { realpath } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import type { StoreRow } from '../catalogue/operations/stores.ts'
import { identityOf, waysTo } from './local/mounts.ts'
import { apart, upwards } from './local/nesting.ts'

type StorePlace = Pick<StoreRow, 'name' | 'type' | 'data'>

export interface Place {
  /** For the message. */
  readonly what: string
  readonly path: string
  readonly isStaging: boolean
  /** The directory itself, however one gets there; undefined: it is not there. */
  readonly identity?: string | undefined
  /** Of itself and of all above it, on every way. */
  readonly above?: ReadonlySet<string> | undefined
}

/** Throws where places of stores overlap, links and mounts resolved. */
export async function checkPlacesApart(rows: readonly StorePlace[]): Promise<void> {
  const places = await Promise.all(rows.flatMap(placesOf))
  const met = findOverlap(places)
  if (!met) return
  const [inner, outer] = met
  throw new LibrarianError(
    'Configuration',
    `The ${inner.what} must be apart from the ${outer.what}: ${inner.path} is, or lies in, ${outer.path}`,
    { remedy: apart },
  )
}

/** The first that is, or lies in, another one. */
export function findOverlap(places: readonly Place[]): readonly [inner: Place, outer: Place] | undefined {
  for (const inner of places) {
    const outer = places.find(other => other !== inner && !(inner.isStaging && other.isStaging) && liesIn(inner, other))
    if (outer) return [inner, outer]
  }
  return undefined
}

function liesIn({ path, above }: Place, { path: outer, identity }: Place): boolean {
  if (identity !== undefined && above?.has(identity)) return true
  return path === outer || path.startsWith(outer === '/' ? '/' : `${outer}/`)
}

function placesOf({ name, type, data }: StorePlace): Promise<Place>[] {
  const { store_path, staging_path, scratch_path } = data
  if (type === 's3') return [placeOf(`scratch_path of store ${name}`, scratch_path, false)]
  if (type !== 'local') return []
  return [
    placeOf(`store_path of store ${name}`, store_path, false),
    placeOf(`staging_path of store ${name}`, staging_path, true),
  ]
}

async function placeOf(what: string, given: unknown, isStaging: boolean): Promise<Place> {
  const plain = String(given).replace(/(?<=.)\/+$/, '')
  // A disk that is not mounted has its path all the same.
  const path = await realpath(plain).catch(() => plain)
  const identity = await identityOf(path)
  const directories = identity === undefined ? [] : (await waysTo(path)).flatMap(upwards)
  const above = await Promise.all(directories.map(identityOf))
  return { what, path, isStaging, identity, above: new Set(above.filter(one => one !== undefined)) }
}
