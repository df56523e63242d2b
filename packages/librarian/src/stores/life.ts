/**
 * Tells a catalogue from its copies. Both have one UUID, so each opening of a store writes a new random life into its marker;
 * a copy, or a catalogue that was put back from before, does not know it, and has no store (reliability B4).
 *
 *   announce     the catalogue notes the life that comes, beside that which the marker has; refused where it does not know that
 *   write        the marker gets it, in one step
 *   crash        between: the marker has the one or the other, and the catalogue knows both
 *   other        a process of the same catalogue that meets a life that it does not know asks the catalogue, which does
 *
 * Of a catalogue and a copy of its very last state nothing in them tells which is which. Where the marker names another file
 * than ours as its catalogue, and that file is there, ours is the copy. Else whichever opens the store first has it, and the
 * other notices before its next step.
 */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { describeKeeper, type Keeper } from './keeper.ts'
import type { Unavailable } from './store.ts'

export interface Life {
  /**
   * Asked for each look at the marker, of a keeper with our catalogue's UUID. Undefined: it is of our line.
   *
   * @param where the store, for people
   */
  whyNotOurs(met: Keeper, where: string): Promise<Unavailable | undefined>
  /**
   * Resolves, when the catalogue knows it, to the keeper to be written now. May be called again.
   *
   * @param met what the marker names; undefined: the operator has said that the store is ours
   * @throws LibrarianError StoreUnavailable where that is of another line by now
   */
  announce(met: Keeper | undefined, where: string): Promise<Keeper>
}

export interface LifeOptions {
  readonly lives: Catalogue['lives']
  /** The store's row. */
  readonly store: number
  readonly keeper: Keeper
  /** Default: random. */
  readonly id?: string
}

export function createLife({ lives, store, keeper, id = randomUUID() }: LifeOptions): Life {
  const own: Keeper = { ...keeper, life: id }
  const known = new Set<string>()
  let stranger: string | undefined

  async function knows(life: string): Promise<boolean> {
    if (known.has(life)) return true
    // It is noted before any marker has it: what the catalogue does not know now it never will.
    if (life === stranger) return false
    for (const one of await lives.known({ store })) known.add(one)
    if (known.has(life)) return true
    stranger = life
    return false
  }

  async function whyNotOurs(met: Keeper, where: string): Promise<Unavailable | undefined> {
    if (met.life === id) return undefined
    try {
      if (await isAnotherFile(met.place, keeper.place)) return besideOriginal(met, keeper, where)
      if (met.life === undefined || (await knows(met.life))) return undefined
      return otherLife(met, where)
    } catch (error) {
      return { reason: `whether it is still ours cannot be told: ${(error as Error).message}` }
    }
  }

  return {
    whyNotOurs,
    async announce(met, where) {
      const isOurs = await lives.announce({ store, met: met?.life, coming: id })
      if (isOurs) return own
      throw new LibrarianError(
        'StoreUnavailable',
        `Cannot write a new life into a marker: ${otherLife(met!, where).reason}`,
      )
    },
  }
}

/** Whether both are there, as files, and are not one. */
async function isAnotherFile(met: string | undefined, own: string | undefined): Promise<boolean> {
  if (met === undefined || own === undefined || met === own || !isAbsolute(met) || !isAbsolute(own)) return false
  const [there, here] = await Promise.all([met, own].map(path => stat(path, { bigint: true }).catch(() => undefined)))
  return there !== undefined && !(there.dev === here?.dev && there.ino === here.ino)
}

/** Of a copied catalogue the rows have the stores of the original. */
const remedy =
  'If this catalogue is a copy made by mistake, do not start it: begin with an empty data directory. If it shall have copies of ' +
  'the stores, name their places in `add_stores`, and run once `arriero serve --replay --migrate-stores --take-over-stores`. If it ' +
  'is the one to go on with, end the other librarian, and take the stores over: `arriero serve --replay --take-over-stores`, or ' +
  '--restore with --take-over-stores.'

function besideOriginal(met: Keeper, own: Keeper, where: string): Unavailable {
  return {
    reason: `${where} belongs to the catalogue in ${met.place}, of which this one, in ${own.place}, is a copy`,
    remedy,
    otherKeeper: met,
  }
}

function otherLife(met: Keeper, where: string): Unavailable {
  return {
    reason:
      `this catalogue is a copy, or older than its store ${where}: the marker there names a life that it does not know, ` +
      `of ${describeKeeper(met)}`,
    remedy,
    otherKeeper: met,
  }
}
