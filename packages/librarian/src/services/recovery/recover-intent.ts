/**
 * Finishes or undoes one intent that nobody works on (reliability 8.11). Each step may be repeated: a recovery that is
 * killed is recovered by the next.
 *
 *   not verified yet            undo: the transfer is open as before, the private copy goes
 *   published, or prepared      publish (again: a name may be there and not durable), trail (again: a repeated line says the
 *                               same), the rows
 *   the name holds other bytes  the transfer failed; an operator must look
 *   nothing is there            the transfer failed; an operator must look
 *   the store is not there      left as it is, for the next time
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Intent } from '../../catalogue/operations/intents.ts'
import type { Publication, Published, Store, TrailRecord } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import type { CommitOrigin } from '../commit/commits.ts'
import { spoolOf } from '../commit/item.ts'
import { removeOrigin } from '../commit/remove-origin.ts'

export type RecoveredAs = 'finished' | 'undone' | 'failed' | 'left'

export interface RecoverIntentOptions {
  readonly catalogue: Pick<Catalogue, 'intents'>
  readonly alarms: Alarms
  readonly holder: string
  readonly by: string
}

/** @param intent already this process's: its token is the one that writes must name */
export async function recoverIntent(
  intent: Intent,
  site: SiteStore,
  options: RecoverIntentOptions,
): Promise<RecoveredAs> {
  const publication = publicationOf(intent)
  if (!publication) return await undo(intent, site, options)
  const state = await site.store.inspect(publication)
  if (state === 'absent' || state === 'foreign') return await fail(intent, site, state, options)
  let published: Published
  try {
    published = await publish(publication, intent, site)
  } catch (error) {
    // What lies in its place and may not be replaced never can be: it stays as it is.
    if (!(error instanceof LibrarianError) || error.code !== 'Unacceptable') throw error
    return await undo(intent, site, options, error.message)
  }
  return await finish(intent, site, published, options)
}

async function publish(publication: Publication, intent: Intent, { store }: SiteStore): Promise<Published> {
  const { from } = JSON.parse(intent.origin) as CommitOrigin
  if (from === 'place' && store.capabilities.canAdopt) return await store.adopt(publication)
  const [outcome] = await store.publish([publication])
  if (outcome?.ok) return outcome.value
  throw outcome?.error ?? new Error(`the store answered nothing about ${intent.file_name}`)
}

/** Undefined while nothing was verified. The private copy carries the token under which it was made. */
function publicationOf({ id, file_name, kind, size, sha256, prepared_token, origin }: Intent): Publication | undefined {
  if (kind === null || sha256 === null || prepared_token === null) return undefined
  const spool = spoolOf(JSON.parse(origin) as CommitOrigin)
  return { id, token: prepared_token, name: file_name, kind, size, sha256, spool }
}

async function undo(
  intent: Intent,
  site: SiteStore,
  options: RecoverIntentOptions,
  reason = 'the server stopped before the bytes were verified',
): Promise<RecoveredAs> {
  if (!(await give(intent, reason, true, options))) return 'left'
  await settle(intent, site.store, options)
  return 'undone'
}

async function fail(
  intent: Intent,
  site: SiteStore,
  state: 'absent' | 'foreign',
  options: RecoverIntentOptions,
): Promise<RecoveredAs> {
  const what =
    state === 'absent'
      ? 'its verified copy is gone from the store'
      : 'the store holds other bytes under this name, which the catalogue does not know'
  const reason = `Cannot finish the commit of ${intent.file_name}: ${what}`
  await options.alarms.raise({
    severity: 'critical',
    category: 'data_integrity',
    message: `${reason} (store ${site.name}, work ${intent.id}). See \`arriero doctor --catalogue\`.`,
    caller: 'recovery',
  })
  if (!(await give(intent, reason, false, options))) return 'left'
  await settle(intent, site.store, options)
  await removeOriginOf(intent, site.store)
  return 'failed'
}

async function finish(
  intent: Intent,
  site: SiteStore,
  published: Published,
  options: RecoverIntentOptions,
): Promise<RecoveredAs> {
  await site.store.appendTrail([trailRecordOf(intent)])
  const [isDone] = await options.catalogue.intents.finish({
    holder: options.holder,
    by: options.by,
    works: [{ id: intent.id, token: intent.token, ...published }],
  })
  if (!isDone) return 'left'
  await settle(intent, site.store, options)
  await removeOriginOf(intent, site.store)
  return 'finished'
}

async function give(
  { id, token }: Intent,
  reason: string,
  keepsTransfer: boolean,
  { catalogue, holder }: RecoverIntentOptions,
): Promise<boolean> {
  const [isDone] = await catalogue.intents.fail({ holder, works: [{ id, token, reason, keepsTransfer }] })
  return isDone === true
}

/** What cannot be removed now, the sweep removes: the work is known to have ended. */
async function settle({ id }: Intent, store: Store, { catalogue }: RecoverIntentOptions): Promise<void> {
  try {
    await store.settle([id])
  } catch {
    return
  }
  await catalogue.intents.forget({ ids: [id] })
}

async function removeOriginOf({ origin }: Intent, store: Store): Promise<void> {
  try {
    await removeOrigin(store, JSON.parse(origin) as CommitOrigin)
  } catch {
    // The sweep finds it: its transfer has ended.
  }
}

function trailRecordOf(intent: Intent): TrailRecord {
  const { kind, checksum, manifest } = intent
  if (kind === null || checksum === null) throw new Error(`intent ${intent.id} was not verified`)
  return {
    action: 'commit',
    order: intent.trail_order,
    time: intent.create_time,
    name: intent.file_name,
    kind,
    size: intent.size,
    checksum,
    sha256: intent.sha256,
    is_attested: intent.is_attested === 1,
    create_time: intent.create_time,
    uploader: intent.uploader,
    source: intent.source,
    deletion_policy: intent.deletion_policy,
    ...(intent.first_uploader === null ? {} : { first_uploader: intent.first_uploader }),
    ...(manifest === null ? {} : { manifest }),
  }
}
