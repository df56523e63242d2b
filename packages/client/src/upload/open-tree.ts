import type { FileHandle } from 'node:fs/promises'
import { archiveHeaders } from '@arriero/api'
import { type ArchiveEntry, ArchivePlan, printable, TransferError } from '@arriero/transfer'
import { assertSame, type LocalItem, type Member, openMember, readMember } from './local-item.ts'
import type { Outgoing } from './outgoing.ts'

export interface OpenTreeOptions {
  /** Files and directories that the librarian takes as one. Default: no limit. */
  readonly mostMembers?: number | undefined
}

interface Entry extends ArchiveEntry {
  readonly member: Member | undefined
}

/**
 * A directory, sent as an archive that is made while it goes: its bytes follow from names and sizes, so any later run makes
 * the very same ones from any place on (docs/decisions/0024).
 *
 * @throws TransferError Unsupported for more members than the librarian takes, before anything is sent
 */
export function openTree(item: LocalItem, options: OpenTreeOptions = {}): Outgoing {
  const plan = new ArchivePlan(entriesOf(item))
  refuseTooMany(item, plan.entries, options)
  const reading = new MemberReading()
  return {
    path: item.root,
    size: plan.size,
    headers: archiveHeaders(plan.size),
    async read(bytes, offset) {
      let at = 0
      for (const part of plan.parts(offset, offset + bytes.length)) {
        const length = 'bytes' in part ? part.bytes.length : part.end - part.start
        const target = bytes.subarray(at, at + length)
        if ('bytes' in part) target.set(part.bytes)
        else await reading.read(plan.entries[part.entry]!.member!, target, part.start)
        at += length
      }
    },
    countOf(start, end) {
      let count = 0
      for (const part of plan.parts(start, end)) if ('entry' in part) count += part.end - part.start
      return count
    },
    [Symbol.asyncDispose]: () => reading.close(),
  }
}

/** Sorted as text, so that a directory comes before what is in it, on every machine in the same order. */
function entriesOf({ directories, members }: LocalItem): Entry[] {
  const entries: Entry[] = [
    ...directories.map(path => ({ path, type: 'directory', size: 0, member: undefined }) as const),
    ...members.map(member => ({ path: member.path, type: 'file', size: member.size, member }) as const),
  ]
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function refuseTooMany({ root }: LocalItem, entries: readonly Entry[], { mostMembers }: OpenTreeOptions): void {
  const what = `Cannot send ${printable(root)}`
  if (mostMembers !== undefined && entries.length > mostMembers) {
    const met = `the librarian takes ${mostMembers} files and directories as one, it has ${entries.length}`
    const remedy = 'Send its directories as several trees, or its files one by one with --each.'
    throw new TransferError('Unsupported', `${what}: ${met}`, { file: root, remedy })
  }
}

/** Reads members one after the other: each is opened once, however many pieces it falls into. */
class MemberReading {
  #open: { readonly member: Member; readonly handle: FileHandle } | undefined

  async read(member: Member, bytes: Uint8Array, offset: number): Promise<void> {
    if (this.#open?.member !== member) {
      await this.close()
      this.#open = { member, handle: await openMember(member) }
    }
    const { handle } = this.#open
    await readMember(handle, member, bytes, offset)
    if (offset + bytes.length < member.size) return
    await assertSame(handle, member)
    await this.close()
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.handle.close()
  }
}
