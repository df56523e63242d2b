/** Which metrics and labels a query names: as much of PromQL as dashboards and rules need. */

export interface Named {
  readonly metrics: ReadonlySet<string>
  /** Beside a metric, in braces: `{store="x"}`. */
  readonly selected: readonly (readonly [metric: string, label: string])[]
  /** In `by (…)`, `without (…)`, `on (…)` and the like: of one of the metrics. */
  readonly grouped: ReadonlySet<string>
}

const keywords = new Set(
  'by without on ignoring group_left group_right and or unless bool offset inf nan atan2 start end'.split(' '),
)
const lists = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
const token = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\$?[a-zA-Z_:][\w:]*|\d[\w.]*|[^\s]/g

/** @throws Error for brackets that do not match */
export function namesOf(query: string): Named {
  const tokens = query.match(token) ?? []
  const metrics = new Set<string>()
  const selected: (readonly [string, string])[] = []
  const grouped = new Set<string>()
  const open: string[] = []
  let last = ''
  for (let at = 0; at < tokens.length; at++) {
    const word = tokens[at]!
    if ('({'.includes(word)) open.push(word)
    else if (word === ')' || word === '}') {
      if (open.pop() !== (word === ')' ? '(' : '{')) throw new Error(`brackets do not match: ${query}`)
    } else if (!/^[a-zA-Z_:]/.test(word)) continue
    else if (lists.has(word.toLowerCase()) && tokens[at + 1] === '(') {
      for (at += 2; tokens[at] !== ')'; at++) if (tokens[at] !== ',') grouped.add(tokens[at]!)
    } else if (open.at(-1) === '{') {
      selected.push([last, word])
    } else if (!isCall(tokens[at + 1]) && !keywords.has(word.toLowerCase())) {
      metrics.add(word)
      last = word
    }
  }
  if (open.length > 0) throw new Error(`brackets do not match: ${query}`)
  return { metrics, selected, grouped }
}

/** What comes after the name of a function or an aggregation. */
function isCall(next = ''): boolean {
  return next === '(' || ['by', 'without'].includes(next.toLowerCase())
}
