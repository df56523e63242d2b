/** One commit on its way through the protocol, with what each step has learnt of it. */
import { randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { BeginWork } from '../../catalogue/operations/intents.ts'
import type { Prepared, Publication, Published, TrailRecord, Work } from '../../stores/store.ts'
import type { CommitRequest, Committed } from './commits.ts'

export interface CommitItem {
  readonly id: string
  readonly request: CommitRequest
  readonly resolve: (committed: Committed) => void
  readonly reject: (error: unknown) => void
  /** Set by the first transaction. */
  token: number
  createTime: string
  /** Of its line in the trail. */
  order: number
  prepared: Prepared | undefined
  published: Published | undefined
}

export function newItem(
  request: CommitRequest,
  resolve: CommitItem['resolve'],
  reject: CommitItem['reject'],
): CommitItem {
  const id = randomBytes(16).toString('hex')
  return { id, request, resolve, reject, token: 0, createTime: '', order: 0, prepared: undefined, published: undefined }
}

export function beginWorkOf({ id, request }: CommitItem): BeginWork {
  return {
    id,
    name: request.name,
    storeId: request.store.id,
    // Whoever recovers it has nothing of what was only in memory.
    origin: JSON.stringify(request.origin, (key, value: unknown) => (key === 'bytes' ? undefined : value)),
    size: request.size,
    checksum: request.checksum,
    transferId: request.transferId,
    manager: request.manager ?? null,
    deletionPolicy: request.deletionPolicy,
    uploader: request.uploader,
    source: request.source,
    firstUploader: request.firstUploader ?? null,
    createTime: request.createTime,
    ...(request.copy ? request.copy : {}),
    ...(request.act ? { act: JSON.stringify(request.act.entry()) } : {}),
  }
}

export function workOf({ id, token, request }: CommitItem, origin: Work['origin']): Work {
  return { id, token, origin, size: request.size, checksum: request.checksum }
}

export function publicationOf(item: CommitItem): Publication {
  const { kind, size, sha256 } = preparedOf(item)
  return {
    id: item.id,
    token: item.token,
    name: item.request.name,
    kind,
    size,
    sha256,
    spool: spoolOf(item.request.origin),
  }
}

export function spoolOf(origin: CommitRequest['origin']): string | undefined {
  return origin.from === 'spool' ? origin.id : undefined
}

export function trailRecordOf(item: CommitItem, time: string): TrailRecord {
  const { request } = item
  const { kind, size, sha256, checksum, manifest } = preparedOf(item)
  return {
    action: 'commit',
    order: item.order,
    time,
    name: request.name,
    kind,
    size,
    checksum: request.checksum ?? checksum,
    sha256,
    is_attested: request.copy?.isAttested ?? request.checksum !== undefined,
    create_time: item.createTime,
    uploader: request.uploader,
    source: request.source,
    deletion_policy: request.deletionPolicy,
    ...(request.firstUploader === undefined ? {} : { first_uploader: request.firstUploader }),
    ...(manifest === undefined ? {} : { manifest }),
  }
}

export function preparedOf({ prepared, id }: CommitItem): Prepared {
  if (prepared) return prepared
  throw new LibrarianError('Internal', `Cannot publish work ${id}: it must have been prepared first`)
}
