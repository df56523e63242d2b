/** Patterns over names: `*` and `?` stand for characters within a part, `**` also for slashes; all else is itself, `[` too. */

export function isPattern(name: string): boolean {
  return /[*?]/.test(name)
}

/**
 * Whether a name is meant. Librarians take a `*` for any run of characters, also of slashes, so that what they find may be
 * more. Takes time in proportion to name times pattern, whatever they are.
 */
export function matcherOf(pattern: string): (name: string) => boolean {
  const tokens = pattern.match(/\*\*+|[\s\S]/gu) ?? []
  return name => {
    let states = withEmptyRuns(new Set([0]), tokens)
    for (const character of name) {
      const next = new Set<number>()
      for (const at of states) {
        const token = tokens[at]
        if (token === undefined) continue
        if (isRun(token)) {
          if (token !== '*' || character !== '/') next.add(at)
        } else if (token === '?' ? character !== '/' : token === character) next.add(at + 1)
      }
      states = withEmptyRuns(next, tokens)
    }
    return states.has(tokens.length)
  }
}

function isRun(token: string | undefined): boolean {
  return token?.startsWith('*') === true
}

/** A run may be of nothing: whoever stands before it stands behind it, too. */
function withEmptyRuns(states: Set<number>, tokens: readonly string[]): Set<number> {
  for (const at of states) if (isRun(tokens[at])) states.add(at + 1)
  return states
}
