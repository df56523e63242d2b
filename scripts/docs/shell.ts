/** As much of a shell's grammar as our texts use: which programs are called, with which words. */

export interface Call {
  readonly words: readonly string[]
  /** Where its first word stands in the text. */
  readonly index: number
}

/**
 * Calls in the order in which they begin. Those within `$(…)` and `<(…)` are calls of their own, and stand as `…` where they are; what
 * is between `'…'` and `"…"` is one word. Comments, redirections and settings of variables before a call are left out.
 */
export function callsOf(text: string): Call[] {
  const calls: Call[] = []
  readCalls(text, 0, '', calls)
  return calls.toSorted((a, b) => a.index - b.index)
}

const token =
  /(?<blank>[ \t]+|\\\n)|(?<comment>(?<![^\s;&|(])#[^\n]*)|(?<redirection>\d*(?:>>?|<)(?:&\d|(?![(<])[ \t]*[^\s;|&()<>]*))|(?<end>\n|&&|\|\||[;|&{}](?=\s|$|[;|&])|\|)|(?<nested>[$<]\()|(?<close>\))|"(?<double>(?:\\.|[^"\\])*)"|'(?<single>[^']*)'|\\(?<escaped>.)|(?<plain>[\s\S])/gy

/** Resolves to where it ended: behind a `)`, or at the end of the text. */
function readCalls(text: string, from: number, until: '' | ')', calls: Call[]): number {
  let words: string[] = []
  let word: string | undefined
  let index = from
  const endWord = () => {
    const isSetting = words.length === 0 && /^\w+=/.test(word ?? '')
    if (word !== undefined && !isSetting) words.push(word)
    word = undefined
  }
  const endCall = () => {
    endWord()
    if (words.length > 0) calls.push({ words, index })
    words = []
  }
  let at = from
  while (at < text.length) {
    token.lastIndex = at
    const { 0: all, groups = {} } = token.exec(text)!
    const start = at
    at += all.length
    const { blank, comment, redirection, end, nested, close, double, single, escaped, plain } = groups
    if (blank !== undefined || redirection !== undefined) endWord()
    else if (comment !== undefined) continue
    else if (end !== undefined) endCall()
    else if (nested !== undefined) {
      at = readCalls(text, at, ')', calls)
      word = `${word ?? ''}…`
    } else if (close !== undefined && until === ')') break
    else {
      if (word === undefined && words.length === 0) index = start
      if (double !== undefined)
        for (const { index: inner } of double.matchAll(/\$\(/g)) readCalls(text, start + 1 + inner + 2, ')', calls)
      word = (word ?? '') + (double?.replaceAll(/\$\([^)]*\)/g, '…') ?? single ?? escaped ?? plain ?? '')
    }
  }
  endCall()
  return at
}
