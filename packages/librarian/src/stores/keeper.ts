/**
 * Which catalogue a store belongs to. Two that both think so would sweep, trash and count as if alone, each taking the other's
 * work for what a crash has left (reliability B4, B7).
 */
import { z } from 'zod'

export const keeperSchema = z.object({
  /** The UUID of the catalogue, which backups and restores keep: several processes on one catalogue are one keeper. */
  catalogue: z.string().regex(/^[0-9a-f-]{32,36}$/),
  /** For people, as it was when the marker was written: the librarian's name, and the machine. */
  librarian: z.string(),
  host: z.string(),
  since: z.string(),
  /** Where the catalogue lies: of a file its path, of a database its address. */
  place: z.string().optional(),
  /** Of the catalogue, renewed at each opening: a copy of the catalogue does not know it (`life.ts`). */
  life: z.uuid().optional(),
})

export type Keeper = z.infer<typeof keeperSchema>

/** Told instead of a store's contents where it is another's: another catalogue's, or one's of another life. */
export interface OthersStore {
  readonly reason: string
  readonly remedy: string
  readonly otherKeeper: Keeper
}

/** Undefined: it is ours, or nobody asks whose it is. */
export function othersStore(
  met: Keeper | undefined,
  own: Pick<Keeper, 'catalogue'> | undefined,
): OthersStore | undefined {
  if (own === undefined || met === undefined || met.catalogue === own.catalogue) return undefined
  return {
    reason: `it belongs to another librarian: its marker names ${describeKeeper(met)}, this one has catalogue ${own.catalogue}`,
    remedy:
      'Give this librarian a store of its own. If the other one is gone for good, end it, and take the store over: ' +
      '`arriero serve --rebuild` with an empty catalogue, or --take-over-stores with --restore or --replay.',
    otherKeeper: met,
  }
}

export function describeKeeper({ catalogue, librarian, host, since, place }: Keeper): string {
  return `catalogue ${catalogue} (${librarian} on ${host}, since ${since}${place === undefined ? '' : `, in ${place}`})`
}
