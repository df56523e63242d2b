import type { AccessMethod, CommonsObject } from './object.ts'
import type { Access } from './objects.ts'

/** One way to the bytes of an object. Asked anew whenever a URL is needed: those that are handed out die soon. */
export interface Way {
  /** Tells ways of one object apart. */
  readonly key: string
  /** The host hands out a URL; which location it leads to is in the object's own order. */
  readonly isHandedOut?: true | undefined
  access(signal: AbortSignal): Promise<Access>
}

export interface WayOptions {
  /** Has the host hand out a URL. */
  access(
    way: { readonly type?: string | undefined; readonly accessId?: string | undefined },
    signal: AbortSignal,
  ): Promise<Access>
  /** Taken before all others. */
  readonly protocol?: string | undefined
}

/** Stores that we can read ourselves, with the person's own credentials there. */
const READABLE = new Set(['s3', 'gs', 'ftp'])

/**
 * Ways in the order in which they should be tried (gen3 7.1): what is preferred; URLs that are ready; what the host hands
 * out; stores that we read ourselves. What is marked unavailable is left out.
 */
export function orderedWays(object: CommonsObject, options: WayOptions): Way[] {
  const { protocol } = options
  const usable = object.methods.filter(({ isAvailable }) => isAvailable)
  const ranked = usable.flatMap((method, index) =>
    waysOf(method, index, options).map(({ way, rank }) => ({
      way,
      rank,
      isPreferred: protocol !== undefined && isOf(method, protocol),
    })),
  )
  // Stable: equals stay in the object's own order.
  ranked.sort((a, b) => Number(b.isPreferred) - Number(a.isPreferred) || a.rank - b.rank)
  return ranked.map(({ way }) => way)
}

interface Ranked {
  readonly way: Way
  readonly rank: number
}

function waysOf({ type, accessId, url, headers }: AccessMethod, index: number, { access }: WayOptions): Ranked[] {
  const ways: Ranked[] = []
  const ready = url !== undefined && { key: `${index} ${url}`, access: async () => ({ url, headers }) }
  if (ready && /^https?:\/\//i.test(url)) ways.push({ way: ready, rank: 0 })
  if (accessId !== undefined) {
    const key = `${index} ${accessId}`
    ways.push({ way: { key, isHandedOut: true, access: signal => access({ type, accessId }, signal) }, rank: 1 })
  }
  // With an id beside it the host hands out URLs: a person's own account at the store would pay for what it does not.
  if (ready && accessId === undefined && READABLE.has(schemeOf(url))) ways.push({ way: ready, rank: 2 })
  return ways
}

function isOf({ type, cloud }: AccessMethod, protocol: string): boolean {
  const wanted = protocol.toLowerCase()
  return type === wanted || (wanted === 'http' && type === 'https') || cloud?.toLowerCase() === wanted
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':')).toLowerCase()
}
