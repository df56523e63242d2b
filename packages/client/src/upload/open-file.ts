import { assertSame, type Member, openMember, readMember } from './local-item.ts'
import type { Outgoing } from './outgoing.ts'

/** One file, sent as it is. */
export async function openFile(member: Member): Promise<Outgoing> {
  const handle = await openMember(member)
  return {
    path: member.absolute,
    size: member.size,
    headers: {},
    async read(bytes, offset) {
      await readMember(handle, member, bytes, offset)
      if (offset + bytes.length === member.size) await assertSame(handle, member)
    },
    countOf: (start, end) => end - start,
    [Symbol.asyncDispose]: () => handle.close(),
  }
}
