/** Archives for tests: right ones, and ones that no honest sender makes. */
import { type ArchiveEntry, ArchivePlan } from '@arriero/transfer'
import type { MemoryContent } from '../src/stores/memory-content.ts'

export type ArchiveMember = ArchiveEntry & { readonly bytes: Uint8Array }

/** @param content a tree */
export function archiveOf(content: MemoryContent): Buffer {
  if (content instanceof Uint8Array) throw new Error('an archive is of a tree')
  const members = Array.from(content, ([path, bytes]) => memberOf(path, bytes))
  return archiveOfMembers(members.sort((a, b) => (a.path < b.path ? -1 : 1)))
}

/** @param bytes null: a directory */
export function memberOf(path: string, bytes: Uint8Array | string | null): ArchiveMember {
  const content = Buffer.from(bytes ?? '')
  return { path, type: bytes === null ? 'directory' : 'file', size: content.length, bytes: content }
}

/** In this order and under these names, whatever they are. */
export function archiveOfMembers(members: readonly ArchiveMember[]): Buffer {
  const plan = new ArchivePlan(members)
  const parts = [...plan.parts(0, plan.size)]
  return Buffer.concat(
    parts.map(part => ('bytes' in part ? part.bytes : members[part.entry]!.bytes.subarray(part.start, part.end))),
  )
}

/** The same with other bytes in its first header, whose checksum is right again. */
export function withField(archive: Buffer, at: number, field: string): Buffer {
  const changed = Buffer.from(archive)
  changed.write(field, at, 'latin1')
  let sum = 8 * 0x20
  for (let index = 0; index < 512; index++) if (index < 148 || index >= 156) sum += changed[index]!
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return changed
}

/** What the first entry is: `2` a link, `3` a device, `6` a pipe. */
export function withKind(archive: Buffer, typeflag: string): Buffer {
  return withField(archive, 156, typeflag)
}
