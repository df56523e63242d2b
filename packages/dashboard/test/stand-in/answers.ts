import { endpoints } from '@arriero/api'
import { describeFile, findFiles, proposals } from './files.ts'
import type { Give } from './give.ts'
import { naive, overviewAt } from './overview.ts'
import { giveLists } from './page-answers.ts'

type Answering = (asked: never, username: string) => unknown

const made: Record<string, Answering> = {}

const give: Give = (endpoint, handler) => {
  made[endpoint.path] = handler as Answering
}

const { dashboard, deletion, destruction, admin, validate, ping } = endpoints
const DAY = 86_400_000

giveLists(give)
give(ping.any, () => ({
  name: 'La Silla, archive',
  description: 'Made data for trying the pages',
  version: '0.1.0',
  capabilities: ['idempotency'],
}))
give(dashboard.overview, () => overviewAt(Date.now()))
give(dashboard.files, findFiles)
give(dashboard.file, ({ file_name }, username) => describeFile(file_name, { paths: username !== 'bo' }))
give(validate.file, async ({ file_name }) => {
  await new Promise(resolve => setTimeout(resolve, 1500))
  const { file, instances } = describeFile(file_name, { paths: false })
  return instances.slice(0, 2).map(({ instance_id, store_name, state }) => ({
    librarian: 'here',
    store: instance_id,
    store_name,
    instance_id,
    original_checksum: file.checksum,
    original_size: file.size,
    current_checksum: state === 'ok' ? file.checksum : 'md5:::00000000000000000000000000000000',
    current_size: file.size,
    computed_same_checksum: state === 'ok',
    checked_time: naive(Date.now()),
    state,
    ...(state === 'ok' ? {} : { reason: 'other bytes from offset 4,194,304 on' }),
    unreachable: ['erebus'],
  }))
})
give(deletion.plan, ({ file_name, store_name }) => {
  const { file, instances } = describeFile(file_name, { paths: true })
  const { instance_id, path } = instances.find(copy => copy.store_name === store_name)!
  const mayGo = store_name !== 'disk-01'
  return {
    may_go: mayGo,
    why_not: mayGo ? null : 'it is the only good copy here',
    file_name,
    store_name,
    instance_id,
    instance_path: path ?? '',
    size: file.size,
    deletion_policy: mayGo ? ('ALLOWED' as const) : ('DISALLOWED' as const),
    copies_needed: 2,
    remote_copies_needed: 1,
    evidence: [
      { librarian: null, store: 'disk-01', instance_id: 1, state: 'ok', medium: 'medium', time: naive(Date.now()) },
      { librarian: 'nyx', store: '1', instance_id: 77, state: 'ok', medium: 'peer-challenge', time: naive(Date.now()) },
      { librarian: 'erebus', store: '4', instance_id: 9, state: 'ok', medium: 'claim', time: null },
    ],
    trash_seconds: 30 * 86_400,
  }
})
give(deletion.remove, ({ file_name }) => ({
  success: true,
  trash_id: 'a1',
  file_name,
  instance_id: 2,
  proofs: 1,
  remote_proofs: 1,
}))
give(admin.trashRestore, () => ({ success: true, file_name: 'that file', instance_id: 2, state: 'ok' }))
give(destruction.propose, ({ file_name, reason }, username) => {
  const now = Date.now()
  const proposal = {
    destruction_id: `d-${proposals.size + 1}`,
    reason,
    proposed_by: username,
    proposed_time: naive(now),
    end_time: naive(now + DAY),
  }
  proposals.set(file_name, proposal)
  return { file_name, ...proposal }
})
give(destruction.confirm, ({ destruction_id, file_name }) => {
  proposals.delete(file_name)
  const destroyed = [{ store_name: 'disk-01', instance_id: 1, trash_id: 'a2' }]
  return { success: true, destruction_id, file_name, destroyed, kept: [] }
})

/** By path. */
export const answers: Readonly<Record<string, Answering>> = made
