import { LibrarianError } from '@arriero/api'
import { findFile } from '../copies/read-copies.ts'
import type { RepairGround } from './ground.ts'
import type { RepairedCopy, Replacement } from './repair.ts'
import { messageOf } from './repair-copy.ts'
import { prepareCopy, replaceCopy, settle } from './replace-copy.ts'

/** What was asked for by `corrupt/resend` and has been staged (librarian 11.9). */
export async function takeReplacement(replacement: Replacement, ground: RepairGround): Promise<RepairedCopy> {
  const { fileName, transferId, librarian, storeId, origin, signal } = replacement
  const { catalogue, stores, reader, presence, random, working } = ground
  const { file, instances } = await findFile(catalogue, fileName)
  const copy = instances.find(one => one.store_id === storeId && one.available === 1)
  const site = stores.byId(storeId)
  if (!copy || !site) throw unexpected(replacement)
  const { state } = await reader.read(file, copy, { isDirect: true, signal })
  const of = { instanceId: copy.id, storeName: site.name, state }
  // Repaired meanwhile, from elsewhere or by an earlier try: what was sent is not needed.
  if (state === 'ok') return { ...of, outcome: 'good' }
  if (state === 'unavailable')
    throw new LibrarianError('StoreUnavailable', `Cannot repair ${copy.path}: its store is gone`)
  const isExpected = (await catalogue.replacements.expected({ fileName })).some(one => {
    return one.instance_id === copy.id && one.incoming_transfer_id === transferId && one.file_source === librarian
  })
  if (!isExpected) throw unexpected(replacement)
  const id = random(16).toString('hex')
  const { holder } = presence
  working.add(id)
  let isReplacing = false
  try {
    const repair = await catalogue.repairs.begin({
      id,
      holder,
      instanceId: copy.id,
      actor: 'task:repair',
      found: state,
    })
    const prepared = await prepareCopy(id, file, origin, site, signal)
    isReplacing = true
    await replaceCopy(repair, file, prepared, `librarian ${librarian}`, site, ground)
    return { ...of, outcome: 'repaired', source: `librarian ${librarian}`, quarantineId: id }
  } catch (error) {
    if (!isReplacing) {
      await catalogue.repairs.fail({ id, holder, why: messageOf(error) })
      await settle(id, site, ground)
    }
    throw error
  } finally {
    working.delete(id)
  }
}

function unexpected({ transferId, fileName }: Replacement): LibrarianError {
  return new LibrarianError('Conflict', `Cannot take transfer ${transferId}: no copy of ${fileName} waits for it`)
}
