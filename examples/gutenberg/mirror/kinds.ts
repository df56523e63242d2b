/** What the directories of a mirror hold: the text of a book, or none, among what else lies there. */
import type { Encoding } from '../clean.ts'
import type { Marking } from './text.ts'

export interface Kind {
  /** Name of the text that must be chosen, for the number N; undefined: there is none. */
  readonly text?: ((n: number) => string) | undefined
  /** Everything else there, relative paths; those that end with `/` are empty directories. Undefined: no directory. */
  readonly beside: ((n: number) => readonly string[]) | undefined
  readonly encoding?: Encoding | undefined
  readonly marking?: Marking | undefined
  readonly lineEnd?: '\n' | '\r\n' | '\r' | undefined
  readonly quotesEnd?: boolean | undefined
  readonly isEmpty?: boolean | undefined
}

const named = (n: number) => `${n}.txt`
const page = (n: number) => `${n}-h/${n}-h.htm`

/** As most books are. */
export const usual = {
  plain: { text: named, beside: n => [`${n}.zip`, page(n), `${n}-h/images/cover.jpg`] },
  utf8: { text: n => `${n}-0.txt`, beside: n => [`${n}-8.txt`, `${n}-0.zip`, page(n)], encoding: 'utf8' },
  latin1: { text: n => `${n}-8.txt`, beside: n => [`${n}-8.zip`, `${n}-mod.txt`, 'readme.txt', `${n}0.txt`] },
} as const satisfies Record<string, Kind>

/** As few are, but some. */
export const unusual = {
  crowded: {
    text: named,
    // Each of them is what a search for a part of a name, or in another order, would take.
    beside: n => [
      ...[`0${n}.txt`, `${n}.txt.zip`, `${n}.txt~`, `${n}-0.txt`, `${n}-8.txt`, `${n}-mod.txt`, `${n}0.txt`],
      ...['readme.txt', 'images/', 'old.txt/', `old/${n}.txt`, page(n)],
    ],
    quotesEnd: true,
  },
  the: { text: named, beside: n => [`${n}.zip`], marking: 'the' },
  theUtf8: { text: n => `${n}-0.txt`, beside: n => [page(n)], encoding: 'utf8', marking: 'the' },
  lateEnd: { text: named, beside: () => [], marking: 'mixed' },
  unmarked: { text: named, beside: () => [], marking: 'none' },
  unix: { text: named, beside: () => [], lineEnd: '\n' },
  mac: { text: named, beside: () => [], lineEnd: '\r' },
  cutOff: { text: named, beside: () => [], marking: 'open' },
  onlyReadme: { text: () => 'readme.txt', beside: n => [page(n)], marking: 'none' },
  empty: { text: named, beside: n => [`${n}.zip`], isEmpty: true },
  noText: { beside: n => [`${n}.zip`, `${n}.txt.zip`, `${n}.pdf`, page(n), 'notes.txt/'] },
  bare: { beside: () => [] },
  absent: { beside: undefined },
} as const satisfies Record<string, Kind>

export const kinds: Readonly<Record<KindName, Kind>> = { ...usual, ...unusual }
export type KindName = keyof typeof usual | keyof typeof unusual
