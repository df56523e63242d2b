/**
 * Failures on the screen: of those that are alike the first few are told as they happen, the others are counted, because the
 * report has them all. A commons that is down fails ten thousand rows with one and the same sentence.
 */
import type { Context } from '../context.ts'
import type { Outcome } from '../engine.ts'
import { toLine } from '../errors.ts'
import { printable } from '../text.ts'
import { nameOf, ownNameOf, shownPath } from './outcome.ts'

export interface Failures {
  tell(outcome: Outcome): void
  /** How many more there were. */
  end(): void
}

interface Kind {
  readonly first: Outcome
  told: number
  untold: number
}

/** Of one kind. */
const MOST_ALIKE = 3
/** A row that cannot be used has to be looked for by hand: more of these are of use. */
const MOST_INVALID = 10
/** More kinds than a person would read; from then on only the word for the failure tells them apart. */
const MOST_KINDS = 50

/** @param report where all of them are; without one, and for those who ask with -v, each is told */
export function createFailures(context: Context, report: string | undefined): Failures {
  const { flags, style, terminal } = context
  const kinds = new Map<string, Kind>()
  const isGrouped = report !== undefined && flags.verbosity === 0
  const say = (kind: string, text: string) => context.say(`${style.red('failed')} ${kind}: ${text}`)

  function kindFor(outcome: Outcome): Kind {
    const key = kindOf(outcome)
    const known = kinds.get(key)
    if (known) return known
    const most = kinds.size < MOST_KINDS ? key : classOf(outcome)
    const kind = kinds.get(most) ?? { first: outcome, told: 0, untold: 0 }
    kinds.set(most, kind)
    return kind
  }

  function isTold(outcome: Outcome): boolean {
    const kind = kindFor(outcome)
    const isFew = kind.told < (isInvalid(outcome) ? MOST_INVALID : MOST_ALIKE)
    if (isFew) kind.told++
    else kind.untold++
    return isFew
  }

  return {
    tell(outcome) {
      if (!isGrouped || isTold(outcome)) say(classOf(outcome), failureText(outcome))
    },
    end() {
      for (const { first, untold } of kinds.values()) {
        if (untold === 0) continue
        const [word, like] = isInvalid(first) ? ['invalid', ''] : [classOf(first), ` like ${printable(nameOf(first))}`]
        const where = printable(shownPath(report ?? '', terminal.cwd))
        say(word, `${untold.toLocaleString('en-US')} more${like}; see ${where}`)
      }
    },
  }
}

/** `Cannot …. Check the name; …` */
function failureText(outcome: Outcome): string {
  const { error = '', remedy } = outcome
  const told = { code: classOf(outcome), message: error, ...(remedy === undefined ? {} : { remedy }) }
  // The message of a bad row says which row it is.
  return toLine(told, ownNameOf(outcome))
}

function classOf({ error_class = 'failed' }: Outcome): string {
  return error_class
}

/** The sentence without what is this one's own: its names, and numbers. Bad rows are one kind. */
function kindOf(outcome: Outcome): string {
  if (isInvalid(outcome)) return 'invalid'
  const { error = '', uri, object_id, requested_name, path } = outcome
  const own = [path, uri, object_id, requested_name].filter(name => name !== undefined && name !== '')
  const sentence = own.reduce((text: string, name) => text.replaceAll(name as string, ''), error)
  return `${classOf(outcome)} ${sentence.replace(/[0-9a-f]{4,}|\d+/gi, '')}`
}

function isInvalid({ status }: Outcome): boolean {
  return status === 'invalid'
}
