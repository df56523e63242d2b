/** The steps of one repair from the moment its bytes are brought (`repair.ts`). */
import { LibrarianError } from '@arriero/api'
import type { File } from '../../catalogue/operations/instances.ts'
import type { Repair } from '../../catalogue/operations/repairs.ts'
import type { Prepared, Publication, Published, Work } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { RepairGround } from './ground.ts'
import { repairLineOf } from './repair-line.ts'

/** Of every private copy of a repair: who takes one over makes none. */
const TOKEN = 1

/** Compares, and makes it durable. @throws LibrarianError `Mismatch` and what `prepare` meets: nothing has changed */
export async function prepareCopy(
  id: string,
  file: File,
  origin: Work['origin'],
  { store }: SiteStore,
  signal: AbortSignal | undefined,
): Promise<Prepared> {
  const { size, checksum } = file
  const work: Work = { id, token: TOKEN, origin, size, checksum }
  const [outcome] = await store.prepare([work], signal ? { signal } : {})
  if (!outcome?.ok) throw outcome?.error ?? new LibrarianError('Internal', `Nothing was said of ${file.name}`)
  const { kind, sha256 } = outcome.value
  if (kind === file.kind && (file.sha256 === null || file.sha256 === sha256)) return outcome.value
  throw new LibrarianError(
    'Mismatch',
    `Cannot repair ${file.name}: it must be a ${file.kind} with the SHA-256 ${file.sha256}, what came is a ${kind} with ${sha256}`,
  )
}

/** @param repair this process's, `begun` */
export async function replaceCopy(
  repair: Repair,
  file: File,
  prepared: Pick<Prepared, 'sha256'>,
  source: string,
  site: SiteStore,
  ground: RepairGround,
): Promise<void> {
  const { id, instance_id } = repair
  const { holder } = ground.presence
  const { sha256 } = prepared
  if (!(await ground.catalogue.repairs.replacing({ id, holder, source, sha256 })))
    throw takenOver(file.name, instance_id)
  await completeRepair({ ...repair, source, sha256 }, file, site, ground)
}

/** @param repair of this process, `replacing`. May be repeated from the start: its line in the trail comes again. */
export async function completeRepair(repair: Repair, file: File, site: SiteStore, ground: RepairGround): Promise<void> {
  const { id, source, sha256: verified } = repair
  const { name, kind, size, checksum } = file
  const sha256 = verified ?? file.sha256 ?? ''
  const publication: Publication = { id, token: TOKEN, name, kind, size, sha256 }
  const { fingerprint }: Published = await site.store.replace(publication, id)
  await site.store.appendTrail([repairLineOf(repair, file, { source: source ?? '', sha256 })])
  const { presence, by, catalogue } = ground
  await catalogue.repairs.finish({ id, holder: presence.holder, by, checksum, size, sha256, fingerprint })
  await settle(id, site, ground)
}

/** What cannot be removed now, the sweep removes: the repair is known to have ended. */
export async function settle(id: string, { store }: SiteStore, { catalogue }: RepairGround): Promise<void> {
  try {
    await store.settle([id])
    await store.removeSpool(id)
  } catch {
    return
  }
  await catalogue.intents.forget({ ids: [id] })
}

function takenOver(name: string, instanceId: number): LibrarianError {
  return new LibrarianError('Busy', `Cannot repair copy ${instanceId} of ${name}: another process has taken it over`)
}
