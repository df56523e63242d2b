/** Which server answers for a bucket, and how the bucket is named in the request (retrieval 13.1). */
import { TransferError } from '../../errors.ts'
import type { Container } from './address.ts'
import type { S3Settings } from './settings.ts'

export interface Place {
  /** `https://bucket.s3.eu-west-1.amazonaws.com`. */
  readonly origin: string
  /** What stands before the slash and the key: empty, or `/bucket`. */
  readonly base: string
  /** What signatures are made for. */
  readonly region: string
  readonly isAmazon: boolean
}

/** Amazon's region for whoever says none. */
const USUAL_REGION = 'us-east-1'
const REGION = /^[a-z0-9-]{2,40}$/
/** Names that can be a label of a host name, and of a certificate with one wildcard. */
const DNS_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/

/** Where to ask first. @throws TransferError Usage, Unsupported for combinations that nobody serves */
export function firstPlace(container: Container, settings: S3Settings): Place {
  const { accessPoint } = container
  const region = accessPoint?.region ?? settings.region ?? regionOfHost(settings.endpoint ?? '') ?? USUAL_REGION
  if (!REGION.test(region))
    throw new TransferError('Usage', `Cannot use the region ${JSON.stringify(region)}: not a name`)
  return placeIn(region, container, settings)
}

/** The same bucket in a region that the store named. */
export function placeIn(region: string, container: Container, settings: S3Settings): Place {
  const { endpoint } = settings
  if (endpoint !== undefined) return ownPlace(endpoint, region, container, settings)
  return { ...amazonPlace(region, container, settings), region, isAmazon: true }
}

function ownPlace(endpoint: string, region: string, { name, accessPoint }: Container, settings: S3Settings): Place {
  if (accessPoint)
    throw new TransferError('Unsupported', 'Cannot read an access point at an endpoint: only Amazon has them')
  const url = new URL(endpoint)
  const path = url.pathname === '/' ? '' : url.pathname
  const isAmazon = isAmazonHost(url.hostname)
  if (settings.forcePathStyle !== false) {
    return { origin: url.origin, base: `${path}/${encodeURIComponent(name)}`, region, isAmazon }
  }
  if (!DNS_LABEL.test(name))
    throw new TransferError('Usage', `Cannot put ${name} before a host name: use the path style`)
  return { origin: `${url.protocol}//${name}.${url.host}`, base: path, region, isAmazon }
}

function amazonPlace(region: string, { name, accessPoint }: Container, settings: S3Settings) {
  const { dualstack, fips, accelerate, forcePathStyle } = settings
  const suffix = suffixOf(region)
  if (accessPoint) {
    const host = `s3-accesspoint${fips ? '-fips' : ''}${dualstack ? '.dualstack' : ''}.${region}.${suffix}`
    return { origin: `https://${accessPoint.name}-${accessPoint.account}.${host}`, base: '' }
  }
  if (accelerate) {
    if (!DNS_LABEL.test(name) || forcePathStyle || fips) {
      throw new TransferError(
        'Usage',
        `Cannot accelerate ${name}: it needs a name without dots before the host name, no FIPS`,
      )
    }
    return { origin: `https://${name}.s3-accelerate${dualstack ? '.dualstack' : ''}.amazonaws.com`, base: '' }
  }
  const host = `s3${fips ? '-fips' : ''}${dualstack ? '.dualstack' : ''}.${region}.${suffix}`
  if (forcePathStyle || !DNS_LABEL.test(name))
    return { origin: `https://${host}`, base: `/${encodeURIComponent(name)}` }
  return { origin: `https://${name}.${host}`, base: '' }
}

/** The suffix of the partition that a region belongs to. */
function suffixOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn'
  if (region.startsWith('us-isob-')) return 'sc2s.sgov.gov'
  if (region.startsWith('us-iso-')) return 'c2s.ic.gov'
  if (region.startsWith('eusc-')) return 'amazonaws.eu'
  return 'amazonaws.com'
}

/**
 * Where an answer sends the bucket's requests: to a region, or to a host that may be given signed requests. Undefined:
 * nowhere that is new or may be trusted.
 */
export function placeAfter(
  place: Place,
  to: { readonly region?: string | undefined; readonly host?: string | undefined },
  container: Container,
  settings: S3Settings,
): Place | undefined {
  const named = to.region ?? regionOfHost(to.host ?? '')
  const region = named !== undefined && REGION.test(named) ? named : undefined
  if (region !== undefined && region !== place.region) return placeIn(region, container, settings)
  const { protocol, host } = new URL(place.origin)
  const next = to.host?.toLowerCase()
  if (next === undefined || next === host || !mayFollow(place, host, next)) return undefined
  const isNamedInHost = next.startsWith(`${container.name}.`)
  return { ...place, origin: `${protocol}//${next}`, base: isNamedInHost ? '' : place.base || `/${container.name}` }
}

/** Signed requests, which may hold a session token, go to Amazon, or to the host that was named and those below it. */
function mayFollow(place: Place, host: string, next: string): boolean {
  if (!/^[a-z0-9.-]+(:\d{1,5})?$/.test(next)) return false
  if (place.isAmazon) return isAmazonHost(next)
  return next.endsWith(`.${host}`)
}

function isAmazonHost(host: string): boolean {
  return /(^|\.)amazonaws\.(com|com\.cn|eu)$/.test(host)
}

/** `s3.eu-west-1.amazonaws.com`, `bucket.s3-us-west-2.amazonaws.com`, `s3.us-west-002.backblazeb2.com`. */
export function regionOfHost(host: string): string | undefined {
  const found = /(?:^|[./])s3(?:-fips)?[.-](?:dualstack\.)?([a-z]{2}[a-z0-9-]*-\d+)\./.exec(host)?.[1]
  return found?.replace(/^fips-/, '')
}
