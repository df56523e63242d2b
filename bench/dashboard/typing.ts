/** What people type into the search of files, letter by letter: each text is asked for as it grows. */

export interface Typing {
  readonly kind: string
  /** In the order in which they are asked. */
  readonly queries: readonly string[]
  /** Each of them finds something, sooner or later. */
  readonly isFound: boolean
}

/** How many `typings()` takes. */
export const NAMES = 26

/** @param names that there are, anywhere among all: `obs/2020/d00123/9e3779b1-246001.fits` */
export function typings(names: readonly string[]): Typing[] {
  const leaves = names.map(name => name.split('/').at(-1) ?? name)
  const found = (kind: string, texts: readonly string[]) => ({
    kind,
    queries: texts.flatMap(letterByLetter),
    isFound: true,
  })
  return [
    found('the beginning of a name', names.slice(0, 6)),
    found(
      'the middle of a few names',
      leaves.slice(6, 18).map(leaf => leaf.slice(2, 12)),
    ),
    found('the ends of two parts', names.slice(18, 26).map(twoWords)),
    found('what all names have', ['fits', 'FITS', 'obs', '.fit', '/d00']),
    { ...found('what no name has', ['zebra', 'moonlight', 'été 2031', 'qx', 'd00000 zz']), isFound: false },
    { kind: 'one letter or two', queries: ['7', '-', 'zq', 'd0', '%', '_', 'é', '0f', 'b-', 'Z'], isFound: false },
  ]
}

/** Of the directory and of the leaf. */
function twoWords(name: string): string {
  const [directory = '', leaf = ''] = name.split('/').slice(-2)
  return `${directory.slice(-5)} ${leaf.slice(-9)}`
}

function letterByLetter(text: string): string[] {
  const letters = [...text]
  return letters.map((_, at) => letters.slice(0, at + 1).join(''))
}
