import { directoryOf } from '../directory.ts'
import { type Kind, type KindName, kinds, unusual, usual } from './kinds.ts'
import type { Language } from './phrases.ts'
import { plainPunctuation, prose } from './prose.ts'
import { createRandom, type Random } from './random.ts'
import { type BookText, makeText } from './text.ts'

export interface PlanOptions {
  /** Default 20. */
  readonly books?: number | undefined
  /** Default 1. */
  readonly seed?: number | undefined
  /** Characters of the shortest and the longest text. Default 20,000 and 1,000,000. */
  readonly shortest?: number | undefined
  readonly longest?: number | undefined
}

export interface PlannedBook {
  readonly number: number
  readonly author: string
  readonly title: string
  readonly kind: KindName
  /** Below the root of the mirror. */
  readonly directory: string
  /** Its text; undefined: there is none. */
  readonly text: { readonly name: string; readonly book: BookText } | undefined
  /** Milliseconds since 1970. */
  readonly time: number
}

/** These come first, and the unusual kinds among them, so that a small mirror has one of each. */
const NUMBERS = [31604, 418, 5, 10, 1670]
const UNUSUAL = Object.keys(unusual) as KindName[]
const USUAL = Object.keys(usual) as KindName[]

/** The books of a mirror, one by one: the same for the same seed. */
export function* planBooks(options: PlanOptions = {}): Generator<PlannedBook> {
  const { books = 20, seed = 1, shortest = 20_000, longest = 1_000_000 } = options
  const random = createRandom(seed)
  const taken = new Set<number>()
  for (let index = 0; index < books; index++) {
    const number = NUMBERS[index] ?? freshNumber(random, taken)
    taken.add(number)
    const name = kindOf(random, index)
    const length = Math.round(shortest * (longest / shortest) ** random.next())
    const title = titleOf(random, index)
    const author = random.pick(AUTHORS)
    const time = Date.UTC(2004 + random.below(16), random.below(12), 1 + random.below(28), random.below(24))
    const text = textOf(kinds[name], { number, title, author, length, random })
    yield { number, author, title, kind: name, directory: directoryOf(number), text, time }
  }
}

interface Subject {
  readonly number: number
  readonly title: string
  readonly author: string
  readonly length: number
  readonly random: Random
}

function textOf(kind: Kind, { number, title, author, length, random }: Subject): PlannedBook['text'] {
  if (!kind.text) return undefined
  const name = kind.text(number)
  if (kind.isEmpty) return { name, book: { bytes: Buffer.alloc(0), left: () => undefined } }
  const { encoding = 'latin1', marking = 'this', lineEnd = '\r\n', quotesEnd = false } = kind
  const language = random.pick(LANGUAGES[encoding])
  const body = prose(random, language, length).map(encoding === 'latin1' ? plainPunctuation : line => line)
  return { name, book: makeText({ title, author, marking, encoding, lineEnd, body, quotesEnd }) }
}

const LANGUAGES: Readonly<Record<'latin1' | 'utf8', readonly Language[]>> = {
  latin1: ['English', 'English', 'French', 'German', 'Spanish'],
  utf8: ['English', 'French', 'Greek', 'Spanish'],
}

/** First one of each; then mostly usual ones. */
function kindOf(random: Random, index: number): KindName {
  const all = [...USUAL, ...UNUSUAL]
  return all[index] ?? random.pick(random.below(8) === 0 ? UNUSUAL : USUAL)
}

/** As many digits as books have: mostly five, sometimes fewer. */
function freshNumber(random: Random, taken: ReadonlySet<number>): number {
  for (;;) {
    const number = 1 + random.below(10 ** (1 + Math.min(4, 2 + random.below(4))))
    if (!taken.has(number)) return number
  }
}

const AUTHORS = ['Anonymous', 'Jane Miller', 'A. Écrivain', 'Müller, Karl', 'José "Pepe" Núñez', 'Van der Berg, J.']
const TITLES = ['A Treatise', 'Letters from the River', 'Table Talk', 'Märchen', 'Cuentos', 'Notes and Queries']

/** Commas, quotes and line ends, as titles in such tables have them. */
function titleOf(random: Random, index: number): string {
  const title = random.pick(TITLES)
  const more = ['', ', Vol. II', ' ("The Later")', '\n       with an Introduction', ', or: "So, then"\n\n  Part 3']
  return title + (more[index % more.length] as string)
}
