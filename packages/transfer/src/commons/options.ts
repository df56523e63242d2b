import type { Credential } from './credentials.ts'

/** Data commons: who asks, where, and what is preferred (gen3 2–7). */
export interface CommonsOptions {
  /** Each opens the commons that issued it; the first one's commons is the home. */
  readonly credentials?: readonly Credential[] | undefined
  /** The commons of objects that name none: a host, or a URL where it is no https. Default: the first credential's. */
  readonly home?: string | undefined
  /** Hosts by prefix, before all resolvers: `{ 'dg.4503': 'gen3.example.org' }`. */
  readonly prefixes?: Readonly<Record<string, string>> | undefined
  /** Who is asked for hosts of unknown prefixes. Default `https://dataguids.org`. */
  readonly resolver?: string | undefined
  /** Where copies are taken first: `s3`, `gs`, `https`, … Default: as the object lists them. */
  readonly protocol?: string | undefined
  /** Google project that pays. */
  readonly userProject?: string | undefined
  /** A Terra DRSHub that resolves objects in place of us; with `drsHubToken`. */
  readonly drsHub?: string | undefined
  readonly drsHubToken?: string | undefined
  /** Default `https://api.gdc.cancer.gov`. */
  readonly gdc?: string | undefined
  readonly gdcToken?: string | undefined
  /** With manifests: fetch index and metadata files of GDC files, too. Default true. */
  readonly hasRelatedFiles?: boolean | undefined
  /** Directory for access tokens between runs. Default: none are kept. */
  readonly tokenCache?: string | undefined
  /** File for hosts of prefixes between runs. Default: none are kept. */
  readonly hostCache?: string | undefined
  /** Take `host:8443/…` in DRS URIs for a host with a port, and hosts on this machine or its network. Default false. */
  readonly allowPort?: boolean | undefined
  /** How long to wait for an archived object, ms. Default 600,000. */
  readonly mostThawMs?: number | undefined
}
