import { type Context, warn } from '../context.ts'
import { printable } from '../text.ts'
import { shownTime } from './show-table.ts'

interface Peer {
  readonly name: string
  readonly refused_since?: string | null | undefined
}

/** Librarians that do not let ours in: what is to be sent there waits, and the transfers alone do not show it. */
export function tellRefusals(peers: readonly Peer[], context: Context): void {
  for (const { name, refused_since } of peers) {
    if (!refused_since) continue
    const shown = printable(name)
    warn(
      context,
      `nothing is sent to ${shown}: it refuses our account since ${shownTime(refused_since)} UTC. Have its administrator set the password of our account; or: arriero librarians remove ${shown}, and add it with the right one. Sending goes on by itself.`,
    )
  }
}
