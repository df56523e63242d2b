/** Stores (librarian 10.8). */
import { endpoints, manifestEntry } from '@arriero/api'
import type { ManifestRow } from '../catalogue/operations/manifest.ts'
import type { StoreAdmin } from '../services/store-admin.ts'
import { JsonText } from './json-text.ts'
import { type Route, route, streamingRoute } from './route.ts'

export function storeRoutes(stores: StoreAdmin, { librarianName }: { librarianName: string }): Route[] {
  return [
    route(endpoints.admin.storesList, async () => {
      const listed = await stores.list()
      return listed.map(({ type, free, ...rest }) => ({ ...rest, store_type: type, free_space: free }))
    }),
    route(endpoints.admin.storesStateChange, async ({ store_name, enabled }, { act }) => {
      await stores.setEnabled(store_name, enabled, act)
      return { store_name, enabled, success: true }
    }),
    streamingRoute(endpoints.admin.storesManifest, async (request, { act }) => {
      const order = {
        storeName: request.store_name,
        destination: request.create_outgoing_transfers ? request.destination_librarian : undefined,
        disableStore: request.disable_store,
        markUnavailable: request.mark_local_instances_as_unavailable,
      }
      const rows = await stores.manifest(order, act)
      return new JsonText(manifestText(librarianName, request.store_name, rows))
    }),
  ]
}

/** A store of millions of files makes a GB of text: neither it nor its rows are ever whole in memory. */
async function* manifestText(
  librarianName: string,
  storeName: string,
  rows: AsyncIterable<ManifestRow>,
): AsyncGenerator<string> {
  yield `{"librarian_name":${JSON.stringify(librarianName)},"store_name":${JSON.stringify(storeName)},"store_files":[`
  let separator = ''
  for await (const row of rows) {
    yield `${separator}${JSON.stringify(entryOf(row))}`
    separator = ','
  }
  yield ']}'
}

/** The order of the fields is that of existing manifests. */
function entryOf(row: ManifestRow) {
  return manifestEntry.parse({
    name: row.name,
    create_time: row.createTime,
    size: row.size,
    checksum: row.checksum,
    uploader: row.uploader,
    source: row.source,
    instance_path: row.path,
    deletion_policy: row.deletionPolicy,
    instance_create_time: row.instanceCreateTime,
    instance_available: true,
    outgoing_transfer_id: row.transferId ?? -1,
  })
}
