import { LibrarianError } from '@arriero/api'
import type { FileWithInstances, Instance } from '../../catalogue/operations/instances.ts'
import { badStates } from '../../catalogue/operations/readings.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import { findFile } from '../copies/read-copies.ts'
import { createLimit } from '../limit.ts'
import type { RepairGround } from './ground.ts'
import { purgeQuarantine } from './purge-quarantine.ts'
import { recoverRepairs } from './recover-repairs.ts'
import type { RepairAllOptions, RepairedCopy, RepairOptions, RepairReport, RepairService } from './repair.ts'
import { messageOf, repairCopy, type Victim } from './repair-copy.ts'
import { takeReplacement } from './take-replacement.ts'

export interface CreateRepairOptions extends Omit<RepairGround, 'working' | 'keepSeconds'> {
  /** How long the quarantine keeps bad bytes, s. Default 90 d (reliability B5). */
  readonly keepSeconds?: number | undefined
}

/** Names of a page of bad copies; each is repaired as a whole. */
const PAGE = 200
/** Files at once: most of a repair is waiting for disks to sync. */
const AT_ONCE = 8
const DAYS_90 = 90 * 86_400

export function createRepair({ keepSeconds = DAYS_90, ...options }: CreateRepairOptions): RepairService {
  const ground: RepairGround = { ...options, keepSeconds, working: new Set() }
  return {
    async repairFile(name, repairOptions) {
      await goOn(repairOptions, ground)
      return await repairFile(name, repairOptions, ground)
    },
    async repairAll(allOptions) {
      await goOn(allOptions, ground)
      return await repairAll(allOptions, ground)
    },
    takeReplacement: replacement => takeReplacement(replacement, ground),
    recover: () => recoverRepairs(ground),
    purgeDue: ({ signal }) => purgeQuarantine(ground, signal),
  }
}

/** What a failing disk has stopped half-way goes on as soon as somebody asks again: nobody else could begin with its copy. */
async function goOn({ isDry }: Pick<RepairOptions, 'isDry'>, ground: RepairGround): Promise<void> {
  if (!isDry) await recoverRepairs(ground)
}

async function repairFile(name: string, options: RepairOptions, ground: RepairGround): Promise<RepairedCopy[]> {
  const found = await findFile(ground.catalogue, name)
  const read = await readAll(found, options, ground)
  const good = read.flatMap(({ copy, state }) => (state === 'ok' ? [copy] : []))
  const repaired: RepairedCopy[] = []
  for (const { copy, state, reason } of read) {
    const site = ground.stores.byId(copy.store_id)
    const of = { instanceId: copy.id, storeName: site?.name ?? String(copy.store_id), state }
    if (state === 'ok') repaired.push({ ...of, outcome: 'good' })
    else if (!site || !isBad(state)) repaired.push({ ...of, outcome: 'unavailable', reason })
    else repaired.push(await repairOne({ file: found.file, copy, site, state, reason }, good, options, ground))
  }
  return repaired
}

interface ReadCopy {
  readonly copy: Instance
  readonly state: CopyState
  readonly reason: string | undefined
}

async function readAll(
  { file, instances }: FileWithInstances,
  { signal }: RepairOptions,
  { reader }: RepairGround,
): Promise<ReadCopy[]> {
  const copies = instances.filter(({ available }) => available === 1)
  return await Promise.all(
    copies.map(async copy => {
      const { state, reason } = await reader.read(file, copy, { isDirect: true, signal })
      return { copy, state, reason }
    }),
  )
}

function isBad(state: CopyState): boolean {
  return badStates.some(bad => bad === state)
}

/** One copy's trouble is its own. */
async function repairOne(
  victim: Victim,
  good: readonly Instance[],
  options: RepairOptions,
  ground: RepairGround,
): Promise<RepairedCopy> {
  try {
    return await repairCopy(victim, good, options, ground)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!(error instanceof LibrarianError)) throw error
    ground.log.warn({ err: error, file: victim.file.name }, 'A bad copy could not be repaired now')
    const { copy, site, state } = victim
    return { instanceId: copy.id, storeName: site.name, state, outcome: 'kept', reason: messageOf(error) }
  }
}

async function repairAll(options: RepairAllOptions, ground: RepairGround): Promise<RepairReport> {
  const { actor, isDry, signal, isOverdue, progress } = options
  const report = { good: 0, repaired: 0, repairable: 0, requested: 0, kept: 0, unavailable: 0 }
  const limit = createLimit(AT_ONCE)
  const isOver = () => signal.aborted || isOverdue()
  const repairNamed = async (name: string) => {
    if (isOver()) return
    for (const { outcome } of await repairFile(name, { actor, isDry, signal }, ground)) report[outcome] += 1
    progress(report)
  }
  let after = 0
  let before = new Set<string>()
  for (;;) {
    const page = await ground.catalogue.repairs.bad({ after, limit: PAGE })
    // A file with several bad copies is repaired as a whole; others of its copies may be on the next page.
    const names = new Set(page.map(({ file_name }) => file_name)).difference(before)
    await Promise.all(Array.from(names, name => limit(() => repairNamed(name))))
    if (page.length < PAGE || isOver()) return report
    after = page.at(-1)!.id
    before = names
  }
}
