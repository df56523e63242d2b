import type { HashName } from './content-hashes.ts'
import type { Fault } from './fault-switches.ts'
import type { UrlShape } from './signing.ts'

export interface CommonsOptions {
  /** For people, in lists of commons. Default `test-commons`. */
  readonly name?: string | undefined
  /** HTTPS with this certificate (PEM), or `true` for one made on the spot: `commons.certificate`. */
  readonly tls?: boolean | { readonly key: string; readonly cert: string } | undefined
  /** The name in all its URLs. Default 127.0.0.1; `localhost` makes another host of it. */
  readonly hostname?: string | undefined
  /** Default and most life of an access token, whole seconds. Default 1200. */
  readonly tokenTtlS?: number | undefined
  /** Life of an API key, whole seconds. Default 30 days. */
  readonly keyTtlS?: number | undefined
  /** Default and most life of a presigned URL, whole seconds. Default 3600. */
  readonly urlTtlS?: number | undefined
  /** The credentials that sign URLs end after so many seconds, whatever the URL says: 400 ExpiredToken. */
  readonly signingTtlS?: number | undefined
  /** The shape of presigned URLs. Default: that of the location's scheme. */
  readonly urlShape?: UrlShape | undefined
  /** Who may read which resources. Default `{ tester: ['/programs/test'] }`. Everybody may read `/open`. */
  readonly users?: Readonly<Record<string, readonly string[]>> | undefined
  /** Prefix of identifiers made here, and the one that may be left out at indexd. Default none; e.g. `dg.TEST`. */
  readonly prefix?: string | undefined
  /** Bulk endpoints that are absent, as in older releases. Default none. */
  readonly withoutBulk?: boolean | readonly ('download' | 'index' | 'drs-object' | 'drs-access')[] | undefined
  /** The most objects in a bulk request of DRS. Default 100. */
  readonly maxBulk?: number | undefined
  /** `ga4gh`: as the specification has it and Gen3 has not. Default `gen3`. */
  readonly drs?: DrsOptions | undefined
  /** Slashes in identifiers: only raw ones arrive, or only encoded ones. Default both. */
  readonly slashes?: 'both' | 'raw' | 'encoded' | undefined
  /** Its clock is ahead by so many seconds (negative: behind): tokens, URLs and Date headers. Default 0. */
  readonly clockSkewS?: number | undefined
  /** Bytes per second of the storage host, all connections together. */
  readonly bytesPerSecond?: number | undefined
  /** `/mds/version` and `/mds/objects` are there. Default false. */
  readonly hasShepherd?: boolean | undefined
}

export interface DrsOptions {
  /**
   * `ga4gh`: `drs_uri` of contents is an array, bulk answers say `resolved_drs_object`, access methods have the type
   * `https` and an identifier of their own, and null fields are left out. Default `gen3`.
   */
  readonly flavour?: 'gen3' | 'ga4gh' | undefined
  /** Objects are described only to who may read them. Default false. */
  readonly needsAuth?: boolean | undefined
  /** `ga4gh`: what access methods have. `url`: a URL that is ready, public or presigned. Default `id`. */
  readonly access?: 'id' | 'url' | 'both' | undefined
  /** Storage wants this header, which access answers name. */
  readonly accessHeader?: readonly [name: string, value: string] | undefined
  /** OPTIONS tells how to authorize. Default false: 405. */
  readonly tellsAuthorizations?: boolean | undefined
}

export interface RecordOptions {
  /** Whole identifier; default a new UUID behind the prefix. */
  readonly id?: string | undefined
  /** Default that of the commons. */
  readonly prefix?: string | undefined
  /** File name as indexed; null: none. Default `<uuid>.dat`. */
  readonly name?: string | null | undefined
  /** Default: D(size) of retrieval 18, never held. */
  readonly content?: Uint8Array | string | undefined
  /** Default 1000. */
  readonly size?: number | undefined
  /** Other content of the same size: every byte of D(size) xor the version. Default 0. */
  readonly version?: number | undefined
  /** Names: computed; values: as given, right or not; false: none. Default `['md5']`. */
  readonly hashes?: readonly HashName[] | Readonly<Record<string, string>> | false | undefined
  /** Size as indexed, when that is not the size. */
  readonly recordedSize?: number | undefined
  /** Resources of which all must be readable. Default `['/programs/test']`; `['/open']`: anybody. */
  readonly authz?: readonly string[] | undefined
  /** Instead of authz, as old records have it; `['*']`: public. */
  readonly acl?: readonly string[] | undefined
  /** In order. Default one, in S3. A string is a URL that is handed out as it is, or, by its scheme, refused. */
  readonly locations?: readonly (LocationOptions | string)[] | undefined
  /** Default `object`. */
  readonly form?: 'object' | null | undefined
  /** Uploaded and not yet indexed: no size, no hashes, no locations. */
  readonly isBlank?: boolean | undefined
  /** Other versions of the same thing share it. */
  readonly baseid?: string | undefined
  readonly aliases?: readonly string[] | undefined
  /**
   * Entity tag at storage, quotes included. Default that of the service: with S3 and GCS the quoted md5. False: none, and
   * no other header that tells a digest.
   */
  readonly etag?: string | false | undefined
  /** Further headers of storage's answers. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface LocationOptions {
  /** `http` and `https` are handed out unsigned. Default `s3`. */
  readonly scheme?: 's3' | 'gs' | 'az' | 'http' | 'https' | undefined
  readonly bucket?: string | undefined
  /** Default `<identifier>/<name>`. */
  readonly key?: string | undefined
  /** Default that of the commons. */
  readonly shape?: UrlShape | undefined
  /** Most life of its URLs, whole seconds. Default that of the commons. */
  readonly urlTtlS?: number | undefined
  /** Every answer for this location meets it. */
  readonly fault?: Fault | undefined
  /** `missing`: nothing is stored there. `refused`: nobody listens. `unconfigured`: fence cannot sign (500). */
  readonly state?: 'ok' | 'missing' | 'refused' | 'unconfigured' | undefined
}

export interface BundleOptions {
  readonly id?: string | undefined
  readonly prefix?: string | undefined
  readonly name?: string | undefined
  /** Identifiers of this commons, which need not be there yet (so a bundle may hold itself), or more exactly. */
  readonly contents: readonly (string | ContentOptions)[]
  /** Default: md5 over the sorted md5s of the children, when all have one; false: none. */
  readonly hashes?: Readonly<Record<string, string>> | false | undefined
}

export interface ContentOptions {
  readonly id: string
  /** Wins over the object's own name. Default the object's own. */
  readonly name?: string | undefined
  /** Default a URI at this commons. */
  readonly drsUri?: string | undefined
}
