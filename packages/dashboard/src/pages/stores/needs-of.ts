import type { Overview } from '@arriero/api'

type Needs = Overview['needs']

/** What of all that needs a person is about a store: it names it, as a word of its own. */
export function needsOf(store: string, needs: Needs): Needs {
  return needs.filter(({ page, title, detail }) => page === '/stores' && hasWord(`${title} ${detail}`, store))
}

/** `disk-1` is not in `disk-10`, nor in `old-disk-1`. */
function hasWord(text: string, word: string): boolean {
  const isPart = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}_-]/u.test(character)
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isPart(text[at - 1]) && !isPart(text[at + word.length])) return true
  }
  return false
}
