/**
 * Stores and staging areas that lie in one another would take each other's files for their own, and clear them away (B7). Two
 * stores may share a staging area: its directories have names of their own.
 */
import { realpath } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import type { StoreRow } from '../catalogue/operations/stores.ts'

type StorePlace = Pick<StoreRow, 'name' | 'type' | 'data'>

export interface Place {
  /** For the message. */
  readonly what: string
  readonly path: string
  readonly isStaging: boolean
}

/** Throws where places of local stores overlap, links resolved. */
export async function checkPlacesApart(rows: readonly StorePlace[]): Promise<void> {
  const places = await Promise.all(rows.filter(({ type }) => type === 'local').flatMap(placesOf))
  const met = findOverlap(places)
  if (!met) return
  const [inner, outer] = met
  throw new LibrarianError(
    'Configuration',
    `The ${inner.what} must be apart from the ${outer.what}: ${inner.path} is, or lies in, ${outer.path}`,
    { remedy: 'Give each a directory of its own, side by side on one file system.' },
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

function liesIn({ path }: Place, { path: outer }: Place): boolean {
  return path === outer || path.startsWith(outer === '/' ? '/' : `${outer}/`)
}

function placesOf({ name, data }: StorePlace): Promise<Place>[] {
  const { store_path, staging_path } = data as { store_path?: unknown; staging_path?: unknown }
  const place = async (what: string, path: unknown, isStaging: boolean) => {
    const plain = String(path).replace(/(?<=.)\/+$/, '')
    // A disk that is not mounted has its path all the same.
    return { what: `${what} of store ${name}`, path: await realpath(plain).catch(() => plain), isStaging }
  }
  return [place('store_path', store_path, false), place('staging_path', staging_path, true)]
}
