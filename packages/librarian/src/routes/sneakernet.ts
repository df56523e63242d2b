/** Carried disks (ours). */
import { endpoints } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Disk, DiskItem } from '../catalogue/operations/disks.ts'
import { Act } from '../services/act.ts'
import type { Arrivals } from '../services/sneakernet/arrivals.ts'
import type { CloneKeeper } from '../services/sneakernet/keep-clones.ts'
import type { Packing } from '../services/sneakernet/packing.ts'
import type { PeerKeys } from '../services/sneakernet/peer-keys.ts'
import type { Signing } from '../services/sneakernet/signing.ts'
import { type Call, type Route, route } from './route.ts'

export interface SneakernetRoutesOptions {
  /** Our own `name` setting. */
  readonly librarianName: string
  readonly books: Pick<Catalogue, 'disks' | 'outgoingDisks'>
  readonly packing: Packing
  readonly arrivals: Arrivals
  readonly signing: Signing
  readonly keys: PeerKeys
  readonly keeper: CloneKeeper
  /** A message may have been written. */
  readonly onMessage: () => void
}

const { sneakernet } = endpoints

export function sneakernetRoutes(options: SneakernetRoutesOptions): Route[] {
  return [...keyRoutes(options), ...packingRoutes(options), ...bookRoutes(options), ...arrivalRoutes(options)]
}

function keyRoutes({ librarianName: librarian_name, signing, keys }: SneakernetRoutesOptions): Route[] {
  return [
    route(sneakernet.key, async () => ({ librarian_name, public_key: await signing.publicKey() })),
    route(sneakernet.trust, async ({ librarian_name: name, public_key }, { act }) => {
      await keys.trust(name, public_key, act)
      return { librarian_name: name, public_key }
    }),
  ]
}

function packingRoutes({ books: { outgoingDisks }, packing, signing }: SneakernetRoutesOptions): Route[] {
  return [
    route(sneakernet.begin, async ({ disk_id: id, librarian_name: peer, label }, { act }) =>
      diskAnswer(await outgoingDisks.begin({ id, peer, label, act: act?.entry() })),
    ),
    route(sneakernet.candidates, async ({ librarian_name, store_name, names, after, max_results: limit }) => {
      const found = await outgoingDisks.candidates({
        destination: librarian_name,
        store: store_name,
        names,
        after,
        limit,
      })
      const files = found.map(({ path, ...file }) => ({ ...file, instance_path: path }))
      return { files, next: found.length === limit ? (found.at(-1)?.name ?? null) : null }
    }),
    route(sneakernet.add, async ({ disk_id: id, files }, call) => {
      const act = smallAct(sneakernet.add.path, id, call, { files: files.length })
      const items = files.map(({ name, instance_id }) => ({ name, instanceId: instance_id }))
      await outgoingDisks.add({ id, items, act: act.entry() })
      return { disk_id: id }
    }),
    route(sneakernet.seal, async ({ disk_id }, { act }) => diskAnswer(await packing.seal(disk_id, act))),
    route(sneakernet.sign, async ({ disk_id: id, tag_manifest: tagManifest, files, bytes }, { act }) => ({
      ...(await packing.sign({ id, tagManifest, files, bytes }, act)),
      public_key: await signing.publicKey(),
    })),
    route(sneakernet.giveUp, async ({ disk_id }, { act }) => ({
      disk_id,
      failed_transfers: await outgoingDisks.giveUp({ id: disk_id, act: act?.entry() }),
    })),
    route(sneakernet.heard, async ({ disk_id, state }, { caller }) => {
      await outgoingDisks.heard({ id: disk_id, peer: caller.name, state })
      return { disk_id }
    }),
    route(sneakernet.confirm, async ({ statement, signature, page, lines }, call) => {
      const act = smallAct(sneakernet.confirm.path, 'receipt', call, { page, files: lines.length })
      const { diskId, confirmed, refused } = await packing.confirm({ statement, signature, page, lines }, act)
      return { disk_id: diskId, confirmed, refused: [...refused] }
    }),
  ]
}

function bookRoutes({ books: { disks } }: SneakernetRoutesOptions): Route[] {
  return [
    route(sneakernet.list, async ({ disk_id: id, max_results: limit }) => {
      const listed = await disks.list({ id, limit })
      const counts = ({ in_transit, arrived, confirmed, failed }: (typeof listed)[number]) => ({
        in_transit,
        arrived,
        confirmed,
        failed,
      })
      return { disks: listed.map(disk => ({ ...diskAnswer(disk), ...counts(disk) })) }
    }),
    route(sneakernet.items, async ({ disk_id: id, after, max_results: limit }) => {
      const disk = await disks.find({ id })
      const items = await disks.items({ id, after, limit })
      return {
        items: items.map(item => itemAnswer(item, disk?.direction)),
        next: items.length === limit ? (items.at(-1)?.file_name ?? null) : null,
      }
    }),
  ]
}

function arrivalRoutes({ arrivals, keeper, onMessage }: SneakernetRoutesOptions): Route[] {
  return [
    route(sneakernet.arrive, async ({ statement, signature }, { act }) => {
      const disk = await arrivals.arrive({ statement, signature }, act)
      onMessage()
      return { ...diskAnswer(disk), tag_manifest: disk.digest ?? '' }
    }),
    route(sneakernet.settle, async ({ disk_id: id, files, is_read: isRead }, call) => {
      const carried = files.map(({ transfer_id: transferId, ...file }) => ({ ...file, transferId }))
      const act = smallAct(sneakernet.settle.path, id, call, { files: files.length, isRead })
      const settled = await arrivals.settle({ id, files: carried, isRead }, act)
      onMessage()
      return { files: settled.map(({ name, state, reason }) => ({ name, state, reason })) }
    }),
    route(sneakernet.keep, async ({ transfers }, { caller }) => {
      const wanted = transfers.map(({ destination_transfer_id: id, provider, create_time: createTime }) => ({
        id,
        provider,
        createTime,
      }))
      const { kept, refused } = await keeper.keep(wanted, caller)
      onMessage()
      return {
        kept: [...kept],
        refused: refused.map(({ id, reason }) => ({ destination_transfer_id: id, reason })),
      }
    }),
    route(sneakernet.receipt, async ({ disk_id }) => arrivals.receipt(disk_id)),
    route(sneakernet.receiptPage, async ({ disk_id, after }) => ({
      lines: [...(await arrivals.receiptPage(disk_id, after))],
    })),
  ]
}

/** Without the lines: an entry of the audit says what was done, not all that it was done with. */
function smallAct(action: string, subject: string, { caller, act }: Call, detail: Record<string, unknown>): Act {
  act?.handOn()
  return new Act({ actor: caller.name, action, subject, detail })
}

function diskAnswer({ id, direction, peer, label, state, created, changed, files, bytes }: Disk) {
  return {
    disk_id: id,
    direction,
    librarian_name: peer,
    label,
    state,
    created_time: created,
    changed_time: changed,
    files,
    bytes,
  }
}

function itemAnswer(item: DiskItem, direction: Disk['direction'] | undefined) {
  return {
    name: item.file_name,
    size: item.size,
    transfer_id: item.transfer_id,
    transfer_status: item.transfer_status,
    state: direction === 'in' ? (item.state === 'pending' ? ('new' as const) : item.state) : null,
    reason: item.reason,
  }
}
