/** Repair of one copy: from one source after the other, until one has the right bytes. */
import { LibrarianError } from '@arriero/api'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { bringBytes, type ReadSource, readFromStore } from './bring-bytes.ts'
import type { RepairGround } from './ground.ts'
import type { RepairedCopy, RepairOptions } from './repair.ts'
import { prepareCopy, replaceCopy, settle } from './replace-copy.ts'

export interface Victim {
  readonly file: File
  readonly copy: Instance
  readonly site: SiteStore
  /** As it was just read. */
  readonly state: CopyState
  readonly reason: string | undefined
}

/** What can be read for it, by what it is called in the audit. */
interface Source {
  readonly label: string
  readonly read: ReadSource
}

/** @param good copies at this site that are not known to be bad */
export async function repairCopy(
  victim: Victim,
  good: readonly Instance[],
  options: RepairOptions,
  ground: RepairGround,
): Promise<RepairedCopy> {
  const { copy, site, state } = victim
  const of = { instanceId: copy.id, storeName: site.name, state }
  const failures: string[] = []
  for await (const source of sourcesOf(victim, good, options, ground, failures)) {
    if (options.isDry) return { ...of, outcome: 'repairable', source: source.label }
    const id = await attempt(victim, source, options, ground, failures)
    if (id !== undefined) return { ...of, outcome: 'repaired', source: source.label, quarantineId: id }
  }
  const requested = await askUpstream(victim, options, ground, failures)
  if (requested !== undefined) return { ...of, outcome: 'requested', source: `librarian ${requested}` }
  const reason = ['no good copy was found', ...failures].join('; ')
  if (!options.isDry) await tellKept(victim, reason, ground)
  return { ...of, outcome: 'kept', reason }
}

async function* sourcesOf(
  { file, site }: Victim,
  good: readonly Instance[],
  { signal }: RepairOptions,
  { stores, upstream }: RepairGround,
  failures: string[],
): AsyncGenerator<Source> {
  for (const { store_id } of good) {
    const other = stores.byId(store_id)
    if (!other || other.id === site.id) continue
    yield { label: `store ${other.name}`, read: readFromStore(other.store, file.name, signal) }
  }
  for (const librarian of await upstream.candidates(file)) {
    const label = `librarian ${librarian}`
    try {
      if (!(await upstream.canFetch(librarian, signal))) continue
      const read: ReadSource = (member, size) => upstream.fetch(librarian, file.name, { member, size, signal })
      yield { label, read }
    } catch (error) {
      signal?.throwIfAborted()
      failures.push(`${label}: ${messageOf(error)}`)
    }
  }
}

/** @returns of the repair; undefined where this source has not the right bytes. @throws where no source could help */
async function attempt(
  { file, copy, site, state }: Victim,
  { label, read }: Source,
  { actor, signal }: RepairOptions,
  ground: RepairGround,
  failures: string[],
): Promise<string | undefined> {
  const { catalogue, presence, random } = ground
  const id = random(16).toString('hex')
  const { holder } = presence
  ground.working.add(id)
  let isReplacing = false
  try {
    const repair = await catalogue.repairs.begin({ id, holder, instanceId: copy.id, actor, found: state })
    const manifest = file.kind === 'tree' ? await catalogue.instances.treeOf({ name: file.name }) : undefined
    const origin = await bringBytes({ file, manifest, id, store: site.store, read, signal })
    const prepared = await prepareCopy(id, file, origin, site, signal)
    isReplacing = true
    await replaceCopy(repair, file, prepared, label, site, ground)
    return id
  } catch (error) {
    // From the second transaction on it only goes forward; recovery goes on with it.
    if (isReplacing) throw error
    await catalogue.repairs.fail({ id, holder, why: `${label}: ${messageOf(error)}` })
    await settle(id, site, ground)
    signal?.throwIfAborted()
    if (isAboutVictim(error)) throw error
    failures.push(`${label}: ${messageOf(error)}`)
    return undefined
  } finally {
    ground.working.delete(id)
  }
}

/** No other source would help. */
function isAboutVictim(error: unknown): boolean {
  return error instanceof LibrarianError && (error.code === 'NoSpace' || error.code === 'Busy')
}

async function askUpstream(
  { file, copy }: Victim,
  { signal, isDry }: RepairOptions,
  { catalogue, upstream }: RepairGround,
  failures: string[],
): Promise<string | undefined> {
  // Only the librarian that it came from sends what this one is to have (librarian 11.9).
  const [source] = await upstream.candidates(file)
  if (source !== file.source) return undefined
  const open = (await catalogue.replacements.expected({ fileName: file.name })).find(one => one.instance_id === copy.id)
  if (open && isOpen(open.status, open.incoming_transfer_id)) return source
  try {
    if (await upstream.canFetch(source, signal)) return undefined
    if (isDry) return source
    // Before it is asked: it announces the file here while it answers.
    await catalogue.replacements.request({ instanceId: copy.id })
    const transferId = await upstream.askToSend(source, file.name, signal)
    await catalogue.replacements.expect({ instanceId: copy.id, transferId })
    return source
  } catch (error) {
    await catalogue.replacements.expect({ instanceId: copy.id, transferId: null })
    signal?.throwIfAborted()
    failures.push(`librarian ${source}: ${messageOf(error)}`)
    return undefined
  }
}

function isOpen(status: string | null, transferId: number | null): boolean {
  return transferId !== null && (status === 'INITIATED' || status === 'ONGOING' || status === 'STAGED')
}

async function tellKept({ file, copy, state }: Victim, reason: string, { alarms }: RepairGround): Promise<void> {
  await alarms.raise({
    severity: 'critical',
    category: 'data_integrity',
    message: `The copy ${copy.path} of ${file.name} is ${state} and cannot be repaired: ${reason}. Nothing was deleted. Bring a good copy, or add a librarian that has one; then \`arriero repair ${file.name}\`.`,
    caller: 'repair',
  })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
