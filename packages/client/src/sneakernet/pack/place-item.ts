/**
 * One file onto the disk: copied from where the librarian says it is, or fetched from it; read back from the medium; compared
 * with the catalogue. It has no name there yet.
 */
import { rm } from 'node:fs/promises'
import { checksumsMatch, type DiskCandidate, parseChecksum } from '@arriero/api'
import { digestPath, type Engine, TransferError } from '@arriero/transfer'
import { download } from '../../download/download.ts'
import type { Librarian } from '../../librarian.ts'
import { type LocalItem, readItem } from '../../upload/local-item.ts'
import type { PackedItem } from '../bag/item.ts'
import { type ReadBack, readBack } from '../disk/read-back.ts'
import { copyItem } from './copy-item.ts'

export interface PlaceOptions {
  readonly librarian: Librarian
  readonly engine: Engine
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
  /** For reading back. */
  readonly buffer: Uint8Array
}

/** @throws TransferError ChecksumMismatch where the source's copy is bad, or the disk; of the disk itself as `diskTrouble` */
export async function placeItem(candidate: DiskCandidate, path: string, options: PlaceOptions): Promise<PackedItem> {
  const { librarian, engine, signal, onBytes, buffer } = options
  await rm(path, { recursive: true, force: true })
  const local = await visibleItem(candidate, signal)
  if (local) await copyItem(local, path, { signal, onBytes })
  else {
    await download(candidate.name, path, { librarians: [librarian], engine, ifExists: 'repair', signal })
    onBytes(candidate.size)
  }
  const placed = await readItem(path, { signal })
  const files = placed.members.map(member => member.path)
  const { function: name } = parseChecksum(candidate.checksum)
  const found = await readBack(
    path,
    { kind: placed.kind, files, directories: placed.directories },
    [name],
    buffer,
    signal,
  )
  if (!isAsCatalogued(candidate, found)) throw await blame(candidate, local, signal)
  return {
    name: candidate.name,
    kind: candidate.kind,
    size: candidate.size,
    checksum: candidate.checksum,
    sha256: found.sha256,
    uploader: candidate.uploader,
    create_time: candidate.create_time,
    instance_id: candidate.instance_id,
    read_back: found.medium,
    members: found.members.map(([member, size, sha256]) => [withMember(candidate.name, member), size, sha256]),
  }
}

function withMember(name: string, member: string): string {
  return member === '' ? name : `${name}/${member}`
}

/** Undefined: this machine does not see the store, or sees another file there; then the librarian is asked for its bytes. */
async function visibleItem(candidate: DiskCandidate, signal: AbortSignal): Promise<LocalItem | undefined> {
  try {
    const item = await readItem(candidate.instance_path, { signal })
    return item.kind === candidate.kind && item.size === candidate.size ? item : undefined
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

function isAsCatalogued(candidate: DiskCandidate, found: Pick<ReadBack, 'size' | 'digests' | 'sha256'>): boolean {
  const { function: name } = parseChecksum(candidate.checksum)
  return (
    found.size === candidate.size &&
    checksumsMatch(`${name}:::${found.digests[name]}`, candidate.checksum) &&
    (candidate.sha256 === null || candidate.sha256 === found.sha256)
  )
}

/** Which of the two is bad: what was read, or what the disk made of it. */
async function blame(
  candidate: DiskCandidate,
  local: LocalItem | undefined,
  signal: AbortSignal,
): Promise<TransferError> {
  const { function: name } = parseChecksum(candidate.checksum)
  const source = local && (await digestPath(local.root, { functions: [name], links: 'refuse', signal }))
  if (source && !isAsCatalogued(candidate, source)) {
    return new TransferError(
      'ChecksumMismatch',
      `Cannot pack ${candidate.name}: the copy ${candidate.instance_path} is not what the librarian keeps under this name`,
      {
        file: candidate.instance_path,
        remedy: `Say \`arriero validate ${candidate.name}\`: the librarian reads every copy.`,
      },
    )
  }
  return new TransferError(
    'ChecksumMismatch',
    `Cannot pack ${candidate.name}: the disk gives back other bytes than were written`,
    { remedy: 'Take another disk or another cable: this one cannot be trusted.' },
  )
}
