/**
 * A data commons on loopback ports: fence, indexd, GA4GH DRS, the workspace token service, metadata and stored
 * manifests behind one origin, and a storage host that checks presigned URLs for expiry and signature (gen3 14).
 * Faithful by default, and wrong in exactly the way a test switches on.
 *
 * ```ts
 * await using commons = await startCommons({ tokenTtlS: 10, urlTtlS: 5 })
 * const file = commons.add({ name: 'a.bam', size: 13_631_489 })          // D(size), never held; md5 in the record
 * const secret = commons.add({ authz: ['/programs/secret'] })            // 401 for the default user
 * commons.fault(file.guid, faults.cut(1000), { times: 2 })               // of an object: at storage
 * commons.fault(file.guid, { status: 503 }, { at: 'url', times: 3 })     // …or where URLs are handed out
 * commons.fault('index', { status: 429, retryAfter: 1 }, { times: 1 })   // of a route: every request to it
 * commons.latency('download', 300)
 *
 * await writeFile('credentials.json', JSON.stringify(commons.credentials()))
 * await writeFile('manifest.json', JSON.stringify([file.row, secret.row]))
 * …
 * expect(commons.requestsFor('storage').some(request => request.hasAuth)).toBe(false)
 * expect(commons.requestsFor('token')).toHaveLength(1)
 * expect(commons.maxConcurrent('url')).toBeLessThanOrEqual(16)
 * ```
 *
 * A fault is a `Behaviour` of the fault server (status, retryAfter, delayMs, noAnswer, truncateAfter, bytesPerSecond,
 * framing, contentLength, ignoreRange, etag, flip, …) or a function of the request; `faults` has those of gen3 14 by
 * name. Switches compose, later ones override. A status that a fault asks for is worded as the service of that route
 * words it: fence in HTML, indexd `{"error"}`, DRS `{"msg"}`, storage in XML. Bulk routes report an object that has a
 * fault with a status as they report any failure. `commons.api` and `commons.storage` are fault servers:
 * `stopListening()`, `dropConnections()`, `peakConnections`, ….
 *
 * Who may read: a user what was granted (`users`, `grant`), default `tester` everything below `/programs/test`, where
 * records are by default; everybody `/open`. Fence answers 401 both without a good token and without permission.
 *
 * Beside it: `startGdc`, `startResolver`, `startDrsHub`, and `mixedCommons`, a manifest with one row per switch and what
 * must become of each.
 */
export { type Added, Commons, type ConnectOptions, type ManifestRow, startCommons } from './commons-server/commons.ts'
export type { HashName } from './commons-server/content-hashes.ts'
export { type DrsHub, type DrsHubOptions, startDrsHub } from './commons-server/drshub.ts'
export type { Fault, FaultOptions, SwitchedFault } from './commons-server/fault-switches.ts'
export * as faults from './commons-server/faults.ts'
export type { Credentials, CredentialsOptions } from './commons-server/fence.ts'
export {
  type AddedGdcFile,
  GDC_MANIFEST_HEADER,
  type Gdc,
  type GdcFileOptions,
  type GdcOptions,
  startGdc,
} from './commons-server/gdc.ts'
export type { AuthKind, CommonsRequest } from './commons-server/log.ts'
export {
  type Mixed,
  type MixedExpectation,
  type MixedFile,
  type MixedOptions,
  type MixedRow,
  type MixedStatus,
  mixedCommons,
} from './commons-server/mixed.ts'
export type {
  BundleOptions,
  CommonsOptions,
  ContentOptions,
  DrsOptions,
  LocationOptions,
  RecordOptions,
} from './commons-server/options.ts'
export { type Resolved, type Resolver, type ResolverWay, startResolver } from './commons-server/resolver.ts'
export type { Route, RouteGroup } from './commons-server/routes.ts'
export type { UrlShape } from './commons-server/signing.ts'
