/**
 * Whether a file that another librarian announces is the replacement that it was asked for (librarian 11.9): then its name being
 * taken here is no reason to refuse it. Whoever takes announcements asks this before `FileExists`, for each item that is there:
 *
 * 1. `expectsReplacement(…)`: undefined, and the item is refused as ever; else it is staged on the store that is told, and on
 *    no other, since the good bytes take the place of the bad ones there;
 * 2. `noteReplacement(…)` with the new transfer's number, in the transaction that makes it;
 * 3. when its bytes are staged: `RepairService.takeReplacement` instead of a commit; then the transfer is COMPLETED, and the
 *    sender is told, as of any clone. A `Mismatch` fails the transfer, and it is asked for again.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'

export interface AnnouncedReplacement {
  readonly fileName: string
  /** The librarian that sends it: `source` of the announcement, whose account has made the call. */
  readonly librarian: string
  readonly size: number
  /** As announced, in wire form. */
  readonly checksum: string
}

export interface ExpectedAt {
  /** The bad copy. */
  readonly instanceId: number
  readonly storeId: number
}

export function expectsReplacement(
  catalogue: Pick<Catalogue, 'replacements'>,
  announced: AnnouncedReplacement,
): Promise<ExpectedAt | undefined> {
  return catalogue.replacements.expects(announced)
}

export async function noteReplacement(
  catalogue: Pick<Catalogue, 'replacements'>,
  { instanceId }: Pick<ExpectedAt, 'instanceId'>,
  transferId: number,
): Promise<void> {
  await catalogue.replacements.expect({ instanceId, transferId })
}
